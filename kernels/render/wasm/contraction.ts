import { UnsupportedError } from '../../../src/graph/index.js';
import type { ContractionKernel } from '../../ir.js';
import { widthOfRows } from './contractionOperands.js';
import { TiledContraction } from './contractionTiled.js';
import type { WasmFeatures, WasmKernel } from './rendered.js';

/**
 * Renders a contraction to WebAssembly SIMD. The order of every sum is fixed by the kernel's shape: results are the same bits
 * whatever the threads.
 *
 * @throws UnsupportedError for sums that are neither f32 nor integers
 */
export function renderContractionToWasm(kernel: ContractionKernel, features: WasmFeatures): WasmKernel {
  if (kernel.dtype === 'bool') {
    throw new UnsupportedError(`[contraction] ${kernel.name} sums ${kernel.dtype} (expected f32, i32 or u32)`);
  }
  const { batch, m, n, k } = kernel;
  const extents = { batch: batch.extent, m: m.extent, n: n.extent, k: k.extent, width: widthOfRows(kernel) };
  return new TiledContraction(kernel, features, extents).render();
}

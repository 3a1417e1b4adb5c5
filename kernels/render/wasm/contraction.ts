import { UnsupportedError } from '../../../src/graph/index.js';
import type { ContractionKernel, Expr, IndexVar } from '../../ir.js';
import { MOST_UNROLLED, renderStreamed, renderUnrolled } from './contractionDirect.js';
import { renderDots } from './contractionDot.js';
import { lanesAlong, widthOfRows } from './contractionOperands.js';
import { TiledContraction } from './contractionTiled.js';
import { WasmKernelModule } from './kernel-module.js';
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
  return render(columnsFirst(kernel), features);
}

/** Rows up to which a right operand is multiplied where it lies. */
const FEW_ROWS = 4;
/** Elements of an operand that stays in no core's cache. */
const LARGE = 2 ** 18;

function render(kernel: ContractionKernel, features: WasmFeatures): WasmKernel {
  const { batch, m, n, k, a, b } = kernel;
  if (batch.extent * m.extent * n.extent === 0) return new WasmKernelModule(kernel, features).finish();
  const extents = { batch: batch.extent, m: m.extent, n: n.extent, k: k.extent, width: widthOfRows(kernel) };
  if (k.extent === 0 || (m.extent === 1 && k.extent <= MOST_UNROLLED)) return renderUnrolled(kernel, features, extents);
  const runsAlongK = (expr: Expr, v: IndexVar) => lanesAlong(expr, v, k, () => undefined) === k;
  if (m.extent <= FEW_ROWS && runsAlongK(b, n) && (m.extent === 1 || runsAlongK(a, m))) {
    return renderDots(kernel, features, extents);
  }
  // Where the right operand is large, columns of it would be read from far apart.
  const streams = m.extent === 1 || (m.extent <= FEW_ROWS && k.extent * n.extent >= LARGE);
  return streams ? renderStreamed(kernel, features, extents) : new TiledContraction(kernel, features, extents).render();
}

/** The kernel with one row where it had one column: lanes run along columns. */
function columnsFirst(kernel: ContractionKernel): ContractionKernel {
  const { m, n, a, b } = kernel;
  return n.extent === 1 && m.extent > 1 ? { ...kernel, m: n, n: m, a: b, b: a } : kernel;
}

import { renderContractionToWasm } from '../../../kernels/render/wasm/contraction.js';
import { renderLoopKernelToWasm } from '../../../kernels/render/wasm/loop.js';
import type { RenderWasmKernel } from './options.js';

/** Renders with the schedules that the heuristics choose. */
export const renderKernel: RenderWasmKernel = (kernel, features) =>
  kernel.kind === 'loop' ? renderLoopKernelToWasm(kernel, features) : renderContractionToWasm(kernel, features);

import { renderContractionToWasm } from '../../../kernels/render/wasm/contraction.js';
import { renderLoopKernelToWasm } from '../../../kernels/render/wasm/loop.js';
import { InternalError } from '../../graph/index.js';
import type { Plan } from '../plan.js';
import type { RenderWasmKernel } from './options.js';

/** The renderer of routines, once it was needed. */
let routines: typeof import('../../../kernels/render/wasm/routine.js').renderRoutineToWasm | null = null;

/** Loads what the kernels of a plan need beyond this module; null where that is nothing. */
export const loadRenderers = (plan: Plan): Promise<void> | null =>
  routines === null && plan.kernels.some(({ kernel }) => kernel.kind === 'routine')
    ? import('../../../kernels/render/wasm/routine.js').then(({ renderRoutineToWasm }) => {
        routines = renderRoutineToWasm;
      })
    : null;

/** Renders with the schedules that the heuristics choose. */
export const renderKernel: RenderWasmKernel = (kernel, features) => {
  if (kernel.kind === 'routine') {
    if (!routines) throw new InternalError(`[render] ${kernel.name} without the renderer of routines`);
    return routines(kernel, features);
  }
  return kernel.kind === 'loop' ? renderLoopKernelToWasm(kernel, features) : renderContractionToWasm(kernel, features);
};

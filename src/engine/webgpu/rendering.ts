import { chooseContractionSchedule, renderContraction } from '../../../kernels/families/contraction.js';
import type { Kernel } from '../../../kernels/ir.js';
import { chooseLoopSchedule, renderLoopKernel } from '../../../kernels/render/index.js';
import { InternalError } from '../../graph/index.js';
import type { Capabilities } from '../engine.js';
import type { Plan } from '../plan.js';

/**
 * WGSL of one kernel and how to launch it. Its buffers are bound at their own numbers, as read_write storage, but for the empty
 * ones; its scalars after them, as a uniform of 32-bit words.
 */
export interface RenderedKernel {
  readonly code: string;
  readonly entryPoint: string;
  /** With a zero where there is nothing to do. */
  readonly workgroups: readonly [number, number, number];
}

export type RenderKernel = (kernel: Kernel, capabilities: Capabilities) => RenderedKernel;

/** The renderer of routines, once it was needed. */
let routines: typeof import('../../../kernels/render/wgsl-routine.js').renderRoutine | null = null;

/** Loads what the kernels of a plan need beyond this module; null where that is nothing. */
export const loadRenderers = (plan: Plan): Promise<void> | null =>
  routines === null && plan.kernels.some(({ kernel }) => kernel.kind === 'routine')
    ? import('../../../kernels/render/wgsl-routine.js').then(({ renderRoutine }) => {
        routines = renderRoutine;
      })
    : null;

/** Renders with the schedule that the heuristics choose for the device. */
export const renderKernel: RenderKernel = (kernel, capabilities) => {
  if (kernel.kind === 'routine') {
    if (!routines) throw new InternalError(`[render] ${kernel.name} without the renderer of routines`);
    return routines(kernel, capabilities);
  }
  return kernel.kind === 'loop'
    ? renderLoopKernel(kernel, chooseLoopSchedule(kernel, capabilities), capabilities)
    : renderContraction(kernel, chooseContractionSchedule(kernel, capabilities), capabilities);
};

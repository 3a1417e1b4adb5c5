import { chooseContractionSchedule, renderContraction } from '../../../kernels/families/contraction.js';
import type { MatrixSchedule } from '../../../kernels/families/contractionMatrix.js';
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

/** What few plans need, once it was. */
let routines: typeof import('../../../kernels/render/wgsl-routine.js') | null = null;
let matrices: typeof import('../../../kernels/families/contractionMatrix.js') | null = null;

/** Loads what the kernels of a plan need on a device beyond this module; null where that is nothing. */
export function loadRenderers({ kernels }: Plan, { matrixUnits }: Capabilities): Promise<unknown> | null {
  const missing: Promise<unknown>[] = [];
  if (routines === null && kernels.some(({ kernel }) => kernel.kind === 'routine')) {
    missing.push(import('../../../kernels/render/wgsl-routine.js').then((loaded) => (routines = loaded)));
  }
  if (matrices === null && matrixUnits !== undefined) {
    missing.push(import('../../../kernels/families/contractionMatrix.js').then((loaded) => (matrices = loaded)));
  }
  return missing.length > 0 ? Promise.all(missing) : null;
}

/** How a kernel runs on the device's matrix units; null where it does not. */
export function onMatrixUnits(kernel: Kernel, capabilities: Capabilities): MatrixSchedule | null {
  if (kernel.kind !== 'contraction' || capabilities.matrixUnits === undefined) return null;
  if (!matrices) throw new InternalError(`[render] ${kernel.name} without the renderer for matrix units`);
  return matrices.matrixSchedule(kernel, capabilities);
}

/** Renders with the schedule that the heuristics choose for the device. */
export const renderKernel: RenderKernel = (kernel, capabilities) => {
  if (kernel.kind === 'routine') {
    if (!routines) throw new InternalError(`[render] ${kernel.name} without the renderer of routines`);
    return routines.renderRoutine(kernel, capabilities);
  }
  if (kernel.kind === 'loop') return renderLoopKernel(kernel, chooseLoopSchedule(kernel, capabilities), capabilities);
  const schedule = onMatrixUnits(kernel, capabilities);
  return schedule
    ? matrices!.renderMatrix(kernel, schedule, capabilities)
    : renderContraction(kernel, chooseContractionSchedule(kernel, capabilities), capabilities);
};

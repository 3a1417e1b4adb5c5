import { chooseContractionSchedule, renderContraction } from '../../../kernels/families/contraction.js';
import type { MatrixSchedule } from '../../../kernels/families/contractionMatrix.js';
import { byWords } from '../../../kernels/families/packedDot.js';
import type { ContractionKernel, Kernel } from '../../../kernels/ir.js';
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
function onMatrixUnits(kernel: ContractionKernel, capabilities: Capabilities): MatrixSchedule | null {
  if (capabilities.matrixUnits === undefined) return null;
  if (!matrices) throw new InternalError(`[render] ${kernel.name} without the renderer for matrix units`);
  return matrices.matrixSchedule(kernel, capabilities);
}

/** Whether a contraction runs in a form of its own, that of matrix units or of packed bytes, which has no schedules to choose among. */
export const hasOwnForm = (kernel: ContractionKernel, capabilities: Capabilities): boolean =>
  onMatrixUnits(kernel, capabilities) !== null || inWords(kernel, capabilities) !== null;

const inWords = (kernel: ContractionKernel, { packedDot = false }: Capabilities): ContractionKernel | null =>
  packedDot ? byWords(kernel) : null;

/** Renders with the schedule that the heuristics choose for the device. */
export const renderKernel: RenderKernel = (kernel, capabilities) => {
  if (kernel.kind === 'routine') {
    if (!routines) throw new InternalError(`[render] ${kernel.name} without the renderer of routines`);
    return routines.renderRoutine(kernel, capabilities);
  }
  if (kernel.kind === 'loop') return renderLoopKernel(kernel, chooseLoopSchedule(kernel, capabilities), capabilities);
  const schedule = onMatrixUnits(kernel, capabilities);
  if (schedule) return matrices!.renderMatrix(kernel, schedule, capabilities);
  const chosen = inWords(kernel, capabilities) ?? kernel;
  return renderContraction(chosen, chooseContractionSchedule(chosen, capabilities), capabilities);
};

import { chooseContractionSchedule, renderContraction } from '../../../kernels/families/contraction.js';
import type { Kernel } from '../../../kernels/ir.js';
import { chooseLoopSchedule, renderLoopKernel } from '../../../kernels/render/index.js';
import type { Capabilities } from '../engine.js';

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

/** Renders with the schedule that the heuristics choose for the device. */
export const renderKernel: RenderKernel = (kernel, capabilities) =>
  kernel.kind === 'loop'
    ? renderLoopKernel(kernel, chooseLoopSchedule(kernel, capabilities), capabilities)
    : renderContraction(kernel, chooseContractionSchedule(kernel, capabilities));

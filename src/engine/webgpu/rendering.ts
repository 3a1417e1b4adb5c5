import type { Kernel } from '../../../kernels/ir.js';
import type { Capabilities } from '../engine.js';

/** WGSL of one kernel and how to launch it. */
export interface RenderedKernel {
  readonly code: string;
  readonly entryPoint: string;
  readonly workgroups: readonly [number, number, number];
}

export type RenderKernel = (kernel: Kernel, capabilities: Capabilities) => RenderedKernel;

export const renderKernel: RenderKernel = (kernel) => {
  throw new Error(`no renderer yet for ${kernel.name}`);
};

import type { Capabilities, Coder } from '../engine.js';
import type { CodedKernel, CodedPlan } from '../plan.js';
import { rendererOf } from '../renderer.js';
import type { RenderedKernel, RenderKernel } from './rendering.js';

/** Plans of this engine's code. */
export type WebGPUPlan = CodedPlan<RenderedKernel>;
export type WebGPUPlannedKernel = CodedKernel<RenderedKernel>;

/** How kernels become WGSL for a device; `render` in place of the renderers of kernels/. */
export function webgpuCoder(
  adapter: string,
  capabilities: Capabilities,
  render: RenderKernel | undefined,
  load: Coder['load'],
): Coder<RenderedKernel> {
  return {
    target: render === undefined ? adapter : null,
    renderer: rendererOf(async (plan) => {
      const own = await import('./rendering.js');
      await own.loadRenderers(plan, capabilities);
      const chosen = render ?? own.renderKernel;
      return (kernel) => {
        const { code, entryPoint, workgroups } = chosen(kernel, capabilities);
        return { code, entryPoint, workgroups };
      };
    }),
    accepts: ({ code }) => isRenderedKernel(code),
    load,
  };
}

function isRenderedKernel(value: unknown): value is RenderedKernel {
  if (typeof value !== 'object' || value === null) return false;
  const { code, entryPoint, workgroups } = value as Partial<RenderedKernel>;
  return (
    typeof code === 'string' &&
    typeof entryPoint === 'string' &&
    // Without its validation Dawn would crash on a pipeline without it.
    code.includes(`fn ${entryPoint}(`) &&
    Array.isArray(workgroups) &&
    workgroups.length === 3 &&
    workgroups.every((count) => Number.isInteger(count) && count >= 0)
  );
}

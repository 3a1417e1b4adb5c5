import type { WasmFeatures, WasmKernel } from '../../../kernels/render/wasm/rendered.js';
import type { Coder } from '../engine.js';
import type { CodedKernel, CodedPlan } from '../plan.js';
import { rendererOf } from '../renderer.js';
import type { RenderWasmKernel } from './options.js';

/** How kernels become code for an engine with these features; `render` in place of the renderers of kernels/. */
export function wasmCoder(
  features: WasmFeatures,
  render: RenderWasmKernel | undefined,
  load: Coder['load'],
): Coder<WasmKernel> {
  return {
    target: render === undefined ? JSON.stringify(features) : null,
    renderer: rendererOf(async (plan) => {
      const own = await import('./rendering.js');
      await own.loadRenderers(plan);
      const chosen = render ?? own.renderKernel;
      return (kernel) => chosen(kernel, features);
    }),
    accepts: ({ code }) => isWasmKernel(code),
    load,
  };
}

const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;

/** A scratch larger than this cannot be addressed. */
const MOST_BYTES = 2 ** 31;
const MAGIC = [0x00, 0x61, 0x73, 0x6d];

function isWasmKernel(code: unknown): code is WasmKernel {
  if (typeof code !== 'object' || code === null) return false;
  const { bytes, phases, sharedScratchBytes, threadScratchBytes } = code as Partial<WasmKernel>;
  return (
    bytes instanceof Uint8Array &&
    MAGIC.every((byte, i) => bytes[i] === byte) &&
    isCount(sharedScratchBytes) &&
    isCount(threadScratchBytes) &&
    sharedScratchBytes! + threadScratchBytes! < MOST_BYTES &&
    Array.isArray(phases) &&
    phases.every(
      (phase) =>
        typeof phase?.name === 'string' &&
        isCount(phase.tasks) &&
        Number.isFinite(phase.taskCost) &&
        phase.taskCost >= 0,
    )
  );
}

/** Plans of this engine's code. */
export type WasmPlan = CodedPlan<WasmKernel>;
export type WasmPlannedKernel = CodedKernel<WasmKernel>;

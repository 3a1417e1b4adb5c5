import type { Kernel } from '../../../kernels/ir.js';
import type { WasmFeatures, WasmKernel } from '../../../kernels/render/wasm/rendered.js';
import type { EngineOptions } from '../select/options.js';
import type { KernelTiming } from '../timing.js';

/** How a kernel becomes WebAssembly. */
export type RenderWasmKernel = (kernel: Kernel, features: WasmFeatures) => WasmKernel;

export interface WasmOptions extends EngineOptions {
  /** Why this engine was chosen, for `engineInfo()`. */
  readonly why?: string;
  /** How kernels become WebAssembly; default the renderers of kernels/. */
  readonly render?: RenderWasmKernel;
  /** Told the time of each kernel after every run. */
  readonly onTimings?: (timings: readonly KernelTiming[]) => void;
  /** Least nanoseconds of work for which a phase is split among threads. */
  readonly splitFrom?: number;
  /** How long a worker may stay silent in the middle of its work before it counts as dead, where only events would tell. */
  readonly stallMs?: number;
}

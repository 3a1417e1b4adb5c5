import { debugLevel, environmentVariable } from '../environment.js';
import type { EngineOptions } from '../select/options.js';
import type { TimingListener } from '../timing.js';
import type { RenderKernel } from './rendering.js';

export interface WebGPUOptions extends EngineOptions {
  /** Whether an adapter that computes on the CPU will do; default true. */
  readonly allowSoftware?: boolean;
  /** Why this engine was chosen, for `engineInfo()`. */
  readonly why?: string;
  /** How kernels become WGSL; default the renderers of kernels/. */
  readonly render?: RenderKernel;
  /** Whether to try out what the adapter has beyond the guarantees of WebGPU, and use what is right; default on hardware adapters. */
  readonly tryOut?: boolean;
  /** Told the time of each kernel after every run, where the adapter has timestamps. Each kernel then has a pass of its own. */
  readonly onTimings?: TimingListener;
  /** How long nothing may happen before memory that is kept for reuse goes back to the device; default 5 seconds. */
  readonly trimAfterMs?: number;
}

/** Checks of Dawn that generated code and the engine make superfluous. */
const FAST_TOGGLES = [
  'skip_validation',
  'disable_robustness',
  'disable_workgroup_init',
  '-lazy_clear_resource_on_first_use',
];

/** What Dawn asks for before it shows matrix units, and the f16 that NVIDIA's need: whether both are right is tried out. */
const MATRIX_TOGGLES = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia'];

/** The flags that Dawn in Node starts with. */
export function dawnFlags(options: WebGPUOptions): string[] {
  const toggles = [
    ...(validates(options) ? [] : FAST_TOGGLES),
    '-timestamp_quantization',
    ...(options.subgroupMatrix ? MATRIX_TOGGLES : []),
    ...(options.dawnToggles ?? []),
  ];
  const enabled = toggles.filter((toggle) => !toggle.startsWith('-'));
  const disabled = toggles.filter((toggle) => toggle.startsWith('-')).map((toggle) => toggle.slice(1));
  return [
    ...(enabled.length > 0 ? [`enable-dawn-features=${enabled.join(',')}`] : []),
    ...(disabled.length > 0 ? [`disable-dawn-features=${disabled.join(',')}`] : []),
  ];
}

function validates(options: WebGPUOptions): boolean {
  if (options.validate !== undefined) return options.validate;
  const mode = environmentVariable('TILLER_DAWN');
  if (mode === 'fast' || mode === 'validate') return mode === 'validate';
  return debugLevel() >= 1;
}

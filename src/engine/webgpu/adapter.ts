import type { MatrixConfig } from '../../../kernels/families/matrixUnits.js';
import { EngineUnavailableError } from '../../graph/index.js';
import { requestNodeAdapter } from './node-gpu.js';

export interface AdapterRequest {
  /** Whether an adapter that computes on the CPU will do. */
  readonly allowSoftware: boolean;
  readonly powerPreference: GPUPowerPreference;
  /** Flags for Dawn in Node. */
  readonly dawnFlags: readonly string[];
}

export interface FoundAdapter {
  readonly adapter: GPUAdapter;
  /** What WGSL has here beyond its first version. */
  readonly language: ReadonlySet<string>;
  readonly software: boolean;
  /** True where Dawn runs inside this process. */
  readonly inNode: boolean;
  /** The adapter in words. */
  readonly description: string;
  /** What was looked at on the way, for `why`. */
  readonly tried: readonly string[];
}

/** Finds a WebGPU adapter in a browser, Deno or Node. Throws EngineUnavailableError with what was looked for and what to install. */
export async function findAdapter(request: AdapterRequest): Promise<FoundAdapter> {
  const gpu = typeof navigator === 'undefined' ? undefined : navigator.gpu;
  if (gpu) {
    const adapter = await gpu.requestAdapter({ powerPreference: request.powerPreference });
    const tried = [`navigator.gpu: ${adapter ? 'an adapter' : 'no adapter'}`];
    return accept(
      adapter,
      gpu,
      tried,
      false,
      request,
      'a browser with WebGPU switched on, or its flag for software adapters',
    );
  }
  if (typeof process !== 'undefined' && process.versions?.node) {
    const { adapter, gpu: dawn, tried } = await requestNodeAdapter({ ...request, flags: request.dawnFlags });
    return accept(adapter, dawn, tried, true, request, installAdvice());
  }
  const insecure = (globalThis as { isSecureContext?: boolean }).isSecureContext === false;
  const tried = [
    `navigator.gpu: absent${insecure ? ' (this page is not a secure context: use https or localhost)' : ''}`,
  ];
  return accept(null, null, tried, false, request, 'a browser that has WebGPU');
}

function accept(
  adapter: GPUAdapter | null,
  gpu: GPU | null,
  tried: readonly string[],
  inNode: boolean,
  request: AdapterRequest,
  advice: string,
): FoundAdapter {
  if (!adapter) {
    throw new EngineUnavailableError(`[webgpu] no WebGPU adapter: looked for ${tried.join('; ')} (expected ${advice})`);
  }
  const software = isSoftware(adapter);
  const description = describeAdapter(adapter.info);
  if (software && !request.allowSoftware) {
    throw new EngineUnavailableError(
      `[webgpu] only a software adapter: ${description} (a hardware adapter is expected unless the engine 'webgpu' is asked for by name)`,
    );
  }
  const language = new Set<string>(gpu?.wgslLanguageFeatures);
  return { adapter, language, software, inNode, description, tried };
}

function installAdvice(): string {
  if (process.platform !== 'linux') return "npm install webgpu, and the system's GPU driver";
  return (
    'npm install webgpu, and either a GPU driver with the Debian package libvulkan1, or the Debian package chromium, ' +
    'which brings the software adapter SwiftShader'
  );
}

/** True for adapters that compute on the CPU. */
function isSoftware(adapter: GPUAdapter): boolean {
  const { info } = adapter;
  const marked = adapter as { isFallbackAdapter?: boolean };
  if (info.isFallbackAdapter || marked.isFallbackAdapter) return true;
  const words = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return /swiftshader|llvmpipe|lavapipe|softpipe|\bwarp\b|microsoft basic render/i.test(words);
}

function describeAdapter(info: GPUAdapterInfo): string {
  const name = info.device || info.architecture || 'unknown adapter';
  const words = [info.vendor, name.replace(/-+$/, ''), info.description].filter((word) => word !== '');
  return words.join(' ');
}

/** The limits that matter for compute; a device gets only what it asks for. */
const WANTED_LIMITS = [
  'maxStorageBuffersPerShaderStage',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxUniformBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const;

const WANTED_FEATURES = ['timestamp-query', 'subgroups', 'subgroup-size-control', 'shader-f16'] as GPUFeatureName[];

/** In flux, so only asked for where a user does. */
export const MATRIX_FEATURE = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;

/** What to ask the adapter's device for. */
export function deviceDescriptor(
  adapter: GPUAdapter,
  { matrices = false }: { matrices?: boolean } = {},
): GPUDeviceDescriptor {
  const wanted = [...WANTED_FEATURES, ...(matrices ? [MATRIX_FEATURE] : [])];
  return {
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(WANTED_LIMITS.map((name) => [name, adapter.limits[name]])),
  };
}

/** An entry of `GPUAdapterInfo.subgroupMatrixConfigs`. */
interface ListedConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** The matrices of f32 and f16 that an adapter multiplies with sums in f32, the largest first. */
export function matrixConfigs(info: GPUAdapterInfo, hasF16: boolean): MatrixConfig[] {
  const listed = (info as { subgroupMatrixConfigs?: Iterable<ListedConfig> }).subgroupMatrixConfigs ?? [];
  return [...listed]
    .flatMap(({ componentType: component, resultComponentType, M: m, N: n, K: k }) => {
      const known = component === 'f32' || (component === 'f16' && hasF16) ? component : null;
      return known !== null && resultComponentType === 'f32' ? [{ component: known, m, n, k } as const] : [];
    })
    .sort((a, b) => b.m * b.n * b.k - a.m * a.n * a.k);
}

/** The limits of a device that `engineInfo()` lists. */
export function listLimits(limits: GPUSupportedLimits): Record<string, number> {
  return Object.fromEntries(WANTED_LIMITS.map((name) => [name, limits[name]]));
}

/**
 * A device of Dawn's Null backend: it has nearly every feature there is and computes nothing, but Dawn validates what it is given. WGSL for
 * hardware that no test machine has is compiled here as it would be there.
 */
import type { RenderedKernel } from '../../../kernels/render/rendered.js';

export interface NullDevice {
  /** Features of the device. */
  readonly features: ReadonlySet<string>;
  /** Compiles a module and its pipeline; gives Dawn's complaints, errors and warnings, one a line, or '' if there are none. */
  compile(kernel: Pick<RenderedKernel, 'code' | 'entryPoint'>): Promise<string>;
  destroy(): void;
}

const FEATURES = ['subgroups', 'shader-f16', 'subgroup-size-control', 'chromium-experimental-subgroup-matrix'];

/** Dawn works only while its entry object is alive. */
const instances: GPU[] = [];

export async function nullAdapter(): Promise<GPUAdapter> {
  const { create } = await import('webgpu');
  const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  instances.push(gpu);
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('Dawn has no Null backend');
  return adapter;
}

/** Opens a device with those of `features` that the backend has, by default all that kernels may use. */
export async function openNullDevice(features: readonly string[] = FEATURES): Promise<NullDevice> {
  const adapter = await nullAdapter();
  const device = await adapter.requestDevice({ requiredFeatures: features as GPUFeatureName[] });

  async function compile({ code, entryPoint }: Pick<RenderedKernel, 'code' | 'entryPoint'>): Promise<string> {
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code });
    const { messages } = await module.getCompilationInfo();
    const invalid = await device.popErrorScope();
    const complaints = messages.map(({ type, lineNum, message }) => `${type} in line ${lineNum}: ${message}`);
    if (invalid) return [...complaints, invalid.message].join('\n');
    try {
      await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint } });
    } catch (error) {
      complaints.push((error as Error).message);
    }
    return complaints.join('\n');
  }

  return { features: device.features, compile, destroy: () => device.destroy() };
}

import { loadVulkan, swiftShaderManifest, whyNoWebGPU } from '../../scripts/machine.mjs';
import { pollGently } from '../../src/engine/webgpu/polling.js';

/** Points Dawn at SwiftShader where the machine has no adapter by itself. Call it before anything starts Dawn. */
export function prepareVulkan(): void {
  loadVulkan();
  const manifest = swiftShaderManifest();
  if (process.env.VK_ICD_FILENAMES || process.env.VK_DRIVER_FILES || manifest === null) return;
  if (whyNoWebGPU(process.env) !== null) process.env.VK_ICD_FILENAMES = manifest;
}

/** Dawn must outlive every device. */
let gpu: GPU | null = null;

/**
 * Gives libraries that were written for browsers WebGPU in Node: Dawn, started without any flags, behind `navigator.gpu`. Call it
 * after tiller has started, which would otherwise take this Node for a browser.
 * @returns the adapter that they get
 */
export async function provideWebGPU(polling: 'gentle' | 'busy'): Promise<GPUAdapterInfo> {
  if (gpu === null) {
    const { create, globals } = await import('webgpu');
    Object.assign(globalThis, globals);
    gpu = create([]);
    const navigator = { gpu, userAgent: `Node.js/${process.versions.node}`, hardwareConcurrency: 1 };
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
    // jax-js makes canvases for synchronous reads, which no benchmark does.
    Object.assign(globalThis, { OffscreenCanvas: NoCanvas });
    if (polling === 'gentle') waitGently();
  }
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new Error('Dawn found no adapter for the peers');
  return adapter.info;
}

class NoCanvas {
  getContext() {
    return { configure() {} };
  }
}

/** Lets the peers wait as tiller waits: the binding's own way keeps a core busy, which a software adapter computes on. */
function waitGently(): void {
  const { GPUBuffer, GPUQueue, GPUDevice } = globalThis;
  wrap(GPUBuffer.prototype, 'mapAsync');
  wrap(GPUQueue.prototype, 'onSubmittedWorkDone');
  wrap(GPUDevice.prototype, 'createComputePipelineAsync');
  wrap(GPUDevice.prototype, 'popErrorScope');
}

function wrap<Name extends string>(prototype: Record<Name, (...args: never[]) => Promise<unknown>>, name: Name): void {
  const original = prototype[name] as (...args: unknown[]) => Promise<unknown>;
  Object.assign(prototype, {
    [name](this: unknown, ...args: unknown[]) {
      return pollGently(() => original.apply(this, args));
    },
  });
}

import type { Kernel } from '../../../kernels/ir.js';
import type { WasmFeatures, WasmKernel } from '../../../kernels/render/wasm/rendered.js';
import { EngineError, InternalError } from '../../graph/index.js';
import { kernelKey } from './kernelKey.js';
import type { RenderWasmKernel } from './options.js';
import type { PhaseFunction } from './worker.js';

/** Kernels kept for plans to come; programs keep theirs anyway. */
const MOST_KERNELS = 1024;

/** Code that is compiled on the calling thread, and that workers compile when they first meet it. */
export class CompiledModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** By phase. */
  readonly phases: readonly PhaseFunction[];
  /** The pool's: a number once a worker may have it, a bit for each worker that has, and among which workers that holds. */
  id = 0;
  holders = 0;
  generation = -1;

  constructor(bytes: Uint8Array<ArrayBuffer>, phases: readonly PhaseFunction[]) {
    this.bytes = bytes;
    this.phases = phases;
  }
}

/** A kernel's code, rendered and on its way to be compiled. */
export interface KernelCode {
  readonly rendered: WasmKernel;
  /** Null where there is nothing to do. Rejects with EngineError where the code is not valid. */
  readonly module: Promise<CompiledModule> | null;
}

/** Renders and compiles kernels; equal ones once. */
export class ModuleCache {
  readonly #memory: WebAssembly.Memory;
  readonly #render: RenderWasmKernel;
  readonly #features: WasmFeatures;
  /** The least recently used first. */
  readonly #kernels = new Map<string, KernelCode>();

  constructor(memory: WebAssembly.Memory, render: RenderWasmKernel, features: WasmFeatures) {
    this.#memory = memory;
    this.#render = render;
    this.#features = features;
  }

  /** Starts to compile a kernel, where that has not happened yet. */
  codeOf(kernel: Kernel): KernelCode {
    const key = kernelKey(kernel);
    const code = this.#kernels.get(key) ?? this.#make(kernel, key);
    this.#kernels.delete(key);
    this.#kernels.set(key, code);
    if (this.#kernels.size > MOST_KERNELS) this.#kernels.delete(this.#kernels.keys().next().value!);
    return code;
  }

  #make(kernel: Kernel, key: string): KernelCode {
    const rendered = this.#render(kernel, this.#features);
    const isEmpty = rendered.phases.every(({ tasks }) => tasks <= 0);
    const module = isEmpty ? null : this.#compile(kernel.name, rendered);
    // A failure is not remembered: it may have been for want of memory.
    module?.catch(() => this.#kernels.delete(key));
    return { rendered, module };
  }

  async #compile(name: string, rendered: WasmKernel): Promise<CompiledModule> {
    const { bytes } = rendered;
    const imports = { env: { memory: this.#memory } };
    const { instance } = await WebAssembly.instantiate(bytes, imports).catch((error: unknown) => {
      throw new EngineError(`[wasm] kernel ${name} does not compile: ${String(error)}`);
    });
    const phases = Object.values(instance.exports) as PhaseFunction[];
    if (phases.length !== rendered.phases.length) {
      throw new InternalError(
        `[wasm] kernel ${name} exports ${phases.length} functions (expected ${rendered.phases.length})`,
      );
    }
    return new CompiledModule(bytes, phases);
  }
}

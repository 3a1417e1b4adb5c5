import type { Kernel } from '../../../kernels/ir.js';
import type { WasmFeatures, WasmKernel } from '../../../kernels/render/wasm/rendered.js';
import { EngineError, InternalError } from '../../graph/index.js';
import type { RenderWasmKernel } from './options.js';
import type { PhaseFunction } from './worker.js';

/** Modules kept for plans to come; programs keep theirs anyway. */
const MOST_MODULES = 1024;

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

/** Renders and compiles kernels; equal code is compiled once. */
export class ModuleCache {
  readonly #memory: WebAssembly.Memory;
  readonly #render: RenderWasmKernel;
  readonly #features: WasmFeatures;
  /** The least recently used first. */
  readonly #modules = new Map<string, Promise<CompiledModule>>();

  constructor(memory: WebAssembly.Memory, render: RenderWasmKernel, features: WasmFeatures) {
    this.#memory = memory;
    this.#render = render;
    this.#features = features;
  }

  render(kernel: Kernel): WasmKernel {
    return this.#render(kernel, this.#features);
  }

  /** Throws EngineError where the code is not valid. */
  compile(name: string, { bytes, phases }: WasmKernel): Promise<CompiledModule> {
    const key = textOf(bytes);
    let module = this.#modules.get(key);
    this.#modules.delete(key);
    if (!module) {
      module = this.#compile(name, bytes, phases.length);
      module.catch(() => this.#modules.delete(key));
    }
    this.#modules.set(key, module);
    if (this.#modules.size > MOST_MODULES) this.#modules.delete(this.#modules.keys().next().value!);
    return module;
  }

  async #compile(name: string, code: Uint8Array, phases: number): Promise<CompiledModule> {
    const bytes = Uint8Array.from(code);
    const imports = { env: { memory: this.#memory } };
    const { instance } = await WebAssembly.instantiate(bytes, imports).catch((error: unknown) => {
      throw new EngineError(`[wasm] kernel ${name} does not compile: ${String(error)}`);
    });
    const functions = Object.values(instance.exports) as PhaseFunction[];
    if (functions.length !== phases) {
      throw new InternalError(`[wasm] kernel ${name} exports ${functions.length} functions (expected ${phases})`);
    }
    return new CompiledModule(bytes, functions);
  }
}

/** The bytes as a string, for a Map to compare. */
function textOf(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

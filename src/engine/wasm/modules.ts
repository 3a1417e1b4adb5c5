import type { WasmKernel } from '../../../kernels/render/wasm/rendered.js';
import { EngineError } from '../../graph/index.js';
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

/** A text of its own for every sequence of bytes: each becomes one character. */
const latin1 = new TextDecoder('latin1');

/** Compiles kernels; equal code once. */
export class ModuleCache {
  readonly #memory: WebAssembly.Memory;
  /** By their code, the least recently used first. */
  readonly #modules = new Map<string, Promise<CompiledModule>>();

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  /** Starts to compile code, where that has not happened yet. Rejects with EngineError where it is not valid. */
  moduleOf(name: string, code: WasmKernel): Promise<CompiledModule> {
    const key = latin1.decode(code.bytes);
    const module = this.#modules.get(key) ?? this.#make(name, code, key);
    this.#modules.delete(key);
    this.#modules.set(key, module);
    if (this.#modules.size > MOST_MODULES) this.#modules.delete(this.#modules.keys().next().value!);
    return module;
  }

  #make(name: string, code: WasmKernel, key: string): Promise<CompiledModule> {
    const module = this.#compile(name, code);
    // A failure is not remembered: it may have been for want of memory.
    module.catch(() => this.#modules.delete(key));
    return module;
  }

  async #compile(name: string, rendered: WasmKernel): Promise<CompiledModule> {
    const { bytes } = rendered;
    const imports = { env: { memory: this.#memory } };
    const { instance } = await WebAssembly.instantiate(bytes, imports).catch((error: unknown) => {
      throw new EngineError(`[wasm] kernel ${name} does not compile: ${String(error)}`);
    });
    const phases = Object.values(instance.exports) as PhaseFunction[];
    return new CompiledModule(bytes, phases);
  }
}

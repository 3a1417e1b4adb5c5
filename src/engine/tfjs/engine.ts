import {
  ARRAYS,
  arrayOf,
  bytesFor,
  type DeviceLostError,
  type DType,
  EngineError,
  InternalError,
  type Node,
  roundToDType,
  type Shape,
  sizeOf,
  TillerError,
  wordsOf,
} from '../../graph/index.js';
import type { Capabilities, EngineBuffer, EngineInfo, GraphEngine, MemoryStats, Program } from '../engine.js';
import { graphCapabilities, MemoryAccount } from '../graphEngine.js';
import type { ProgramGraph } from '../plan.js';
import { lowerGraph } from './lower/graph.js';
import { type LoadedTf, loadTf, type TfjsBackend } from './packages.js';
import { TfProgram } from './program.js';
import type { TfTensor } from './tf.js';
import { fromTfArray, tfTypeOf, toTfArray } from './values.js';

export interface TfjsOptions {
  /** Which backend of TensorFlow.js computes; default the fastest that is installed. */
  readonly backend?: TfjsBackend;
  readonly memoryBudget?: number;
  /** Why this engine was chosen, for `info()`. */
  readonly why?: string;
}

/**
 * Makes the engine that lowers graphs to the kernels of TensorFlow.js: those of CUDA, where `@tensorflow/tfjs-node-gpu` is installed. Rejects
 * with EngineUnavailableError, which says what to install. A backend that is loaded already may be given.
 */
export async function createTfjsEngine(options: TfjsOptions = {}, loaded?: LoadedTf): Promise<GraphEngine> {
  return new TfjsEngine(loaded ?? (await loadTf(options.backend)), options);
}

/** Words from the host until a program says what they are; then a tensor. */
class TensorBuffer implements EngineBuffer {
  words: ArrayBuffer | null;
  tensor: TfTensor | null;
  freed = false;

  constructor(
    readonly bytes: number,
    held: ArrayBuffer | TfTensor,
    public dtype: DType | null,
  ) {
    this.words = held instanceof ArrayBuffer ? held : null;
    this.tensor = held instanceof ArrayBuffer ? null : held;
  }
}

class TfjsEngine implements GraphEngine {
  readonly kind = 'graph';
  readonly name = 'tfjs';
  readonly capabilities: Capabilities;
  /** Never: TensorFlow does not tell. */
  readonly lost = new Promise<DeviceLostError>(() => {});
  readonly #loaded: LoadedTf;
  readonly #why: string;
  readonly #memory: MemoryAccount;
  readonly #readBack = new Set<string>();
  /** Tensors of programs that are gone. */
  readonly #registry: FinalizationRegistry<readonly TfTensor[]> | null;
  #destroyed = false;

  constructor(loaded: LoadedTf, { why, memoryBudget }: TfjsOptions) {
    this.#loaded = loaded;
    this.#why = why ?? 'asked for by name';
    this.#memory = new MemoryAccount('tfjs', memoryBudget);
    this.capabilities = graphCapabilities(!loaded.gpu);
    this.#registry =
      typeof FinalizationRegistry === 'undefined'
        ? null
        : new FinalizationRegistry((tensors) => {
            for (const tensor of tensors) tensor.dispose();
          });
  }

  info(): EngineInfo {
    const { backend, gpu, version } = this.#loaded;
    const without = backend === 'node-gpu' && !gpu ? '; TensorFlow found no GPU, so its CPU kernels compute' : '';
    return {
      engine: 'tfjs',
      adapter: `TensorFlow.js ${version}, backend ${backend}${backend === 'node-gpu' ? (gpu ? ' (CUDA)' : ' without a GPU') : ''}`,
      software: !gpu,
      features: [],
      limits: { maxBufferSize: this.capabilities.maxBufferBytes },
      why: `${this.#why}${without}`,
      backend,
      gpu,
      version,
      readBack: [...this.#readBack].sort(),
    };
  }

  upload(words: Uint32Array | Int32Array | Float32Array): EngineBuffer {
    this.#check();
    this.#memory.take(words.byteLength);
    return new TensorBuffer(words.byteLength, words.slice().buffer as ArrayBuffer, null);
  }

  async read(buffers: readonly EngineBuffer[]): Promise<ArrayBuffer[]> {
    this.#check();
    return Promise.all(
      buffers.map(async (buffer) => {
        const held = this.#held(buffer, 'read');
        if (held.words !== null) return held.words.slice(0);
        const dtype = held.dtype!;
        const words = wordsOf(fromTfArray(await held.tensor!.data(), dtype), dtype);
        return words.slice().buffer as ArrayBuffer;
      }),
    );
  }

  free(buffer: EngineBuffer): void {
    const held = this.#held(buffer, 'free');
    held.tensor?.dispose();
    held.tensor = null;
    held.words = null;
    held.freed = true;
    this.#memory.give(held.bytes);
  }

  memory(): MemoryStats {
    return this.#memory.stats;
  }

  async idle(): Promise<void> {
    this.#check();
  }

  destroy(): void {
    this.#destroyed = true;
  }

  async prepareGraph(graph: ProgramGraph): Promise<Program> {
    this.#check();
    const { tf, name } = this.#loaded;
    const { tape, places, lowered } = lowerGraph(graph, name);
    for (const each of lowered.readBack.keys()) this.#readBack.add(each);
    return this.#active(
      () =>
        new TfProgram(tf, tape, places, graph.inputs, graph.scalars, graph.outputs, lowered, (program, tensors) =>
          this.#registry?.register(program, tensors),
        ),
    );
  }

  run(program: Program, inputs: readonly EngineBuffer[], scalars: readonly number[]): EngineBuffer[] {
    this.#check();
    if (!(program instanceof TfProgram)) throw new InternalError('[tfjs] run of a program of another engine');
    return this.#active(() => {
      const tensors = program.inputs.map((node, i) => this.#tensorOf(inputs[i]!, node));
      const numbers = program.scalars.map((node, i) => ARRAYS[node.dtype].of(roundToDType(scalars[i]!, node.dtype)));
      const outputs = program.run(this.#loaded.tf, tensors, numbers);
      const sizes = program.outputs.map(({ shape, dtype }) => bytesFor(sizeOf(shape), dtype));
      try {
        this.#memory.take(
          sizes.reduce((a, b) => a + b, 0),
          sizes.length,
        );
      } catch (error) {
        for (const tensor of outputs) tensor.dispose();
        throw error;
      }
      return outputs.map((tensor, i) => new TensorBuffer(sizes[i]!, tensor, program.outputs[i]!.dtype));
    });
  }

  /** Runs with this engine's backend as TensorFlow's own, which another engine or the user may have changed; errors are tiller's. */
  #active<T>(work: () => T): T {
    const { tf, name } = this.#loaded;
    const before = tf.getBackend();
    // At once, because it has started.
    if (before !== name) void tf.setBackend(name);
    try {
      return work();
    } catch (error) {
      if (error instanceof TillerError) throw error;
      throw new EngineError(`[tfjs] ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    } finally {
      if (before !== name) void tf.setBackend(before);
    }
  }

  #check(): void {
    if (this.#destroyed) throw new EngineError('[tfjs] the engine was destroyed');
  }

  #held(buffer: EngineBuffer, operation: string): TensorBuffer {
    if (!(buffer instanceof TensorBuffer)) throw new InternalError(`[tfjs] ${operation} of another engine's buffer`);
    if (buffer.freed) throw new InternalError(`[tfjs] ${operation} of a freed buffer`);
    return buffer;
  }

  /** An input as a tensor of its node's shape; words become one with their first use. */
  #tensorOf(buffer: EngineBuffer, { shape, dtype }: Node): TfTensor {
    const held = this.#held(buffer, 'run');
    const bytes = bytesFor(sizeOf(shape), dtype);
    if (held.bytes !== bytes) throw new InternalError(`[tfjs] an input has ${held.bytes} bytes (expected ${bytes})`);
    if (held.tensor !== null && held.dtype === dtype && sameDims(held.tensor.shape, shape)) return held.tensor;
    const { tf } = this.#loaded;
    const values =
      held.words === null
        ? fromTfArray(held.tensor!.dataSync(), held.dtype!)
        : arrayOf(held.words, dtype, sizeOf(shape));
    const tensor = tf.tensor(toTfArray(values, dtype), shape, tfTypeOf(dtype));
    held.tensor?.dispose();
    held.tensor = tensor;
    held.dtype = dtype;
    held.words = null;
    return tensor;
  }
}

const sameDims = (a: readonly number[], b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

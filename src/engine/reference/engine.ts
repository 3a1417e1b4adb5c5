import {
  arrayOf,
  bytesFor,
  type DeviceLostError,
  EngineError,
  InternalError,
  sizeOf,
  type TypedArray,
} from '../../graph/index.js';
import type { EngineBuffer, EngineInfo, GraphEngine, MemoryStats, Program } from '../engine.js';
import { graphCapabilities, MemoryAccount } from '../graphEngine.js';
import type { ProgramGraph } from '../plan.js';
import { toWords } from './arrays.js';
import { scalarArray } from './evaluate.js';
import { Interpreter } from './interpreter.js';

export interface ReferenceOptions {
  /** Why this engine was chosen, for `info()`. */
  readonly why?: string;
  /** Most bytes that tensors may take; what the interpreter computes on the way does not count. */
  readonly memoryBudget?: number;
}

/**
 * Makes the interpreter that defines what every primitive means: it rounds to the dtype after each of them and accumulates in
 * float64. It needs nothing but JavaScript, and runs within the call.
 */
export function createReferenceEngine(options: ReferenceOptions = {}): GraphEngine {
  return new ReferenceEngine(options);
}

/** 32-bit words that are never overwritten; several handles may share them. */
class WordBuffer implements EngineBuffer {
  readonly bytes: number;
  /** null once freed. */
  words: ArrayBuffer | null;

  constructor(words: ArrayBuffer) {
    this.words = words;
    this.bytes = words.byteLength;
  }
}

class ReferenceProgram implements Program {
  readonly kernels = 0;
  readonly submits = 0;
  readonly graph: ProgramGraph;
  readonly interpreter: Interpreter;

  constructor(graph: ProgramGraph) {
    this.graph = graph;
    this.interpreter = new Interpreter(graph.nodes, [...graph.inputs, ...graph.scalars], graph.outputs);
  }
}

class ReferenceEngine implements GraphEngine {
  readonly kind = 'graph';
  readonly name = 'reference';
  readonly capabilities = graphCapabilities(true);
  /** Never: there is no device. */
  readonly lost = new Promise<DeviceLostError>(() => {});
  readonly #why: string;
  readonly #memory: MemoryAccount;
  #destroyed = false;

  constructor({ why, memoryBudget }: ReferenceOptions) {
    this.#why = why ?? 'asked for by name';
    this.#memory = new MemoryAccount('reference', memoryBudget);
  }

  info(): EngineInfo {
    return {
      engine: 'reference',
      adapter: 'float64 interpreter',
      software: true,
      features: [],
      limits: { maxBufferSize: this.capabilities.maxBufferBytes },
      why: this.#why,
    };
  }

  upload(words: Uint32Array | Int32Array | Float32Array): EngineBuffer {
    this.#check();
    return this.#hold(words.slice().buffer as ArrayBuffer);
  }

  async read(buffers: readonly EngineBuffer[]): Promise<ArrayBuffer[]> {
    this.#check();
    return buffers.map((buffer) => this.#words(buffer, 'read').slice(0));
  }

  free(buffer: EngineBuffer): void {
    this.#words(buffer, 'free');
    (buffer as WordBuffer).words = null;
    this.#memory.give(buffer.bytes);
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
    return new ReferenceProgram(graph);
  }

  run(program: Program, inputs: readonly EngineBuffer[], scalars: readonly number[]): EngineBuffer[] {
    this.#check();
    if (!(program instanceof ReferenceProgram)) {
      throw new InternalError('[reference] run of a program of another engine');
    }
    const { graph, interpreter } = program;
    if (inputs.length !== graph.inputs.length || scalars.length !== graph.scalars.length) {
      const expected = `expected ${graph.inputs.length} and ${graph.scalars.length}`;
      throw new InternalError(
        `[reference] run with ${inputs.length} inputs and ${scalars.length} scalars (${expected})`,
      );
    }
    const arrays = graph.inputs.map((node, i): TypedArray => {
      const words = this.#words(inputs[i]!, 'run');
      const bytes = bytesFor(sizeOf(node.shape), node.dtype);
      if (words.byteLength !== bytes) {
        throw new InternalError(`[reference] input ${i} has ${words.byteLength} bytes (expected ${bytes})`);
      }
      return arrayOf(words, node.dtype, sizeOf(node.shape));
    });
    const numbers = graph.scalars.map((node, i) => scalarArray(node, scalars[i]!));
    const outputs: EngineBuffer[] = [];
    try {
      interpreter.run([...arrays, ...numbers]).forEach((array, i) => {
        outputs.push(this.#hold(toWords(array, graph.outputs[i]!.dtype)));
      });
    } catch (error) {
      for (const buffer of outputs) this.free(buffer);
      throw error;
    }
    return outputs;
  }

  #check(): void {
    if (this.#destroyed) throw new EngineError('[reference] the engine was destroyed');
  }

  #hold(words: ArrayBuffer): EngineBuffer {
    this.#memory.take(words.byteLength);
    return new WordBuffer(words);
  }

  #words(buffer: EngineBuffer, operation: string): ArrayBuffer {
    if (!(buffer instanceof WordBuffer)) throw new InternalError(`[reference] ${operation} of another engine's buffer`);
    if (buffer.words === null) throw new InternalError(`[reference] ${operation} of a freed buffer`);
    return buffer.words;
  }
}

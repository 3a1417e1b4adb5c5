/** Runs kernels rendered to WebAssembly in this process, task by task. */
import v8 from 'node:v8';
import type { Kernel } from '../../../kernels/ir.js';
import { tableWords, type WasmFeatures, type WasmKernel } from '../../../kernels/render/wasm/rendered.js';
import { bitsOf } from '../../../kernels/render/wgsl-values.js';

v8.setFlagsFromString('--experimental-wasm-relaxed-simd');

export const plain: WasmFeatures = { relaxedSimd: false, sharedMemory: false };
export const relaxed: WasmFeatures = { relaxedSimd: true, sharedMemory: false };

type Phase = (begin: number, end: number, table: number, scratch: number) => void;

/** Which ranges of a phase's tasks run, in order; together they are all tasks. */
export type Split = (tasks: number) => readonly (readonly [begin: number, end: number])[];
export const atOnce: Split = (tasks) => (tasks > 0 ? [[0, tasks]] : []);
export const oneByOneBackwards: Split = (tasks) => Array.from({ length: tasks }, (_, i) => [tasks - 1 - i, tasks - i]);
export const inThree: Split = (tasks) => {
  const [a, b] = [Math.floor(tasks / 3), Math.floor((2 * tasks) / 3)];
  return (
    [
      [b, tasks],
      [0, a],
      [a, b],
    ] as const
  ).filter(([begin, end]) => begin < end);
};

const align = (bytes: number): number => Math.ceil(bytes / 16) * 16;
const CANARY = 0xc0ffee11;

/** A kernel in a memory of its own; buffers lie at odd multiples of 16 bytes, with words between them that must not change. */
export class RunningKernel {
  readonly buffers: readonly Uint32Array[];
  readonly #words: Uint32Array;
  readonly #phases: readonly { run: Phase; tasks: number }[];
  readonly #table: number;
  readonly #scratch: number;
  readonly #free: number[] = [];

  constructor(
    readonly kernel: Kernel,
    readonly rendered: WasmKernel,
    params: readonly number[] = [],
  ) {
    let end = 32;
    const take = (bytes: number): number => {
      const start = end;
      end = align(start + bytes);
      this.#free.push(start + bytes, end + 48);
      end += 48;
      return start;
    };
    const starts = kernel.buffers.map(({ length }) => take(4 * length));
    this.#table = take(4 * tableWords(kernel.buffers.length, kernel.params.length));
    const shared = take(rendered.sharedScratchBytes);
    this.#scratch = take(rendered.threadScratchBytes);
    const memory = new WebAssembly.Memory({ initial: Math.ceil((end + 64) / 65536) });
    this.#words = new Uint32Array(memory.buffer);
    for (let i = 0; i < this.#free.length; i += 2) {
      this.#words.fill(CANARY, this.#free[i]! / 4, this.#free[i + 1]! / 4);
    }
    const table = this.#words.subarray(this.#table / 4);
    starts.forEach((start, i) => void (table[i] = start));
    table[starts.length] = shared;
    kernel.params.forEach((dtype, i) => void (table[starts.length + 1 + i] = bitsOf(params[i]!, dtype)));
    this.buffers = starts.map((start, i) => this.#words.subarray(start / 4, start / 4 + kernel.buffers[i]!.length));
    const module = new WebAssembly.Module(rendered.bytes as Uint8Array<ArrayBuffer>);
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    this.#phases = rendered.phases.map(({ name, tasks }) => ({ run: exports[name] as unknown as Phase, tasks }));
    // What scratch holds at first must not matter.
    this.#words.fill(0xffc12345, shared / 4, (shared + rendered.sharedScratchBytes) / 4);
    this.#words.fill(0xffc12345, this.#scratch / 4, (this.#scratch + rendered.threadScratchBytes) / 4);
  }

  run(split: Split = atOnce): void {
    for (const { run, tasks } of this.#phases) {
      for (const [begin, end] of split(tasks)) run(begin, end, this.#table, this.#scratch);
    }
  }

  /** Throws if a word outside of the buffers has changed. */
  check(): void {
    for (let i = 0; i < this.#free.length; i += 2) {
      for (let word = this.#free[i]! / 4; word < this.#free[i + 1]! / 4; word++) {
        if (this.#words[word] !== CANARY) throw new Error(`the word at byte ${4 * word} was overwritten`);
      }
    }
  }
}

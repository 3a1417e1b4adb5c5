/** Runs contractions rendered to WebAssembly, in any split into tasks. */
import v8 from 'node:v8';
import type { ContractionKernel } from '../../../kernels/ir.js';
import { renderContractionToWasm } from '../../../kernels/render/wasm/contraction.js';
import type { WasmFeatures, WasmKernel } from '../../../kernels/render/wasm/rendered.js';

v8.setFlagsFromString('--experimental-wasm-relaxed-simd');

export const PLAIN: WasmFeatures = { relaxedSimd: false, sharedMemory: false };
export const RELAXED: WasmFeatures = { relaxedSimd: true, sharedMemory: false };
export const SHARED: WasmFeatures = { relaxedSimd: true, sharedMemory: true };

type Phase = (begin: number, end: number, table: number, scratch: number) => void;

/** Lists the calls of one phase: [begin, end] pairs. */
export type Split = (tasks: number) => (readonly [number, number])[];

export const atOnce: Split = (tasks) => [[0, tasks]];
export const oneByOne: Split = (tasks) => Array.from({ length: tasks }, (_, i) => [i, i + 1]);
export const backwards: Split = (tasks) => oneByOne(tasks).reverse();
export const inThrees: Split = (tasks) =>
  Array.from({ length: Math.ceil(tasks / 3) }, (_, i): [number, number] => [
    3 * i,
    Math.min(3 * i + 3, tasks),
  ]).reverse();

const align = (bytes: number) => Math.ceil(bytes / 64) * 64;

/** A kernel with memory of its own. */
export class Loaded {
  readonly rendered: WasmKernel;
  readonly memory: WebAssembly.Memory;
  readonly phases: Phase[];
  readonly addresses: number[] = [];
  readonly #table: number;
  readonly #scratch: number;

  constructor(
    readonly kernel: ContractionKernel,
    features: WasmFeatures = RELAXED,
    rendered: WasmKernel = renderContractionToWasm(kernel, features),
  ) {
    this.rendered = rendered;
    let at = 4096;
    const take = (bytes: number): number => {
      const address = at;
      at += align(bytes) + 64;
      return address;
    };
    for (const { length } of kernel.buffers) this.addresses.push(take(4 * length));
    const shared = take(rendered.sharedScratchBytes);
    this.#scratch = take(rendered.threadScratchBytes);
    this.#table = take(4 * (kernel.buffers.length + 1 + kernel.params.length));
    const initial = Math.ceil(at / 65536) + 1;
    this.memory = features.sharedMemory
      ? new WebAssembly.Memory({ initial, maximum: 65536, shared: true })
      : new WebAssembly.Memory({ initial });
    // Nothing may count on scratch that starts as zeros.
    new Uint32Array(this.memory.buffer).fill(0x7fc00123);
    const words = new Int32Array(this.memory.buffer);
    words.set([...this.addresses, shared], this.#table / 4);
    const module = new WebAssembly.Module(rendered.bytes as Uint8Array<ArrayBuffer>);
    this.phases = Object.values(new WebAssembly.Instance(module, { env: { memory: this.memory } }).exports) as Phase[];
  }

  words(buffer: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, this.addresses[buffer], this.kernel.buffers[buffer]!.length);
  }

  run(params: Uint32Array = new Uint32Array(0), split: Split = atOnce): void {
    new Uint32Array(this.memory.buffer).set(params, this.#table / 4 + this.kernel.buffers.length + 1);
    this.rendered.phases.forEach(({ tasks }, i) => {
      for (const [begin, end] of split(tasks)) this.phases[i]!(begin, end, this.#table, this.#scratch);
    });
  }
}

/** Runs once on copies of the inputs (words of every buffer); gives the words of every buffer. */
export function runOnce(
  kernel: ContractionKernel,
  buffers: readonly Uint32Array[],
  { params, features, split }: { params?: Uint32Array; features?: WasmFeatures; split?: Split } = {},
): Uint32Array[] {
  const loaded = new Loaded(kernel, features);
  for (const [i, words] of buffers.entries()) loaded.words(i).set(words);
  loaded.run(params, split);
  return buffers.map((_, i) => loaded.words(i).slice());
}

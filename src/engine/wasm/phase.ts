import type { WasmPhase } from '../../../kernels/render/wasm/rendered.js';
import type { CompiledModule } from './modules.js';
import type { PhaseFunction } from './worker.js';

/** Nanoseconds of work that waking another thread should be worth. */
const WORTH_A_THREAD = 40_000;
/** What a thread takes at once: not so little that taking it shows, and not so much that the last to finish is waited for. */
const LEAST_CHUNK = 8_000;
const MOST_CHUNK = 5_000_000;
const CHUNKS_PER_THREAD = 16;
/** Measured times that are longer than expected count this much: most are the machine's other business. */
const RISE = 1.02;

/** A phase of a kernel with something to do. How it is split among threads is learnt from how long it takes. */
export class StepPhase {
  readonly run: PhaseFunction;
  readonly tasks: number;
  /** Nanoseconds of a task: at first what the renderer expects. */
  #cost: number;

  constructor(
    /** Of the kernel, for errors. */
    readonly kernel: string,
    readonly module: CompiledModule,
    /** Its number. */
    readonly index: number,
    { tasks, taskCost }: WasmPhase,
  ) {
    this.run = module.phases[index]!;
    this.tasks = tasks;
    this.#cost = Math.max(taskCost, 1);
  }

  /** How many threads it is worth: 1 below `splitFrom` nanoseconds of work. */
  threads(most: number, splitFrom: number): number {
    if (this.tasks === 1 || most === 1) return 1;
    const total = this.tasks * this.#cost;
    return total < splitFrom ? 1 : Math.min(most, this.tasks, 1 + Math.ceil(total / WORTH_A_THREAD));
  }

  /** How many tasks a thread takes at once. */
  chunk(threads: number): number {
    const even = Math.ceil(this.tasks / (threads * CHUNKS_PER_THREAD));
    const chunk = Math.max(even, Math.ceil(LEAST_CHUNK / this.#cost));
    const most = Math.max(1, Math.floor(MOST_CHUNK / this.#cost));
    return Math.min(chunk, most, Math.ceil(this.tasks / threads));
  }

  /** Tells how long a thread took for some of its tasks. */
  learn(ms: number, tasks: number): void {
    if (tasks === 0 || ms <= 0) return;
    this.#cost = Math.max(1, Math.min(this.#cost * RISE, (ms * 1e6) / tasks));
  }
}

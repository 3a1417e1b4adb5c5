import { EngineError } from '../../graph/index.js';
import { CONTROL, MAX_WORKERS } from './control.js';
import type { Heap, HeapRange } from './heap.js';
import type { CompiledModule } from './modules.js';
import type { StepPhase } from './phase.js';
import type { SpawnWorker, WorkerHandle } from './platform.js';

/** Workers look out for the next job for as long as waking one up takes. */
const SPIN_MS = 0.05;
/** The calling thread looks out for stragglers, then sleeps. */
const JOIN_SPIN_MS = 0.1;
const JOIN_SLEEP_MS = 50;
/** Workers that end without ever having started are not replaced forever. */
const MOST_FAILED_STARTS = 3;

interface Member {
  readonly index: number;
  readonly handle: WorkerHandle;
}

/**
 * The worker threads of an engine. A job is open from when the calling thread announces it until all its tasks are taken; workers
 * that come too late find it closed, and are not waited for. Idle workers sleep.
 */
export class ThreadPool {
  readonly #heap: Heap;
  readonly #spawn: SpawnWorker;
  readonly #size: number;
  readonly #stallMs: number;
  readonly #maySleep: boolean;
  #control = newControl();
  #members: Member[] = [];
  #started = 0;
  #failedStarts = 0;
  #lastEnd = '';
  #running = false;
  /** Which module the workers keep at each slot, and changes whenever a worker is replaced. */
  readonly #slots: (CompiledModule | undefined)[] = [];
  #generation = 0;
  #nextId = 1;

  constructor(heap: Heap, spawn: SpawnWorker, threads: number, stallMs: number) {
    this.#heap = heap;
    this.#spawn = spawn;
    this.#size = Math.min(threads - 1, MAX_WORKERS);
    this.#stallMs = stallMs;
    this.#maySleep = mayBlock(this.#control);
  }

  /** Starts the workers, where that has not happened yet. They take part in jobs as soon as they run. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#fill();
  }

  /** Workers that have started. */
  get ready(): number {
    if (this.#started < this.#members.length) {
      this.#started = 0;
      for (const { index } of this.#members) if (this.#state(index) > 0) this.#started++;
    }
    return this.#started;
  }

  /** Why there are fewer workers than there should be; empty where there are not. */
  get shortage(): string {
    return this.#failedStarts >= MOST_FAILED_STARTS ? `workers end at once: ${this.#lastEnd}` : '';
  }

  /** Resolves when all workers have started, or it is known that they will not. */
  async whenReady(): Promise<void> {
    this.start();
    while (this.#running && this.ready < this.#members.length) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Says that jobs for this many threads will follow within microseconds. */
  wake(threads: number): void {
    if (this.#started > 0 && Atomics.load(this.#control, CONTROL.sleeping) > 0) this.#signal(threads - 1);
  }

  /**
   * Runs a phase on the calling thread and all workers that come, of which `threads` are woken. Throws EngineError when a task fails
   * or a worker dies; `scratch` is the calling thread's, the workers' follow at the stride.
   */
  run(job: StepPhase, threads: number, table: number, scratch: number, scratchStride: number): void {
    const control = this.#control;
    const { module, tasks } = job;
    const chunk = job.chunk(threads);
    const code = this.#offer(module);
    control[CONTROL.kernel] = module.id;
    control[CONTROL.phase] = job.index;
    control[CONTROL.tasks] = tasks;
    control[CONTROL.chunk] = chunk;
    control[CONTROL.table] = table;
    control[CONTROL.scratch] = scratch + scratchStride;
    control[CONTROL.scratchStride] = scratchStride;
    control[CONTROL.holders] = 0;
    control[CONTROL.next] = 0;
    Atomics.store(control, CONTROL.open, 1);
    this.#signal(threads - 1);
    let failure: unknown = null;
    let done = 0;
    const start = performance.now();
    try {
      for (;;) {
        const begin = Atomics.add(control, CONTROL.next, chunk);
        if (begin >= tasks) break;
        const end = Math.min(begin + chunk, tasks);
        job.run(begin, end, table, scratch);
        done += end - begin;
      }
      job.learn(performance.now() - start, done);
    } catch (error) {
      failure = error ?? 'an unknown error';
      Atomics.store(control, CONTROL.next, tasks);
    }
    Atomics.store(control, CONTROL.open, 0);
    const joined = this.#join();
    if (code) this.#heap.releaseOverhead(code);
    if (!joined) {
      this.#restart();
      throw new EngineError(
        `[wasm] kernel ${job.kernel} failed: a worker thread died (or was silent for ${this.#stallMs} ms)`,
      );
    }
    module.holders |= control[CONTROL.holders]!;
    const elsewhere = this.#takeFailure();
    failure ??= elsewhere;
    if (failure !== null) throw new EngineError(`[wasm] kernel ${job.kernel} failed: ${String(failure)}`);
  }

  destroy(): void {
    this.#running = false;
    this.#endAll();
  }

  #signal(most: number): void {
    Atomics.add(this.#control, CONTROL.signal, 1);
    const sleeping = Atomics.load(this.#control, CONTROL.sleeping);
    if (sleeping > 0) Atomics.notify(this.#control, CONTROL.signal, Math.min(most, sleeping));
  }

  /** Makes the code of a module readable for workers, where one of them may lack it. */
  #offer(module: CompiledModule): HeapRange | null {
    if (module.id === 0) module.id = this.#nextId++;
    const slot = module.id % CONTROL.slots;
    if (this.#slots[slot] !== module || module.generation !== this.#generation) {
      this.#slots[slot] = module;
      module.generation = this.#generation;
      module.holders = 0;
    }
    if (this.#members.every(({ index }) => (module.holders >>> index) & 1)) return null;
    const { bytes } = module;
    const range = this.#heap.acquireOverhead(bytes.length);
    new Uint8Array(this.#heap.memory.buffer, range.address, bytes.length).set(bytes);
    this.#control[CONTROL.code] = range.address;
    this.#control[CONTROL.codeBytes] = bytes.length;
    return range;
  }

  /** 0 before the worker has started, 2 while it is inside a job. */
  #state(worker: number): number {
    return Atomics.load(this.#control, CONTROL.ready + worker);
  }

  /** Waits until no worker is inside the job; false if one has died there, or seems to have. */
  #join(): boolean {
    const control = this.#control;
    if (Atomics.load(control, CONTROL.active) === 0) return true;
    const spinUntil = performance.now() + (this.#maySleep ? JOIN_SPIN_MS : this.#stallMs);
    let spins = 0;
    while (++spins % 64 !== 0 || performance.now() < spinUntil) {
      if (Atomics.load(control, CONTROL.active) === 0) return true;
    }
    if (!this.#maySleep) return false;
    Atomics.store(control, CONTROL.waiting, 1);
    try {
      // Many short sleeps instead of a long one: while the machine itself sleeps, no worker is silent.
      let before = -1;
      for (let silent = 0; silent * JOIN_SLEEP_MS < this.#stallMs; ) {
        const active = Atomics.load(control, CONTROL.active);
        if (active === 0) return true;
        if (active !== before) silent = 0;
        before = active;
        if (Atomics.wait(control, CONTROL.active, active, JOIN_SLEEP_MS) !== 'timed-out') continue;
        if (this.#members.some(({ index, handle }) => this.#state(index) === 2 && handle.hasEnded?.())) {
          return Atomics.load(control, CONTROL.active) === 0;
        }
        // Silence says nothing of those who can be asked: they may have to wait for a core.
        if (this.#members.some(({ handle }) => !handle.hasEnded)) silent++;
      }
      return false;
    } finally {
      Atomics.store(control, CONTROL.waiting, 0);
    }
  }

  #takeFailure(): string | null {
    const control = this.#control;
    if (Atomics.load(control, CONTROL.failed) === 0) return null;
    const units = control.subarray(CONTROL.failure, CONTROL.failure + control[CONTROL.failureLength]!);
    const message = String.fromCharCode(...units);
    Atomics.store(control, CONTROL.failed, 0);
    return message;
  }

  /** Starts the workers that are missing. */
  #fill(): void {
    if (!this.#running) return;
    const taken = new Set(this.#members.map(({ index }) => index));
    for (let index = 0; index < this.#size && this.#failedStarts < MOST_FAILED_STARTS; index++) {
      if (!taken.has(index)) this.#add(index);
    }
    this.#started = 0;
  }

  #add(index: number): void {
    const control = this.#control;
    control[CONTROL.ready + index] = 0;
    const start = { control, memory: this.#heap.memory, index, spinMs: SPIN_MS, words: CONTROL };
    try {
      const member: Member = { index, handle: this.#spawn(start, (reason) => this.#ended(member, reason)) };
      this.#members.push(member);
    } catch (error) {
      this.#failedStarts = MOST_FAILED_STARTS;
      this.#lastEnd = String(error);
    }
  }

  /** A worker is gone. This is told between two runs, since a run does not return to the event loop. */
  #ended(member: Member, reason: string): void {
    const at = this.#members.indexOf(member);
    if (at < 0) return;
    this.#lastEnd = reason;
    if (this.#state(member.index) > 0) {
      this.#restart();
      return;
    }
    this.#failedStarts++;
    this.#members.splice(at, 1);
    this.#fill();
  }

  /** Replaces all workers, since one has ended and may have left anything behind. */
  #restart(): void {
    this.#endAll();
    this.#control = newControl();
    this.#generation++;
    this.#fill();
  }

  #endAll(): void {
    const members = this.#members;
    this.#members = [];
    this.#started = 0;
    Atomics.store(this.#control, CONTROL.stop, 1);
    this.#signal(MAX_WORKERS);
    for (const { handle } of members) handle.terminate();
  }
}

const newControl = () => new Int32Array(new SharedArrayBuffer(CONTROL.words * Int32Array.BYTES_PER_ELEMENT));

/** Whether the calling thread may sleep: the main thread of a browser may not. */
function mayBlock(control: Int32Array<SharedArrayBuffer>): boolean {
  try {
    Atomics.wait(control, CONTROL.waiting, 0, 0);
    return true;
  } catch {
    return false;
  }
}

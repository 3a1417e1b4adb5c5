import type { CONTROL } from './control.js';

/** A phase of a kernel: runs tasks begin .. end - 1. */
export type PhaseFunction = (begin: number, end: number, table: number, scratch: number) => void;

/** What a worker is started with. */
export interface WorkerStart {
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly memory: WebAssembly.Memory;
  readonly index: number;
  /** For how long a worker looks out for the next job before it sleeps. */
  readonly spinMs: number;
  readonly words: typeof CONTROL;
}

/**
 * The whole life of a worker: it takes part in jobs until it is told to stop, and never returns to its event loop. Its text is what
 * workers are started from, so it names nothing outside of itself and has no functions inside, to which bundlers add helpers.
 */
export function workerMain({ control, memory, index, spinMs, words }: WorkerStart): void {
  const kernels: { id: number; phases: PhaseFunction[] }[] = [];
  Atomics.store(control, words.ready + index, 1);
  while (Atomics.load(control, words.stop) === 0) {
    const signal = Atomics.load(control, words.signal);
    if (Atomics.load(control, words.open) === 1) {
      Atomics.store(control, words.ready + index, 2);
      Atomics.add(control, words.active, 1);
      // Either the job is still open, or the calling thread does not wait for this worker.
      if (Atomics.load(control, words.open) === 1) {
        const tasks = control[words.tasks]!;
        try {
          const id = control[words.kernel]!;
          let kernel = kernels[id % words.slots];
          if (kernel === undefined || kernel.id !== id) {
            // Memory that another thread has grown shows its new size after a call of grow.
            memory.grow(0);
            const code = new Uint8Array(memory.buffer, control[words.code]! >>> 0, control[words.codeBytes]).slice();
            const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
            kernel = { id, phases: Object.values(instance.exports) as PhaseFunction[] };
            kernels[id % words.slots] = kernel;
          }
          Atomics.or(control, words.holders, 1 << index);
          const phase = kernel.phases[control[words.phase]!]!;
          const chunk = control[words.chunk]!;
          const table = control[words.table]!;
          const scratch = control[words.scratch]! + index * control[words.scratchStride]!;
          for (;;) {
            const begin = Atomics.add(control, words.next, chunk);
            if (begin >= tasks) break;
            phase(begin, Math.min(begin + chunk, tasks), table, scratch);
          }
        } catch (error) {
          Atomics.store(control, words.next, tasks);
          if (Atomics.compareExchange(control, words.failed, 0, 1) === 0) {
            const message = String(error).slice(0, words.failureMost);
            control[words.failureLength] = message.length;
            for (let i = 0; i < message.length; i++) control[words.failure + i] = message.charCodeAt(i);
          }
        }
      }
      if (Atomics.sub(control, words.active, 1) === 1 && Atomics.load(control, words.waiting) === 1) {
        Atomics.notify(control, words.active);
      }
      Atomics.store(control, words.ready + index, 1);
    }
    // Between the phases of a run the next job is microseconds away; waking up takes longer.
    const until = performance.now() + spinMs;
    let spins = 0;
    while (Atomics.load(control, words.signal) === signal && (++spins % 64 !== 0 || performance.now() < until));
    if (Atomics.load(control, words.signal) === signal) {
      Atomics.add(control, words.sleeping, 1);
      Atomics.wait(control, words.signal, signal);
      Atomics.sub(control, words.sleeping, 1);
    }
  }
}

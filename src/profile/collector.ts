import type { Listener, Phase, Wait } from '../compile/index.js';
import type { Program } from '../engine/engine.js';
import type { KernelTiming } from '../engine/timing.js';

/** A stretch of the calling thread's time, in milliseconds since the profile began. */
export interface Span {
  readonly kind: 'phase' | 'wait';
  readonly name: Phase | Wait;
  readonly start: number;
  readonly end: number;
}

/** What one kernel took in one run. `end` is when that was known: at once on the calling thread, later on a device. */
export interface KernelSpan extends KernelTiming {
  readonly end: number;
}

/** Gathers events. Phases that nest are split, so that no two phase spans overlap. */
export class Collector implements Listener {
  readonly spans: Span[] = [];
  readonly kernels: KernelSpan[] = [];
  /** What ran, and how often. */
  readonly programs = new Map<Program, number>();
  readonly counts = {
    realizations: 0,
    kernels: 0,
    submits: 0,
    cacheHits: 0,
    cacheMisses: 0,
    bytesUp: 0,
    bytesDown: 0,
    timed: 0,
  };
  private readonly begun = performance.now();
  private readonly stack: Phase[] = [];
  private since = 0;
  /** Whether a graph is being built, in the stretch of code that runs now. */
  private building = false;

  now(): number {
    return performance.now() - this.begun;
  }

  private close(at: number): void {
    const name = this.stack[this.stack.length - 1] ?? (this.building ? 'trace' : undefined);
    if (name === undefined || at <= this.since) return;
    const last = this.spans[this.spans.length - 1];
    const start = this.since;
    // Operations follow each other by the thousand: a stretch of them is one span.
    const goesOn = last?.kind === 'phase' && last.name === name && last.end === start;
    if (goesOn) this.spans.pop();
    this.spans.push({ kind: 'phase', name, start: goesOn ? last.start : start, end: at });
  }

  made(): void {
    if (this.stack.length > 0) return;
    const at = this.now();
    this.close(at);
    this.since = at;
    if (this.building) return;
    this.building = true;
    // Nothing is built while the thread waits: the stretch ends with the code that runs now.
    queueMicrotask(() => {
      this.building = false;
    });
  }

  enter(phase: Phase): void {
    const at = this.now();
    this.close(at);
    this.stack.push(phase);
    this.since = at;
  }

  leave(): void {
    const at = this.now();
    this.close(at);
    this.stack.pop();
    this.since = at;
  }

  wait(kind: Wait): () => void {
    const start = this.now();
    return () => {
      this.spans.push({ kind: 'wait', name: kind, start, end: this.now() });
    };
  }

  copied(direction: 'up' | 'down', bytes: number): void {
    if (direction === 'up') this.counts.bytesUp += bytes;
    else this.counts.bytesDown += bytes;
  }

  lookedUp(hit: boolean): void {
    if (hit) this.counts.cacheHits++;
    else this.counts.cacheMisses++;
  }

  prepared(): void {}

  ran(program: Program): void {
    const { kernels, submits } = program;
    this.programs.set(program, (this.programs.get(program) ?? 0) + 1);
    this.counts.realizations++;
    this.counts.kernels += kernels;
    this.counts.submits += submits;
  }

  timed(timings: readonly KernelTiming[]): void {
    this.counts.timed += timings.length;
    // The kernels of a run follow each other; their common end is now.
    let end = this.now() - timings.reduce((sum, t) => sum + t.ms, 0);
    for (const timing of timings) {
      end += timing.ms;
      this.kernels.push({ ...timing, end });
    }
  }
}

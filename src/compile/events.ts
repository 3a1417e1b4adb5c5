import type { Engine, Program } from '../engine/engine.js';
import type { KernelTiming } from '../engine/timing.js';

/**
 * What the time of the orchestrator goes into: building graphs, reading the graph of a realization, planning it (simplify, schedule, lower, place), generating code, copying data in, encoding the launches (on engines that run on the calling thread, running them).
 */
export const PHASES = ['trace', 'capture', 'plan', 'codegen', 'upload', 'encode'] as const;
export type Phase = (typeof PHASES)[number];

/** What it waits for: the planner's code, compilation, reading data back, the engine's work. */
export const WAITS = ['load', 'compile', 'read', 'idle'] as const;
export type Wait = (typeof WAITS)[number];

/** Told of everything while a profile is taken. */
export interface Listener {
  /** A tensor was made: the calling thread is building a graph. */
  made(): void;
  enter(phase: Phase): void;
  leave(): void;
  /** A wait that begins now; call the result when it ends. */
  wait(kind: Wait): () => void;
  /** Bytes copied to (up) or from (down) the engine. */
  copied(direction: 'up' | 'down', bytes: number): void;
  /** A program was looked up. */
  lookedUp(hit: boolean): void;
  /** A program was handed to the engine. */
  ran(program: Program): void;
  /** A program is ready to run for the first time. */
  prepared(program: Program, engine: Engine): void;
  timed(timings: readonly KernelTiming[]): void;
}

/** One that passes everything on. */
export interface Relay extends Listener {
  next: Listener | null;
}

let listener: Listener | null = null;
let relay: Relay | null = null;

/** Who is told: the profile that is being taken, or what prints for debugging, if any. */
export const profiler = (): Listener | null => listener;

export function setProfiler(next: Listener | null): void {
  if (relay === null) listener = next;
  else relay.next = next;
}

/** Puts a listener in front of the profile, if there is one; null takes it away. */
export function setRelay(next: Relay | null): void {
  const profile = relay === null ? listener : relay.next;
  relay = next;
  if (next !== null) next.next = profile;
  listener = next ?? profile;
}

/** Runs a synchronous piece of work as a phase. */
export function inPhase<T>(phase: Phase, work: () => T): T {
  if (listener === null) return work();
  const told = listener;
  told.enter(phase);
  try {
    return work();
  } finally {
    told.leave();
  }
}

/** Passes a promise on, as a wait. */
export function waitingFor<T>(kind: Wait, promise: Promise<T>): Promise<T> {
  if (listener === null) return promise;
  const end = listener.wait(kind);
  return promise.finally(end);
}

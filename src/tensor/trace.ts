import { ArgumentError, type Node, type ScalarSource } from '../graph/index.js';
import type { Tensor } from './tensor.js';

/** What a compiled function does beside computing its results, noted while it is traced. */
export class Trace {
  /** Every tensor that was pointed at another value, and the node that it had before. */
  readonly rebound = new Map<Tensor, Node>();
  /** Run before every replay: they set the runtime scalars that the host advances (step counts, random counters). */
  readonly beforeRun: (() => void)[] = [];
  /** Conditions of the trace beside its arguments; where one no longer holds, the function is traced again for the reason given. */
  readonly guards: { readonly holds: () => boolean; readonly reason: string }[] = [];
  private readonly guarded = new Set<unknown>();

  /** Gradients as they were before the trace, of the tensors whose gradient it set. */
  readonly gradients = new Map<Tensor, Tensor | null>();

  noteGradient(tensor: Tensor, before: Tensor | null): void {
    if (!this.gradients.has(tensor)) this.gradients.set(tensor, before);
  }

  /** Throws ArgumentError where a gradient from before the trace would be baked into it. */
  refuseOuterGradient(tensor: Tensor): void {
    if (tensor.grad === null || this.gradients.has(tensor)) return;
    throw new ArgumentError(
      '[backward] a parameter has a gradient from outside of the compiled function (call zeroGrad() inside, before backward())',
    );
  }

  noteRebind(tensor: Tensor, before: Node): void {
    if (!this.rebound.has(tensor)) this.rebound.set(tensor, before);
  }

  /** Adds a guard, once for each key. */
  guard(key: unknown, reason: string, holds: () => boolean): void {
    if (this.guarded.has(key)) return;
    this.guarded.add(key);
    this.guards.push({ holds, reason });
  }
}

let active: Trace | null = null;

/** The trace in progress, or null outside of compiled functions. */
export const activeTrace = (): Trace | null => active;

/** Runs `fn` under a trace. */
export function tracing<T>(trace: Trace, fn: () => T): T {
  const outer = active;
  active = trace;
  try {
    return fn();
  } finally {
    active = outer;
  }
}

let recording: ScalarSource[] | null = null;

/** Notes a runtime scalar that was just made. */
export function noteScalar(source: ScalarSource): void {
  recording?.push(source);
}

/**
 * Runs `make`, which makes runtime scalars; under a trace, runs it again before every replay (for its numbers then) and copies the
 * new numbers into the scalars of the trace.
 */
export function tracedScalars<T>(make: () => T): T {
  const trace = active;
  if (trace === null) return make();
  const collect = (): { value: T; sources: ScalarSource[] } => {
    const outer = recording;
    const sources: ScalarSource[] = [];
    recording = sources;
    try {
      return { value: make(), sources };
    } finally {
      recording = outer;
    }
  };
  const { value, sources } = collect();
  trace.beforeRun.push(() => {
    collect().sources.forEach((fresh, i) => {
      sources[i]!.value = fresh.value;
    });
  });
  return value;
}

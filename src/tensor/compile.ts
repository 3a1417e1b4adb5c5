import { inPhase, Placeholder, Recording, realize, Storage, storageOf, withoutValues } from '../compile/index.js';
import type { TunedKernel, TuneRequest } from '../engine/tuning.js';
import {
  ArgumentError,
  gradEnabled,
  isPrim,
  type LeafSource,
  leaf,
  type Node,
  nextNodeId,
  type ScalarSource,
  scalarNode,
} from '../graph/index.js';
import { addBackwardRoot, takeBackwardRoots } from './backwardRoots.js';
import { ownerOf, rebind } from './handle.js';
import { isTensor } from './operands.js';
import { mapTensors, tensorsOf } from './structure.js';
import { Tensor } from './tensor.js';
import { activeTrace, Trace, tracing } from './trace.js';
import { insideTransform } from './tracing.js';

/** Traces of one function kept; more mean that its arguments keep changing. */
const MAX_TRACES = 16;
/** Traces kept for one signature: modes of modules, frozen parameters. */
const MAX_VARIANTS = 4;
/** From this many traces on, each one is warned of. */
const WARN_TRACES = 8;

/** How long `tune: true` may measure for each plan, in seconds. */
const TUNE_SECONDS = 10;

/** Options of tuning. */
export interface TuneSettings {
  /**
   * How long measuring may take for one plan (10); Infinity tries every schedule, 0 only uses what earlier searches found. A search that was
   * cut short goes on when the next process asks for it.
   */
  readonly seconds?: number | undefined;
  /** Whether what is known is measured anew (false). */
  readonly again?: boolean | undefined;
}

/** Options of `compile`. */
export interface CompileOptions {
  /** Whether the schedules of matrix products and convolutions are chosen by measuring them, where the engine has several (false). */
  readonly tune?: boolean | TuneSettings | undefined;
}

/** A compiled function: called like the original, and knows how often it was traced. */
export interface Compiled<A extends unknown[], R> {
  (...args: A): R;
  /** Times the function was traced: once for each structure, shapes and dtypes of its arguments, and whenever what it captured changed. */
  readonly traces: number;
  /** Why the last trace was made. */
  readonly lastReason: string;
  /**
   * What tuning found for the last trace; null until its plan is ready, and where tuning was not asked for. Empty on engines with one
   * schedule for each kernel.
   */
  readonly tuning: readonly TunedKernel[] | null;
  /** Traces for these arguments and compiles all kernels, without running anything: a later call with such arguments runs at once. */
  warmup(...args: A): Promise<void>;
}

/** Told how many kernels are ready, of how many. */
export type Progress = (ready: number, total: number) => void;

/** Options of `warmup`. */
export interface WarmupOptions {
  /** Called as kernels become ready; at last with all of them. */
  readonly onProgress?: Progress;
}

type Input =
  | { readonly kind: 'argument'; readonly at: number }
  /** A tensor that changes between calls, such as a parameter: its value at the call. */
  | { readonly kind: 'state'; readonly tensor: Tensor }
  | { readonly kind: 'captured'; readonly storage: Storage };

interface Entry {
  readonly recording: Recording;
  readonly inputs: readonly Input[];
  /** For each runtime scalar: the argument it is, or -1 for one that the trace made. */
  readonly scalarArguments: readonly number[];
  readonly trace: Trace;
  readonly results: number;
  readonly updated: readonly Tensor[];
  /** Builds what the function returns from its result tensors. */
  readonly shape: (results: readonly Tensor[]) => unknown;
}

/**
 * Compiles a function of tensors (or arrays and objects of tensors). The first call traces it: it runs once on stand-ins, and all
 * that it computes, optimizer steps and random draws included, becomes one plan. Later calls with arguments of the same structure,
 * shapes and dtypes run the plan without running the function. Plain numbers and strings among the arguments are constants of the
 * plan: another value traces again (`tl.scalar` does not). Tensors that the function uses from outside are read at each call, and
 * those that it changes (parameters, optimizer state, running statistics) are changed at each call. Results have no history:
 * take gradients inside. With `tune` the plan's kernels are measured when it is made, at the first call or in `warmup`.
 *
 * The function has to be synchronous, and to return tensors, structures of them, or nothing. Reading a value inside throws
 * UnsupportedError; using a tensor that escaped from the function throws StaleTensorError. Throws ArgumentError for options that are none.
 */
export function compile<A extends unknown[], R>(fn: (...args: A) => R, options: CompileOptions = {}): Compiled<A, R> {
  const tune = tuneRequest(options);
  const entries = new Map<string, Entry[]>();
  let traces = 0;
  let lastReason = '';
  let last: Entry | null = null;

  /** The trace for arguments; null where the function itself has to run. */
  const entryFor = (args: A, tensors: Tensor[]): Entry | null => {
    // Inside another compiled function, or a gradient, it is the function itself.
    if (activeTrace() !== null || insideTransform()) return null;
    const key = signature(args, tensors);
    // A gradient has to flow back to the argument: results of a plan have no history.
    if (gradEnabled() && tensors.some((t) => t.requiresGrad)) return null;
    const known = entries.get(key) ?? [];
    let entry = known.find((e) => usable(e) === null);
    if (entry === undefined) {
      lastReason = known.length === 0 ? 'the first call with these arguments' : usable(known[known.length - 1]!)!;
      do entry = inPhase('trace', () => trace(fn, args, tune));
      while (entry === undefined);
      traces++;
      if (traces > WARN_TRACES) {
        console.warn(
          `[compile] traced ${traces} times, now for: ${lastReason} (pass numbers that change as tl.scalar, and keep shapes fixed)`,
        );
      }
      // Those whose conditions may hold again stay, such as the ones of the other mode of a module.
      entries.set(key, [...known, entry].slice(-MAX_VARIANTS));
      if (entries.size > MAX_TRACES) entries.delete(entries.keys().next().value!);
    }
    last = entry;
    return entry;
  };
  const call = (...args: A): R => {
    const tensors: Tensor[] = [];
    const entry = entryFor(args, tensors);
    return entry === null ? fn(...args) : (replay(entry, tensors) as R);
  };
  const compiled = (...args: A): R => inPhase('capture', () => call(...args));
  warmers.set(compiled, async (args, onProgress) => {
    const tensors: Tensor[] = [];
    const entry = entryFor(args as A, tensors);
    if (entry === null) {
      throw new ArgumentError(
        '[warmup] the function would not be compiled here: inside a compiled function, or of arguments that require gradients',
      );
    }
    await entry.recording.prepare(likely(entry, tensors), onProgress);
    return entry.updated.length > 0;
  });
  Object.defineProperties(compiled, {
    warmup: { value: (...args: A) => warmup(compiled, args) },
    traces: { get: () => traces },
    lastReason: { get: () => lastReason },
    tuning: { get: () => (tune === null ? null : (last?.recording.tuned ?? null)) },
  });
  return compiled as Compiled<A, R>;
}

function tuneRequest(options: CompileOptions): TuneRequest | null {
  const refuse = (what: string, value: unknown, expected: string): never => {
    throw new ArgumentError(`[compile] ${what} is ${String(value)} (expected ${expected})`);
  };
  if (typeof options !== 'object' || options === null) refuse('options', options, 'an object such as { tune: true }');
  const { tune = false } = options;
  if (tune === false) return null;
  if (tune === true) return { seconds: TUNE_SECONDS, again: false };
  if (typeof tune !== 'object' || tune === null)
    refuse('tune', tune, 'true, false, or an object such as { seconds: 5 }');
  const { seconds = TUNE_SECONDS, again = false } = tune;
  if (typeof seconds !== 'number' || !(seconds >= 0)) refuse('tune.seconds', seconds, 'a number of seconds from 0 on');
  if (typeof again !== 'boolean') refuse('tune.again', again, 'true or false');
  return { seconds, again };
}

/** Prepares a compiled function for arguments; resolves to whether a call changes tensors. */
type Warmer = (args: readonly unknown[], onProgress: Progress) => Promise<boolean>;
const warmers = new WeakMap<object, Warmer>();

/**
 * Compiles what a function of tensors launches, asynchronously and all kernels side by side, without running it or changing anything:
 * parameters, optimizer state and random numbers stay as they are (values from outside that were not computed yet are computed).
 * `fn` is a compiled function, which is traced for `args`; or any other, whose results are then quick to compute together from arguments
 * that are stored. Throws ArgumentError for one of the latter kind that changes tensors (an optimizer step): compile it first.
 */
export async function warmup<A extends unknown[]>(
  fn: (...args: A) => unknown,
  args: readonly [...A],
  { onProgress = () => {} }: WarmupOptions = {},
): Promise<void> {
  if (typeof fn !== 'function' || !Array.isArray(args)) {
    throw new ArgumentError(
      `[warmup] called with ${typeof fn}, ${typeof args} (expected a function, and a list of its arguments)`,
    );
  }
  const own = warmers.get(fn);
  const changes = await (own ?? warmers.get(compile(fn))!)(args, onProgress);
  if (own !== undefined || !changes) return;
  throw new ArgumentError(
    '[warmup] the function changes tensors (expected tl.compile(fn), whose calls are then prepared)',
  );
}

/** Storages like those that a call would read: what is not computed yet will not be elsewhere. */
function likely(entry: Entry, tensors: readonly Tensor[]): Storage[] {
  const of = ({ node }: Tensor): Storage => storageOf(node) ?? new Storage(node.shape, node.dtype, null);
  return entry.inputs.map((i) =>
    i.kind === 'argument' ? of(tensors[i.at]!) : i.kind === 'state' ? of(i.tensor) : i.storage,
  );
}

/** Structure, shapes and dtypes of arguments; collects their tensors. */
function signature(value: unknown, tensors: Tensor[]): string {
  if (isTensor(value)) {
    tensors.push(value);
    const { node } = value;
    return `${isPrim(node, 'scalar') ? 'scalar' : 'tensor'} ${node.dtype}[${node.shape.join(',')}]`;
  }
  if (Array.isArray(value)) return `[${value.map((v) => signature(v, tensors)).join(';')}]`;
  if (typeof value === 'object' && value !== null) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      throw new ArgumentError(
        `[compile] an argument is a ${value.constructor?.name ?? 'class'} (expected tensors, numbers, strings, arrays, plain objects; use others from outside)`,
      );
    }
    const fields = Object.entries(value).map(([name, v]) => `${JSON.stringify(name)}:${signature(v, tensors)}`);
    return `{${fields.join(';')}}`;
  }
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new ArgumentError(
      `[compile] an argument is a ${typeof value} (expected tensors, numbers, strings, arrays, objects)`,
    );
  }
  if (typeof value === 'string') return JSON.stringify(value);
  return Object.is(value, -0) ? '-0' : `${typeof value} ${String(value)}`;
}

/** Why an entry cannot be used any more; null where it can. */
function usable(entry: Entry): string | null {
  for (const g of entry.trace.guards) if (!g.holds()) return g.reason;
  for (const i of entry.inputs) {
    if (
      i.kind === 'captured' &&
      (i.storage.superseded || (i.storage.state !== 'ready' && i.storage.state !== 'pending'))
    ) {
      return 'a tensor that it uses from outside was replaced or disposed';
    }
    if (i.kind === 'state' && i.tensor.disposed) return 'a tensor that it uses from outside was disposed';
  }
  return null;
}

/** The arguments with stand-ins for their tensors. */
function standIns(args: unknown, replace: (x: Tensor) => Tensor): unknown {
  if (isTensor(args)) return replace(args);
  if (Array.isArray(args)) return args.map((a) => standIns(a, replace));
  if (typeof args === 'object' && args !== null) {
    return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, standIns(value, replace)]));
  }
  return args;
}

/**
 * Traces once. undefined where the function turned out to use values from outside that were not computed yet: they have been by then,
 * and the trace is to be made again.
 */
function trace<A extends unknown[]>(fn: (...args: A) => unknown, args: A, tune: TuneRequest | null): Entry | undefined {
  const made = new Trace();
  const first = nextNodeId();
  const pending = takeBackwardRoots();
  const placeholders = new Map<LeafSource, number>();
  const scalarPlaces = new Map<ScalarSource, number>();
  let at = 0;
  const replaced = standIns(args, (x) => {
    const { node } = x;
    const place = at++;
    if (isPrim(node, 'scalar')) {
      const source: ScalarSource = { dtype: node.dtype, value: node.attrs.source.value };
      scalarPlaces.set(source, place);
      return new Tensor(scalarNode(source));
    }
    const placeholder = new Placeholder(node.shape, node.dtype);
    placeholders.set(placeholder, place);
    return new Tensor(leaf(placeholder));
  }) as A;
  try {
    const result: unknown = withoutValues(() => tracing(made, () => fn(...replaced)));
    if (result instanceof Promise) {
      throw new ArgumentError(
        '[compile] the function returned a promise (expected a synchronous function; do not await inside)',
      );
    }
    const results = result === undefined ? [] : tensorsOf('compile', result);
    const updated = [...made.rebound.keys()];
    const roots = [...results, ...updated].map((t) => t.node);
    const outside = uncomputed(roots, first);
    if (outside.length > 0) {
      realize(outside);
      return undefined;
    }
    const owners = ownersOf(roots);
    const before = new Map([...made.rebound].map(([tensor, node]) => [sourceOf(node), tensor]));
    // A result may be read after the step that donates its storage: what is returned as it came in is copied, never donated.
    // A copy of its own: each trace is tuned anew where that is asked for, but once.
    const recording = new Recording(roots, (input) => before.has(input), tune ? { ...tune } : undefined);
    const inputs = recording.inputs.map((source): Input => {
      const argument = placeholders.get(source);
      if (argument !== undefined) return { kind: 'argument', at: argument };
      const tensor = before.get(source) ?? owners.get(source);
      return tensor === undefined ? { kind: 'captured', storage: source as Storage } : { kind: 'state', tensor };
    });
    for (const i of inputs) {
      if (i.kind !== 'state') continue;
      const { tensor } = i;
      const { requiresGrad } = tensor;
      made.guard(tensor, 'a parameter was frozen or unfrozen', () => tensor.requiresGrad === requiresGrad);
    }
    return {
      recording,
      inputs,
      scalarArguments: recording.scalars.map((s) => scalarPlaces.get(s) ?? -1),
      trace: made,
      results: results.length,
      updated,
      shape: (fresh) => {
        if (result === undefined) return undefined;
        let next = 0;
        return mapTensors('compile', result as object, () => fresh[next++]!);
      },
    };
  } finally {
    for (const [tensor, node] of made.rebound) {
      rebind(tensor, node);
      const source = sourceOf(node);
      if (source !== null) (source as Storage).superseded = false;
    }
    for (const [tensor, gradient] of made.gradients) tensor.grad = gradient;
    for (const p of placeholders.keys()) (p as Placeholder).close();
    // Losses of the trace are no roots of a later step; those from before it still are.
    takeBackwardRoots();
    pending.forEach(addBackwardRoot);
  }
}

/** What a graph computes from nodes made before node `first` that are not stored yet: values from outside. */
function uncomputed(roots: readonly Node[], first: number): Node[] {
  const found = new Set<Node>();
  const seen = new Set<Node>();
  const stack = [...roots];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.realized !== null || node.inputs.length === 0) continue;
    if (node.id < first) found.add(node);
    else stack.push(...node.inputs);
  }
  return [...found];
}

/** The stored source of a node, where it is stored. */
const sourceOf = (node: Node): LeafSource | null => node.realized ?? (isPrim(node, 'leaf') ? node.attrs.source : null);

/** The tensors that own leaves of a graph: parameters, by the data they had while traced. */
function ownersOf(roots: readonly Node[]): Map<LeafSource, Tensor> {
  const found = new Map<LeafSource, Tensor>();
  const seen = new Set<Node>();
  const stack = [...roots];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    const owner = ownerOf(node);
    const source = sourceOf(node);
    if (owner !== undefined && source !== null) found.set(source, owner);
    stack.push(...node.inputs);
  }
  return found;
}

function storedNow(tensor: Tensor): Storage {
  const { node } = tensor;
  if (storageOf(node) === null) realize([node]);
  return storageOf(node)!;
}

function replay(entry: Entry, tensors: readonly Tensor[]): unknown {
  const inputs = entry.inputs.map((i) =>
    i.kind === 'argument' ? storedNow(tensors[i.at]!) : i.kind === 'state' ? storedNow(i.tensor) : i.storage,
  );
  // A call that cannot run counts no step and draws no numbers.
  for (const s of inputs) s.checkUsable('compile');
  for (const before of entry.trace.beforeRun) before();
  const scalars = entry.recording.scalars.map((source, i) => {
    const argument = entry.scalarArguments[i]!;
    return argument < 0 ? source.value : (tensors[argument]!.node as Node<'scalar'>).attrs.source.value;
  });
  const outputs = entry.recording.run(inputs, scalars, (i) => i >= entry.results);
  entry.updated.forEach((tensor, i) => {
    rebind(tensor, leaf(outputs[entry.results + i]!));
  });
  return entry.shape(outputs.slice(0, entry.results).map((storage) => new Tensor(leaf(storage))));
}

import {
  ArgumentError,
  dropParents,
  InternalError,
  isPrim,
  type LeafSource,
  type Node,
  nextNodeId,
  type TypedArray,
  UnsupportedError,
} from '../graph/index.js';
import { defaultRuntime } from './engines.js';
import { inPhase } from './events.js';
import type { Runtime } from './runtime.js';
import { snapshot } from './snapshot.js';
import { Storage } from './storage.js';

export interface RealizeOptions {
  /** Storage that the plan may overwrite; it is stale from the call on. */
  readonly donate?: readonly Storage[];
  /** Roots whose values come to the host in the same run; they keep no device memory. */
  readonly fetch?: readonly Node[];
}

function asStorage(source: LeafSource): Storage {
  if (source instanceof Storage) return source;
  throw new InternalError('[realize] a leaf without storage');
}

/** The storage of a node that is stored; null for one that is still to be computed. */
export function storageOf(node: Node): Storage | null {
  const source = node.realized ?? (isPrim(node, 'leaf') ? node.attrs.source : null);
  return source === null ? null : asStorage(source);
}

let tracedFrom: number | null = null;

/** Runs `fn`, which traces a compiled function: nodes made meanwhile have no values, and computing them throws UnsupportedError. */
export function withoutValues<T>(fn: () => T): T {
  const outer = tracedFrom;
  tracedFrom ??= nextNodeId();
  try {
    return fn();
  } finally {
    tracedFrom = outer;
  }
}

function refuseTraced(nodes: readonly Node[]): void {
  const first = tracedFrom;
  if (first === null || nodes.every((n) => n.id < first)) return;
  throw new UnsupportedError(
    '[realize] a tensor inside a compiled function has no value while it is traced (return it, and read the result)',
  );
}

/**
 * Computes nodes, in one plan. The nodes count as stored from the call on; the work is queued, and the promise resolves when it
 * has run. An error sticks to the nodes and is thrown where they are read: the promise may be ignored. Throws at once
 * StaleTensorError for graphs that read what was replaced or disposed.
 */
export function realize(roots: readonly Node[], options: RealizeOptions = {}): Promise<void> {
  return inPhase('capture', () => capture(roots, options));
}

function capture(roots: readonly Node[], options: RealizeOptions): Promise<void> {
  const donate = options.donate ?? [];
  const todo = [...new Set(roots)].filter((r) => storageOf(r) === null);
  if (todo.length === 0 && donate.length === 0) return settled(roots);
  refuseTraced(todo);
  const snap = snapshot(todo);
  const inputs = snap.inputs.map(asStorage);
  for (const s of inputs) s.checkUsable('realize');
  const runtime = runtimeOf(inputs);
  const donated = donatedOf(inputs, donate);
  const outputs = todo.map((node) => new Storage(node.shape, node.dtype, null, node));
  const fetch = new Set(options.fetch ?? []);
  outputs.forEach((o, i) => {
    o.resident = donate.length > 0 && !fetch.has(todo[i]!);
    o.device.runtime = runtime;
  });
  for (const s of inputs) s.device.runtime ??= runtime;
  for (const s of donate) s.state = 'stale';
  todo.forEach((node, i) => {
    node.realized = outputs[i]!;
    if (!node.requiresGrad) dropParents(node);
  });
  const fetched = outputs.filter((_, i) => fetch.has(todo[i]!));
  const done = runtime.submit({
    snap,
    inputs,
    donated,
    scalars: snap.scalars.map((s) => s.value),
    outputs,
    fetch: fetched,
  });
  return quiet(done);
}

/** Marks a promise as handled: an ignored failure still shows where the outputs are read. */
export function quiet<T>(done: Promise<T>): Promise<T> {
  done.catch(() => {});
  return done;
}

/** Waits for nodes that are stored or queued already. */
function settled(nodes: readonly Node[]): Promise<void> {
  const storages = nodes.map((n) => storageOf(n)!);
  for (const s of storages) if (s.state !== 'pending') s.checkUsable('realize');
  const waiting = storages.filter((s) => s.state === 'pending' || s.host === null);
  const runtime = waiting[0]?.device.runtime;
  if (runtime === undefined || runtime === null) return Promise.resolve();
  return quiet(
    runtime
      .idle()
      // What was handed to the engine, such as the results of a compiled call, may still be computing.
      .then(() => runtime.startedEngine?.idle())
      .then(() => {
        for (const s of waiting) s.checkUsable('realize');
      }),
  );
}

/** The engine on which all inputs can be read: data on the host goes anywhere. */
export function runtimeOf(inputs: readonly Storage[]): Runtime {
  let runtime: Runtime | null = null;
  for (const s of inputs) {
    const at = s.device.runtime;
    if (at === null || (s.host !== null && !s.pinned && at !== defaultRuntime())) continue;
    if (runtime !== null && at !== runtime) {
      throw new ArgumentError(
        '[realize] tensors live on different engines (move them with t.to(engine), or read them first)',
      );
    }
    runtime = at;
  }
  return runtime ?? defaultRuntime();
}

function donatedOf(inputs: readonly Storage[], donate: readonly Storage[]): boolean[] {
  const wanted = new Set(donate);
  return inputs.map((s) => wanted.has(s));
}

/** The values of a node: realizes it where needed, and copies them out. bool comes as Uint8Array. */
export async function readNode(node: Node): Promise<TypedArray> {
  if (storageOf(node) === null) realize([node]);
  const storage = storageOf(node)!;
  storage.checkUsable('data');
  if (storage.host !== null) return storage.host.slice();
  const runtime = storage.device.runtime ?? defaultRuntime();
  return (await runtime.read(storage)).slice();
}

/** The values if they are on the host already. */
export function peekNode(node: Node): TypedArray | null {
  return storageOf(node)?.host ?? null;
}

/** Gives memory back; using the node's tensor later throws StaleTensorError. A node that is not stored has none. */
export function disposeNode(node: Node): void {
  const storage = storageOf(node);
  if (storage === null) return;
  const { runtime } = storage.device;
  if (runtime !== null) runtime.dispose(storage);
  else if (storage.state === 'ready') {
    storage.state = 'disposed';
    storage.host = null;
  }
}

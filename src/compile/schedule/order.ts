import { BYTES_PER_ELEMENT, type Node, sizeOf } from '../../graph/index.js';
import type { Cluster } from './cluster.js';
import { baseOf, isStoredSource } from './cost.js';

const bytesOf = (node: Node): number => sizeOf(node.shape) * BYTES_PER_ELEMENT;

/** What one kernel needs and leaves, while kernels are put in order. */
interface Pending {
  readonly cluster: Cluster;
  /** Stored intermediates, and data that exists before. */
  readonly reads: ReadonlySet<Node>;
  readonly data: ReadonlySet<Node>;
  /** Outputs of the graph, which are kept anyway, and the bytes of the other outputs. */
  readonly results: readonly Node[];
  readonly allocates: number;
  readonly feeds: Pending[];
  waitsFor: number;
  done: boolean;
}

/**
 * Moves kernels forward that leave no more in memory than they found: the update of a parameter runs as soon as its gradient is there, not
 * after the whole backward pass, which would keep activations and gradients of all layers until then. Takes and gives kernels in an
 * order that respects their dependencies. A kernel that may overwrite data waits for the other readers of that data.
 */
export function freeingEarly(
  clusters: readonly Cluster[],
  storedIn: ReadonlyMap<Node, Cluster>,
  roots: ReadonlySet<Node>,
): Cluster[] {
  const pendingOf = new Map<Cluster, Pending>();
  const readers = new Map<Node, number>();
  const all = clusters.map((cluster): Pending => {
    const reads = new Set<Node>();
    const data = new Set<Node>();
    for (const node of cluster.interior) {
      for (const input of node.inputs) {
        const home = storedIn.get(input);
        const base = baseOf(input);
        if (home !== undefined && home !== cluster) reads.add(input);
        else if (isStoredSource(base)) data.add(base);
      }
    }
    for (const read of [...reads, ...data]) readers.set(read, (readers.get(read) ?? 0) + 1);
    const kept = cluster.outputs.filter((o) => !roots.has(o));
    const results = cluster.outputs.filter((o) => roots.has(o));
    const allocates = kept.reduce((sum, o) => sum + bytesOf(o), 0);
    const pending = { cluster, reads, data, results, allocates, feeds: [], waitsFor: 0, done: false };
    pendingOf.set(cluster, pending);
    return pending;
  });
  for (const k of all) {
    for (const home of new Set([...k.reads].map((r) => storedIn.get(r)!))) {
      pendingOf.get(home)!.feeds.push(k);
      k.waitsFor++;
    }
  }

  const lastReader = (node: Node): boolean => readers.get(node) === 1;
  const takesNoRoom = (k: Pending): boolean => {
    if (k.results.some((r) => [...k.data].some((d) => !lastReader(d) && bytesOf(d) === bytesOf(r)))) return false;
    let frees = 0;
    for (const read of k.reads) if (lastReader(read) && !roots.has(read)) frees += bytesOf(read);
    return k.allocates === 0 || k.allocates < frees;
  };

  const out: Cluster[] = [];
  const ready = new Set<Pending>();
  const run = (k: Pending): void => {
    k.done = true;
    ready.delete(k);
    out.push(k.cluster);
    for (const read of [...k.reads, ...k.data]) readers.set(read, readers.get(read)! - 1);
    for (const next of k.feeds) if (--next.waitsFor === 0) ready.add(next);
  };
  for (const k of all) {
    if (k.done) continue;
    run(k);
    for (let next: Pending | undefined = k; next !== undefined; ) {
      next = [...ready].find(takesNoRoom);
      if (next !== undefined) run(next);
    }
  }
  return out;
}

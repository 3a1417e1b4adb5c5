import { bytesFor, InternalError, type Node, sizeOf, topologicalOrder } from '../../graph/index.js';
import type { Cluster } from './cluster.js';
import { baseOf, isStoredSource } from './cost.js';

const bytesOf = (node: Node): number => bytesFor(sizeOf(node.shape), node.dtype);

/** One kernel while kernels are put in order: what it needs and leaves. */
interface Step {
  readonly cluster: Cluster;
  /** Intermediates, and data that exists before. */
  readonly reads: ReadonlySet<Node>;
  readonly data: ReadonlySet<Node>;
  /** Outputs of the graph, which are kept anyway, and the bytes of the other outputs. */
  readonly results: readonly Node[];
  readonly allocates: number;
  readonly needs: Step[];
  readonly feeds: Step[];
}

/** How much of what comes after a kernel is looked at before it is moved forward. */
const LOOK_AHEAD = 2;
/** The order of the graph is left only where that saves so much. */
const WORTH_REVERSING = 0.95;

/**
 * Puts kernels in order, dependencies first: as the graph was written, or from its last root back where less is then alive at once. In either,
 * kernels that leave no more in memory than they found run as soon as they can: the update of a parameter follows its gradient, and does not
 * wait until the end of the backward pass, which would keep activations and gradients of all layers until then. A kernel that may overwrite
 * data waits for the other readers of that data.
 */
export function inOrder(
  clusters: readonly Cluster[],
  storedIn: ReadonlyMap<Node, Cluster>,
  roots: readonly Node[],
): Cluster[] {
  const isRoot = new Set(roots);
  const steps = stepsOf(clusters, storedIn, isRoot);
  const written = freeingEarly(onDemand(steps, roots), isRoot);
  const reversed = freeingEarly(onDemand(steps, [...roots].reverse()), isRoot);
  const best = peakOf(reversed, isRoot) < WORTH_REVERSING * peakOf(written, isRoot) ? reversed : written;
  return best.map((step) => step.cluster);
}

function stepsOf(
  clusters: readonly Cluster[],
  storedIn: ReadonlyMap<Node, Cluster>,
  isRoot: ReadonlySet<Node>,
): Step[] {
  const stepOf = new Map<Cluster, Step>();
  for (const cluster of clusters) {
    const reads = new Set<Node>();
    const data = new Set<Node>();
    for (const node of cluster.interior) {
      for (const input of node.inputs) {
        const home = storedIn.get(input);
        if (home !== undefined && home !== cluster) reads.add(input);
        else if (isStoredSource(baseOf(input))) data.add(baseOf(input));
      }
    }
    const results = cluster.outputs.filter((o) => isRoot.has(o));
    const allocates = cluster.outputs.reduce((sum, o) => sum + (isRoot.has(o) ? 0 : bytesOf(o)), 0);
    stepOf.set(cluster, { cluster, reads, data, results, allocates, needs: [], feeds: [] });
  }
  for (const step of stepOf.values()) {
    for (const home of new Set([...step.reads].map((r) => stepOf.get(storedIn.get(r)!)!))) {
      step.needs.push(home);
      home.feeds.push(step);
    }
  }
  return [...stepOf.values()];
}

/** Each root's kernels after what they need, root by root. */
function onDemand(steps: readonly Step[], roots: readonly Node[]): Step[] {
  const rank = new Map(topologicalOrder(roots, (n) => n.realized !== null).map((n, i) => [n, i]));
  const key = new Map(steps.map((s) => [s, Math.max(...s.cluster.outputs.map((o) => rank.get(o)!))]));
  const byKey = (a: Step, b: Step): number => key.get(a)! - key.get(b)!;
  const done = new Set<Step>();
  for (const start of [...steps].sort(byKey)) {
    const stack = [start];
    while (stack.length > 0) {
      const step = stack[stack.length - 1]!;
      const waiting = done.has(step) ? [] : step.needs.filter((d) => !done.has(d));
      if (waiting.length > 0) {
        if (stack.length > steps.length) throw new InternalError('[schedule] kernels depend on each other in a circle');
        stack.push(...waiting.sort((a, b) => byKey(b, a)));
      } else {
        stack.pop();
        done.add(step);
      }
    }
  }
  return [...done];
}

function readersOf(steps: readonly Step[]): Map<Node, number> {
  const readers = new Map<Node, number>();
  for (const s of steps) for (const r of [...s.reads, ...s.data]) readers.set(r, (readers.get(r) ?? 0) + 1);
  return readers;
}

function freeingEarly(steps: readonly Step[], isRoot: ReadonlySet<Node>): Step[] {
  const readers = readersOf(steps);
  const waitsFor = new Map(steps.map((s) => [s, s.needs.length]));
  const lastReader = (node: Node): boolean => readers.get(node) === 1;
  const count = (step: Step, by: number): void => {
    for (const r of [...step.reads, ...step.data]) readers.set(r, readers.get(r)! + by);
  };
  const overwrites = (step: Step): boolean =>
    step.results.some((r) => [...step.data].some((d) => !lastReader(d) && bytesOf(d) === bytesOf(r)));

  /** Bytes that a step adds, alone or with what can follow it at once. */
  const growth = (step: Step, ahead: number): number => {
    if (overwrites(step)) return Number.POSITIVE_INFINITY;
    let change = step.allocates;
    for (const r of step.reads) if (lastReader(r) && !isRoot.has(r)) change -= bytesOf(r);
    if (change <= 0 || ahead === 0) return change;
    count(step, -1);
    const after = step.feeds.filter((s) => waitsFor.get(s) === 1).map((s) => growth(s, ahead - 1));
    count(step, 1);
    return change + Math.min(0, ...after);
  };

  const out = new Set<Step>();
  const ready = new Set<Step>();
  const run = (step: Step): void => {
    ready.delete(step);
    out.add(step);
    count(step, -1);
    for (const next of step.feeds) {
      const left = waitsFor.get(next)! - 1;
      waitsFor.set(next, left);
      if (left === 0) ready.add(next);
    }
  };
  for (const step of steps) {
    for (let next: Step | undefined = step; next !== undefined; ) {
      if (!out.has(next)) run(next);
      next = undefined;
      for (const candidate of ready) {
        if (growth(candidate, LOOK_AHEAD) > 0) continue;
        next = candidate;
        break;
      }
    }
  }
  return [...out];
}

/** Most bytes of intermediates alive at once. */
function peakOf(steps: readonly Step[], isRoot: ReadonlySet<Node>): number {
  const readers = readersOf(steps);
  let live = 0;
  let peak = 0;
  for (const step of steps) {
    live += step.allocates;
    peak = Math.max(peak, live);
    for (const r of step.reads) {
      readers.set(r, readers.get(r)! - 1);
      if (readers.get(r) === 0 && !isRoot.has(r)) live -= bytesOf(r);
    }
  }
  return peak;
}

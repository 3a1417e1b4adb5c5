import type { RowDomain } from '../../../kernels/lower/group.js';
import { levelOf, rowsOf } from '../../../kernels/lower/lower.js';
import { isRoutine, operandSource, type RoutinePrim } from '../../../kernels/routines/operands.js';
import { scratchWords } from '../../../kernels/routines/sizes.js';
import {
  full,
  InternalError,
  isPrim,
  type Node,
  packingOf,
  sameShape,
  sizeOf,
  topologicalOrder,
} from '../../graph/index.js';
import { Cluster, fitsDomain, sameSpace } from './cluster.js';
import { isContraction, isHeavy, isMovement, isReindexing, isSource, operationCost, repeatCost } from './cost.js';
import { inOrder } from './order.js';

/** Nodes computed inside one kernel; bounds the size of generated expressions and the depth of recursion over them. */
const MAX_INTERIOR = 160;
/** Instructions an operand element of a contraction may cost: it is computed anew for every tile that reads it. */
const MAX_PROLOGUE = 6;
/** Instructions for computing a value at several indices in one kernel instead of storing it. */
const MAX_REEVALUATION = 8;
/** Instructions that may be repeated in several kernels instead of storing the value. */
const MAX_REPEAT = 4;
/** A heavy value repeated over at least this many elements is stored first. */
const MAX_BROADCAST_REPEAT = 8;

export interface FuseOptions {
  /** Storage buffers that one kernel may bind. */
  readonly maxBindings: number;
  /** Nodes that have to be stored. */
  readonly forced: ReadonlySet<Node>;
}

/**
 * Partitions a simplified graph into groups, one kernel each. Nodes are visited users first; each joins the kernel of its users
 * where the fusion rules allow, or is stored:
 * - elementwise and movement nodes join their only user; with several users they are repeated where that is cheap, else their
 *   users' kernels are merged where they have one index space, else the node is stored;
 * - a reduction joins a kernel of its rows (its elementwise consumers, further reductions of the same rows);
 * - a contraction joins the elementwise kernel that consumes it (its epilogue); its operands take a cheap prologue.
 * - a routine is a kernel of its own, between what it reads and what reads it.
 * Roots must be computed nodes (no sources), each listed once.
 */
export function fuse(roots: readonly Node[], options: FuseOptions): Cluster[] {
  return new Fuser(roots, options).run();
}

/** Whether a user reads elements of a node several times: windows that overlap, data picked by an index tensor. */
function repeats(user: Node, node: Node): boolean {
  if (isPrim(user, 'window')) return user.attrs.size.some((size, i) => size > user.attrs.stride[i]!);
  return isPrim(user, 'gather') && user.inputs[0] === node;
}

function routineCluster(node: Node<RoutinePrim>): Cluster {
  const cluster = new Cluster();
  const words = scratchWords(node);
  cluster.routine = node;
  cluster.views = new Set(node.inputs.flatMap((_, at) => operandSource(node, at, () => false).views));
  if (words > 0) cluster.scratch = full([words], 0, 'f32');
  return cluster;
}

class Fuser {
  private readonly order: Node[];
  private readonly users = new Map<Node, Node[]>();
  private readonly roots: ReadonlySet<Node>;
  private readonly members = new Map<Node, Set<Cluster>>();
  private readonly storedIn = new Map<Node, Cluster>();

  constructor(
    roots: readonly Node[],
    private readonly options: FuseOptions,
  ) {
    this.roots = new Set(roots);
    this.order = topologicalOrder(roots, (n) => n.realized !== null);
    for (const node of this.order) {
      if (node.realized !== null) continue;
      for (const input of new Set(node.inputs)) {
        const list = this.users.get(input);
        if (list === undefined) this.users.set(input, [node]);
        else list.push(node);
      }
    }
  }

  run(): Cluster[] {
    for (let i = this.order.length - 1; i >= 0; i--) {
      const node = this.order[i]!;
      if (isSource(node)) {
        if (this.roots.has(node)) throw new InternalError(`[schedule] root ${node.id} is a source`);
        continue;
      }
      this.place(node);
    }
    return this.ordered();
  }

  private place(node: Node): void {
    // A node that a kernel could not compute inside is stored by a kernel of its own.
    const forced = this.options.forced.has(node);
    const hosts = forced ? [] : this.hostsOf(node);
    const operand = hosts.some((k) => k.routine !== null && !k.views.has(node));
    const store = forced || operand || this.roots.has(node);
    if (isRoutine(node)) this.storeIn(node, routineCluster(node));
    else if (isPrim(node, 'reduce')) this.placeReduce(node, hosts, store);
    else if (isContraction(node)) this.placeContraction(node, hosts, store);
    else this.placeInlinable(node, hosts, store);
  }

  private placeInlinable(node: Node, hosts: Cluster[], store: boolean): void {
    if (!store && hosts.every((k) => this.canInline(node, k))) {
      if (hosts.length === 1 || this.cheapToRepeat(node)) {
        for (const k of hosts) this.join(node, k);
        return;
      }
      const merged = this.merge(hosts, node, (a, b) => sameSpace(a, b));
      if (merged !== null) {
        this.join(node, merged);
        return;
      }
    }
    const host = hosts.find((k) => this.canAdopt(node, k) && this.independentOfOthers(k, hosts));
    this.storeIn(node, host ?? new Cluster());
  }

  private placeReduce(node: Node<'reduce'>, hosts: Cluster[], store: boolean): void {
    const domain: RowDomain = { shape: node.inputs[0]!.shape, axes: node.attrs.axes };
    const fits = (k: Cluster): boolean => fitsDomain(k, domain) && this.roomFor(node, k);
    if (!store && hosts.every(fits)) {
      const host =
        hosts.length === 1
          ? hosts[0]!
          : this.merge(hosts, node, (a, b) => fitsDomain(a, domain) && fitsDomain(b, domain));
      if (host !== null) {
        host.domain = domain;
        this.join(node, host);
        return;
      }
    }
    const host = hosts.find(
      (k) => fits(k) && k.packing === 1 && this.roomFor(node, k, 1) && this.independentOfOthers(k, hosts),
    );
    const target = host ?? new Cluster();
    target.domain = domain;
    this.storeIn(node, target);
  }

  private placeContraction(node: Node<'dot' | 'conv'>, hosts: Cluster[], store: boolean): void {
    const fits = (k: Cluster): boolean =>
      k.elementwise && k.packing === 1 && k.size === sizeOf(node.shape) && this.roomFor(node, k);
    if (!store && hosts.length === 1 && fits(hosts[0]!)) {
      hosts[0]!.anchor = node;
      this.join(node, hosts[0]!);
      return;
    }
    const host = hosts.find((k) => fits(k) && this.roomFor(node, k, 1) && this.independentOfOthers(k, hosts));
    const target = host ?? new Cluster();
    target.anchor = node;
    this.storeIn(node, target);
  }

  private hostsOf(node: Node): Cluster[] {
    const hosts = new Set<Cluster>();
    for (const user of this.users.get(node) ?? []) for (const k of this.members.get(user) ?? []) hosts.add(k);
    return [...hosts];
  }

  private join(node: Node, k: Cluster): void {
    if (k.anchor !== null && node !== k.anchor && this.feedsAnchor(node, k)) k.operandSide.add(node);
    k.evaluations.set(node, this.evaluationsIn(node, k));
    k.interior.add(node);
    let set = this.members.get(node);
    if (set === undefined) this.members.set(node, (set = new Set()));
    set.add(k);
  }

  private storeIn(node: Node, k: Cluster): void {
    this.join(node, k);
    k.outputs.push(node);
    this.storedIn.set(node, k);
  }

  private usersIn(node: Node, k: Cluster): Node[] {
    return (this.users.get(node) ?? []).filter((u) => k.interior.has(u));
  }

  /** At how many indices a kernel computes a node for each of its elements: once for its direct users, and once for each that shifts or cuts it. */
  private evaluationsIn(node: Node, k: Cluster): number {
    let direct = k.outputs.includes(node) ? 1 : 0;
    let shifted = 0;
    for (const u of this.usersIn(node, k)) {
      const times = k.evaluations.get(u) ?? 1;
      if (isReindexing(u)) shifted += times;
      else direct = Math.max(direct, times);
    }
    return Math.max(1, direct + shifted);
  }

  private feedsAnchor(node: Node, k: Cluster): boolean {
    return this.usersIn(node, k).some((u) => u === k.anchor || k.operandSide.has(u));
  }

  /** As far as is known: users are placed first. */
  private readonly isStored = (node: Node): boolean =>
    this.roots.has(node) || this.options.forced.has(node) || this.storedIn.has(node);

  private roomFor(node: Node, k: Cluster, outputs = 0): boolean {
    return k.interior.size < MAX_INTERIOR && k.bindings(node, this.isStored) + outputs <= this.options.maxBindings;
  }

  private canInline(node: Node, k: Cluster): boolean {
    if (isMovement(node)) return k.interior.size < 2 * MAX_INTERIOR;
    if (!this.roomFor(node, k)) return false;
    const users = this.usersIn(node, k);
    const cost = operationCost(node);
    const times = this.evaluationsIn(node, k);
    if (cost > 0 && ((times > 1 && times * cost > MAX_REEVALUATION) || users.some((u) => repeats(u, node))))
      return false;
    if (isHeavy(node) && this.broadcastBy(node, users) >= MAX_BROADCAST_REPEAT && !this.isRowValue(node, k))
      return false;
    if (k.anchor !== null && this.feedsAnchor(node, k)) {
      if (node.prim === 'concat') return false;
      let prologue = cost;
      for (const n of k.operandSide) prologue += operationCost(n);
      return prologue <= MAX_PROLOGUE;
    }
    return true;
  }

  /** How many elements read each element of a node through expansions of its users. */
  private broadcastBy(node: Node, users: readonly Node[]): number {
    let factor = 1;
    for (const u of users) {
      let at = u;
      for (let hops = 0; hops < 4 && at.prim === 'reshape'; hops++) {
        const next = this.users.get(at);
        if (next === undefined || next.length === 0) break;
        at = next[0]!;
      }
      if (at.prim === 'expand') factor = Math.max(factor, sizeOf(at.shape) / Math.max(1, sizeOf(node.shape)));
    }
    return factor;
  }

  /** Whether a value is one number a row of the kernel, or will be once the reduction that it comes from has joined. */
  private isRowValue(node: Node, k: Cluster): boolean {
    const size = sizeOf(node.shape);
    if (k.domain !== null) return size === rowsOf(k.domain);
    const stack: Node[] = [...node.inputs];
    for (let steps = 0; stack.length > 0 && steps < 32; steps++) {
      const at = stack.pop()!;
      if (sizeOf(at.shape) !== size || isSource(at)) continue;
      if (!isPrim(at, 'reduce')) stack.push(...at.inputs);
      else if (fitsDomain(k, { shape: at.inputs[0]!.shape, axes: at.attrs.axes })) return true;
    }
    return false;
  }

  private cheapToRepeat(node: Node): boolean {
    if (isMovement(node) || node.prim === 'concat') return true;
    const cost = repeatCost(node, (n) => this.roots.has(n) || (this.users.get(n)?.length ?? 0) >= 3);
    return cost.fromMemory && cost.operations <= MAX_REPEAT && cost.reads <= 1;
  }

  private canAdopt(node: Node, k: Cluster): boolean {
    if (k.routine !== null || !this.roomFor(node, k, 1) || packingOf(node.dtype) !== k.packing) return false;
    if (k.anchor !== null) return sizeOf(node.shape) === sizeOf(k.anchor.shape) && !this.feedsAnchor(node, k);
    if (k.domain !== null) {
      const level = levelOf(node, k.domain);
      if (k.packing > 1 && !sameShape(node.shape, k.domain.shape)) return false;
      return level === 'row' || (level === 'full' && k.hasFullOutput());
    }
    return k.size === sizeOf(node.shape);
  }

  /** Whether `k` reads nothing that comes from another host: then `k` may run before all of them. */
  private independentOfOthers(k: Cluster, hosts: readonly Cluster[]): boolean {
    return hosts.every((j) => j === k || !this.dependsOn(k, j));
  }

  private dependenciesOf(k: Cluster): Set<Cluster> {
    const out = new Set<Cluster>();
    for (const node of k.interior) {
      for (const input of node.inputs) {
        const home = this.storedIn.get(input);
        if (home !== undefined && home !== k) out.add(home);
      }
    }
    return out;
  }

  private dependsOn(k: Cluster, target: Cluster): boolean {
    const seen = new Set<Cluster>([k]);
    const stack = [k];
    while (stack.length > 0) {
      for (const d of this.dependenciesOf(stack.pop()!)) {
        if (d === target) return true;
        if (!seen.has(d)) {
          seen.add(d);
          stack.push(d);
        }
      }
    }
    return false;
  }

  /** Makes one cluster of several where `joining` can then be computed once for all of them; null where that is not allowed. */
  private merge(hosts: Cluster[], joining: Node, compatible: (a: Cluster, b: Cluster) => boolean): Cluster | null {
    const trial = new Cluster();
    for (const a of hosts) {
      for (const b of hosts) if (a !== b && (!compatible(a, b) || this.dependsOn(a, b))) return null;
      trial.absorb(a);
    }
    if (!this.roomFor(joining, trial)) return null;
    const [first, ...rest] = hosts as [Cluster, ...Cluster[]];
    for (const other of rest) {
      first.absorb(other);
      for (const n of other.interior) {
        const set = this.members.get(n)!;
        set.delete(other);
        set.add(first);
      }
      for (const o of other.outputs) this.storedIn.set(o, first);
    }
    return first;
  }

  private ordered(): Cluster[] {
    const rank = new Map(this.order.map((n, i) => [n, i]));
    const clusters = [...new Set(this.storedIn.values())];
    for (const k of clusters) k.outputs.sort((a, b) => rank.get(a)! - rank.get(b)!);
    return inOrder(clusters, this.storedIn, [...this.roots]);
  }
}

import type { Group, RowDomain } from '../../../kernels/lower/group.js';
import { columnsOf, levelOf, rowsOf } from '../../../kernels/lower/lower.js';
import type { RoutinePrim } from '../../../kernels/routines/operands.js';
import { type Node, packingOf, sameShape, sizeOf } from '../../graph/index.js';
import { baseOf, dataInputs, isSource, isStoredSource } from './cost.js';

/** A group while it grows. */
export class Cluster implements Group {
  readonly outputs: Node[] = [];
  readonly interior = new Set<Node>();
  domain: RowDomain | null = null;
  anchor: Node<'dot' | 'conv'> | null = null;
  /** Alone in its cluster. */
  routine: Node<RoutinePrim> | null = null;
  /** Between a routine and what it reads: nothing computes them. */
  views: ReadonlySet<Node> = new Set();
  scratch: Node | null = null;
  /** Interior nodes below the contraction: its operands' prologue. */
  readonly operandSide = new Set<Node>();

  /** At how many different indices a node is computed for each element of the kernel. */
  readonly evaluations = new Map<Node, number>();

  /** Elements of each output, where the cluster is elementwise. */
  get size(): number {
    return sizeOf(this.outputs[0]!.shape);
  }

  /** Elements in a word of its outputs: all have one packing. Kernels store packed ones by the word: elementwise ones, and those whose rows are made of words. */
  get packing(): number {
    return this.outputs.length === 0 ? 1 : packingOf(this.outputs[0]!.dtype);
  }

  get elementwise(): boolean {
    return this.domain === null && this.anchor === null && this.routine === null;
  }

  hasFullOutput(): boolean {
    const { domain } = this;
    return domain !== null && this.outputs.some((o) => levelOf(o, domain) === 'full');
  }

  /** Buffers bound if `joining` were computed inside: what is read, by where its data lies, and what is stored. `stored`: known to be so. */
  bindings(joining: Node, stored: (node: Node) => boolean): number {
    const read = new Set<Node>();
    const look = (node: Node): void => {
      for (const input of dataInputs(node)) {
        if (this.interior.has(input) || input === joining) continue;
        const base = baseOf(input, stored);
        if (this.interior.has(base) || base === joining) continue;
        if (!isSource(base) || isStoredSource(base)) read.add(base);
      }
    };
    for (const node of this.interior) look(node);
    look(joining);
    return read.size + this.outputs.length;
  }

  absorb(other: Cluster): void {
    for (const o of other.outputs) if (!this.outputs.includes(o)) this.outputs.push(o);
    for (const n of other.interior) this.interior.add(n);
    for (const n of other.operandSide) this.operandSide.add(n);
    for (const [n, times] of other.evaluations) this.evaluations.set(n, Math.max(times, this.evaluations.get(n) ?? 0));
    this.domain ??= other.domain;
    this.anchor ??= other.anchor;
  }
}

export const sameDomain = (a: RowDomain, b: RowDomain): boolean =>
  sameShape(a.shape, b.shape) && sameShape(a.axes, b.axes);

/** Fewer rows than this leave most of the machine idle while the rows are written. */
const MIN_ROWS = 32;
const SMALL_DOMAIN = 65536;

/** Whether a row's elements are whole words, one after another. */
export const inWords = (domain: RowDomain, packing: number): boolean =>
  packing === 1 ||
  (columnsOf(domain) % packing === 0 && domain.axes.every((axis) => axis >= domain.shape.length - domain.axes.length));

/** Whether a cluster can have, or take on, the rows of a domain. */
export function fitsDomain(cluster: Cluster, domain: RowDomain): boolean {
  if (cluster.anchor !== null || cluster.routine !== null || !inWords(domain, cluster.packing)) return false;
  if (cluster.domain !== null) return sameDomain(cluster.domain, domain);
  let full = false;
  for (const o of cluster.outputs) {
    const level = levelOf(o, domain);
    if (level === null || (cluster.packing > 1 && !sameShape(o.shape, domain.shape))) return false;
    if (level === 'full') full = true;
  }
  return !full || fullOutputsAllowed(domain);
}

export const fullOutputsAllowed = (domain: RowDomain): boolean =>
  rowsOf(domain) >= MIN_ROWS || rowsOf(domain) * columnsOf(domain) <= SMALL_DOMAIN;

/** Whether two clusters have one index space, so that one kernel can compute both. */
export function sameSpace(a: Cluster, b: Cluster): boolean {
  if (a.anchor !== null || b.anchor !== null || a.routine !== null || b.routine !== null) return false;
  if (a.domain !== null) return fitsDomain(b, a.domain);
  if (b.domain !== null) return fitsDomain(a, b.domain);
  return a.size === b.size && a.packing === b.packing;
}

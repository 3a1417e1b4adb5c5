import type { Node } from '../../src/graph/index.js';
import type { RoutinePrim } from '../routines/operands.js';

/** The rows of a kernel with reductions: `axes` of `shape` are reduced, one row for each point of the other axes. */
export interface RowDomain {
  readonly shape: readonly number[];
  readonly axes: readonly number[];
}

/**
 * What becomes one kernel: engine-neutral. `outputs` are stored; the other nodes of `interior` are computed where they are
 * used; everything else that they read is in memory.
 */
export interface Group {
  readonly outputs: readonly Node[];
  readonly interior: ReadonlySet<Node>;
  /** Present when reductions are inside. */
  readonly domain: RowDomain | null;
  /** The contraction inside, if any; a group has a domain or an anchor, never both. */
  readonly anchor: Node<'dot' | 'conv'> | null;
  /** The routine that is the whole group, if any. */
  readonly routine?: Node<RoutinePrim> | null;
  /** Stands for memory that the kernel needs while it runs. */
  readonly scratch?: Node | null;
}

/** Thrown by the lowering when a node cannot be computed inside its group: the scheduler then stores it. */
export class FusionMismatch extends Error {
  override name = 'FusionMismatch';
  constructor(
    readonly node: Node,
    reason: string,
  ) {
    super(reason);
  }
}

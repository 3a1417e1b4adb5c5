import { expand, reshape } from '../../graph/movement.js';
import type { Node, Prim } from '../../graph/node.js';

/** A node for all examples: with them along a new axis 0, or as it was where it is the same for all. */
export interface Lifted {
  readonly node: Node;
  readonly batched: boolean;
}

/** What rules need of the transform. */
export interface Lifting {
  /** Number of examples. */
  readonly size: number;
  /** Says what a node stands for; then `lift` can be asked for what depends on it. */
  put(one: Node, all: Node): void;
  lift(outputs: readonly Node[]): Lifted[];
}

/**
 * How one primitive computes all examples at once: from its inputs for all examples, of which at least one is batched (or the primitive
 * draws random numbers), to its output with the examples along axis 0.
 */
export type BatchRule<P extends Prim> = (node: Node<P>, inputs: readonly Lifted[], lifting: Lifting) => Node;

export type BatchRules = { readonly [P in Prim]: BatchRule<P> };

/** With the examples along axis 0, repeated where it is the same for all. */
export const spread = ({ node, batched }: Lifted, size: number): Node =>
  batched ? node : expand(reshape(node, [1, ...node.shape]), [size, ...node.shape]);

export const spreadAll = (inputs: readonly Lifted[], { size }: Lifting): Node[] =>
  inputs.map((input) => spread(input, size));

/** Axes, or the order of axes, behind the one of the examples. */
export const behind = (axes: readonly number[]): number[] => axes.map((axis) => axis + 1);

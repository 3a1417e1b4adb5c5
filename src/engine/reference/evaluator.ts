import type { Node, Prim, TypedArray } from '../../graph/index.js';

/** The value of a node, given those of its inputs: a new row-major array, or an input's own where nothing changes. */
export type Evaluate<P extends Prim> = (node: Node<P>, inputs: readonly TypedArray[]) => TypedArray;

/** One for each primitive. */
export type Evaluators = { readonly [P in Prim]: Evaluate<P> };

import type { Node, Prim } from '../node.js';

/**
 * One step towards a simpler node, or null where there is none. The inputs of `node` are as simple as they get. `uses` tells how many
 * nodes of the graph read a node's value (roots count as one more), as far as known: rules that repeat work ask it first.
 */
export type Rewrite<P extends Prim> = (node: Node<P>, uses: (of: Node) => number) => Node | null;

export type Rewrites = { readonly [P in Prim]: Rewrite<P> };

/** For primitives that have no rule of their own. */
export const keep = (): null => null;

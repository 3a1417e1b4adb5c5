import type { Node, Prim } from '../graph/node.js';

/**
 * The gradient of one primitive: from the gradient `g` of its output (f32, of its shape), the gradient of each input (of the
 * input's shape), or null where none flows. `needs[i]` is false where the gradient of input i is not wanted: rules may then
 * return null. Rules build graph nodes that refer to `node` and its inputs, so that they can be differentiated again.
 */
export type VjpRule<P extends Prim> = (node: Node<P>, g: Node, needs: readonly boolean[]) => (Node | null)[];

export type VjpRules = { readonly [P in Prim]: VjpRule<P> };

import type { Node, Prim } from '../../graph/node.js';

/**
 * The tangent of one primitive: from the tangents of its inputs (f32, of their shapes; null where an input does not change), the tangent of
 * its output, or null where that does not change. At least one tangent is given.
 */
export type JvpRule<P extends Prim> = (node: Node<P>, tangents: readonly (Node | null)[]) => Node | null;

export type JvpRules = { readonly [P in Prim]: JvpRule<P> };

import type { Node, Prim } from '../../../graph/index.js';
import type { Lowering, Value } from './lowering.js';

/** How each primitive becomes kernels, where none of its inputs or its result is empty and not all of it is on the host. */
export type Lower = { readonly [P in Prim]: (l: Lowering, node: Node<P>) => Value };

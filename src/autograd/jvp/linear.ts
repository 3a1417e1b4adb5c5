import type { Node, Prim } from '../../graph/node.js';
import { rebuild } from '../../graph/rebuild.js';
import { like } from '../arithmetic.js';
import type { JvpRule } from './rule.js';

/** Of a function that is linear in all of its inputs together: itself, on the tangents. */
export const linear: JvpRule<Prim> = (node, tangents) =>
  rebuild(
    node,
    node.inputs.map((x, i) => tangents[i] ?? like(x, 0)),
  );

/** Of results that do not change with small changes of the inputs. */
export const constant: JvpRule<Prim> = () => null;

/** The sum of terms, null where all are. */
export function sumOf(terms: readonly (Node | null)[], add: (a: Node, b: Node) => Node): Node | null {
  return terms.reduce<Node | null>((sum, term) => (sum === null ? term : term === null ? sum : add(sum, term)), null);
}

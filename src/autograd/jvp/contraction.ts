import type { Node } from '../../graph/node.js';
import { rebuild } from '../../graph/rebuild.js';
import { add } from '../arithmetic.js';
import { sumOf } from './linear.js';
import type { JvpRules } from './rule.js';

/** Linear in each operand: one changes while the other stays. */
function bilinear(node: Node, [a, b]: readonly (Node | null)[]): Node | null {
  const [x, y] = node.inputs as [Node, Node];
  return sumOf([a ? rebuild(node, [a, y]) : null, b ? rebuild(node, [x, b]) : null], add);
}

export const contractionJvp: Pick<JvpRules, 'dot' | 'conv'> = { dot: bilinear, conv: bilinear };

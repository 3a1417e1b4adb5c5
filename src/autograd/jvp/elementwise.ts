import { isFloat } from '../../graph/dtype.js';
import { cast, where } from '../../graph/elementwise.js';
import type { Node } from '../../graph/node.js';
import { add, like } from '../arithmetic.js';
import { binaryGradients, unaryGradients } from '../elementwise.js';
import { sumOf } from './linear.js';
import type { JvpRules } from './rule.js';

/** An elementwise function's derivative is a factor for each element: forward and reverse mode multiply by the same. */
export const elementwiseJvp: Pick<JvpRules, 'unary' | 'binary' | 'where' | 'cast'> = {
  unary: (node, [t]) => unaryGradients[node.attrs.fn]?.(t!, node.inputs[0]!, node) ?? null,
  binary: (node, tangents) => {
    const [a, b] = node.inputs as [Node, Node];
    const terms = binaryGradients[node.attrs.fn].map((factor, i) =>
      tangents[i] === null ? null : factor(tangents[i]!, a, b, node),
    );
    return sumOf(terms, add);
  },
  where: (node, [, a, b]) => where(node.inputs[0]!, a ?? like(node, 0), b ?? like(node, 0)),
  cast: (node, [t]) => (isFloat(node.dtype) && isFloat(node.inputs[0]!.dtype) ? cast(t!, node.dtype, true) : null),
};

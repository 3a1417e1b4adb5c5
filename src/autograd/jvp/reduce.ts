import { reduce } from '../../graph/reduce.js';
import { like, mul } from '../arithmetic.js';
import { reduceGradients } from '../reduce.js';
import { linear } from './linear.js';
import type { JvpRules } from './rule.js';

export const reduceJvp: Pick<JvpRules, 'reduce'> = {
  reduce: (node, tangents) => {
    const { fn, axes } = node.attrs;
    if (fn === 'sum') return linear(node, tangents);
    // Each result depends on its own elements only: what each of them weighs is the gradient of the result.
    const weights = reduceGradients[fn]?.(like(node, 1), node.inputs[0]!, node, axes);
    return weights === undefined ? null : reduce('sum', mul(tangents[0]!, weights), axes);
  },
};

import { shifted } from '../../graph/composedScan.js';
import { where } from '../../graph/elementwise.js';
import { add, mul } from '../arithmetic.js';
import { stepsOf, takesEarlier } from '../scan.js';
import { constant, linear } from './linear.js';
import type { JvpRules } from './rule.js';

export const scanJvp: Pick<JvpRules, 'cumulative' | 'argsort' | 'routine'> = {
  cumulative: (node, tangents) => {
    const { fn, axis } = node.attrs;
    if (fn === 'sum') return linear(node, tangents);
    return stepsOf(node).reduce((t, { before, earlier, by }) => {
      const moved = shifted(t, axis, by, 0);
      if (fn === 'prod') return add(mul(t, earlier), mul(moved, before));
      return where(takesEarlier(fn, before, earlier), moved, t);
    }, tangents[0]!);
  },
  argsort: constant,
  routine: constant,
};

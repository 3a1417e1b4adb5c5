import { where } from '../../graph/elementwise.js';
import { scatter } from '../../graph/indexing.js';
import type { Node } from '../../graph/node.js';
import { div, like } from '../arithmetic.js';
import { keptInScatter, pick } from '../indexing.js';
import type { JvpRules } from './rule.js';

export const indexingJvp: Pick<JvpRules, 'gather' | 'scatter'> = {
  gather: (node, [t]) => pick(t!, node.inputs[1]!, node.attrs.axis),
  scatter: (node, tangents) => {
    const { fn, axis } = node.attrs;
    const [x, index, updates] = node.inputs as [Node, Node, Node];
    const before = tangents[0] ?? like(x, 0);
    const put = tangents[2] ?? like(updates, 0);
    if (fn === 'add' || fn === 'set') return scatter(fn, before, index, put, axis);
    const { keptX, keptUpdates, count } = keptInScatter(node);
    const sum = scatter('add', where(keptX, before, like(x, 0)), index, where(keptUpdates, put, like(put, 0)), axis);
    return div(sum, count);
  },
};

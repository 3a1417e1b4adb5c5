import { reduce } from '../../graph/reduce.js';
import { routine } from '../../graph/routine.js';
import { argsort, cumulative } from '../../graph/scan.js';
import { type BatchRules, behind, spreadAll } from './rule.js';

export const reduceBatch: Pick<BatchRules, 'reduce' | 'cumulative' | 'argsort' | 'routine'> = {
  reduce: (node, [x]) => reduce(node.attrs.fn, x!.node, behind(node.attrs.axes)),
  cumulative: (node, [x]) => cumulative(node.attrs.fn, x!.node, node.attrs.axis + 1),
  routine: (node, inputs, lifting) => routine(node.attrs, spreadAll(inputs, lifting)),
  argsort: (node, [x]) => argsort(x!.node, node.attrs.axis + 1, node.attrs.descending),
};

import { binary, where } from '../graph/elementwise.js';
import { expand, pad, reshape } from '../graph/movement.js';
import type { Node } from '../graph/node.js';
import { reduce } from '../graph/reduce.js';
import { full, iota } from '../graph/sources.js';
import type { VjpRules } from './rule.js';

/**
 * Gradient of gather: every place of x sums the gradients of the indices that name it. A comparison and a sum instead of a scatter:
 * no atomics, so the order of the sum is fixed; an index out of range names no place.
 */
function gatherGradient(g: Node, index: Node, x: Node, axis: number): Node {
  const n = x.shape[axis]!;
  const before = g.shape.slice(0, axis);
  const after = g.shape.slice(axis + 1);
  const picks = g.shape[axis]!;
  // [...before, place in x, pick, ...after]
  const pairs = [...before, n, picks, ...after];
  const spread = (v: Node): Node => expand(reshape(v, [...before, 1, picks, ...after]), pairs);
  const named = binary('eq', spread(index), iota(pairs, axis));
  const kept = where(named, spread(g), full(pairs, 0, 'f32'));
  const gradient = reshape(picks === 1 ? kept : reduce('sum', kept, [axis + 1]), [...before, n, ...after]);
  return pad(gradient, { low: x.shape.map(() => 0), high: x.shape.map((d, i) => d - gradient.shape[i]!) });
}

export const indexingRules: Pick<VjpRules, 'gather'> = {
  gather: (node, g) => {
    const [x, index] = node.inputs as [Node, Node];
    return [gatherGradient(g, index, x, node.attrs.axis), null];
  },
};

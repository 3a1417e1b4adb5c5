import { binary, where } from '../graph/elementwise.js';
import { gather, scatter } from '../graph/indexing.js';
import type { Node } from '../graph/node.js';
import { full } from '../graph/sources.js';
import { div, like } from './arithmetic.js';
import type { VjpRules } from './rule.js';

/** What lies at the places that an index names; 0 where it is out of range. */
export function pick(x: Node, index: Node, axis: number): Node {
  const inside = binary('and', binary('le', like(index, 0), index), binary('lt', index, like(index, x.shape[axis]!)));
  return where(inside, gather(x, index, axis), full(index.shape, 0, x.dtype));
}

/** Which elements of x and of the updates equal the extreme of their place, and how many do at each place. */
export function keptInScatter(node: Node<'scatter'>): { keptX: Node; keptUpdates: Node; count: Node } {
  const { axis } = node.attrs;
  const [x, index, updates] = node.inputs as [Node, Node, Node];
  const keptX = binary('eq', x, node);
  const keptUpdates = binary('eq', updates, pick(node, index, axis));
  const asNumbers = (condition: Node): Node =>
    where(condition, full(condition.shape, 1, 'f32'), full(condition.shape, 0, 'f32'));
  const count = scatter('add', asNumbers(keptX), index, asNumbers(keptUpdates), axis);
  return { keptX, keptUpdates, count };
}

/** As PyTorch's scatter_reduce: what equals the extreme shares its gradient evenly. */
function extremeGradients(node: Node<'scatter'>, g: Node): (Node | null)[] {
  const { axis } = node.attrs;
  const [x, index, updates] = node.inputs as [Node, Node, Node];
  const { keptX, keptUpdates, count } = keptInScatter(node);
  const share = div(g, count);
  return [where(keptX, share, like(x, 0)), null, where(keptUpdates, pick(share, index, axis), like(updates, 0))];
}

export const indexingRules: Pick<VjpRules, 'gather' | 'scatter'> = {
  // Every place of x sums the gradients of the indices that name it; an index out of range names no place.
  gather: (node, g) => {
    const [x, index] = node.inputs as [Node, Node];
    return [scatter('add', like(x, 0), index, g, node.attrs.axis), null];
  },
  scatter: (node, g) => {
    const { fn, axis } = node.attrs;
    const [x, index] = node.inputs as [Node, Node];
    if (fn === 'add') return [g, null, pick(g, index, axis)];
    if (fn !== 'set') return extremeGradients(node, g);
    const touched = scatter('set', full(x.shape, 0, 'bool'), index, full(index.shape, 1, 'bool'), axis);
    return [where(touched, like(x, 0), g), null, pick(g, index, axis)];
  },
};

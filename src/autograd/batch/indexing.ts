import { gather, scatter } from '../../graph/indexing.js';
import { permute, reshape } from '../../graph/movement.js';
import { type BatchRules, spread, spreadAll } from './rule.js';

export const indexingBatch: Pick<BatchRules, 'gather' | 'scatter'> = {
  gather: (node, [x, index], { size }) => {
    const { axis } = node.attrs;
    if (x!.batched) return gather(x!.node, spread(index!, size), axis + 1);
    // One table for all examples: their indices stand side by side, so that its gradient is one sum over all of them.
    const rank = node.shape.length;
    const order = Array.from({ length: rank + 1 }, (_, i) => (i < axis ? i + 1 : i === axis ? 0 : i));
    const moved = permute(index!.node, order);
    const joined = node.shape.map((d, i) => (i === axis ? size * d : d));
    const picked = reshape(gather(x!.node, reshape(moved, joined), axis), moved.shape);
    return permute(
      picked,
      order.map((_, i) => order.indexOf(i)),
    );
  },
  scatter: (node, inputs, lifting) => {
    const [x, index, updates] = spreadAll(inputs, lifting);
    return scatter(node.attrs.fn, x!, index!, updates!, node.attrs.axis + 1);
  },
};

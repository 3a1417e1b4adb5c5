import { isFloat, type Node, sizeOf } from '../../../graph/index.js';
import type { Lower } from './lower.js';
import type { Lowering, Value } from './lowering.js';

function lowerCumulative(l: Lowering, node: Node<'cumulative'>): Value {
  const { fn, axis } = node.attrs;
  const { emit } = l;
  const kernel = fn === 'sum' || (fn === 'prod' && isFloat(node.dtype));
  if (!kernel) return l.readingBack(node, `cumulative ${fn} ${node.dtype}`);
  const x = l.tensor(l.valueOf(node.inputs[0]!));
  const shape = [sizeOf(x.shape.slice(0, axis)), x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))];
  const lines = emit.reshape(x, shape);
  const name = fn === 'sum' ? 'Cumsum' : 'Cumprod';
  const made = l.tape.kernel(name, { x: lines }, { axis: 1, exclusive: false, reverse: false }, shape, x.type);
  return l.made(node, emit.reshape(made, node.shape));
}

export const scans: Pick<Lower, 'cumulative' | 'argsort'> = {
  cumulative: lowerCumulative,
  argsort: (l, node) => l.readingBack(node, 'argsort'),
};

import { composedArgsort, composedCumulative, isFloat, type Node, sizeOf } from '../../../graph/index.js';
import type { Lower } from './lower.js';
import type { Lowering, Value } from './lowering.js';
import { MAX_PAIRS } from './lowering.js';

/** Sums, and products of floats, have kernels; the others take a step for each bit of the length. */
function lowerCumulative(l: Lowering, node: Node<'cumulative'>): Value {
  const { fn, axis } = node.attrs;
  const { emit } = l;
  if (fn !== 'sum' && !(fn === 'prod' && isFloat(node.dtype))) return l.composed(composedCumulative(node));
  const x = l.tensor(l.valueOf(node.inputs[0]!));
  const shape = [sizeOf(x.shape.slice(0, axis)), x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))];
  const lines = emit.reshape(x, shape);
  const name = fn === 'sum' ? 'Cumsum' : 'Cumprod';
  const made = l.tape.kernel(name, { x: lines }, { axis: 1, exclusive: false, reverse: false }, shape, x.type);
  return l.made(node, emit.reshape(made, node.shape));
}

/** The kernel for sorting is neither stable nor knows NaN: the place of an element is counted, or where lines are long, read back. */
function lowerArgsort(l: Lowering, node: Node<'argsort'>): Value {
  const pairs = sizeOf(node.shape) * node.shape[node.attrs.axis]!;
  return pairs <= MAX_PAIRS ? l.composed(composedArgsort(node)) : l.readingBack(node, 'argsort of long lines');
}

export const scans: Pick<Lower, 'cumulative' | 'argsort'> = { cumulative: lowerCumulative, argsort: lowerArgsort };

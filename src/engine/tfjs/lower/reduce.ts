import { isFloat, isPrim, type Node } from '../../../graph/index.js';
import type { Emit } from '../emit.js';
import { MAX_RANK } from '../emit.js';
import type { Ref } from '../tape.js';
import type { Lower } from './lower.js';
import type { Lowering, Value } from './lowering.js';
import { permuted } from './movement.js';

/** The same elements with few enough axes for every kernel, and which of them are reduced. */
function merged(l: Lowering, x: Ref, axes: readonly number[]): { x: Ref; axes: number[] } {
  if (x.shape.length <= MAX_RANK) return { x, axes: [...axes] };
  const shape: number[] = [];
  const reduced: number[] = [];
  let previous: boolean | null = null;
  x.shape.forEach((d, axis) => {
    if (d === 1) return;
    const here = axes.includes(axis);
    if (here === previous) {
      shape[shape.length - 1]! *= d;
      return;
    }
    if (here) reduced.push(shape.length);
    shape.push(d);
    previous = here;
  });
  if (shape.length <= MAX_RANK) return { x: l.emit.reshape(x, shape), axes: reduced };
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const rows = permuted(l, x, [...kept, ...axes]);
  const count = kept.reduce((n, axis) => n * x.shape[axis]!, 1);
  return { x: l.emit.reshape(rows, [count, rows.shape.reduce((a, b) => a * b, 1) / count]), axes: [1] };
}

/** Signed words in the order of the unsigned ones. */
const flipped = (e: Emit, x: Ref): Ref => e.add(x, e.int(-(2 ** 31)));

/** Whether the sign of a zero can show: not where the value is only compared, or taken from others as softmax does. */
function zeroSignShows(l: Lowering, node: Node): boolean {
  if (l.outputs.has(node)) return true;
  return (
    l.readers.get(node)?.some((reader) => {
      if (isPrim(reader, 'expand') || isPrim(reader, 'reshape')) return zeroSignShows(l, reader);
      if (!isPrim(reader, 'binary')) return true;
      const { fn } = reader.attrs;
      const taken = fn === 'sub' && reader.inputs[0] !== node && !l.outputs.has(reader);
      return !(taken || fn === 'eq' || fn === 'ne' || fn === 'lt' || fn === 'le');
    }) ?? true
  );
}

/** max and min of the rows. NaN wins on every backend but TensorFlow's own; of zeros the first or the last would. */
function extreme(l: Lowering, node: Node, name: 'Max' | 'Min', x: Ref, axes: readonly number[]): Ref {
  const { emit } = l;
  const best = emit.reduce(name, x, axes);
  if (x.type !== 'float32') return best;
  const numbers =
    emit.backend === 'tensorflow'
      ? emit.select(emit.reduce('Any', emit.isNaN(x), axes), emit.float(Number.NaN), best)
      : best;
  if (!zeroSignShows(l, node)) return numbers;
  // Where 0 is the best, only a better zero has a reciprocal on that side.
  const zero = emit.float(0);
  const inverse = emit.unary('Reciprocal', x);
  const better = name === 'Max' ? emit.less(zero, inverse) : emit.less(inverse, zero);
  const [good, bad] = name === 'Max' ? [0, -0] : [-0, 0];
  const ofZeros = emit.select(emit.reduce('Any', better, axes), emit.float(good), emit.float(bad));
  return emit.select(emit.equal(numbers, zero), ofZeros, numbers);
}

function lowerReduce(l: Lowering, node: Node<'reduce'>): Value {
  const { fn } = node.attrs;
  const input = node.inputs[0]!;
  const { dtype } = input;
  const { emit } = l;
  const given = l.tensor(l.valueOf(input));
  if (fn === 'argmax' || fn === 'argmin') return l.made(node, emit.reshape(firstBest(l, fn, given, node), node.shape));
  if (fn === 'prod' && !isFloat(dtype) && emit.backend === 'cpu') return l.readingBack(node, `prod ${dtype}`);
  const { x, axes } = merged(l, given.type === 'bool' ? emit.toInt(given) : given, node.attrs.axes);
  const done = (result: Ref): Value => l.made(node, emit.reshape(result, node.shape));
  switch (fn) {
    case 'sum':
      return done(emit.reduce('Sum', x, axes));
    case 'prod':
      return done(emit.reduce('Prod', x, axes));
    default: {
      const name = fn === 'max' ? 'Max' : 'Min';
      const result =
        dtype === 'u32' ? flipped(emit, emit.reduce(name, flipped(emit, x), axes)) : extreme(l, node, name, x, axes);
      return done(dtype === 'bool' ? emit.fromInt(result) : result);
    }
  }
}

/** The first extreme of each row; the first NaN where there is one. */
function firstBest(l: Lowering, fn: 'argmax' | 'argmin', given: Ref, node: Node<'reduce'>): Ref {
  const { emit } = l;
  const axis = node.attrs.axes[0]!;
  const { shape } = given;
  const [outer, d] = [shape.slice(0, axis).reduce((a, b) => a * b, 1), shape[axis]!];
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const words = given.type === 'bool' ? emit.toInt(given) : given;
  const columns = emit.reshape(words, [outer, d, inner]);
  const rows = emit.reshape(inner === 1 ? columns : emit.transpose(columns, [0, 2, 1]), [outer * inner, d]);
  const x = node.inputs[0]!.dtype === 'u32' ? flipped(emit, rows) : rows;
  const back = (y: Ref): Ref => emit.reshape(y, [outer, inner]);
  const best = (name: 'ArgMax' | 'ArgMin', of: Ref): Ref => {
    return l.tape.kernel(name, { x: of }, { axis: 1 }, [outer * inner], 'int32');
  };
  const plain = best(fn === 'argmax' ? 'ArgMax' : 'ArgMin', x);
  if (x.type !== 'float32') return back(plain);
  const nan = emit.isNaN(x);
  const any = emit.reshape(emit.reduce('Any', nan, [1]), [outer * inner]);
  return back(emit.select(any, best('ArgMax', emit.boolToFloat(nan)), plain));
}

export const reductions: Pick<Lower, 'reduce'> = { reduce: lowerReduce };

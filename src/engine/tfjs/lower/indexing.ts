import { composedScatter, isFloat, type Node, rowMajorStrides, type Shape, sizeOf } from '../../../graph/index.js';
import type { Ref } from '../tape.js';
import type { Lower } from './lower.js';
import { type Lowering, MAX_PAIRS, type Value } from './lowering.js';

/** Whether an index is one for each place along the axis, repeated along the others. */
function alongOnly(value: Value, axis: number): Value | null {
  const { base } = value;
  if (base === undefined) return value.shape.every((d, i) => i === axis || d === 1) ? value : null;
  return base.shape.length === value.shape.length && base.shape.every((d, i) => i === axis || d === 1) ? base : null;
}

interface Bounded {
  /** Indices that are in range. */
  readonly index: Ref;
  /** Where they were already. */
  readonly valid: Ref;
}

function bounded(l: Lowering, index: Ref, size: number): Bounded {
  const { emit } = l;
  const [first, last] = [emit.int(0), emit.int(size - 1)];
  return {
    index: emit.binary('Minimum', emit.binary('Maximum', index, first), last),
    valid: emit.and(emit.lessEqual(first, index), emit.lessEqual(index, last)),
  };
}

/** For an index of this shape: where its elements lie in a flat array of shape `of`, but for what the index adds along the axis. */
function offsets(shape: Shape, of: Shape, axis: number): Int32Array {
  const strides = rowMajorStrides(of).map((stride, i) => (i === axis ? 0 : stride));
  const out = new Int32Array(sizeOf(shape));
  const inner = rowMajorStrides(shape);
  for (let i = 0; i < out.length; i++) {
    let at = 0;
    for (let a = 0; a < shape.length; a++) at += (Math.floor(i / inner[a]!) % shape[a]!) * strides[a]!;
    out[i] = at;
  }
  return out;
}

/** The places of an index's elements in a flat array of shape `of`. */
function flatPlaces(l: Lowering, index: Ref, of: Shape, axis: number): Ref {
  const { emit } = l;
  const known = offsets(index.shape, of, axis);
  const stride = rowMajorStrides(of)[axis]!;
  const along = emit.mul(emit.flat(index), emit.int(stride));
  return emit.add(along, l.tape.keep(known, 'i32', [known.length], 'int32'));
}

function lowerGather(l: Lowering, node: Node<'gather'>): Value {
  const { axis } = node.attrs;
  const { emit } = l;
  const [source, which] = node.inputs.map((input) => l.valueOf(input)) as [Value, Value];
  const x = l.tensor(source);
  const word = x.type === 'bool' ? emit.toInt(x) : x;
  const fill = isFloat(node.dtype) ? emit.float(Number.NaN) : emit.int(0);
  const finish = (ref: Ref): Value => l.made(node, node.dtype === 'bool' ? emit.fromInt(ref) : ref);

  const line = alongOnly(which, axis);
  const whole = node.inputs[0]!.shape.every((d, i) => i === axis || d === node.shape[i]);
  if (line !== null && whole) {
    const count = node.shape[axis]!;
    const { index, valid } = bounded(l, emit.reshape(l.tensor(line), [count]), x.shape[axis]!);
    const [outer, inner] = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis + 1))];
    const rows = emit.gather(emit.reshape(word, [outer, x.shape[axis]!, inner]), index, 1);
    return finish(emit.reshape(emit.select(emit.reshape(valid, [1, count, 1]), rows, fill), node.shape));
  }
  const { index, valid } = bounded(l, l.tensor(which), x.shape[axis]!);
  const taken = emit.gather(emit.flat(word), flatPlaces(l, index, x.shape, axis), 0);
  return finish(emit.reshape(emit.select(emit.flat(valid), taken, fill), node.shape));
}

/** Sums at places. What is out of range goes to one more place behind the last. */
function addAt(l: Lowering, node: Node<'scatter'>): Value {
  const { axis } = node.attrs;
  const { emit } = l;
  const [target, which, given] = node.inputs.map((input) => l.valueOf(input)) as [Value, Value, Value];
  const [x, updates] = [l.tensor(target), l.tensor(given)];
  const line = alongOnly(which, axis);
  const d = x.shape[axis]!;
  const whole = node.inputs[1]!.shape.every((size, i) => i === axis || size === x.shape[i]);
  const [outer, inner] = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis + 1))];
  if (line !== null && whole && outer === 1) {
    const count = updates.shape[axis]!;
    const { index, valid } = bounded(l, emit.reshape(l.tensor(line), [count, 1]), d);
    const rows = scatterNd(l, emit.select(valid, index, emit.int(d)), emit.reshape(updates, [count, inner]), [
      d + 1,
      inner,
    ]);
    return l.made(node, emit.add(x, emit.reshape(emit.slice(rows, [0, 0], [d, inner]), x.shape)));
  }
  const { index, valid } = bounded(l, l.tensor(which), d);
  const total = sizeOf(x.shape);
  const places = emit.select(emit.flat(valid), flatPlaces(l, index, x.shape, axis), emit.int(total));
  const n = places.shape[0]!;
  const sums = scatterNd(l, emit.reshape(places, [n, 1]), emit.flat(updates), [total + 1]);
  return l.made(node, emit.add(x, emit.reshape(emit.slice(sums, [0], [total]), x.shape)));
}

const scatterNd = (l: Lowering, indices: Ref, updates: Ref, shape: Shape): Ref =>
  l.tape.kernel('ScatterNd', { indices, updates }, { shape }, shape, updates.type);

export const indexing: Pick<Lower, 'gather' | 'scatter'> = {
  gather: lowerGather,
  scatter: (l, node) => {
    const { fn, axis } = node.attrs;
    if (fn === 'add') return addAt(l, node);
    // Kernels add, or leave open which of several updates stays: places and updates are compared, or where they are many, read back.
    const pairs = sizeOf(node.inputs[1]!.shape) * node.shape[axis]!;
    return pairs <= MAX_PAIRS ? l.composed(composedScatter(node)) : l.readingBack(node, `scatter ${fn} of many`);
  },
};

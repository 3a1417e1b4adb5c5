import { type Node, rowMajorStrides, type Shape, sameShape, sizeOf } from '../../../graph/index.js';
import { MAX_RANK } from '../emit.js';
import { isEmpty, type Ref } from '../tape.js';
import type { Lower } from './lower.js';
import type { Lowering, Value } from './lowering.js';

/** Moves elements. Those of bool go as int32: not every kernel that moves takes bytes. */
function moving(l: Lowering, node: Node, move: (x: Ref) => Ref): Value {
  const x = l.tensor(l.valueOf(node.inputs[0]!));
  return l.made(node, x.type === 'bool' ? l.emit.fromInt(move(l.emit.toInt(x))) : move(x));
}

/** Gathers by the place of each element of `shape` in the flat input: any view, by an index that the program keeps. */
export function byPlaces(l: Lowering, x: Ref, shape: Shape, offset: number, strides: readonly number[]): Ref {
  const places = new Int32Array(sizeOf(shape));
  const index = shape.map(() => 0);
  let at = offset;
  for (let i = 0; i < places.length; i++) {
    places[i] = at;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  const indices = l.tape.keep(places, 'i32', [places.length], 'int32');
  return l.emit.reshape(l.emit.gather(l.emit.flat(x), indices, 0), shape);
}

/** Neighbouring axes that a permutation keeps together become one; axes of size 1 go. */
function mergePermutation(shape: Shape, order: readonly number[]): { shape: number[]; order: number[] } {
  const groups: number[][] = [];
  for (const axis of order) {
    if (shape[axis] === 1) continue;
    const group = groups[groups.length - 1];
    // The axes between the two may be of size 1.
    const next = (from: number): boolean => shape.slice(from + 1, axis).every((d) => d === 1) && from < axis;
    if (group !== undefined && next(group[group.length - 1]!)) group.push(axis);
    else groups.push([axis]);
  }
  const sorted = [...groups].sort((a, b) => a[0]! - b[0]!);
  return {
    shape: sorted.map((group) => sizeOf(group.map((axis) => shape[axis]!))),
    order: groups.map((group) => sorted.indexOf(group)),
  };
}

export function permuted(l: Lowering, x: Ref, order: readonly number[]): Ref {
  const to = order.map((axis) => x.shape[axis]!);
  const merged = mergePermutation(x.shape, order);
  if (merged.order.every((axis, i) => axis === i)) return l.emit.reshape(x, to);
  if (merged.order.length <= MAX_RANK) {
    const plain = x.shape.length <= MAX_RANK && merged.order.length === x.shape.length;
    if (plain) return l.emit.transpose(x, order);
    return l.emit.reshape(l.emit.transpose(l.emit.reshape(x, merged.shape), merged.order), to);
  }
  const strides = rowMajorStrides(x.shape);
  return byPlaces(
    l,
    x,
    to,
    0,
    order.map((axis) => strides[axis]!),
  );
}

/** Slices axis after axis where there are more than kernels take. */
export function sliced(l: Lowering, x: Ref, begin: readonly number[], size: readonly number[]): Ref {
  if (x.shape.length <= MAX_RANK) return l.emit.slice(x, begin, size);
  let at = x;
  size.forEach((d, axis) => {
    if (at.shape[axis] === d) return;
    const [outer, inner] = [sizeOf(at.shape.slice(0, axis)), sizeOf(at.shape.slice(axis + 1))];
    const rows = l.emit.reshape(at, [outer, at.shape[axis]!, inner]);
    const next = at.shape.map((size, i) => (i === axis ? d : size));
    at = l.emit.reshape(l.emit.slice(rows, [0, begin[axis]!, 0], [outer, d, inner]), next);
  });
  return at;
}

/** Pads with a number around the elements. */
export function padded(l: Lowering, x: Ref, low: readonly number[], high: readonly number[], value: number): Ref {
  const { emit } = l;
  const shape = x.shape.map((d, i) => low[i]! + d + high[i]!);
  if (sameShape(shape, x.shape)) return x;
  if (x.shape.length > MAX_RANK) {
    let at = x;
    x.shape.forEach((d, axis) => {
      if (low[axis] === 0 && high[axis] === 0) return;
      const [outer, inner] = [sizeOf(at.shape.slice(0, axis)), sizeOf(at.shape.slice(axis + 1))];
      const next = at.shape.map((size, i) => (i === axis ? low[axis]! + d + high[axis]! : size));
      const rows = emit.reshape(at, [outer, d, inner]);
      at = emit.reshape(padded(l, rows, [0, low[axis]!, 0], [0, high[axis]!, 0], value), next);
    });
    return at;
  }
  // The number goes through a float: words that it does not hold are padded with 0, and moved there and back.
  if (x.type === 'int32' && Math.abs(value | 0) > 2 ** 24) {
    const by = emit.int(value | 0);
    return emit.add(padded(l, emit.sub(x, by), low, high, 0), by);
  }
  // Where kernels take a NaN as the number to pad with, some write an infinity.
  const number = Number.isNaN(value) ? 0 : value;
  const paddings = x.shape.map((_, i) => [low[i]!, high[i]!]);
  const around = (y: Ref, constantValue: number): Ref =>
    l.tape.kernel('PadV2', { x: y }, { paddings, constantValue }, shape, y.type);
  const result = around(x, x.type === 'int32' ? number | 0 : number);
  if (!Number.isNaN(value)) return result;
  return emit.select(
    emit.equal(around(emit.full(x.shape, 1, 'f32'), 0), emit.float(1)),
    result,
    emit.float(Number.NaN),
  );
}

/** Puts `interior` elements of a number between those of each axis. */
export function spaced(l: Lowering, x: Ref, interior: readonly number[], value: number): Ref {
  let at = x;
  interior.forEach((between, axis) => {
    const d = at.shape[axis]!;
    if (between === 0 || d === 1) return;
    const [outer, inner] = [sizeOf(at.shape.slice(0, axis)), sizeOf(at.shape.slice(axis + 1))];
    const wide = padded(l, l.emit.reshape(at, [outer * d, 1, inner]), [0, 0, 0], [0, between, 0], value);
    const all = l.emit.reshape(wide, [outer, d * (between + 1), inner]);
    const size = d + (d - 1) * between;
    const next = at.shape.map((s, i) => (i === axis ? size : s));
    at = l.emit.reshape(l.emit.slice(all, [0, 0, 0], [outer, size, inner]), next);
  });
  return at;
}

function lowerConcat(l: Lowering, node: Node<'concat'>): Value {
  const { axis } = node.attrs;
  const { emit } = l;
  const parts = node.inputs.filter(({ shape }) => !isEmpty(shape)).map((input) => l.tensor(l.valueOf(input)));
  const [outer, inner] = [sizeOf(node.shape.slice(0, axis)), sizeOf(node.shape.slice(axis + 1))];
  const plain = node.shape.length <= MAX_RANK;
  const rows = parts.map((part) => {
    const word = part.type === 'bool' ? emit.toInt(part) : part;
    return plain ? word : emit.reshape(word, [outer, part.shape[axis]!, inner]);
  });
  const joined = emit.reshape(emit.concat(rows, plain ? axis : 1), node.shape);
  return l.made(node, node.dtype === 'bool' ? emit.fromInt(joined) : joined);
}

function lowerSlice(l: Lowering, node: Node<'slice'>): Value {
  const { start, step } = node.attrs;
  return moving(l, node, (x) => {
    const taken = node.shape.map((d, i) => (d - 1) * step[i]! + 1);
    const window = sliced(l, x, start, taken);
    return step.every((s, i) => s === 1 || node.shape[i] === 1) ? window : everyNth(l, window, step);
  });
}

/** Elements 0, step, 2 step, … of each axis: the first column of rows of that length. */
function everyNth(l: Lowering, x: Ref, step: readonly number[]): Ref {
  let at = x;
  step.forEach((s, axis) => {
    const d = at.shape[axis]!;
    const count = Math.floor((d - 1) / s) + 1;
    if (s === 1 || count === d) return;
    const [outer, inner] = [sizeOf(at.shape.slice(0, axis)), sizeOf(at.shape.slice(axis + 1))];
    const rows = padded(l, l.emit.reshape(at, [outer, d, inner]), [0, 0, 0], [0, count * s - d, 0], 0);
    const columns = l.emit.slice(l.emit.reshape(rows, [outer * count, s, inner]), [0, 0, 0], [outer * count, 1, inner]);
    at = l.emit.reshape(
      columns,
      at.shape.map((size, i) => (i === axis ? count : size)),
    );
  });
  return at;
}

/** Windows that neither overlap nor leave gaps are rows of a reshape. */
function tiledWindow(l: Lowering, node: Node<'window'>, x: Ref): Ref | null {
  const { axes, size, stride, dilation } = node.attrs;
  if (!axes.every((_, i) => size[i] === stride[i] && (dilation[i] === 1 || size[i] === 1))) return null;
  const crop = x.shape.map((d, axis) => {
    const i = axes.indexOf(axis);
    return i < 0 ? d : node.shape[axis]! * size[i]!;
  });
  const cropped = sliced(
    l,
    x,
    x.shape.map(() => 0),
    crop,
  );
  const split: number[] = [];
  const [outer, within]: [number[], number[]] = [[], new Array<number>(axes.length)];
  x.shape.forEach((_, axis) => {
    const i = axes.indexOf(axis);
    outer.push(split.length);
    split.push(node.shape[axis]!);
    if (i < 0) return;
    within[i] = split.length;
    split.push(size[i]!);
  });
  return permuted(l, l.emit.reshape(cropped, split), [...outer, ...within]);
}

/** A window as views: for each place in it, the elements that stand there in all windows. */
function lowerWindow(l: Lowering, node: Node<'window'>): Value {
  const { axes, stride, dilation } = node.attrs;
  return moving(l, node, (x) => {
    const tiled = new Set(axes).size === axes.length ? tiledWindow(l, node, x) : null;
    if (tiled !== null) return tiled;
    const strides = rowMajorStrides(x.shape);
    const between = [...strides];
    axes.forEach((axis, i) => {
      between[axis] = strides[axis]! * stride[i]!;
    });
    const within = axes.map((axis, i) => strides[axis]! * dilation[i]!);
    return byPlaces(l, x, node.shape, 0, [...between, ...within]);
  });
}

function lowerFlip(l: Lowering, node: Node<'flip'>): Value {
  const { axes } = node.attrs;
  return moving(l, node, (x) => {
    if (x.shape.length <= MAX_RANK) return l.tape.kernel('Reverse', { x }, { dims: axes }, x.shape, x.type);
    const strides = rowMajorStrides(x.shape);
    const offset = axes.reduce((sum, axis) => sum + (x.shape[axis]! - 1) * strides[axis]!, 0);
    return byPlaces(
      l,
      x,
      x.shape,
      offset,
      strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
    );
  });
}

/** A reshape or an expansion of what is one number or a repeat stays one, where that is plain. */
function lowerReshape(l: Lowering, node: Node<'reshape'>): Value {
  const value = l.valueOf(node.inputs[0]!);
  const { shape, dtype } = node;
  if (value.uniform !== undefined) return { shape, dtype, uniform: value.uniform };
  return l.made(node, l.emit.reshape(l.tensor(value), shape));
}

function lowerExpand(l: Lowering, node: Node<'expand'>): Value {
  const value = l.valueOf(node.inputs[0]!);
  const { shape, dtype } = node;
  if (value.uniform !== undefined) return { shape, dtype, uniform: value.uniform };
  return { shape, dtype, base: value };
}

function lowerPermute(l: Lowering, node: Node<'permute'>): Value {
  const value = l.valueOf(node.inputs[0]!);
  const { order } = node.attrs;
  if (value.uniform !== undefined) return { shape: node.shape, dtype: node.dtype, uniform: value.uniform };
  const sameRank = value.base?.shape.length === node.shape.length;
  if (value.base === undefined || !sameRank) return moving(l, node, (x) => permuted(l, x, order));
  const base = l.tensor(value.base);
  const move = (x: Ref): Ref => permuted(l, x, order);
  const moved = base.type === 'bool' ? l.emit.fromInt(move(l.emit.toInt(base))) : move(base);
  return l.spread(node, moved);
}

export const movement: Pick<Lower, 'reshape' | 'permute' | 'expand' | 'slice' | 'pad' | 'flip' | 'concat' | 'window'> =
  {
    reshape: lowerReshape,
    permute: lowerPermute,
    expand: lowerExpand,
    slice: lowerSlice,
    pad: (l, node) => {
      const { low, high, interior, value } = node.attrs;
      return moving(l, node, (x) => padded(l, spaced(l, x, interior, value), low, high, value));
    },
    flip: lowerFlip,
    concat: lowerConcat,
    window: lowerWindow,
  };

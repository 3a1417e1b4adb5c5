import { hostStorage } from '../compile/index.js';
import {
  binary,
  broadcastShapes,
  broadcastTo,
  cast,
  checkDType,
  type DType,
  gather as gatherNode,
  iota,
  leaf,
  normalizeAxis,
  reshape,
  ShapeError,
  showShape,
  sizeOf,
  where,
} from '../graph/index.js';
import { gatherSlices, sliceAxis, withAxis, wrapped } from './axis.js';
import { asIndex, checkInteger, nodeOf, requireDType, type TensorLike, valueNode } from './operands.js';
import { positionOf, readSpans, spanOf } from './spans.js';
import type { Tensor } from './tensor.js';

/**
 * start:end:step along one axis, with Python's rules: negative bounds count from the back, bounds past the ends are cut, a negative
 * step walks backwards.
 */
export function slice(x: Tensor, dim: number, start?: number | null, end?: number | null, step = 1): Tensor {
  const node = nodeOf('slice', x);
  const axis = normalizeAxis('slice', dim, node.shape.length);
  return x.derive(readSpans(node, new Map([[axis, spanOf('slice', [start, end, step], node.shape[axis]!)]])));
}

/** `length` elements from `start` along one axis. Throws ShapeError past the end. */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor {
  const node = nodeOf('narrow', x);
  const axis = normalizeAxis('narrow', dim, node.shape.length);
  const size = node.shape[axis]!;
  const from = checkInteger('narrow', 'start', start) < 0 ? start + size : start;
  checkInteger('narrow', 'length', length, 0);
  if (from < 0 || from + length > size) {
    throw new ShapeError(`[narrow] out of range: ${start} and ${length} more on axis ${dim} of ${showShape(x.shape)}`);
  }
  return x.derive(sliceAxis(node, axis, from, length));
}

/** One position of an axis, which goes away. Throws ArgumentError past the ends. */
export function select(x: Tensor, dim: number, index: number): Tensor {
  const node = nodeOf('select', x);
  const axis = normalizeAxis('select', dim, node.shape.length);
  const start = positionOf('select', index, axis, node.shape);
  return x.derive(reshape(sliceAxis(node, axis, start, 1), withAxis(node.shape, axis)));
}

/**
 * PyTorch's gather: out[..., i, ...] = x[..., index[..., i, ...], ...] along `dim`; the result has the shape of `index`, whose other axes
 * are no longer than those of x. Positions past the ends give NaN (0 for integers and bool).
 */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  const node = nodeOf('gather', x);
  return x.derive(gatherNode(node, asIndex('gather', index), normalizeAxis('gather', dim, node.shape.length)));
}

/** Rows (or other slices along `dim`) by a vector of positions. Positions past the ends give NaN (0 for integers and bool). */
export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  const node = nodeOf('indexSelect', x);
  const axis = normalizeAxis('indexSelect', dim, node.shape.length);
  const positions = asIndex('indexSelect', index);
  if (positions.shape.length !== 1) {
    throw new ShapeError(`[indexSelect] index is not a vector: ${showShape(positions.shape)}`);
  }
  return x.derive(gatherSlices(node, positions, axis));
}

/** Elements by their places in row-major order, negative ones from the back; of the index's shape. Past the ends: NaN (0 for integers). */
export function take(x: Tensor, index: Tensor): Tensor {
  const node = nodeOf('take', x);
  const places = asIndex('take', index);
  const flat = reshape(node, [sizeOf(node.shape)]);
  return x.derive(
    reshape(gatherSlices(flat, wrapped(reshape(places, [sizeOf(places.shape)]), flat.shape[0]!), 0), places.shape),
  );
}

/**
 * As `gather`, but the axes other than `dim` broadcast, and negative positions count from the back: fits what `argsort` and `argmax` with
 * keepDim give. Without `dim`, of x in row-major order. Throws ShapeError where ranks or shapes do not fit.
 */
export function takeAlongDim(x: Tensor, index: Tensor, dim?: number | null): Tensor {
  const op = 'takeAlongDim';
  let node = nodeOf(op, x);
  let places = asIndex(op, index);
  if (dim === undefined || dim === null) {
    node = reshape(node, [sizeOf(node.shape)]);
    places = reshape(places, [sizeOf(places.shape)]);
  }
  const axis = normalizeAxis(op, dim ?? 0, node.shape.length);
  const { shape } = node;
  const fits = (d: number, i: number): boolean => i === axis || d === 1 || shape[i] === 1 || d === shape[i];
  if (places.shape.length !== shape.length || !places.shape.every(fits)) {
    throw new ShapeError(
      `[${op}] index ${showShape(places.shape)} does not fit ${showShape(shape)} (equal off axis ${axis}, or 1)`,
    );
  }
  const common = places.shape.map((d, i) => (d === 1 ? shape[i]! : d));
  const wide = broadcastTo(node, withAxis(common, axis, shape[axis]!));
  const index32 = broadcastTo(wrapped(places, shape[axis]!), withAxis(common, axis, places.shape[axis]!));
  return x.derive(gatherNode(wide, index32, axis));
}

/** `value` (a number, or a tensor of shape []) where the mask holds, x elsewhere; the two broadcast. The mask is bool. */
export function maskedFill(x: Tensor, mask: Tensor, value: TensorLike): Tensor {
  requireDType('maskedFill', nodeOf('maskedFill', mask).dtype, ['bool']);
  if (typeof value !== 'number' && nodeOf('maskedFill', value).shape.length > 0) {
    throw new ShapeError(`[maskedFill] value is ${showShape(value.shape)} (expected a number or shape [])`);
  }
  const shape = broadcastShapes('maskedFill', nodeOf('maskedFill', x).shape, mask.shape);
  return x.derive(
    where(broadcastTo(mask.node, shape), valueNode('maskedFill', value, x.dtype, shape), broadcastTo(x.node, shape)),
  );
}

/**
 * Rows of a weight matrix [n, d] for a tensor of i32 positions of any shape: [...index.shape, d]. `index.embedding(weight)`.
 */
export function embedding(index: Tensor, weight: Tensor): Tensor {
  const positions = asIndex('embedding', index);
  const table = nodeOf('embedding', weight);
  if (table.shape.length !== 2) throw new ShapeError(`[embedding] weight is not a matrix: ${showShape(table.shape)}`);
  const flat = reshape(positions, [sizeOf(positions.shape)]);
  return index.derive(reshape(gatherSlices(table, flat, 0), [...positions.shape, table.shape[1]!]));
}

/** 1 at each position of a new last axis of `numClasses`, 0 elsewhere and for positions out of range. i32 unless told otherwise. */
export function oneHot(x: Tensor, numClasses: number, options?: { dtype?: DType }): Tensor {
  const positions = asIndex('oneHot', x);
  const shape = [...positions.shape, checkInteger('oneHot', 'numClasses', numClasses, 0)];
  const classes = iota(shape, shape.length - 1);
  const hit = binary('eq', broadcastTo(reshape(positions, [...positions.shape, 1]), shape), classes);
  return x.derive(cast(hit, checkDType('oneHot', options?.dtype ?? 'i32')));
}

/**
 * Parts along an axis: of one size (the last may be smaller), or of the sizes listed.
 * Throws ShapeError when listed sizes do not add up to the axis.
 */
export function split(x: Tensor, sizes: number | readonly number[], dim = 0): Tensor[] {
  const length = nodeOf('split', x).shape[normalizeAxis('split', dim, x.ndim)]!;
  let list: number[];
  if (typeof sizes === 'number') {
    checkInteger('split', 'size', sizes, 1);
    list = Array.from({ length: Math.max(1, Math.ceil(length / sizes)) }, (_, i) =>
      Math.min(sizes, length - i * sizes),
    );
  } else {
    list = sizes.map((size) => checkInteger('split', 'size', size, 0));
  }
  const total = list.reduce((sum, size) => sum + size, 0);
  if (total !== length) {
    throw new ShapeError(`[split] sizes ${showShape(list)} add up to ${total} (axis ${dim} of ${showShape(x.shape)})`);
  }
  let start = 0;
  return list.map((size) => narrow(x, dim, (start += size) - size, size));
}

/** At most `chunks` parts of equal size along an axis (the last may be smaller). */
export function chunk(x: Tensor, chunks: number, dim = 0): Tensor[] {
  const length = nodeOf('chunk', x).shape[normalizeAxis('chunk', dim, x.ndim)]!;
  return split(x, Math.max(1, Math.ceil(length / checkInteger('chunk', 'chunks', chunks, 1))), dim);
}

/** The slices along an axis, which goes away. */
export function unbind(x: Tensor, dim = 0): Tensor[] {
  const length = nodeOf('unbind', x).shape[normalizeAxis('unbind', dim, x.ndim)]!;
  return Array.from({ length }, (_, i) => select(x, dim, i));
}

/**
 * Parts along an axis: so many (the first ones longer by 1 where it does not divide), or cut at the positions listed.
 */
export function tensorSplit(x: Tensor, indicesOrSections: number | readonly number[], dim = 0): Tensor[] {
  return splitAt('tensorSplit', x, indicesOrSections, dim);
}

function splitAt(op: string, x: Tensor, cuts: number | readonly number[], dim: number): Tensor[] {
  const axis = normalizeAxis(op, dim, nodeOf(op, x).shape.length);
  const length = x.shape[axis]!;
  let bounds: number[];
  if (typeof cuts === 'number') {
    const sections = checkInteger(op, 'sections', cuts, 1);
    if (op !== 'tensorSplit' && length % sections !== 0) {
      throw new ShapeError(`[${op}] ${sections} sections do not divide axis ${axis} of ${showShape(x.shape)}`);
    }
    const [least, longer] = [Math.floor(length / sections), length % sections];
    bounds = Array.from({ length: sections - 1 }, (_, i) => (i + 1) * least + Math.min(i + 1, longer));
  } else {
    bounds = cuts.map((cut) => checkInteger(op, 'index', cut));
  }
  return [...bounds, null].map((end, i) => slice(x, axis, i === 0 ? 0 : bounds[i - 1]!, end));
}

/** `tensorSplit` along columns: axis 1, or 0 of a vector. A number of sections must divide it. */
export function hsplit(x: Tensor, indicesOrSections: number | readonly number[]): Tensor[] {
  if (nodeOf('hsplit', x).shape.length === 0) throw new ShapeError('[hsplit] rank is 0 (expected 1 or more)');
  return splitAt('hsplit', x, indicesOrSections, x.ndim > 1 ? 1 : 0);
}

/** `tensorSplit` along rows: axis 0 of rank 2 or more. A number of sections must divide it. */
export function vsplit(x: Tensor, indicesOrSections: number | readonly number[]): Tensor[] {
  if (nodeOf('vsplit', x).shape.length < 2) throw new ShapeError(`[vsplit] rank is ${x.ndim} (expected 2 or more)`);
  return splitAt('vsplit', x, indicesOrSections, 0);
}

/** `tensorSplit` along axis 2 of rank 3 or more. A number of sections must divide it. */
export function dsplit(x: Tensor, indicesOrSections: number | readonly number[]): Tensor[] {
  if (nodeOf('dsplit', x).shape.length < 3) throw new ShapeError(`[dsplit] rank is ${x.ndim} (expected 3 or more)`);
  return splitAt('dsplit', x, indicesOrSections, 2);
}

/**
 * All choices of r elements of a vector, in order: [count, r]; with `{ withReplacement: true }` an element may repeat.
 */
export function combinations(x: Tensor, r = 2, options?: { withReplacement?: boolean }): Tensor {
  const { shape } = nodeOf('combinations', x);
  if (shape.length !== 1) throw new ShapeError(`[combinations] not a vector: ${showShape(shape)}`);
  checkInteger('combinations', 'r', r, 0);
  const apart = options?.withReplacement ? 0 : 1;
  let rows: number[][] = [[]];
  for (let i = 0; i < r; i++) {
    rows = rows.flatMap((row) => {
      const first = row.length === 0 ? 0 : row[row.length - 1]! + apart;
      return Array.from({ length: Math.max(0, shape[0]! - first) }, (_, k) => [...row, first + k]);
    });
  }
  const count = r === 0 ? 0 : rows.length;
  const places = leaf(hostStorage(Int32Array.from(rows.flat()), [count * r], 'i32'));
  return x.derive(reshape(gatherSlices(x.node, places, 0), [count, r]));
}

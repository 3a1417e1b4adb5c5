import {
  ArgumentError,
  binary,
  broadcastShapes,
  broadcastTo,
  cast,
  cumulative,
  DTypeError,
  full,
  gather,
  iota,
  isFloat,
  type Node,
  normalizeAxis,
  pad,
  reduce,
  reduceIdentity,
  reshape,
  type Shape,
  ShapeError,
  sameShape,
  scatter as scatterNode,
  showShape,
  sizeOf,
  slice,
  where,
} from '../graph/index.js';
import { alongAxis, withAxis, wrapped } from './axis.js';
import { asIndex, isTensor, nodeOf, requireDType, type TensorLike, valueNode } from './operands.js';
import { positionOf, type Span, span, spanOf, writeSpans } from './spans.js';
import type { Tensor } from './tensor.js';

/** How `scatterReduce` and `indexReduce` combine what meets at one place. */
export type ScatterReduction = 'sum' | 'prod' | 'mean' | 'amax' | 'amin';

export interface ScatterReduceOptions {
  /** Whether what is there before takes part (true). */
  includeSelf?: boolean;
}

/** The destination, the index, and the values under it, checked and of one shape. */
interface Placement {
  x: Node;
  axis: number;
  index: Node;
  values: Node;
}

function placement(op: string, x: Tensor, dim: number, index: Tensor, src: TensorLike): Placement {
  const node = nodeOf(op, x);
  const axis = normalizeAxis(op, dim, node.shape.length);
  const places = asIndex(op, index);
  const { shape } = places;
  if (shape.length !== node.shape.length || shape.some((d, i) => i !== axis && d > node.shape[i]!)) {
    throw new ShapeError(`[${op}] index ${showShape(shape)} does not fit ${showShape(node.shape)} off axis ${axis}`);
  }
  if (!isTensor(src)) return { x: node, axis, index: places, values: valueNode(op, src, node.dtype, shape) };
  if (src.shape.length !== shape.length || shape.some((d, i) => d > src.shape[i]!)) {
    throw new ShapeError(`[${op}] src ${showShape(src.shape)} is smaller than index ${showShape(shape)}`);
  }
  sameDType(op, node, src);
  const values = slice(
    src.node,
    shape.map(() => 0),
    shape,
  );
  return { x: node, axis, index: places, values };
}

/** The same for slices along an axis under a vector of positions. */
function slicePlacement(op: string, x: Tensor, dim: number, index: Tensor, source: TensorLike): Placement {
  const node = nodeOf(op, x);
  const axis = normalizeAxis(op, dim, node.shape.length);
  const places = asIndex(op, index);
  if (places.shape.length > 1) throw new ShapeError(`[${op}] index is not a vector: ${showShape(places.shape)}`);
  const shape = withAxis(node.shape, axis, sizeOf(places.shape));
  if (isTensor(source)) {
    sameDType(op, node, source);
    if (showShape(source.shape) !== showShape(shape)) {
      throw new ShapeError(`[${op}] source is ${showShape(source.shape)} (expected ${showShape(shape)})`);
    }
  }
  const vector = reshape(places, [sizeOf(places.shape)]);
  return { x: node, axis, index: alongAxis(vector, shape, axis), values: valueNode(op, source, node.dtype, shape) };
}

function sameDType(op: string, x: Node, src: Tensor): void {
  if (src.dtype !== x.dtype) throw new DTypeError(`[${op}] source is ${src.dtype} (expected ${x.dtype})`);
}

function refuseBool(op: string, x: Node): void {
  if (x.dtype === 'bool') throw new DTypeError(`[${op}] dtype not allowed: bool (cast first)`);
}

function scattered(fn: 'set' | 'add', op: string, { x, axis, index, values }: Placement): Node {
  if (fn === 'add') refuseBool(op, x);
  return scatterNode(fn, x, index, values, axis);
}

/**
 * A copy of x with `src` (a tensor of x's dtype at least as large as `index`, or a number) at the places that the index names along `dim`:
 * out[..., index[..., i, ...], ...] = src[..., i, ...]. Of several for one place the last stays; places out of range are dropped.
 */
export function scatter(x: Tensor, dim: number, index: Tensor, src: TensorLike): Tensor {
  return x.derive(scattered('set', 'scatter', placement('scatter', x, dim, index, src)));
}

/** As `scatter`, but adds to what is there; what meets at one place adds up. */
export function scatterAdd(x: Tensor, dim: number, index: Tensor, src: TensorLike): Tensor {
  return x.derive(scattered('add', 'scatterAdd', placement('scatterAdd', x, dim, index, src)));
}

/** As `scatter`, but combines what meets at one place; `{ includeSelf: false }` leaves out what was there, where anything arrives. */
export function scatterReduce(
  x: Tensor,
  dim: number,
  index: Tensor,
  src: TensorLike,
  reduction: ScatterReduction,
  options?: ScatterReduceOptions,
): Tensor {
  return reduced('scatterReduce', x, placement('scatterReduce', x, dim, index, src), reduction, options);
}

/** As `scatterReduce`, with slices of x along `dim` under a vector of positions. */
export function indexReduce(
  x: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor,
  reduction: ScatterReduction,
  options?: ScatterReduceOptions,
): Tensor {
  return reduced('indexReduce', x, slicePlacement('indexReduce', x, dim, index, source), reduction, options);
}

function reduced(
  op: string,
  like: Tensor,
  { x, axis, index, values }: Placement,
  reduction: ScatterReduction,
  options: ScatterReduceOptions | undefined,
): Tensor {
  refuseBool(op, x);
  const { shape, dtype } = x;
  const includeSelf = options?.includeSelf ?? true;
  /** What the updates meet. */
  const start = (identity: number): Node => {
    if (includeSelf) return x;
    const touched = scatterNode('set', full(shape, 0, 'bool'), index, full(index.shape, 1, 'bool'), axis);
    return where(touched, full(shape, identity, dtype), x);
  };
  const extreme = (fn: 'max' | 'min'): Node => scatterNode(fn, start(reduceIdentity(fn, dtype)), index, values, axis);
  switch (reduction) {
    case 'sum':
      return like.derive(scatterNode('add', start(0), index, values, axis));
    case 'amax':
      return like.derive(extreme('max'));
    case 'amin':
      return like.derive(extreme('min'));
    case 'mean': {
      const own = full(shape, includeSelf ? 1 : 0, 'i32');
      const arrived = scatterNode('add', own, index, full(index.shape, 1, 'i32'), axis);
      const count = binary('max', arrived, full(shape, 1, 'i32'));
      const total = scatterNode('add', start(0), index, values, axis);
      return like.derive(binary(isFloat(dtype) ? 'div' : 'floorDiv', total, cast(count, dtype)));
    }
    case 'prod':
      return like.derive(binary('mul', start(1), productsByPlace(shape, index, values, axis)));
    default:
      throw new ArgumentError(`[${op}] reduce is ${String(reduction)} (expected sum, prod, mean, amax or amin)`);
  }
}

/** The product of the values for each place, 1 where there is none: there is no primitive that scatters products. */
function productsByPlace(shape: Shape, index: Node, values: Node, axis: number): Node {
  const cube = withAxis(index.shape, axis, shape[axis]!, index.shape[axis]!);
  const spread = (v: Node): Node => broadcastTo(reshape(v, withAxis(v.shape, axis, 1, v.shape[axis]!)), cube);
  const named = binary('eq', spread(index), iota(cube, axis));
  const products = reduce('prod', where(named, spread(values), full(cube, 1, values.dtype)), [axis + 1]);
  const flat = reshape(products, withAxis(index.shape, axis, shape[axis]!));
  return padded(flat, shape, 1);
}

const padded = (x: Node, shape: Shape, value: number): Node =>
  pad(x, { low: shape.map(() => 0), high: shape.map((d, i) => d - x.shape[i]!), value });

/** Adds slices (times `alpha`) to those of x along `dim` that a vector of positions names; repeated ones add up. */
export function indexAdd(x: Tensor, dim: number, index: Tensor, source: Tensor, options?: { alpha?: number }): Tensor {
  const place = slicePlacement('indexAdd', x, dim, index, source);
  const alpha = options?.alpha ?? 1;
  if (alpha !== 1)
    place.values = binary('mul', place.values, valueNode('indexAdd', alpha, x.dtype, place.values.shape));
  return x.derive(scattered('add', 'indexAdd', place));
}

/** Slices of `source` in place of those of x along `dim` that a vector of positions names. */
export function indexCopy(x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  return x.derive(scattered('set', 'indexCopy', slicePlacement('indexCopy', x, dim, index, source)));
}

/** One value (a number, or a tensor of shape []) in the slices of x along `dim` that a vector of positions names. */
export function indexFill(x: Tensor, dim: number, index: Tensor, value: TensorLike): Tensor {
  const op = 'indexFill';
  const axis = normalizeAxis(op, dim, nodeOf(op, x).shape.length);
  const places = asIndex(op, index);
  if (places.shape.length > 1) throw new ShapeError(`[${op}] index is not a vector: ${showShape(places.shape)}`);
  const vector = wrapped(reshape(places, [sizeOf(places.shape)]), x.shape[axis]!);
  const shape = withAxis(x.shape, axis, vector.shape[0]!);
  if (isTensor(value) && value.ndim > 0)
    throw new ShapeError(`[${op}] value is ${showShape(value.shape)} (expected [])`);
  return x.derive(
    scatterNode('set', x.node, alongAxis(vector, shape, axis), valueNode(op, value, x.dtype, shape), axis),
  );
}

/** A copy of x with `src` at one position of an axis: what `select` would then give. */
export function selectScatter(x: Tensor, src: Tensor, dim: number, index: number): Tensor {
  const op = 'selectScatter';
  const node = nodeOf(op, x);
  const axis = normalizeAxis(op, dim, node.shape.length);
  const at = span(positionOf(op, index, axis, node.shape), 1);
  return placed(op, x, src, axis, at, withAxis(node.shape, axis));
}

/** A copy of x with `src` in start:end:step of an axis: what `slice` would then give. */
export function sliceScatter(
  x: Tensor,
  src: Tensor,
  dim = 0,
  start?: number | null,
  end?: number | null,
  step = 1,
): Tensor {
  const op = 'sliceScatter';
  const node = nodeOf(op, x);
  const axis = normalizeAxis(op, dim, node.shape.length);
  const at = spanOf(op, [start, end, step], node.shape[axis]!);
  return placed(op, x, src, axis, at, withAxis(node.shape, axis, at.length));
}

function placed(op: string, x: Tensor, src: Tensor, axis: number, at: Span, shape: Shape): Tensor {
  sameDType(op, x.node, src);
  if (!sameShape(nodeOf(op, src).shape, shape)) {
    throw new ShapeError(`[${op}] src is ${showShape(src.shape)} (expected ${showShape(shape)})`);
  }
  return x.derive(writeSpans(x.node, new Map([[axis, at]]), reshape(src.node, withAxis(x.shape, axis, at.length))));
}

/**
 * x with the elements of `source`, in row-major order, where a bool mask holds; the mask broadcasts. Where the source has too few, NaN (0 for
 * integers and bool).
 */
export function maskedScatter(x: Tensor, mask: Tensor, source: Tensor): Tensor {
  const op = 'maskedScatter';
  const node = nodeOf(op, x);
  requireDType(op, nodeOf(op, mask).dtype, ['bool']);
  nodeOf(op, source);
  sameDType(op, node, source);
  const shape = broadcastShapes(op, node.shape, mask.shape);
  if (!sameShape(shape, node.shape)) {
    throw new ShapeError(`[${op}] mask ${showShape(mask.shape)} is larger than ${showShape(node.shape)}`);
  }
  const holds = broadcastTo(mask.node, shape);
  const count = [sizeOf(shape)];
  const place = cumulative('sum', cast(reshape(holds, count), 'i32'), 0);
  const values = reshape(source.node, [sizeOf(source.shape)]);
  const taken = gather(values, binary('sub', place, full(count, 1, 'i32')), 0);
  return x.derive(where(holds, reshape(taken, shape), node));
}

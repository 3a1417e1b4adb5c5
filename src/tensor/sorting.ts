import {
  ArgumentError,
  argsort as argsortNode,
  binary,
  broadcastTo,
  cast,
  full,
  gather,
  type Node,
  normalizeAxis,
  reduce,
  reshape,
  ShapeError,
  sameShape,
  showShape,
  sizeOf,
  unary,
} from '../graph/index.js';
import { sliceAxis, withAxis } from './axis.js';
import { placesIn } from './bins.js';
import { asIndex, checkInteger, commonDType, isTensor, nodeOf, requireDType, type TensorLike } from './operands.js';
import type { Tensor } from './tensor.js';

/** Values, and the i32 positions along an axis at which they were. */
export interface Sorted {
  values: Tensor;
  indices: Tensor;
}

export interface SortOptions {
  /** Largest first (false). */
  descending?: boolean;
  /** Equal elements keep their order always; the option is here for PyTorch's sake. */
  stable?: boolean;
}

/** The first `count` elements in order along an axis. */
function ordered(op: string, x: Tensor, dim: number, descending: boolean, start: number, count?: number): Sorted {
  const node = nodeOf(op, x);
  const { shape } = node;
  const axis = normalizeAxis(op, dim, Math.max(1, shape.length));
  const line = shape.length === 0 ? reshape(node, [1]) : node;
  const length = count ?? line.shape[axis]!;
  const order = argsortNode(line.dtype === 'bool' ? cast(line, 'i32') : line, axis, descending);
  const places = sliceAxis(order, axis, start, length);
  const result = (part: Node): Tensor => x.derive(shape.length === 0 ? reshape(part, []) : part);
  return { values: result(gather(line, places, axis)), indices: result(places) };
}

/** Elements in order along an axis, and their positions; stable, and NaN counts as the largest. */
export function sort(x: Tensor, dim = -1, options?: SortOptions): Sorted {
  return ordered('sort', x, dim, options?.descending ?? false, 0);
}

/** The i32 positions that put an axis in order; stable, and NaN counts as the largest. */
export function argsort(x: Tensor, dim = -1, options?: SortOptions): Tensor {
  return ordered('argsort', x, dim, options?.descending ?? false, 0).indices;
}

/** The elements in ascending order along axis 0. */
export function msort(x: Tensor): Tensor {
  return ordered('msort', x, 0, false, 0).values;
}

export interface TopkOptions {
  /** The largest ones (true), or the smallest. */
  largest?: boolean;
  /** They come in order always; the option is here for PyTorch's sake. */
  sorted?: boolean;
}

/** The k largest elements along an axis, largest first, and their positions; NaN counts as the largest, the first of equal ones wins. */
export function topk(x: Tensor, k: number, dim = -1, options?: TopkOptions): Sorted {
  checkCount('topk', x, k, dim, nodeOf('topk', x).shape.length === 0 ? 1 : 0);
  return ordered('topk', x, dim, options?.largest ?? true, 0, k);
}

/** The k-th smallest element along an axis (1 is the smallest) and its position; NaN counts as the largest. */
export function kthvalue(x: Tensor, k: number, dim = -1, options?: { keepDim?: boolean }): Sorted {
  const axis = checkCount('kthvalue', x, k, dim, 1);
  const { values, indices } = ordered('kthvalue', x, dim, false, k - 1, 1);
  const drop = (part: Tensor): Tensor =>
    options?.keepDim || x.ndim === 0 ? part : part.derive(reshape(part.node, withAxis(x.shape, axis)));
  return { values: drop(values), indices: drop(indices) };
}

function checkCount(op: string, x: Tensor, k: number, dim: number, least: number): number {
  const shape = nodeOf(op, x).shape.length === 0 ? [1] : x.shape;
  const axis = normalizeAxis(op, dim, shape.length);
  if (checkInteger(op, 'k', k, least) > shape[axis]!) {
    throw new ArgumentError(`[${op}] k is ${k} (axis ${axis} of ${showShape(x.shape)} has ${shape[axis]} elements)`);
  }
  return axis;
}

export interface SearchOptions {
  /** Behind equal elements instead of before them (false). */
  right?: boolean;
  /** The same, by name: 'left' or 'right'. */
  side?: 'left' | 'right';
  /** The positions that put the sequence in order, if it is not (`argsort`). */
  sorter?: Tensor;
}

/**
 * Where each value would be inserted in an ascending sequence along its last axis: i32. The sequence is a vector, or has the values'
 * shape but for the last axis. NaN comes last. A binary search: log2(n) steps.
 */
export function searchsorted(sequence: Tensor, values: TensorLike, options?: SearchOptions): Tensor {
  const op = 'searchsorted';
  let line = nodeOf(op, sequence);
  const right = options?.side === undefined ? (options?.right ?? false) : options.side === 'right';
  if (options?.side === 'left' && options.right) throw new ArgumentError(`[${op}] side is left and right is true`);
  if (line.shape.length === 0)
    throw new ShapeError(`[${op}] the sequence is a single number (expected rank 1 or more)`);
  if (options?.sorter !== undefined) {
    const sorter = asIndex(op, options.sorter);
    if (!sameShape(sorter.shape, line.shape)) {
      throw new ShapeError(`[${op}] sorter is ${showShape(sorter.shape)} (expected ${showShape(line.shape)})`);
    }
    line = gather(line, sorter, line.shape.length - 1);
  }
  const dtype = commonDType([sequence, values]);
  requireDType(op, dtype, ['f32', 'i32', 'u32']);
  const wanted = isTensor(values) ? values.node : full([], values, dtype);
  const lead = line.shape.slice(0, -1);
  if (lead.length > 0 && !sameShape(lead, wanted.shape.slice(0, -1))) {
    throw new ShapeError(
      `[${op}] sequence ${showShape(line.shape)} and values ${showShape(wanted.shape)} (equal but for the last axis)`,
    );
  }
  const flat = lead.length === 0 ? reshape(wanted, [sizeOf(wanted.shape)]) : wanted;
  const found = placesIn(cast(line, dtype), cast(flat, dtype), right);
  return sequence.derive(reshape(found, wanted.shape));
}

/** `searchsorted` with the arguments the other way round: which of the bins between ascending boundaries each element falls into. */
export function bucketize(x: TensorLike, boundaries: Tensor, options?: { right?: boolean }): Tensor {
  if (nodeOf('bucketize', boundaries).shape.length !== 1) {
    throw new ShapeError(`[bucketize] boundaries are not a vector: ${showShape(boundaries.shape)}`);
  }
  return searchsorted(boundaries, x, options);
}

export interface IsinOptions {
  /** Whether it is not among them instead (false). */
  invert?: boolean;
  /** Accepted for PyTorch's sake; nothing depends on it. */
  assumeUnique?: boolean;
}

/** Whether each element is among those of `test`: bool, of x's shape. */
export function isin(x: Tensor, test: TensorLike, options?: IsinOptions): Tensor {
  const dtype = commonDType([x, test]);
  const node = cast(nodeOf('isin', x), dtype);
  const others = isTensor(test) ? cast(test.node, dtype) : full([], test, dtype);
  const count = sizeOf(others.shape);
  const pairs = [...node.shape, count];
  const equal = binary(
    'eq',
    broadcastTo(reshape(node, [...node.shape, 1]), pairs),
    broadcastTo(reshape(others, [count]), pairs),
  );
  const found = reshape(reduce('max', equal, [node.shape.length]), node.shape);
  return x.derive(options?.invert ? unary('logicalNot', found) : found);
}

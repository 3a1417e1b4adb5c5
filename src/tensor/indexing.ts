import {
  ArgumentError,
  binary,
  broadcastTo,
  cast,
  checkDType,
  type DType,
  flip,
  gather as gatherNode,
  iota,
  type Node,
  normalizeAxis,
  reshape,
  type Shape,
  ShapeError,
  showShape,
  slice as sliceNode,
} from '../graph/index.js';
import { asIndex, checkInteger, nodeOf } from './operands.js';
import type { Tensor } from './tensor.js';

/** Part of an axis: `[start, end, step]` as in `start:end:step`; null or missing means from (to) the end of the axis, and step 1. */
export type Range = readonly [start?: number | null, end?: number | null, step?: number | null];

/** One index of `at`: a number picks and drops an axis, a Range slices it, `'...'` skips axes, null adds one of length 1. */
export type Index = number | Range | '...' | null;

interface Span {
  start: number;
  length: number;
  step: number;
  reversed: boolean;
}

/** Python's rules for start:end:step over an axis, as an ascending span. */
function spanOf(op: string, range: Range, length: number): Span {
  const step = range[2] ?? 1;
  if (!Number.isInteger(step) || step === 0) {
    throw new ArgumentError(`[${op}] step is ${String(step)} (expected an integer that is not 0)`);
  }
  const bound = (value: number, low: number, high: number) => {
    checkInteger(op, 'bound', value);
    return Math.min(Math.max(value < 0 ? value + length : value, low), high);
  };
  if (step > 0) {
    const start = bound(range[0] ?? 0, 0, length);
    const end = bound(range[1] ?? length, 0, length);
    return { start, length: Math.max(0, Math.ceil((end - start) / step)), step, reversed: false };
  }
  const start = bound(range[0] ?? length - 1, -1, length - 1);
  const end = range[1] === undefined || range[1] === null ? -1 : bound(range[1], -1, length - 1);
  const count = Math.max(0, Math.ceil((start - end) / -step));
  return { start: count === 0 ? 0 : start + (count - 1) * step, length: count, step: -step, reversed: true };
}

function sliceAxes(node: Node, spans: ReadonlyMap<number, Span>): Node {
  const of = <K extends keyof Span>(i: number, key: K, otherwise: Span[K]) => spans.get(i)?.[key] ?? otherwise;
  const sliced = sliceNode(
    node,
    node.shape.map((_, i) => of(i, 'start', 0)),
    node.shape.map((d, i) => of(i, 'length', d)),
    node.shape.map((_, i) => of(i, 'step', 1)),
  );
  return flip(
    sliced,
    [...spans].filter(([, span]) => span.reversed).map(([axis]) => axis),
  );
}

/**
 * start:end:step along one axis, with Python's rules: negative bounds count from the back, bounds past the ends are cut, a negative
 * step walks backwards.
 */
export function slice(x: Tensor, dim: number, start?: number | null, end?: number | null, step = 1): Tensor {
  const node = nodeOf('slice', x);
  const axis = normalizeAxis('slice', dim, node.shape.length);
  return x.derive(sliceAxes(node, new Map([[axis, spanOf('slice', [start, end, step], node.shape[axis]!)]])));
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
  return x.derive(sliceAxes(node, new Map([[axis, { start: from, length, step: 1, reversed: false }]])));
}

function position(op: string, index: number, axis: number, shape: Shape): number {
  const length = shape[axis]!;
  const at = checkInteger(op, 'index', index) < 0 ? index + length : index;
  if (at < 0 || at >= length) {
    throw new ArgumentError(`[${op}] index out of range: ${index} on axis ${axis} of ${showShape(shape)}`);
  }
  return at;
}

/** One position of an axis, which goes away. Throws ArgumentError past the ends. */
export function select(x: Tensor, dim: number, index: number): Tensor {
  const node = nodeOf('select', x);
  const axis = normalizeAxis('select', dim, node.shape.length);
  const start = position('select', index, axis, node.shape);
  return x.derive(
    reshape(
      sliceAxes(node, new Map([[axis, { start, length: 1, step: 1, reversed: false }]])),
      node.shape.filter((_, i) => i !== axis),
    ),
  );
}

/**
 * NumPy's basic indexing: `x.at(0)` is x[0], `x.at([1, 3], null)` is x[1:3, None], `x.at('...', -1)` is x[..., -1].
 * Throws ShapeError for more indices than axes, ArgumentError for a position past the ends.
 */
export function at(x: Tensor, ...indices: Index[]): Tensor {
  const node = nodeOf('at', x);
  const { shape } = node;
  const used = indices.filter((index) => index !== null && index !== '...').length;
  if (used > shape.length) throw new ShapeError(`[at] ${used} indices for ${shape.length} axes of ${showShape(shape)}`);
  if (indices.filter((index) => index === '...').length > 1) throw new ArgumentError("[at] more than one '...'");

  const spans = new Map<number, Span>();
  const result: number[] = [];
  let axis = 0;
  const keep = (count: number) => {
    for (let i = 0; i < count; i++) result.push(shape[axis++]!);
  };
  for (const index of indices) {
    if (index === null) result.push(1);
    else if (index === '...') keep(shape.length - used);
    else if (typeof index === 'number') {
      spans.set(axis, { start: position('at', index, axis, shape), length: 1, step: 1, reversed: false });
      axis++;
    } else if (Array.isArray(index)) {
      const span = spanOf('at', index as Range, shape[axis]!);
      spans.set(axis++, span);
      result.push(span.length);
    } else {
      throw new ArgumentError(
        `[at] not an index: ${typeof index} (expected a number, [start, end, step], '...' or null)`,
      );
    }
  }
  keep(shape.length - axis);
  return x.derive(reshape(sliceAxes(node, spans), result));
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

function gatherSlices(x: Node, positions: Node, axis: number): Node {
  const count = positions.shape[0]!;
  const column = reshape(
    positions,
    x.shape.map((_, i) => (i === axis ? count : 1)),
  );
  return gatherNode(
    x,
    broadcastTo(
      column,
      x.shape.map((d, i) => (i === axis ? count : d)),
    ),
    axis,
  );
}

/**
 * Rows of a weight matrix [n, d] for a tensor of i32 positions of any shape: [...index.shape, d]. `index.embedding(weight)`.
 */
export function embedding(index: Tensor, weight: Tensor): Tensor {
  const positions = asIndex('embedding', index);
  const table = nodeOf('embedding', weight);
  if (table.shape.length !== 2) throw new ShapeError(`[embedding] weight is not a matrix: ${showShape(table.shape)}`);
  const flat = reshape(positions, [positions.shape.reduce((n, d) => n * d, 1)]);
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

/** Order statistics: what sorting along an axis tells. */
import { hostStorage } from '../compile/index.js';
import {
  ArgumentError,
  argsort,
  binary,
  broadcastTo,
  cast,
  cumulative,
  type DType,
  full,
  gather,
  iota,
  isFloat,
  leaf,
  type Node,
  normalizeAxis,
  permute,
  reduce,
  reshape,
  ShapeError,
  showShape,
  sizeOf,
  type UnaryFn,
  unary,
  where,
} from '../graph/index.js';
import { lerp } from './arithmetic.js';
import { dropAxes, type ReduceOptions } from './dims.js';
import { asFloat, floatLike, isTensor, nodeOf, requireDType } from './operands.js';
import type { Tensor } from './tensor.js';

const NUMERIC: readonly DType[] = ['f32', 'i32', 'u32'];

/** One axis of a node, or all of them as one. */
interface Line {
  readonly x: Node;
  readonly axis: number;
  readonly length: number;
  /** Shape of a result in which the axis has length 1. */
  readonly kept: number[];
}

/** Throws DTypeError for bool and, of one axis, ShapeError where it is empty. */
function lineOf(op: string, x: Tensor, dim: number | null | undefined): Line {
  const node = nodeOf(op, x);
  requireDType(op, node.dtype, NUMERIC);
  const whole = dim === undefined || dim === null || node.shape.length === 0;
  if (whole && dim !== undefined && dim !== null) normalizeAxis(op, dim, 1);
  const all = whole ? reshape(node, [sizeOf(node.shape)]) : node;
  const axis = whole ? 0 : normalizeAxis(op, dim, node.shape.length);
  const length = all.shape[axis]!;
  if (length === 0) throw new ShapeError(`[${op}] axis ${axis} of ${showShape(all.shape)} is empty`);
  return { x: all, axis, length, kept: node.shape.map((d, i) => (whole || i === axis ? 1 : d)) };
}

const number = (shape: readonly number[], value: number): Node => full(shape, value, 'i32');

const isMissing = (x: Node): Node => (isFloat(x.dtype) ? unary('isnan', x) : full(x.shape, 0, 'bool'));

/** How many elements of each line are not NaN: i32. */
const countOf = ({ x, axis }: Line): Node => reduce('sum', cast(unary('logicalNot', isMissing(x)), 'i32'), [axis]);

/** The elements at positions (along the axis) of each line's ascending order. */
function placed({ x, axis }: Line, positions: Node): Node {
  return gather(x, gather(argsort(x, axis), positions, axis), axis);
}

function finished(line: Line, x: Tensor, value: Node, dim: number | null | undefined, options?: ReduceOptions): Tensor {
  const kept = reshape(value, line.kept);
  const axes = dim === undefined || dim === null ? line.kept.map((_, i) => i) : [line.axis];
  return x.derive(line.kept.length === 0 ? kept : dropAxes(kept, axes, options));
}

/** The gradient of a statistic of all elements goes in equal parts to those that have its value, as PyTorch's. */
function shared(line: Line, value: Node): Node {
  const at = broadcastTo(value, line.x.shape);
  const same = binary('or', binary('eq', line.x, at), isMissing(at));
  const lowest = full(line.x.shape, -Infinity, 'f32');
  return isFloat(line.x.dtype) ? reduce('max', where(same, line.x, lowest), [0]) : value;
}

function middle(
  op: 'median' | 'nanmedian',
  x: Tensor,
  dim: number | null | undefined,
  options: ReduceOptions | undefined,
  positionOf: (line: Line, count: Node) => Node,
): Tensor {
  const line = lineOf(op, x, dim);
  const value = placed(line, positionOf(line, countOf(line)));
  const whole = dim === undefined || dim === null;
  return finished(line, x, whole ? shared(line, value) : value, dim, options);
}

/** (count - 1) / 2 rounded down: the lower of two middles. */
const lowerMiddle = (count: Node): Node =>
  binary('floorDiv', binary('sub', count, number(count.shape, 1)), number(count.shape, 2));

/**
 * The value in the middle along one axis, or of all elements; of two middles the lower, as PyTorch's. NaN where there is a NaN. Numeric
 * dtypes. Throws ShapeError over no elements.
 */
export function median(x: Tensor, dim?: number | null, options?: ReduceOptions): Tensor {
  return middle('median', x, dim, options, (line, count) => {
    const whole = binary('eq', count, number(count.shape, line.length));
    // NaN is sorted to the end.
    return where(whole, lowerMiddle(count), number(count.shape, line.length - 1));
  });
}

/** `median` of what is not NaN; NaN where nothing else is. */
export function nanmedian(x: Tensor, dim?: number | null, options?: ReduceOptions): Tensor {
  return middle('nanmedian', x, dim, options, (_, count) => binary('max', lowerMiddle(count), number(count.shape, 0)));
}

/**
 * The most frequent value along an axis (the last by default), of several the smallest. Numeric dtypes.
 * Throws ShapeError over no elements.
 */
export function mode(x: Tensor, dim = -1, options?: ReduceOptions): Tensor {
  const line = lineOf('mode', x, dim);
  const { axis } = line;
  const order = argsort(line.x, axis);
  const index = iota(line.x.shape, axis);
  const last = (by: number): Node =>
    binary('max', binary('sub', index, number(index.shape, by)), number(index.shape, 0));
  const sorted = gather(line.x, order, axis);
  // Where each run of equal values begins; the end of the longest run is the furthest from its beginning.
  const begins = binary('ne', sorted, gather(sorted, last(1), axis));
  const start = cumulative('max', where(begins, index, number(index.shape, 0)), axis);
  const furthest = reduce('argmax', binary('sub', index, start), [axis]);
  return finished(line, x, gather(line.x, gather(order, furthest, axis), axis), dim, options);
}

export interface QuantileOptions extends ReduceOptions {
  /** What lies between two elements (linear): either of them, the nearer one, the middle, or in proportion. */
  interpolation?: 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest';
}

/** Fractions in 0..1: a number, a list or a tensor of rank 0 or 1. */
export type Fractions = number | readonly number[] | Tensor;

/** The fractions as a vector, and as numbers where they are known. */
function fractionsOf(op: string, q: Fractions): { node: Node; numbers: readonly number[] | null; listed: boolean } {
  if (isTensor(q)) {
    if (q.ndim > 1) throw new ShapeError(`[${op}] q is ${showShape(q.shape)} (expected a number or a vector)`);
    return { node: reshape(asFloat(op, q), [sizeOf(q.shape)]), numbers: null, listed: q.ndim === 1 };
  }
  const numbers = typeof q === 'number' ? [q] : q;
  for (const value of numbers) {
    if (!(value >= 0 && value <= 1)) throw new ArgumentError(`[${op}] q is ${String(value)} (expected 0..1)`);
  }
  return { node: vector(numbers, 'f32'), numbers, listed: typeof q !== 'number' };
}

const vector = (values: readonly number[], dtype: 'f32' | 'i32'): Node =>
  values.length === 1
    ? full([1], values[0]!, dtype)
    : leaf(hostStorage(dtype === 'f32' ? Float32Array.from(values) : Int32Array.from(values), [values.length], dtype));

/** Nearest whole number, halves to even. */
const nearestEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

const INTERPOLATIONS = ['linear', 'lower', 'higher', 'midpoint', 'nearest'];

function quantileOf(
  op: 'quantile' | 'nanquantile',
  x: Tensor,
  q: Fractions,
  dim: number | null | undefined,
  options: QuantileOptions | undefined,
): Tensor {
  const interpolation = options?.interpolation ?? 'linear';
  if (!INTERPOLATIONS.includes(interpolation)) {
    throw new ArgumentError(
      `[${op}] interpolation is ${String(interpolation)} (expected ${INTERPOLATIONS.join(', ')})`,
    );
  }
  requireDType(op, nodeOf(op, x).dtype, ['f32']);
  const line = lineOf(op, x, dim);
  const { node: fractions, numbers, listed } = fractionsOf(op, q);
  const count = fractions.shape[0]!;
  const { axis, length } = line;

  // The axis goes last, where the fractions lie along it.
  const order = line.x.shape.map((_, i) => i).filter((i) => i !== axis);
  const lines: Line = { ...line, x: permute(line.x, [...order, axis]), axis: order.length };
  const rows = lines.x.shape.slice(0, -1);
  const shape = [...rows, count];
  const inRows = (values: Node): Node => broadcastTo(reshape(values, [...rows.map(() => 1), count]), shape);
  const valid = countOf(lines);

  const between = interpolation === 'linear' || interpolation === 'midpoint';
  const rounding: UnaryFn = interpolation === 'nearest' ? 'round' : interpolation === 'higher' ? 'ceil' : 'floor';
  let ranks: { below: Node; above: Node; weight: Node };
  if (op === 'quantile' && numbers !== null) {
    // Known beforehand, and so exact for any length.
    const exact = numbers.map((value) => value * (length - 1));
    const below = exact.map((rank) =>
      rounding === 'floor' ? Math.floor(rank) : rounding === 'ceil' ? Math.ceil(rank) : nearestEven(rank),
    );
    ranks = {
      below: inRows(vector(below, 'i32')),
      above: inRows(vector(exact.map(Math.ceil), 'i32')),
      weight: inRows(
        vector(
          exact.map((rank, i) => rank - below[i]!),
          'f32',
        ),
      ),
    };
  } else {
    const last = op === 'quantile' ? number(valid.shape, length - 1) : binary('sub', valid, number(valid.shape, 1));
    const least = binary('max', last, number(valid.shape, 0));
    const rank = binary('mul', inRows(fractions), broadcastTo(cast(least, 'f32'), shape));
    const below = unary(rounding, rank);
    ranks = { below: cast(below, 'i32'), above: cast(unary('ceil', rank), 'i32'), weight: binary('sub', rank, below) };
  }
  // NaN is sorted to the end.
  const spoiled = binary('lt', broadcastTo(valid, shape), number(shape, op === 'quantile' ? length : 0));
  const pick = (positions: Node): Node => placed(lines, where(spoiled, number(shape, length - 1), positions));
  let value = pick(ranks.below);
  if (between) {
    const weight = interpolation === 'linear' ? ranks.weight : full(shape, 0.5, 'f32');
    value = lerp(x.derive(value), x.derive(pick(ranks.above)), x.derive(weight)).node;
  }
  // The fractions go first; the reduced axes go away, or stay with length 1.
  const first = permute(value, [rows.length, ...rows.map((_, i) => i)]);
  const whole = dim === undefined || dim === null;
  const kept = options?.keepDim ? line.kept : whole ? [] : line.kept.filter((_, i) => i !== axis);
  return floatLike(x, reshape(first, listed ? [count, ...kept] : kept));
}

/**
 * The values below which the fractions `q` of the elements lie, along one axis or of all; f32. With a list or a vector of fractions they
 * form a new first axis. NaN where there is a NaN. Throws ArgumentError for fractions outside of 0..1 (those of a tensor are not looked
 * at), DTypeError unless x is f32, ShapeError over no elements.
 */
export function quantile(x: Tensor, q: Fractions, dim?: number | null, options?: QuantileOptions): Tensor {
  return quantileOf('quantile', x, q, dim, options);
}

/** `quantile` of what is not NaN; NaN where nothing else is. */
export function nanquantile(x: Tensor, q: Fractions, dim?: number | null, options?: QuantileOptions): Tensor {
  return quantileOf('nanquantile', x, q, dim, options);
}

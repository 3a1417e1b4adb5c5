/** What runs along an axis: sums, products and extremes so far, differences, areas. */
import {
  binary,
  broadcastTo,
  type CumulativeFn,
  cast,
  concat,
  cumulative,
  full,
  iota,
  isFloat,
  type Node,
  normalizeAxis,
  pad as padNode,
  reshape,
  ShapeError,
  sameShape,
  shifted,
  showShape,
  sizeOf,
  unary,
  where,
} from '../graph/index.js';
import { logaddexp } from './arithmetic.js';
import { moveAxis, sliceAxis } from './axis.js';
import { add, mul, sub } from './elementwise.js';
import { asFloat, asSummable, checkInteger, nodeOf } from './operands.js';
import { logsumexp, sum } from './reductions.js';
import type { Tensor } from './tensor.js';

/** A single number is taken for a vector of one. */
function alongAxis(op: string, x: Node, dim: number, run: (x: Node, axis: number) => Node): Node {
  const axis = normalizeAxis(op, dim, Math.max(1, x.shape.length));
  return x.shape.length === 0 ? reshape(run(reshape(x, [1]), 0), []) : run(x, axis);
}

const running =
  (op: string, fn: CumulativeFn) =>
  (x: Tensor, dim: number): Tensor => {
    const node = nodeOf(op, x);
    const numbers = node.dtype === 'bool' || fn === 'sum' || fn === 'prod' ? asSummable(node) : node;
    return x.derive(alongAxis(op, numbers, dim, (along, axis) => cumulative(fn, along, axis)));
  };

/** Sum of the elements so far along an axis; bool, i8 and u8 count as i32. */
export const cumsum: (x: Tensor, dim: number) => Tensor = running('cumsum', 'sum');
/** Product of the elements so far along an axis; bool, i8 and u8 count as i32. */
export const cumprod: (x: Tensor, dim: number) => Tensor = running('cumprod', 'prod');
/** Largest element so far along an axis (values only, see `cummaxWithIndices`); NaN wins, bool counts as i32. */
export const cummax: (x: Tensor, dim: number) => Tensor = running('cummax', 'max');
/** Smallest element so far along an axis (values only, see `cumminWithIndices`); NaN wins, bool counts as i32. */
export const cummin: (x: Tensor, dim: number) => Tensor = running('cummin', 'min');

function withIndices(x: Tensor, dim: number, values: Tensor): [values: Tensor, indices: Tensor] {
  const index = (node: Node): Node =>
    alongAxis('cummax', node, dim, (along, axis) => {
      const at = values.ndim === 0 ? reshape(values.node, [1]) : values.node;
      let holds: Node = binary('eq', along, at);
      if (isFloat(along.dtype)) holds = binary('or', holds, unary('isnan', along));
      return cumulative('max', where(holds, iota(along.shape, axis), full(along.shape, 0, 'i32')), axis);
    });
  return [values, x.derive(index(cast(x.node, values.dtype)))];
}

/** `cummax`, and the i32 positions of those elements: of equal ones the last. */
export const cummaxWithIndices = (x: Tensor, dim: number): [values: Tensor, indices: Tensor] =>
  withIndices(x, dim, running('cummaxWithIndices', 'max')(x, dim));
/** `cummin`, and the i32 positions of those elements: of equal ones the last. */
export const cumminWithIndices = (x: Tensor, dim: number): [values: Tensor, indices: Tensor] =>
  withIndices(x, dim, running('cumminWithIndices', 'min')(x, dim));

/** Elements of a line that are summed together: more make several rounds of fewer elements each. */
const BLOCK = 64;

/** log of the sum of e^x so far along the rows of a matrix: within blocks, and then over the totals of the blocks before. */
function runningLog(x: Tensor): Tensor {
  const [rows, n] = x.shape as [number, number];
  const size = Math.min(n, BLOCK);
  const count = Math.ceil(n / size);
  const padded = padNode(x.node, { low: [0, 0], high: [0, count * size - n], value: -Infinity });
  const cube = [rows, count, size, size];
  const elements = broadcastTo(reshape(padded, [rows, count, 1, size]), cube);
  const before = binary('le', iota(cube, 3), iota(cube, 2));
  const local = logsumexp(x.derive(where(before, elements, full(cube, -Infinity, 'f32'))), 3);
  if (count === 1) return x.derive(reshape(local.node, [rows, n]));
  const totals = reshape(sliceAxis(local.node, 2, size - 1, 1), [rows, count]);
  const earlier = reshape(shifted(runningLog(x.derive(totals)).node, 1, 1, -Infinity), [rows, count, 1]);
  const both = logaddexp(local, x.derive(broadcastTo(earlier, local.shape)));
  return x.derive(sliceAxis(reshape(both.node, [rows, count * size]), 1, 0, n));
}

/** log of the sum of e^x so far along an axis, without overflow; in f32. */
export function logcumsumexp(x: Tensor, dim: number): Tensor {
  return x.derive(
    alongAxis('logcumsumexp', asFloat('logcumsumexp', x), dim, (along, axis) => {
      if (sizeOf(along.shape) === 0) return along;
      const last = moveAxis(along, axis, along.shape.length - 1);
      const n = along.shape[axis]!;
      const rows = runningLog(x.derive(reshape(last, [sizeOf(along.shape) / n, n]))).node;
      return moveAxis(reshape(rows, last.shape), along.shape.length - 1, axis);
    }),
  );
}

/** Neighbours along an axis: all but the last, and all but the first. */
function neighbours(x: Node, axis: number): [before: Node, after: Node] {
  const length = Math.max(0, x.shape[axis]! - 1);
  return [sliceAxis(x, axis, 0, length), sliceAxis(x, axis, Math.min(1, x.shape[axis]!), length)];
}

export interface DiffOptions {
  /** What stands before the elements along the axis. */
  prepend?: Tensor;
  /** What stands after the elements along the axis. */
  append?: Tensor;
}

/**
 * Differences of neighbours along an axis (the last by default), n times; of bool whether they differ.
 * Throws ShapeError for a single number.
 */
export function diff(x: Tensor, n = 1, dim = -1, options?: DiffOptions): Tensor {
  const node = nodeOf('diff', x);
  if (node.shape.length === 0)
    throw new ShapeError('[diff] a single number has no neighbours (expected rank 1 or more)');
  const axis = normalizeAxis('diff', dim, node.shape.length);
  checkInteger('diff', 'n', n, 0);
  const parts = [options?.prepend, x, options?.append].filter((p): p is Tensor => p !== undefined);
  for (const p of parts) {
    const shape = nodeOf('diff', p).shape;
    if (
      !sameShape(
        shape.filter((_, i) => i !== axis),
        node.shape.filter((_, i) => i !== axis),
      ) ||
      p.dtype !== node.dtype
    ) {
      throw new ShapeError(
        `[diff] ${p.dtype} ${showShape(shape)} does not fit beside ${x.dtype} ${showShape(node.shape)}`,
      );
    }
  }
  let line =
    parts.length === 1
      ? node
      : concat(
          parts.map((p) => p.node),
          axis,
        );
  for (let i = 0; i < n && line.shape[axis]! > 0; i++) {
    const [before, after] = neighbours(line, axis);
    line = binary(line.dtype === 'bool' ? 'ne' : 'sub', after, before);
  }
  return x.derive(line);
}

export interface TrapezoidOptions {
  /** The distance of neighbours where no `x` is given (1). */
  dx?: number;
  /** The axis along which to integrate (the last). */
  dim?: number;
}

function areas(
  op: string,
  y: Tensor,
  x: Tensor | null | undefined,
  options: TrapezoidOptions | undefined,
): [Tensor, number] {
  const node = asFloat(op, y);
  const axis = normalizeAxis(op, options?.dim ?? -1, node.shape.length);
  const [before, after] = neighbours(node, axis);
  const doubled = add(y.derive(before), y.derive(after));
  if (x === null || x === undefined) return [mul(doubled, (options?.dx ?? 1) / 2), axis];
  const points = asFloat(op, x);
  const vector = points.shape.length === 1;
  if (!vector && !sameShape(points.shape, node.shape)) {
    throw new ShapeError(`[${op}] x is ${showShape(points.shape)} beside y ${showShape(node.shape)}`);
  }
  if (vector && points.shape[0] !== node.shape[axis]) {
    throw new ShapeError(`[${op}] x has ${points.shape[0]} points (expected ${node.shape[axis]})`);
  }
  const line = vector
    ? reshape(
        points,
        node.shape.map((d, i) => (i === axis ? d : 1)),
      )
    : points;
  const [left, right] = neighbours(broadcastTo(line, node.shape), axis);
  return [mul(mul(doubled, sub(y.derive(right), y.derive(left))), 0.5), axis];
}

/**
 * The area under y along an axis by the trapezoid rule, at the points `x` (a vector, or the shape of y) or at steps of `dx`; in f32.
 * Throws ShapeError where x does not fit.
 */
export function trapezoid(y: Tensor, x?: Tensor | null, options?: TrapezoidOptions): Tensor {
  const [parts, axis] = areas('trapezoid', y, x, options);
  return sum(parts, axis);
}

/** The areas of `trapezoid` so far: one less than y along the axis. */
export function cumulativeTrapezoid(y: Tensor, x?: Tensor | null, options?: TrapezoidOptions): Tensor {
  const [parts, axis] = areas('cumulativeTrapezoid', y, x, options);
  return cumsum(parts, axis);
}

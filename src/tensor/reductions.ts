import {
  ArgumentError,
  binary,
  broadcastTo,
  cast,
  full,
  isFloat,
  type Node,
  normalizeAxis,
  type ReduceFn,
  reduce,
  reshape,
  type Shape,
  sizeOf,
  stopGradient,
  unary,
  where,
} from '../graph/index.js';
import { axesOf, type Dims, dropAxes, type ReduceOptions } from './dims.js';
import { sub } from './elementwise.js';
import { alike, asFloat, asSummable, floatLike, nodeOf } from './operands.js';
import type { Tensor } from './tensor.js';

export type { Dims, ReduceOptions } from './dims.js';

export interface VarianceOptions extends ReduceOptions {
  /** What is subtracted from the count in the divisor: 1 is unbiased (the default), 0 is the variance of a population. */
  correction?: number;
  /** `false` is correction 0, `true` correction 1. */
  unbiased?: boolean;
}

function reduceDims(
  op: string,
  fn: ReduceFn,
  x: Tensor,
  dim: Dims | undefined,
  options: ReduceOptions | undefined,
  prepare: (node: Node) => Node = (node) => node,
): Tensor {
  const node = prepare(nodeOf(op, x));
  const axes = axesOf(op, node, dim);
  return x.derive(dropAxes(reduce(fn, node, axes), axes, options));
}

const countOf = (shape: Shape, axes: readonly number[]): number => axes.reduce((n, axis) => n * shape[axis]!, 1);

const scaled = (x: Node, fn: 'mul' | 'div', value: number): Node => binary(fn, x, full(x.shape, value, 'f32'));

const meanNode = (x: Node, axes: readonly number[]): Node =>
  scaled(reduce('sum', x, axes), 'div', countOf(x.shape, axes));

/** Sum over axes (all by default); bool, i8 and u8 count as i32. Over no elements: 0. */
export function sum(x: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  return reduceDims('sum', 'sum', x, dim, options, asSummable);
}

/** Product over axes (all by default); bool, i8 and u8 count as i32. Over no elements: 1. */
export function prod(x: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  return reduceDims('prod', 'prod', x, dim, options, asSummable);
}

/** Mean over axes (all by default), in f32. Over no elements: NaN. */
export function mean(x: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  const node = asFloat('mean', x);
  const axes = axesOf('mean', node, dim);
  return x.derive(dropAxes(meanNode(node, axes), axes, options));
}

/** Largest value over axes (all by default), values only (`argmax` has the indices). NaN wins; over no elements -Infinity. */
export function max(x: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  return reduceDims('max', 'max', x, dim, options);
}

/** Smallest value over axes (all by default), values only (`argmin` has the indices). NaN wins; over no elements Infinity. */
export function min(x: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  return reduceDims('min', 'min', x, dim, options);
}

/** The same as `max`: largest value over axes. */
export function amax(x: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  return reduceDims('amax', 'max', x, dim, options);
}

/** The same as `min`: smallest value over axes. */
export function amin(x: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  return reduceDims('amin', 'min', x, dim, options);
}

/** Smallest and largest value over axes (all by default): `[amin, amax]`. */
export function aminmax(x: Tensor, dim?: Dims, options?: ReduceOptions): [min: Tensor, max: Tensor] {
  return [reduceDims('aminmax', 'min', x, dim, options), reduceDims('aminmax', 'max', x, dim, options)];
}

const withoutNaN = (x: Node): Node => where(unary('isnan', x), full(x.shape, 0, x.dtype), x);

/** Sum over axes (all by default) of what is not NaN. */
export function nansum(x: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  return reduceDims('nansum', 'sum', x, dim, options, (node) =>
    isFloat(node.dtype) ? withoutNaN(node) : asSummable(node),
  );
}

/** Mean over axes (all by default) of what is not NaN, in f32. Over nothing else: NaN. */
export function nanmean(x: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  const node = asFloat('nanmean', x);
  const axes = axesOf('nanmean', node, dim);
  const counted = cast(unary('logicalNot', unary('isnan', node)), 'f32');
  const mean = binary('div', reduce('sum', withoutNaN(node), axes), reduce('sum', counted, axes));
  return floatLike(x, dropAxes(mean, axes, options));
}

function argReduce(
  fn: 'argmax' | 'argmin',
  x: Tensor,
  dim: number | null | undefined,
  options?: ReduceOptions,
): Tensor {
  const node = nodeOf(fn, x);
  if (dim === undefined || dim === null) {
    const index = reshape(reduce(fn, reshape(node, [sizeOf(node.shape)]), [0]), []);
    return x.derive(
      options?.keepDim
        ? reshape(
            index,
            node.shape.map(() => 1),
          )
        : index,
    );
  }
  const axis = normalizeAxis(fn, dim, node.shape.length);
  return x.derive(dropAxes(reduce(fn, node, [axis]), [axis], options));
}

/**
 * i32 index of the first largest element along one axis, or in row-major order over all. NaN counts as the largest.
 * Throws ShapeError over no elements.
 */
export function argmax(x: Tensor, dim?: number | null, options?: ReduceOptions): Tensor {
  return argReduce('argmax', x, dim, options);
}

/**
 * i32 index of the first smallest element along one axis, or in row-major order over all. NaN counts as the smallest.
 * Throws ShapeError over no elements.
 */
export function argmin(x: Tensor, dim?: number | null, options?: ReduceOptions): Tensor {
  return argReduce('argmin', x, dim, options);
}

const asBool = (x: Node): Node => cast(x, 'bool');

/** Whether any element over axes is not zero: bool. Over no elements: false. */
export function any(x: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  return reduceDims('any', 'max', x, dim, options, asBool);
}

/** Whether all elements over axes are not zero: bool. Over no elements: true. */
export function all(x: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  return reduceDims('all', 'min', x, dim, options, asBool);
}

function varianceNode(op: string, x: Tensor, dim: Dims | undefined, options?: VarianceOptions): [Node, number[]] {
  const node = asFloat(op, x);
  const axes = axesOf(op, node, dim);
  const correction = options?.correction ?? (options?.unbiased === false ? 0 : 1);
  const centred = binary('sub', node, broadcastTo(meanNode(node, axes), node.shape));
  const divisor = Math.max(0, countOf(node.shape, axes) - correction);
  return [scaled(reduce('sum', binary('mul', centred, centred), axes), 'div', divisor), axes];
}

/**
 * Variance over axes (all by default), in f32; unbiased unless `{ correction: 0 }` or `{ unbiased: false }`.
 * One element, unbiased: NaN.
 */
function variance(x: Tensor, dim?: Dims, options?: VarianceOptions): Tensor {
  const [node, axes] = varianceNode('var', x, dim, options);
  return x.derive(dropAxes(node, axes, options));
}

export { variance as var };

/** Square root of the variance over axes (all by default); see `var`. */
export function std(x: Tensor, dim?: Dims, options?: VarianceOptions): Tensor {
  const [node, axes] = varianceNode('std', x, dim, options);
  return x.derive(dropAxes(unary('sqrt', node), axes, options));
}

/** Variance and mean over axes (all by default): `[var, mean]`; see `var`. */
export function varMean(x: Tensor, dim?: Dims, options?: VarianceOptions): [variance: Tensor, mean: Tensor] {
  nodeOf('varMean', x);
  axesOf('varMean', x.node, dim);
  return [variance(x, dim, options), mean(x, dim, options)];
}

/** Standard deviation and mean over axes (all by default): `[std, mean]`; see `std`. */
export function stdMean(x: Tensor, dim?: Dims, options?: VarianceOptions): [deviation: Tensor, mean: Tensor] {
  nodeOf('stdMean', x);
  axesOf('stdMean', x.node, dim);
  return [std(x, dim, options), mean(x, dim, options)];
}

/**
 * The p-norm over axes (all by default), in f32: 2 by default; any number, 0 (how many are not zero), Infinity or -Infinity.
 * The gradient of the 2-norm of zeros is 0.
 */
export function norm(x: Tensor, p = 2, dim?: Dims, options?: ReduceOptions): Tensor {
  if (typeof p !== 'number' || Number.isNaN(p)) throw new ArgumentError(`[norm] p is ${String(p)} (expected a number)`);
  const node = asFloat('norm', x);
  const axes = axesOf('norm', node, dim);
  return x.derive(dropAxes(normNode(node, p, axes), axes, options));
}

/** The p-norm of a - b over all elements, in f32; both broadcast. */
export function dist(a: Tensor, b: Tensor, p = 2): Tensor {
  const [x, y] = alike('dist', [a, b], 'float') as [Tensor, Tensor];
  return norm(sub(x, y), p);
}

/**
 * Scales down the slices along `dim` whose p-norm is above `maxnorm`, to that norm; in f32.
 * Throws ArgumentError unless p is above 0 and maxnorm at least 0.
 */
export function renorm(x: Tensor, p: number, dim: number, maxnorm: number): Tensor {
  const node = asFloat('renorm', x);
  const axis = normalizeAxis('renorm', dim, node.shape.length);
  if (!(p > 0 && maxnorm >= 0)) {
    throw new ArgumentError(`[renorm] p is ${String(p)} and maxnorm ${String(maxnorm)} (expected p > 0, maxnorm >= 0)`);
  }
  const others = node.shape.map((_, i) => i).filter((i) => i !== axis);
  const size = normNode(node, p, others);
  const limit = full(size.shape, maxnorm, 'f32');
  // PyTorch's 1e-7 keeps the result below the limit.
  const factor = binary('div', limit, binary('add', size, full(size.shape, 1e-7, 'f32')));
  const scale = where(binary('lt', limit, size), factor, full(size.shape, 1, 'f32'));
  return x.derive(binary('mul', node, broadcastTo(scale, node.shape)));
}

function normNode(x: Node, p: number, axes: readonly number[]): Node {
  const zero = full(x.shape, 0, 'f32');
  if (p === 0) return cast(reduce('sum', cast(binary('ne', x, zero), 'f32'), axes), x.dtype);
  if (p === 2) {
    const squares = reduce('sum', binary('mul', x, x), axes);
    // The derivative of sqrt at 0 is infinite, and infinity times 0 is NaN: take the root of 1 there instead.
    const isZero = binary('eq', squares, full(squares.shape, 0, 'f32'));
    const root = unary('sqrt', where(isZero, full(squares.shape, 1, 'f32'), squares));
    return where(isZero, full(squares.shape, 0, 'f32'), root);
  }
  const size = unary('abs', x);
  if (p === Infinity) return reduce('max', size, axes);
  if (p === -Infinity) return reduce('min', size, axes);
  if (p === 1) return reduce('sum', size, axes);
  const powers = reduce('sum', binary('pow', size, full(size.shape, p, 'f32')), axes);
  return binary('pow', powers, full(powers.shape, 1 / p, 'f32'));
}

/** log of the sum of e^x over axes (all by default), without overflow; in f32. Over no elements: -Infinity. */
export function logsumexp(x: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  const node = asFloat('logsumexp', x);
  const axes = axesOf('logsumexp', node, dim);
  const largest = stopGradient(reduce('max', node, axes));
  // An infinite maximum must not meet itself in a subtraction.
  const shift = where(unary('isfinite', largest), largest, full(largest.shape, 0, 'f32'));
  const total = reduce('sum', unary('exp', binary('sub', node, broadcastTo(shift, node.shape))), axes);
  return x.derive(dropAxes(binary('add', unary('log', total), shift), axes, options));
}

/** How many elements over axes (all by default) are not zero: i32. */
export function countNonzero(x: Tensor, dim?: Dims, options?: ReduceOptions): Tensor {
  return reduceDims('countNonzero', 'sum', x, dim, options, (node) => cast(cast(node, 'bool'), 'i32'));
}

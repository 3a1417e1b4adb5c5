/** Layers that bring mean and size of features to a standard. */
import { ArgumentError, type Shape, ShapeError, showShape, sizeOf } from '../graph/index.js';
import { addBackwardRoot } from './backwardRoots.js';
import { add, div, maximum, mul, rsqrt, sub } from './elementwise.js';
import { rebind } from './handle.js';
import { reshape } from './movement.js';
import { checkInteger, floatOf, nodeOf } from './operands.js';
import { type Dims, mean, norm } from './reductions.js';
import type { Tensor } from './tensor.js';

function checkEps(op: string, eps: number): void {
  if (!(eps >= 0)) throw new ArgumentError(`[${op}] eps is ${String(eps)} (expected 0 or more)`);
}

function checkShape(op: string, name: string, tensor: Tensor | null | undefined, shape: Shape): void {
  if (!tensor) return;
  const own = nodeOf(op, tensor).shape;
  if (showShape(own) !== showShape(shape)) {
    throw new ShapeError(`[${op}] ${name} is ${showShape(own)} (expected ${showShape(shape)})`);
  }
}

interface Moments {
  readonly centred: Tensor;
  readonly average: Tensor;
  /** Of a population: divided by the count. */
  readonly variance: Tensor;
}

function momentsOf(x: Tensor, dims: Dims): Moments {
  const average = mean(x, dims, { keepDim: true });
  const centred = sub(x, average);
  return { centred, average, variance: mean(mul(centred, centred), dims, { keepDim: true }) };
}

function standardized(x: Tensor, dims: Dims, eps: number): Tensor {
  const { centred, variance } = momentsOf(x, dims);
  return mul(centred, rsqrt(add(variance, eps)));
}

function scaled(x: Tensor, weight: Tensor | null | undefined, bias: Tensor | null | undefined): Tensor {
  const product = weight ? mul(x, weight) : x;
  return bias ? add(product, bias) : product;
}

/** A vector with one value for each channel (axis 1). */
const byChannel = (vector: Tensor | null | undefined, rank: number): Tensor | null =>
  vector ? reshape(vector, [1, vector.numel(), ...new Array<number>(rank - 2).fill(1)]) : null;

/** The last axes, which have the lengths `normalizedShape`. */
function lastAxes(op: string, x: Tensor, normalizedShape: number | Shape): { shape: Shape; dims: number[] } {
  const shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
  const own = nodeOf(op, x).shape;
  if (shape.length === 0 || showShape(own.slice(-shape.length)) !== showShape(shape)) {
    throw new ShapeError(`[${op}] input is ${showShape(own)} (expected it to end in ${showShape(shape)})`);
  }
  return { shape, dims: shape.map((_, i) => own.length - shape.length + i) };
}

/**
 * Subtracts the mean and divides by the standard deviation (of a population, with `eps` under the root) over the last axes, which have
 * the lengths `normalizedShape`; then multiplies by `weight` and adds `bias`, both of that shape. In f32.
 * Throws ShapeError where shapes do not fit.
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): Tensor {
  const op = 'layerNorm';
  const { shape, dims } = lastAxes(op, x, normalizedShape);
  checkShape(op, 'weight', weight, shape);
  checkShape(op, 'bias', bias, shape);
  checkEps(op, eps);
  return scaled(standardized(floatOf(op, x), dims, eps), weight, bias);
}

/**
 * Divides by the root of the mean square over the last axes, which have the lengths `normalizedShape`, and multiplies by `weight`, of that
 * shape. `eps` under the root is 2^-23 unless given. In f32. Throws ShapeError where shapes do not fit.
 */
export function rmsNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight?: Tensor | null,
  eps?: number | null,
): Tensor {
  const op = 'rmsNorm';
  const { shape, dims } = lastAxes(op, x, normalizedShape);
  checkShape(op, 'weight', weight, shape);
  const least = eps ?? 2 ** -23;
  checkEps(op, least);
  const value = floatOf(op, x);
  return scaled(mul(value, rsqrt(add(mean(mul(value, value), dims, { keepDim: true }), least))), weight, null);
}

/** Rank and channels of [N, C, ...]. */
function channelsOf(op: string, x: Tensor, least = 2): { rank: number; channels: number; shape: Shape } {
  const { shape } = nodeOf(op, x);
  if (shape.length < least) {
    throw new ShapeError(`[${op}] input is ${showShape(shape)} (expected rank ${least} or more: [N, C, ...])`);
  }
  return { rank: shape.length, channels: shape[1]!, shape };
}

/**
 * `layerNorm` over the channels of a group and all that follows: [N, C, ...] with C in `numGroups` equal groups. `weight` and `bias` are
 * [C]. In f32. Throws ShapeError where shapes do not fit, ArgumentError unless numGroups divides C.
 */
export function groupNorm(
  x: Tensor,
  numGroups: number,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): Tensor {
  const op = 'groupNorm';
  const { rank, channels, shape } = channelsOf(op, x);
  checkInteger(op, 'numGroups', numGroups, 1);
  if (channels % numGroups !== 0) {
    throw new ArgumentError(`[${op}] numGroups is ${numGroups} (expected a divisor of ${channels} channels)`);
  }
  checkShape(op, 'weight', weight, [channels]);
  checkShape(op, 'bias', bias, [channels]);
  checkEps(op, eps);
  const size = (channels / numGroups) * sizeOf(shape.slice(2));
  const groups = standardized(reshape(floatOf(op, x), [shape[0]!, numGroups, size]), 2, eps);
  return scaled(reshape(groups, shape), byChannel(weight, rank), byChannel(bias, rank));
}

/** Moves running statistics towards those of a batch; the next optimizer step computes them with the loss. */
function track(running: Tensor, batch: Tensor, momentum: number): void {
  const next = add(mul(running.detach(), 1 - momentum), mul(batch.detach(), momentum));
  rebind(running, next.node);
  addBackwardRoot(running);
}

interface RunningStatistics {
  readonly mean: Tensor | null | undefined;
  readonly variance: Tensor | null | undefined;
  readonly momentum: number;
}

/** With the statistics of the input over `dims`, which `running` follows, or with the running ones. */
function byStatistics(
  op: string,
  x: Tensor,
  dims: number[],
  running: RunningStatistics,
  ofInput: boolean,
  eps: number,
): Tensor {
  const { rank, channels, shape } = channelsOf(op, x);
  checkShape(op, 'runningMean', running.mean, [channels]);
  checkShape(op, 'runningVar', running.variance, [channels]);
  checkEps(op, eps);
  const value = floatOf(op, x);
  if (!ofInput) {
    if (!running.mean || !running.variance) {
      throw new ArgumentError(`[${op}] no running statistics given (expected them, or to use the input's)`);
    }
    const spread = rsqrt(add(byChannel(running.variance, rank)!, eps));
    return mul(sub(value, byChannel(running.mean, rank)!), spread);
  }
  const count = dims.reduce((n, d) => n * shape[d]!, 1);
  if (count <= 1) {
    throw new ShapeError(`[${op}] ${count} values for each channel of ${showShape(shape)} (expected more than 1)`);
  }
  const { centred, average, variance } = momentsOf(value, dims);
  // Instances have statistics of their own: their mean is what runs.
  const overall = (statistic: Tensor): Tensor => reshape(mean(statistic, 0), [channels]);
  if (running.mean) track(running.mean, overall(average), running.momentum);
  if (running.variance) track(running.variance, overall(mul(variance, count / (count - 1))), running.momentum);
  return mul(centred, rsqrt(add(variance, eps)));
}

/**
 * Standardizes each channel of [N, C, ...] over all else: in `training` by the statistics of the batch, otherwise by the running ones ([C]).
 * In training the running ones, where given, move towards those of the batch (the variance unbiased) by `momentum`: they are changed in place.
 * `weight` and `bias` are [C]. In f32. Throws ShapeError where shapes do not fit or a batch has one value a channel.
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  weight?: Tensor | null,
  bias?: Tensor | null,
  training = false,
  momentum = 0.1,
  eps = 1e-5,
): Tensor {
  const op = 'batchNorm';
  const { rank, channels, shape } = channelsOf(op, x);
  checkShape(op, 'weight', weight, [channels]);
  checkShape(op, 'bias', bias, [channels]);
  const dims = shape.map((_, i) => i).filter((i) => i !== 1);
  const running = { mean: runningMean, variance: runningVar, momentum };
  return scaled(byStatistics(op, x, dims, running, training, eps), byChannel(weight, rank), byChannel(bias, rank));
}

/**
 * Standardizes each channel of each example of [N, C, ...] over what follows, or by the running statistics where `useInputStats` is false. With
 * the input's, the running ones, where given, move towards their mean over the batch by `momentum`, in place. `weight` and `bias` are [C].
 * In f32. Throws ShapeError where shapes do not fit or a channel has one value.
 */
export function instanceNorm(
  x: Tensor,
  runningMean?: Tensor | null,
  runningVar?: Tensor | null,
  weight?: Tensor | null,
  bias?: Tensor | null,
  useInputStats = true,
  momentum = 0.1,
  eps = 1e-5,
): Tensor {
  const op = 'instanceNorm';
  const { rank, channels, shape } = channelsOf(op, x, 3);
  checkShape(op, 'weight', weight, [channels]);
  checkShape(op, 'bias', bias, [channels]);
  const dims = shape.map((_, i) => i).slice(2);
  const running = { mean: runningMean, variance: runningVar, momentum };
  return scaled(byStatistics(op, x, dims, running, useInputStats, eps), byChannel(weight, rank), byChannel(bias, rank));
}

/** Divides by the p-norm along an axis, or by `eps` where that is smaller; in f32. */
export function normalize(x: Tensor, p = 2, dim: Dims = 1, eps = 1e-12): Tensor {
  checkEps('normalize', eps);
  const value = floatOf('normalize', x);
  if (typeof dim === 'number' && (dim >= value.ndim || dim < -value.ndim)) {
    throw new ShapeError(`[normalize] axis out of range: ${dim} (rank ${value.ndim})`);
  }
  return div(value, maximum(norm(value, p, dim, { keepDim: true }), eps));
}

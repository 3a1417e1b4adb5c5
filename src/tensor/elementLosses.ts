/** Losses that compare element by element. */
import { ArgumentError, broadcastShapes, ShapeError, sameShape, showShape } from '../graph/index.js';
import { softplus } from './activations.js';
import { clamp, where } from './choosing.js';
import { abs, add, div, exp, gt, log, log1p, lt, mul, neg, sub } from './elementwise.js';
import { type LossOptions, reduced, requireSameShape } from './lossOptions.js';
import { reshape } from './movement.js';
import { floatOf, nodeOf } from './operands.js';
import { sum } from './reductions.js';
import { xlogy } from './special.js';
import type { Tensor } from './tensor.js';

/** Squared difference. Throws ShapeError unless the shapes are the same. */
export function mseLoss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  requireSameShape('mseLoss', input, target);
  const difference = sub(input, target);
  return reduced('mseLoss', mul(difference, difference), options);
}

/** Absolute difference. Throws ShapeError unless the shapes are the same. */
export function l1Loss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  requireSameShape('l1Loss', input, target);
  return reduced('l1Loss', abs(sub(input, target)), options);
}

/** Half the squared difference up to `delta`, linear beyond. Throws ShapeError unless the shapes are the same. */
export function huberLoss(input: Tensor, target: Tensor, options?: LossOptions & { delta?: number }): Tensor {
  requireSameShape('huberLoss', input, target);
  const delta = options?.delta ?? 1;
  const size = abs(sub(input, target));
  const losses = where(lt(size, delta), mul(mul(size, size), 0.5), mul(sub(size, 0.5 * delta), delta));
  return reduced('huberLoss', losses, options);
}

/**
 * Half the squared difference over `beta` up to `beta`, the difference less half of `beta` beyond (for 0 the absolute difference).
 * Throws ShapeError unless the shapes are the same, ArgumentError for a negative beta.
 */
export function smoothL1Loss(input: Tensor, target: Tensor, options?: LossOptions & { beta?: number }): Tensor {
  const op = 'smoothL1Loss';
  requireSameShape(op, input, target);
  const beta = options?.beta ?? 1;
  if (!(beta >= 0)) throw new ArgumentError(`[${op}] beta is ${String(beta)} (expected 0 or more)`);
  const size = abs(sub(input, target));
  const near = beta === 0 ? size : mul(mul(size, size), 0.5 / beta);
  return reduced(op, where(lt(size, beta), near, sub(size, 0.5 * beta)), options);
}

export interface BinaryLossOptions extends LossOptions {
  /** What each loss is multiplied by; broadcasts to the input. */
  weight?: Tensor | null;
}

export interface LogitsLossOptions extends BinaryLossOptions {
  /** How much more positive targets count; broadcasts to the input. */
  posWeight?: Tensor | null;
}

function weighted(op: string, losses: Tensor, options: BinaryLossOptions | undefined): Tensor {
  return reduced(op, options?.weight ? mul(losses, fitting(op, 'weight', options.weight, losses)) : losses, options);
}

function fitting(op: string, name: string, weight: Tensor, losses: Tensor): Tensor {
  const { shape } = nodeOf(op, weight);
  if (!sameShape(broadcastShapes(op, shape, losses.shape), losses.shape)) {
    throw new ShapeError(`[${op}] ${name} is ${showShape(shape)} beside input ${showShape(losses.shape)}`);
  }
  return weight;
}

/**
 * Binary cross-entropy of probabilities and targets in 0..1, whose logarithms are -100 at least. Throws ShapeError unless the shapes are the
 * same.
 */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options?: BinaryLossOptions): Tensor {
  const op = 'binaryCrossEntropy';
  requireSameShape(op, input, target);
  const [x, t] = [floatOf(op, input), floatOf(op, target)];
  const bounded = (logarithm: Tensor): Tensor => clamp(logarithm, -100);
  const losses = sub(mul(sub(t, 1), bounded(log1p(neg(x)))), mul(t, bounded(log(x))));
  return weighted(op, losses, options);
}

/**
 * Binary cross-entropy of logits and targets in 0..1, without overflow. Throws ShapeError unless the shapes are the same.
 */
export function binaryCrossEntropyWithLogits(input: Tensor, target: Tensor, options?: LogitsLossOptions): Tensor {
  const op = 'binaryCrossEntropyWithLogits';
  requireSameShape(op, input, target);
  // -t log(s(x)) - (1 - t) log(1 - s(x)), with log(s(x)) = -softplus(-x) and log(1 - s(x)) = -x - softplus(-x).
  const t = floatOf(op, target);
  const { posWeight } = options ?? {};
  const bent = softplus(neg(input));
  const scaled = posWeight ? mul(bent, add(mul(t, sub(fitting(op, 'posWeight', posWeight, t), 1)), 1)) : bent;
  return weighted(op, add(mul(sub(1, t), input), scaled), options);
}

/** Short for `binaryCrossEntropyWithLogits`. */
export const bceWithLogits: typeof binaryCrossEntropyWithLogits = binaryCrossEntropyWithLogits;

export interface DivergenceOptions extends Omit<LossOptions, 'reduction'> {
  /** As in other losses; 'batchmean' is the sum over the first axis's length. */
  reduction?: LossOptions['reduction'] | 'batchmean';
  /** Whether the target holds logarithms too (false). */
  logTarget?: boolean;
}

/** Kullback-Leibler divergence: target (log(target) - input), for an input of log-probabilities. Throws ShapeError unless the shapes are the same. */
export function klDiv(input: Tensor, target: Tensor, options?: DivergenceOptions): Tensor {
  const op = 'klDiv';
  requireSameShape(op, input, target);
  const [x, t] = [floatOf(op, input), floatOf(op, target)];
  const losses = options?.logTarget ? mul(exp(t), sub(t, x)) : sub(xlogy(t, t), mul(t, x));
  const reduction = options?.reduction;
  if (reduction !== 'batchmean') return reduced(op, losses, { reduction });
  if (x.ndim === 0) throw new ShapeError(`[${op}] a single number has no batch (expected rank 1 or more)`);
  return div(sum(losses), x.shape[0]!);
}

export interface PoissonLossOptions extends LossOptions {
  /** Whether the input is the logarithm of the rate (true). */
  logInput?: boolean;
  /** Whether to add Stirling's approximation of log(target!) (false). */
  full?: boolean;
  /** Added to a rate under its logarithm (1e-8). */
  eps?: number;
}

/** Minus the log-probability of counts under Poisson distributions. Throws ShapeError unless the shapes are the same. */
export function poissonNllLoss(input: Tensor, target: Tensor, options?: PoissonLossOptions): Tensor {
  const op = 'poissonNllLoss';
  requireSameShape(op, input, target);
  const [x, t] = [floatOf(op, input), floatOf(op, target)];
  const rate = options?.logInput ?? true;
  let losses = rate ? sub(exp(x), mul(t, x)) : sub(x, mul(t, log(add(x, options?.eps ?? 1e-8))));
  if (options?.full) {
    const large = gt(t, 1);
    const safe = where(large, t, 1);
    const stirling = add(sub(mul(safe, log(safe)), safe), mul(log(mul(safe, 2 * Math.PI)), 0.5));
    losses = add(losses, where(large, stirling, 0));
  }
  return reduced(op, losses, options);
}

export interface GaussianLossOptions extends LossOptions {
  /** Whether to add the constant log(2π) / 2 (false). */
  full?: boolean;
  /** The least variance (1e-6). */
  eps?: number;
}

/**
 * Minus the log-probability of targets under normal distributions with means `input` and variances `variance`: of the input's shape, or with
 * one value along its last axis. Throws ShapeError where shapes do not fit.
 */
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Tensor,
  options?: GaussianLossOptions,
): Tensor {
  const op = 'gaussianNllLoss';
  requireSameShape(op, input, target);
  const [x, t] = [floatOf(op, input), floatOf(op, target)];
  let v = floatOf(op, variance);
  const one = [...x.shape.slice(0, -1), 1];
  if (sameShape(v.shape, x.shape.slice(0, -1)) && x.ndim > 0) v = reshape(v, one);
  if (!sameShape(v.shape, x.shape) && !sameShape(v.shape, one)) {
    throw new ShapeError(`[${op}] variance is ${showShape(v.shape)} beside input ${showShape(x.shape)}`);
  }
  // The bound does not stop the gradient.
  const bounded = add(v, clamp(sub(options?.eps ?? 1e-6, v), 0).detach());
  const difference = sub(x, t);
  const losses = mul(add(log(bounded), div(mul(difference, difference), bounded)), 0.5);
  return reduced(op, options?.full ? add(losses, Math.log(2 * Math.PI) / 2) : losses, options);
}

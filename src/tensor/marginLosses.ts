/** Losses that ask for a margin between scores or distances. */
import { ArgumentError, binary, broadcastTo, iota, reshape, ShapeError, sameShape, showShape } from '../graph/index.js';
import { logSigmoid, softplus } from './activations.js';
import { clamp, where } from './choosing.js';
import { pairwiseDistance } from './distances.js';
import { add, div, eq, minimum, mul, ne, neg, rsqrt, sub } from './elementwise.js';
import { type LossOptions, reduced, requireSameShape } from './lossOptions.js';
import { alike, asIndex, floatOf, nodeOf } from './operands.js';
import { mean, sum } from './reductions.js';
import type { Tensor } from './tensor.js';

export interface MarginOptions extends LossOptions {
  /** The margin that is asked for. */
  margin?: number;
}

/** What is missing to a margin: not below 0. */
const missing = (x: Tensor): Tensor => clamp(x, 0);

/** max(0, margin - y (a - b)) for y 1 where a should be larger and -1 where b should; margin 0. All broadcast. */
export function marginRankingLoss(a: Tensor, b: Tensor, target: Tensor, options?: MarginOptions): Tensor {
  const [x, y, t] = alike('marginRankingLoss', [a, b, target], 'float') as [Tensor, Tensor, Tensor];
  return reduced('marginRankingLoss', missing(add(mul(neg(t), sub(x, y)), options?.margin ?? 0)), options);
}

/** x where the target is 1, max(0, margin - x) where it is -1; margin 1. Both broadcast. */
export function hingeEmbeddingLoss(input: Tensor, target: Tensor, options?: MarginOptions): Tensor {
  const [x, t] = alike('hingeEmbeddingLoss', [input, target], 'float') as [Tensor, Tensor];
  const apart = where(ne(t, 1), missing(sub(options?.margin ?? 1, x)), 0);
  return reduced('hingeEmbeddingLoss', add(apart, where(ne(t, -1), x, 0)), options);
}

/** log(1 + e^(-target x)), for targets of -1 and 1. Throws ShapeError unless the shapes are the same. */
export function softMarginLoss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  requireSameShape('softMarginLoss', input, target);
  return reduced('softMarginLoss', softplus(neg(mul(target, floatOf('softMarginLoss', input)))), options);
}

/**
 * 1 - cos of two batches of vectors [N, D] (or two vectors [D]) where the target ([N] or []) is 1, max(0, cos - margin) where it is -1;
 * margin 0. Throws ShapeError where shapes do not fit.
 */
export function cosineEmbeddingLoss(a: Tensor, b: Tensor, target: Tensor, options?: MarginOptions): Tensor {
  const op = 'cosineEmbeddingLoss';
  requireSameShape(op, a, b);
  const [x, y, t] = [floatOf(op, a), floatOf(op, b), nodeOf(op, target)];
  if (x.ndim < 1 || x.ndim > 2 || !sameShape(t.shape, x.shape.slice(0, -1))) {
    throw new ShapeError(
      `[${op}] shapes are ${showShape(x.shape)} and ${showShape(t.shape)} (expected [N, D] and [N])`,
    );
  }
  const product = (p: Tensor, q: Tensor): Tensor => sum(mul(p, q), -1);
  const cos = mul(product(x, y), rsqrt(mul(add(product(x, x), 1e-12), add(product(y, y), 1e-12))));
  const apart = where(eq(target, -1), missing(sub(cos, options?.margin ?? 0)), 0);
  return reduced(op, where(eq(target, 1), sub(1, cos), apart), options);
}

export interface TripletOptions extends MarginOptions {
  /** The norm of differences (2). */
  p?: number;
  /** Added to differences (1e-6). */
  eps?: number;
  /** Whether to take the distance of positive and negative where that is smaller (false). */
  swap?: boolean;
}

/** max(0, d(anchor, positive) - d(anchor, negative) + margin) with distances along the last axis; margin 1. All broadcast. */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options?: TripletOptions,
): Tensor {
  const op = 'tripletMarginLoss';
  const [x, near, far] = alike(op, [anchor, positive, negative], 'float') as [Tensor, Tensor, Tensor];
  if (x.ndim === 0) throw new ShapeError(`[${op}] a single number is no vector (expected rank 1 or more)`);
  const { margin = 1, p = 2, eps = 1e-6, swap = false } = options ?? {};
  const distance = (a: Tensor, b: Tensor): Tensor => pairwiseDistance(a, b, p, eps);
  const direct = distance(x, far);
  const away = swap ? minimum(direct, distance(near, far)) : direct;
  return reduced(op, missing(add(sub(distance(x, near), away), margin)), options);
}

export interface MultiMarginOptions extends MarginOptions {
  /** The power of what is missing, 1 (default) or 2. */
  p?: 1 | 2;
  /** How much each class counts: [C]. */
  weight?: Tensor | null;
}

/**
 * The mean over other classes of max(0, margin - x[label] + x)^p, for scores [N, C] or [C] and i32 labels [N] or []; margin 1.
 * Throws ShapeError where shapes do not fit, ArgumentError for another p.
 */
export function multiMarginLoss(input: Tensor, target: Tensor, options?: MultiMarginOptions): Tensor {
  const op = 'multiMarginLoss';
  const { margin = 1, p = 1, weight = null } = options ?? {};
  if (p !== 1 && p !== 2) throw new ArgumentError(`[${op}] p is ${String(p)} (expected 1 or 2)`);
  const x = floatOf(op, input);
  const labels = asIndex(op, target);
  if (x.ndim < 1 || x.ndim > 2 || !sameShape(labels.shape, x.shape.slice(0, -1))) {
    throw new ShapeError(
      `[${op}] shapes are ${showShape(x.shape)} and ${showShape(labels.shape)} (expected [N, C] and [N])`,
    );
  }
  const classes = x.shape.at(-1)!;
  if (weight && !sameShape(nodeOf(op, weight).shape, [classes])) {
    throw new ShapeError(`[${op}] weight is ${showShape(weight.shape)} (expected [${classes}])`);
  }
  const column = broadcastTo(reshape(labels, [...labels.shape, 1]), x.shape);
  const own = x.derive(binary('eq', iota(x.shape, x.ndim - 1), column));
  const score = sum(where(own, x, 0), -1, { keepDim: true });
  const gap = missing(add(sub(x, score), margin));
  const costs = sum(where(own, 0, p === 2 ? mul(gap, gap) : gap), -1);
  const weights = weight ? sum(where(own, weight, 0), -1) : null;
  return reduced(op, div(weights ? mul(costs, weights) : costs, classes), options);
}

/**
 * The mean over the last axis of the binary cross-entropies of logits, each class weighted by `weight` ([C]).
 * Throws ShapeError unless the shapes are the same.
 */
export function multilabelSoftMarginLoss(
  input: Tensor,
  target: Tensor,
  options?: LossOptions & { weight?: Tensor | null },
): Tensor {
  const op = 'multilabelSoftMarginLoss';
  requireSameShape(op, input, target);
  const [x, t] = [floatOf(op, input), floatOf(op, target)];
  if (x.ndim === 0) throw new ShapeError(`[${op}] a single number has no classes (expected rank 1 or more)`);
  const losses = neg(add(mul(t, logSigmoid(x)), mul(sub(1, t), logSigmoid(neg(x)))));
  const { weight } = options ?? {};
  if (weight && !sameShape(nodeOf(op, weight).shape, [x.shape.at(-1)!])) {
    throw new ShapeError(`[${op}] weight is ${showShape(weight.shape)} (expected [${x.shape.at(-1)}])`);
  }
  return reduced(op, mean(weight ? mul(losses, weight) : losses, -1), options);
}

import {
  ArgumentError,
  binary,
  broadcastScalar,
  broadcastTo,
  constant,
  full,
  type Node,
  normalizeAxis,
  reduce,
  reluNode,
  stopGradient,
  unary,
  where as whereNode,
} from '../graph/index.js';
import { clamp, where } from './choosing.js';
import { abs, add, erf, exp, expm1, gt, log1p, mul, neg, sigmoid, tanh } from './elementwise.js';
import { uniformNode } from './generator.js';
import { asFloat, nodeOf, requireDType } from './operands.js';
import type { Tensor } from './tensor.js';

/** max(x, 0); NaN stays NaN, and the gradient at 0 is 0. Keeps a numeric dtype. */
export function relu(x: Tensor): Tensor {
  const node = nodeOf('relu', x);
  requireDType('relu', node.dtype, ['f32', 'i32', 'u32']);
  return x.derive(reluNode(node));
}

/** relu that stops at 6. */
export function relu6(x: Tensor): Tensor {
  return clamp(relu(x), null, 6);
}

/** x where positive, `negativeSlope` times x elsewhere. */
export function leakyRelu(x: Tensor, negativeSlope = 0.01): Tensor {
  return where(gt(x, 0), x, mul(x, negativeSlope));
}

/** x where positive, alpha (e^x - 1) elsewhere; in f32. */
export function elu(x: Tensor, alpha = 1): Tensor {
  // The branch not taken must not overflow: its gradient would be infinity times 0.
  return where(gt(x, 0), x, mul(expm1(clamp(x, null, 0)), alpha));
}

export interface GeluOptions {
  /** 'tanh' for the approximation that some models were trained with. */
  approximate?: 'none' | 'tanh';
}

/** x times the normal distribution function of x; in f32. */
export function gelu(x: Tensor, options?: GeluOptions): Tensor {
  const approximate = options?.approximate ?? 'none';
  if (approximate !== 'none' && approximate !== 'tanh') {
    throw new ArgumentError(`[gelu] approximate is ${String(approximate)} (expected 'none' or 'tanh')`);
  }
  const gate =
    approximate === 'none'
      ? erf(mul(x, Math.SQRT1_2))
      : tanh(mul(add(x, mul(mul(mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI)));
  return mul(mul(x, 0.5), add(gate, 1));
}

/** x sigmoid(x); in f32. */
export function silu(x: Tensor): Tensor {
  return mul(x, sigmoid(x));
}

/** x tanh(softplus(x)); in f32. */
export function mish(x: Tensor): Tensor {
  return mul(x, tanh(softplus(x)));
}

export interface SoftplusOptions {
  /** Sharpness of the bend (1). */
  beta?: number;
  /** Above this value of beta x the function is x itself (20). */
  threshold?: number;
}

/** log(1 + e^(beta x)) / beta without overflow; in f32. */
export function softplus(x: Tensor, options?: SoftplusOptions): Tensor {
  const { beta = 1, threshold = 20 } = options ?? {};
  const scaled = mul(x, beta);
  const linear = gt(scaled, threshold);
  // The branch not taken must not overflow: its gradient would be infinity over infinity.
  const bent = log1p(exp(where(linear, 0, scaled)));
  return where(linear, x, beta === 1 ? bent : mul(bent, 1 / beta));
}

/** log(sigmoid(x)) without overflow; in f32. */
export function logSigmoid(x: Tensor): Tensor {
  return neg(softplus(neg(x)));
}

/** x / (1 + |x|); in f32. */
export function softsign(x: Tensor): Tensor {
  const node = asFloat('softsign', x);
  return x.derive(binary('div', node, add(abs(x.derive(node)), 1).node));
}

/** The largest value along an axis, as a constant of the gradient: subtracting it changes no softmax, only its range. */
const shifted = (x: Node, axis: number): Node =>
  binary('sub', x, broadcastTo(stopGradient(reduce('max', x, [axis])), x.shape));

/** Exponentials that add up to 1 along an axis (the last by default); in f32. */
export function softmax(x: Tensor, dim = -1): Tensor {
  const node = asFloat('softmax', x);
  const axis = normalizeAxis('softmax', dim, node.shape.length);
  const powers = unary('exp', shifted(node, axis));
  return x.derive(binary('div', powers, broadcastTo(reduce('sum', powers, [axis]), node.shape)));
}

/** log(softmax(x)) along an axis (the last by default) without loss of precision; in f32. */
export function logSoftmax(x: Tensor, dim = -1): Tensor {
  const node = asFloat('logSoftmax', x);
  return x.derive(logSoftmaxNode(node, normalizeAxis('logSoftmax', dim, node.shape.length)));
}

function logSoftmaxNode(x: Node, axis: number): Node {
  const centred = shifted(x, axis);
  const total = reduce('sum', unary('exp', centred), [axis]);
  return binary('sub', centred, broadcastTo(unary('log', total), x.shape));
}

/**
 * Zeroes each element with probability p and divides the others by 1 - p; the identity unless `training`. The choice is drawn from the
 * generator that `manualSeed` sets. Throws ArgumentError for p outside 0..1.
 */
export function dropout(x: Tensor, p = 0.5, training = true): Tensor {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`[dropout] p is ${String(p)} (expected 0..1)`);
  const node = asFloat('dropout', x);
  if (!training || p === 0) return x.derive(node);
  const zero = full(node.shape, 0, 'f32');
  if (p === 1) return x.derive(binary('mul', node, zero));
  const kept = binary('le', full(node.shape, p, 'f32'), uniformNode(node.shape));
  const scale = broadcastScalar(constant(1 / (1 - p), 'f32'), node.shape);
  return x.derive(whereNode(kept, binary('mul', node, scale), zero));
}

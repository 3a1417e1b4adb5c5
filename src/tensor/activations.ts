import {
  ArgumentError,
  binary,
  broadcastScalar,
  broadcastTo,
  constant,
  type DType,
  full,
  type Node,
  normalizeAxis,
  reduce,
  reluNode,
  reshape,
  ShapeError,
  showShape,
  sizeOf,
  slice,
  stopGradient,
  unary,
  where as whereNode,
} from '../graph/index.js';
import { clamp, where } from './choosing.js';
import {
  abs,
  add,
  div,
  erf,
  exp,
  expm1,
  ge,
  gt,
  le,
  log1p,
  logicalAnd,
  lt,
  mul,
  neg,
  sigmoid,
  sub,
  tanh,
} from './elementwise.js';
import { uniformNode } from './generator.js';
import { asFloat, floatOf, nodeOf, requireDType } from './operands.js';
import type { Tensor } from './tensor.js';

const NUMERIC: readonly DType[] = ['f32', 'i32', 'u32'];

/** max(x, 0); NaN stays NaN, and the gradient at 0 is 0. Keeps a numeric dtype. */
export function relu(x: Tensor): Tensor {
  const node = nodeOf('relu', x);
  requireDType('relu', node.dtype, NUMERIC);
  return x.derive(reluNode(node));
}

/** Limits every element to min..max; unlike that of clamp, the gradient is 0 at the bounds. Keeps a numeric dtype. */
export function hardtanh(x: Tensor, min = -1, max = 1): Tensor {
  requireDType('hardtanh', nodeOf('hardtanh', x).dtype, NUMERIC);
  if (!(min <= max))
    throw new ArgumentError(`[hardtanh] bounds are ${String(min)} and ${String(max)} (expected min <= max)`);
  return where(le(x, min), min, where(ge(x, max), max, x));
}

/** relu that stops at 6. */
export function relu6(x: Tensor): Tensor {
  requireDType('relu6', nodeOf('relu6', x).dtype, NUMERIC);
  return hardtanh(x, 0, 6);
}

/** A straight line from 0 at -3 to 1 at 3; in f32. */
export function hardsigmoid(x: Tensor): Tensor {
  return div(hardtanh(add(floatOf('hardsigmoid', x), 3), 0, 6), 6);
}

/** x hardsigmoid(x); in f32. */
export function hardswish(x: Tensor): Tensor {
  const value = floatOf('hardswish', x);
  return where(lt(value, -3), 0, where(le(value, 3), div(mul(value, add(value, 3)), 6), value));
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

/** x where positive, alpha (e^(x / alpha) - 1) elsewhere; in f32. Throws ArgumentError for an alpha of 0. */
export function celu(x: Tensor, alpha = 1): Tensor {
  if (alpha === 0) throw new ArgumentError('[celu] alpha is 0 (expected another number)');
  const value = floatOf('celu', x);
  return where(gt(value, 0), value, mul(expm1(div(clamp(value, null, 0), alpha)), alpha));
}

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

/** elu with the alpha and the scale that keep mean and variance of a layer; in f32. */
export function selu(x: Tensor): Tensor {
  return mul(elu(floatOf('selu', x), SELU_ALPHA), SELU_SCALE);
}

/** x - tanh(x); in f32. */
export function tanhshrink(x: Tensor): Tensor {
  const value = floatOf('tanhshrink', x);
  return sub(value, tanh(value));
}

function checkNotNegative(op: string, name: string, value: number): void {
  if (!(value >= 0)) throw new ArgumentError(`[${op}] ${name} is ${String(value)} (expected 0 or more)`);
}

/** x moved towards 0 by `lambd`, 0 where it is nearer; in f32. */
export function softshrink(x: Tensor, lambd = 0.5): Tensor {
  checkNotNegative('softshrink', 'lambd', lambd);
  const value = floatOf('softshrink', x);
  return where(gt(value, lambd), sub(value, lambd), where(lt(value, -lambd), add(value, lambd), 0));
}

/** x, or 0 where |x| <= lambd; in f32. */
export function hardshrink(x: Tensor, lambd = 0.5): Tensor {
  const value = floatOf('hardshrink', x);
  return where(logicalAnd(ge(value, -lambd), le(value, lambd)), 0, value);
}

/** x where it is above `threshold`, `value` elsewhere. Keeps a numeric dtype where `value` fits it. */
export function threshold(x: Tensor, threshold: number, value: number): Tensor {
  requireDType('threshold', nodeOf('threshold', x).dtype, NUMERIC);
  return where(le(x, threshold), value, x);
}

/**
 * x where positive, `weight` times x elsewhere; in f32. The weight has one element, or one for each channel (axis 1).
 * Throws ShapeError for other weights.
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  const value = floatOf('prelu', x);
  const slopes = nodeOf('prelu', weight).shape;
  const channels = value.ndim < 2 ? 1 : value.shape[1]!;
  if (slopes.length > 1 || (sizeOf(slopes) !== 1 && sizeOf(slopes) !== channels)) {
    throw new ShapeError(`[prelu] weight is ${showShape(slopes)} (expected 1 or ${channels} elements)`);
  }
  const shape = value.shape.map((_, i) => (i === 1 ? sizeOf(slopes) : 1));
  const slope = weight.derive(reshape(weight.node, shape));
  return where(gt(value, 0), value, mul(value, slope));
}

/** The first half of an axis (the last by default) times the sigmoid of the second; in f32. Throws ShapeError for an odd length. */
export function glu(x: Tensor, dim = -1): Tensor {
  const node = asFloat('glu', x);
  const axis = normalizeAxis('glu', dim, node.shape.length);
  const length = node.shape[axis]!;
  if (length % 2 !== 0) throw new ShapeError(`[glu] axis ${dim} of ${showShape(node.shape)} has no halves`);
  const half = (start: number): Tensor =>
    x.derive(
      slice(
        node,
        node.shape.map((_, i) => (i === axis ? start : 0)),
        node.shape.map((d, i) => (i === axis ? length / 2 : d)),
      ),
    );
  return mul(half(0), sigmoid(half(length / 2)));
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

/** Exponentials of -x that add up to 1 along an axis (the last by default); in f32. */
export function softmin(x: Tensor, dim = -1): Tensor {
  const node = asFloat('softmin', x);
  normalizeAxis('softmin', dim, node.shape.length);
  return softmax(neg(x.derive(node)), dim);
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

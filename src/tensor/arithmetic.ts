/** Elementwise functions that are composed of others. */
import { ArgumentError, constant, type DType, full, isFloat, sameShape, unary } from '../graph/index.js';
import { clamp, where } from './choosing.js';
import {
  abs,
  add,
  type BinaryOp,
  cast,
  div,
  eq,
  exp,
  floor,
  floorDivide,
  gcd,
  ge,
  isfinite,
  isinf,
  isnan,
  le,
  log1p,
  log2,
  logicalAnd,
  logicalOr,
  lt,
  maximum,
  mul,
  ne,
  neg,
  pow,
  sqrt,
  sub,
  trunc,
  type UnaryOp,
} from './elementwise.js';
import { alike, floatLike, floatOf, nodeOf, requireDType, type TensorLike } from './operands.js';
import { all } from './reductions.js';
import type { Tensor } from './tensor.js';

const NUMERIC: readonly DType[] = ['f32', 'i32', 'u32'];
const LARGEST = 3.4028234663852886e38;

/** The tensor itself. Numeric dtypes. */
export const positive: UnaryOp = (x) => {
  requireDType('positive', nodeOf('positive', x).dtype, NUMERIC);
  return x.derive(x.node);
};

/** What trunc leaves: x - trunc(x), with the sign of x. */
export const frac: UnaryOp = (x) => {
  requireDType('frac', nodeOf('frac', x).dtype, NUMERIC);
  return sub(x, trunc(x));
};

/** Whether the sign bit is set: bool. True for -0, false for NaN. */
export const signbit: UnaryOp = (x) => {
  const node = nodeOf('signbit', x);
  if (isFloat(node.dtype)) return x.derive(unary('signbit', node));
  return node.dtype === 'bool' ? x.derive(full(node.shape, 0, 'bool')) : lt(x, 0);
};

/** Whether each element is +infinity: bool. */
export const isposinf: UnaryOp = (x) => eq(floatOf('isposinf', x), Infinity);
/** Whether each element is -infinity: bool. */
export const isneginf: UnaryOp = (x) => eq(floatOf('isneginf', x), -Infinity);

/** 2^x, in f32. */
export const exp2: UnaryOp = (x) => pow(2, floatOf('exp2', x));
/** Degrees as radians, in f32. */
export const deg2rad: UnaryOp = (x) => mul(floatOf('deg2rad', x), Math.PI / 180);
/** Radians as degrees, in f32. */
export const rad2deg: UnaryOp = (x) => mul(floatOf('rad2deg', x), 180 / Math.PI);

/** The size of a with the sign of b (of -0 too), in f32. */
export const copysign: BinaryOp = (a, b) => {
  const [x, y] = alike('copysign', [a, b], 'float') as [Tensor, Tensor];
  const size = abs(x);
  return where(signbit(y), neg(size), size);
};

/** sqrt(a² + b²) without overflow, in f32. */
export const hypot: BinaryOp = (a, b) => {
  const [x, y] = alike('hypot', [a, b], 'float') as [Tensor, Tensor];
  const larger = maximum(abs(x), abs(y)).detach();
  const scale = where(logicalAnd(isfinite(larger), ne(larger, 0)), larger, 1);
  const [p, q] = [div(x, scale), div(y, scale)];
  const length = mul(sqrt(add(mul(p, p), mul(q, q))), scale);
  return where(logicalOr(isinf(x), isinf(y)), Infinity, length);
};

/** log(base^a + base^b) from the larger and the distance. */
const logAddition =
  (op: string, rate: number): BinaryOp =>
  (a, b) => {
    const [x, y] = alike(op, [a, b], 'float') as [Tensor, Tensor];
    // Equal infinities must not meet in a subtraction.
    const distance = abs(where(eq(x, y), 0, sub(x, y)));
    const rest = log1p(exp(mul(distance, -rate)));
    return add(maximum(x, y), rate === 1 ? rest : mul(rest, 1 / rate));
  };

/** log(e^a + e^b) without overflow, in f32. */
export const logaddexp: BinaryOp = logAddition('logaddexp', 1);
/** log2(2^a + 2^b) without overflow, in f32. */
export const logaddexp2: BinaryOp = logAddition('logaddexp2', Math.LN2);

/** The larger of each pair; a NaN gives way to the other. */
export const fmax: BinaryOp = (a, b) => {
  const [x, y] = alike('fmax', [a, b]) as [Tensor, Tensor];
  return where(logicalOr(ge(x, y), isnan(y)), x, y);
};

/** The smaller of each pair; a NaN gives way to the other. */
export const fmin: BinaryOp = (a, b) => {
  const [x, y] = alike('fmin', [a, b]) as [Tensor, Tensor];
  return where(logicalOr(le(x, y), isnan(y)), x, y);
};

/** start + weight (end - start), from the nearer end; all three broadcast. In f32. */
export function lerp(start: Tensor, end: TensorLike, weight: TensorLike): Tensor {
  const [from, to, by] = alike('lerp', [start, end, weight], 'float') as [Tensor, Tensor, Tensor];
  const way = sub(to, from);
  return where(lt(by, 0.5), add(from, mul(by, way)), sub(to, mul(way, sub(1, by))));
}

export interface ScaledOptions {
  /** What the product or quotient is multiplied by (1). */
  value?: number;
}

/** x + value a b; all three broadcast. */
export function addcmul(x: Tensor, a: TensorLike, b: TensorLike, options?: ScaledOptions): Tensor {
  const [base, p, q] = alike('addcmul', [x, a, b]) as [Tensor, Tensor, Tensor];
  return add(base, mul(mul(p, q), options?.value ?? 1));
}

/** x + value a / b, in f32; all three broadcast. */
export function addcdiv(x: Tensor, a: TensorLike, b: TensorLike, options?: ScaledOptions): Tensor {
  const [base, p, q] = alike('addcdiv', [x, a, b], 'float') as [Tensor, Tensor, Tensor];
  return add(base, mul(div(p, q), options?.value ?? 1));
}

/** 0 below zero, 1 above (0 for NaN), and `values` at zero; both broadcast. */
export const heaviside: BinaryOp = (a, b) => {
  const [x, values] = alike('heaviside', [a, b]) as [Tensor, Tensor];
  return where(eq(x, 0), values, cast(lt(0, x), x.dtype));
};

/** Numbers in place of NaN (0) and of the infinities (the largest and the lowest f32). Other dtypes pass unchanged. */
export function nanToNum(x: Tensor, nan = 0, posinf: number | null = null, neginf: number | null = null): Tensor {
  if (!isFloat(nodeOf('nanToNum', x).dtype)) return x.derive(x.node);
  const finite = where(eq(x, Infinity), posinf ?? LARGEST, where(eq(x, -Infinity), neginf ?? -LARGEST, x));
  return where(isnan(x), nan, finite);
}

/** Limits every element from below: `clamp(x, min)`. */
export const clampMin = (x: Tensor, min: TensorLike): Tensor => clamp(x, min);
/** Limits every element from above: `clamp(x, null, max)`. */
export const clampMax = (x: Tensor, max: TensorLike): Tensor => clamp(x, null, max);
/** NumPy's name of `clamp`. */
export const clip: typeof clamp = clamp;

/** a to the power of b, in f32 whatever the dtypes. */
export const floatPower: BinaryOp = (a, b) => {
  const [x, y] = alike('floatPower', [a, b], 'float') as [Tensor, Tensor];
  return pow(x, y);
};

/** a times 2^b, in f32. */
export const ldexp: BinaryOp = (a, b) => {
  const [x, power] = alike('ldexp', [a, b], 'float') as [Tensor, Tensor];
  return mul(x, pow(2, power));
};

/**
 * Mantissa (from 1/2 up to 1 in size, f32) and exponent (i32) of each element: x = mantissa 2^exponent. Zeros, infinities and NaN are their
 * own mantissas, with the exponent 0. Subnormal numbers count as zeros.
 */
export function frexp(x: Tensor): [mantissa: Tensor, exponent: Tensor] {
  const value = cast(floatOf('frexp', x), 'f32');
  const size = abs(value.detach());
  const ordinary = logicalAnd(ge(size, 2 ** -126), isfinite(size));
  const guess = add(floor(log2(where(ordinary, size, 1))), 1);
  // In two steps: a power of two as far from 1 as this would be subnormal.
  const half = floor(mul(guess, 0.5));
  const scaled = mul(mul(value, pow(2, neg(half))), pow(2, sub(half, guess)));
  // The logarithm of a number just below a power of two rounds up to it.
  const low = lt(abs(scaled.detach()), 0.5);
  const exponent = sub(guess, cast(low, 'f32'));
  const mantissa = where(ordinary, where(low, mul(scaled, 2), scaled), value);
  return [floatLike(x, mantissa.node), cast(where(ordinary, exponent, 0), 'i32')];
}

/** Least common multiple of integers, never negative; wraps. */
export const lcm: BinaryOp = (a, b) => {
  const [x, y] = alike('lcm', [a, b]) as [Tensor, Tensor];
  requireDType('lcm', x.dtype, ['i32', 'u32']);
  return abs(mul(floorDivide(x, gcd(x, y)), y));
};

export interface CloseOptions {
  /** Allowed difference relative to the second operand (1e-5). */
  rtol?: number;
  /** Allowed difference in itself (1e-8). */
  atol?: number;
  /** Whether NaN is close to NaN (false). */
  equalNan?: boolean;
}

/** Whether |a - b| <= atol + rtol |b|, or both are the same: bool. Both broadcast. Throws ArgumentError for negative tolerances. */
export function isclose(a: Tensor, b: TensorLike, options?: CloseOptions): Tensor {
  return closeness('isclose', a, b, options);
}

function closeness(op: string, a: Tensor, b: TensorLike, options: CloseOptions | undefined): Tensor {
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options ?? {};
  if (!(rtol >= 0 && atol >= 0)) {
    throw new ArgumentError(`[${op}] rtol is ${String(rtol)} and atol ${String(atol)} (expected 0 or more)`);
  }
  const [x, y] = alike(op, [a, b]) as [Tensor, Tensor];
  const [p, q] = [cast(x, 'f32'), cast(y, 'f32')];
  const error = abs(sub(p, q));
  const near = logicalAnd(isfinite(error), le(error, add(abs(mul(q, rtol)), atol)));
  const close = logicalOr(eq(x, y), near);
  return equalNan ? logicalOr(close, logicalAnd(isnan(p), isnan(q))) : close;
}

/** Whether `isclose` holds for all elements. Reads the result: rejects with what went wrong on the engine. */
export async function allclose(a: Tensor, b: TensorLike, options?: CloseOptions): Promise<boolean> {
  return all(closeness('allclose', a, b, options)).item<boolean>();
}

/** Whether two tensors have one shape and equal elements. Reads the result: rejects with what went wrong on the engine. */
export async function equal(a: Tensor, b: Tensor): Promise<boolean> {
  return sameShape(nodeOf('equal', a).shape, nodeOf('equal', b).shape) && all(eq(a, b)).item<boolean>();
}

/** The angle of a real number: π below zero, 0 elsewhere, NaN stays. In f32. */
export const angle: UnaryOp = (x) => {
  const value = floatOf('angle', x);
  return where(isnan(value), value, where(lt(value, 0), floatLike(x, constant(Math.PI, 'f32')), 0));
};

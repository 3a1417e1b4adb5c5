/** Special functions that are composed of others. */
import { ArgumentError, constant, trigammaNode } from '../graph/index.js';
import { clamp, where } from './choosing.js';
import {
  add,
  type BinaryOp,
  digamma,
  div,
  eq,
  erfc,
  erfinv,
  floor,
  gt,
  isinf,
  isnan,
  le,
  lgamma,
  log,
  log1p,
  logicalAnd,
  logicalOr,
  lt,
  mul,
  ne,
  neg,
  pow,
  sigmoid,
  sin,
  sqrt,
  sub,
  type UnaryOp,
} from './elementwise.js';
import { alike, checkInteger, floatLike, floatOf } from './operands.js';
import type { Tensor } from './tensor.js';

/** Beyond this size asinh and acosh are log(2x): the square would overflow. */
const LARGE = 1e4;

/** Inverse hyperbolic sine, in f32. */
export const asinh: UnaryOp = (x) => {
  const value = floatOf('asinh', x);
  const sign = where(lt(value, 0), floatLike(x, constant(-1, 'f32')), 1);
  const size = mul(value, sign);
  const large = gt(size, LARGE);
  const small = where(large, 1, size);
  const square = mul(small, small);
  const near = log1p(add(small, div(square, add(sqrt(add(square, 1)), 1))));
  return mul(where(large, add(log(where(large, size, 1)), Math.LN2), near), sign);
};

/** Inverse hyperbolic cosine, in f32; NaN below 1. */
export const acosh: UnaryOp = (x) => {
  const value = floatOf('acosh', x);
  const large = gt(value, LARGE);
  const above = sub(where(large, 1, value), 1);
  const near = log1p(add(above, sqrt(mul(above, add(above, 2)))));
  const result = where(large, add(log(where(large, value, 1)), Math.LN2), near);
  return where(lt(value, 1), Number.NaN, result);
};

/** Inverse hyperbolic tangent, in f32; infinite at -1 and 1, NaN beyond. */
export const atanh: UnaryOp = (x) => {
  const value = floatOf('atanh', x);
  return mul(sub(log1p(value), log1p(neg(value))), 0.5);
};

/** sin(πx) / (πx), 1 at 0; in f32. */
export const sinc: UnaryOp = (x) => {
  const angle = mul(floatOf('sinc', x), Math.PI);
  // Near 0 the quotient's derivative is a difference of large numbers; the series' is not.
  const near = logicalAnd(lt(-0.5, angle), lt(angle, 0.5));
  const z = where(near, mul(angle, angle), 0);
  const series = [-1 / 5040, 1 / 120, -1 / 6, 1].reduce((sum, c) => add(mul(z, sum), c), mul(z, 0));
  const away = where(near, 1, angle);
  return where(near, series, div(sin(away), away));
};

/** x times a logarithm of y, 0 where x is 0 and the logarithm is no number. */
const timesLog =
  (op: string, logarithm: UnaryOp, end: number): BinaryOp =>
  (a, b) => {
    const [x, y] = alike(op, [a, b], 'float') as [Tensor, Tensor];
    // Kernels may take the logarithm of a subnormal number for that of zero.
    const none = logicalAnd(eq(x, 0), logicalOr(le(y, end + 2 ** -126), isinf(y)));
    return where(none, 0, mul(x, logarithm(where(none, 1, y))));
  };

// The logarithm of a subnormal number may be that of 0.
/** a log(b), 0 where a is 0 (unless b is NaN); in f32. */
export const xlogy: BinaryOp = timesLog('xlogy', log, 2 ** -126);
/** a log(1 + b), 0 where a is 0 (unless b is NaN); in f32. */
export const xlog1py: BinaryOp = timesLog('xlog1py', log1p, -1);

/** -x log(x): 0 at 0, -infinity below; in f32. */
export const entr: UnaryOp = (x) => {
  const value = floatOf('entr', x);
  const below = lt(value, 0);
  const safe = where(below, 1, value);
  return where(below, -Infinity, neg(xlogy(safe, safe)));
};

/**
 * log(x / (1 - x)), the inverse of the sigmoid, in f32. With `eps` x is limited to eps..1 - eps first; without it is NaN outside of 0..1.
 * Throws ArgumentError for an eps outside of 0..1/2.
 */
export function logit(x: Tensor, eps: number | null = null): Tensor {
  let value = floatOf('logit', x);
  if (eps !== null) {
    if (!(eps >= 0 && eps <= 0.5)) throw new ArgumentError(`[logit] eps is ${String(eps)} (expected 0..0.5)`);
    value = clamp(value, eps, 1 - eps);
  }
  return sub(log(value), log1p(neg(value)));
}

/** Another name of `sigmoid`. */
export const expit: UnaryOp = sigmoid;

/** The normal distribution function: how likely a smaller value is. In f32. */
export const ndtr: UnaryOp = (x) => mul(erfc(mul(floatOf('ndtr', x), -Math.SQRT1_2)), 0.5);

/** The inverse of `ndtr`, in f32; infinite at 0 and 1, NaN beyond. */
export const ndtri: UnaryOp = (x) => mul(erfinv(sub(mul(floatOf('ndtri', x), 2), 1)), Math.SQRT2);

/** The logarithm of `ndtr`, in f32, right where that is too small for a number: below -8 by its asymptotic series. */
export const logNdtr: UnaryOp = (x) => {
  const value = floatOf('logNdtr', x);
  const near = log(ndtr(clamp(value, -8)));
  const far = clamp(value, null, -8);
  const u = div(1, mul(far, far));
  const series = mul(u, add(-1, mul(u, add(3, mul(u, add(-15, mul(u, 105)))))));
  const tail = sub(sub(log1p(series), log(neg(far))), add(mul(mul(far, far), 0.5), 0.5 * Math.log(2 * Math.PI)));
  return where(lt(value, -8), tail, near);
};

/** Terms of the sum that `polygamma` adds up itself; the rest comes from Euler and Maclaurin's formula. */
const SUMMED = 20;

/** The sum over k of (x + k)^-s for s above 1 and x above -10. */
function powerSum(s: number | Tensor, x: Tensor): Tensor {
  const power = (k: number): Tensor => pow(div(1, add(x, k)), s);
  const far = add(x, SUMMED);
  const inverse = div(1, far);
  const z = mul(inverse, inverse);
  const plus = (k: number): number | Tensor => (typeof s === 'number' ? s + k : add(s, k));
  // B_2j / (2j)! s (s + 1) ... (s + 2j - 2) y^(1 - s - 2j) for j 3, 2, 1, in parts of y^-s.
  const rising = (sum: Tensor, from: number): Tensor => mul(mul(sum, plus(from)), plus(from + 1));
  const inner = add(rising(mul(z, 1 / 30240), 3), -1 / 720);
  const series = mul(add(rising(mul(z, inner), 1), 1 / 12), s);
  let sum = mul(power(SUMMED), add(add(div(far, plus(-1)), 0.5), mul(inverse, series)));
  for (let k = SUMMED - 1; k >= 0; k--) sum = add(sum, power(k));
  return sum;
}

/**
 * Hurwitz' zeta function in f32: the sum of (q + k)^-x over k = 0, 1, …; Riemann's for q = 1. Infinite where x is 1 and at q = 0, -1, …; NaN for x
 * below 1, for negative q unless x is a whole number, and from q = -10 down. Differentiable by both (PyTorch: by q alone).
 */
export const zeta: BinaryOp = (a, b) => {
  const [x, q] = alike('zeta', [a, b], 'float') as [Tensor, Tensor];
  const pole = logicalAnd(le(q, 0), eq(q, floor(q)));
  const negative = logicalAnd(lt(q, 0), ne(x, floor(x)));
  const outside = logicalOr(logicalOr(lt(x, 1), le(q, -SUMMED / 2)), negative);
  const none = logicalOr(logicalOr(outside, pole), le(x, 1));
  const sum = powerSum(where(none, 2, x), where(none, 1, q));
  const known = logicalOr(isnan(x), isnan(q));
  return where(
    known,
    add(x, q),
    where(lt(x, 1), Number.NaN, where(eq(x, 1), Infinity, where(pole, Infinity, where(outside, Number.NaN, sum)))),
  );
};

/**
 * Derivative number n of digamma, in f32: `tl.polygamma(1, x)`. From n = 2 on for x above -10: NaN elsewhere, and infinite at 0, -1, …
 * Throws ArgumentError unless n is a whole number of 0 to 33 (n! has to be a number).
 */
export function polygamma(n: number, x: Tensor): Tensor {
  checkInteger('polygamma', 'n', n, 0);
  if (n > 33) throw new ArgumentError(`[polygamma] n is ${n} (expected at most 33)`);
  const value = floatOf('polygamma', x);
  if (n === 0) return digamma(value);
  if (n === 1) return value.derive(trigammaNode(value.node));
  let factor = n % 2 === 0 ? -1 : 1;
  for (let i = 2; i <= n; i++) factor *= i;
  const outside = le(value, -SUMMED / 2);
  const pole = logicalAnd(le(value, 0), eq(value, floor(value)));
  const sum = mul(powerSum(n + 1, where(logicalOr(outside, pole), 1, value)), factor);
  return where(outside, Number.NaN, where(pole, factor * Infinity, sum));
}

/** Logarithm of the gamma function in p dimensions, in f32; NaN up to (p - 1) / 2. */
export function mvlgamma(x: Tensor, p: number): Tensor {
  checkInteger('mvlgamma', 'p', p, 1);
  const value = floatOf('mvlgamma', x);
  let sum = lgamma(value);
  for (let i = 1; i < p; i++) sum = add(sum, lgamma(sub(value, i / 2)));
  const shifted = add(sum, ((p * (p - 1)) / 4) * Math.log(Math.PI));
  return where(le(value, (p - 1) / 2), Number.NaN, shifted);
}

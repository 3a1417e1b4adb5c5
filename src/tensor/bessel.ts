/** Modified Bessel functions of the first kind, of orders 0 and 1. */
import { where } from './choosing.js';
import { customVjp } from './custom.js';
import { abs, add, div, eq, exp, le, mul, rsqrt, sign, sub, type UnaryOp } from './elementwise.js';
import { floatOf } from './operands.js';
import type { Tensor } from './tensor.js';

// Chebyshev coefficients, fitted to float64 values within 2e-8: of e^-x I(x) (over x for order 1) on 0..8, and of
// sqrt(x) e^-x I(x) in 8 / x beyond.
const NEAR = [
  [
    0.338397637, -0.304682672, 0.171620902, -0.094901097, 0.0493052842, -0.0237374148, 0.0105464604, -0.00432431,
    0.00163947562, -0.000576375575, 0.000188502885, -5.75419501e-5, 1.6448448e-5, -4.41673787e-6, 1.11738458e-6,
    -2.67062115e-7, 6.0373189e-8, -1.2481268e-8,
  ],
  [
    0.126293593, -0.176416518, 0.102643659, -0.0529459812, 0.024726449, -0.0105640849, 0.00415642294, -0.00151357245,
    0.000512285956, -0.000161760816, 4.78156511e-5, -1.32731637e-5, 3.4702513e-6, -8.56871975e-7, 2.00329152e-7,
    -4.44486062e-8, 9.3697998e-9, -1.82061342e-9,
  ],
] as const;
const FAR = [
  [0.402245206, 0.00336911648, 6.88975967e-5, 2.89140206e-6, 2.0487998e-7, 2.21726256e-8],
  [0.389288118, -0.00976109749, -0.000110588953, -3.88259738e-6, -2.51204658e-7, -2.575571e-8],
] as const;

/** A sum of Chebyshev polynomials at t, by Clenshaw's recurrence. */
function chebyshev(t: Tensor, coefficients: readonly number[]): Tensor {
  const twice = mul(t, 2);
  let [next, after]: [Tensor, Tensor] = [mul(t, 0), mul(t, 0)];
  for (let k = coefficients.length - 1; k > 0; k--) {
    [next, after] = [add(sub(mul(twice, next), after), coefficients[k]!), next];
  }
  return add(sub(mul(t, next), after), coefficients[0]!);
}

/** e^-|x| I(x) of an order. */
function scaled(x: Tensor, order: 0 | 1): Tensor {
  const size = abs(x);
  const small = le(size, 8);
  const near = chebyshev(sub(mul(where(small, size, 0), 0.25), 1), NEAR[order]);
  const large = where(small, 8, size);
  const far = mul(chebyshev(sub(div(16, large), 1), FAR[order]), rsqrt(large));
  return order === 0 ? where(small, near, far) : where(small, mul(x, near), mul(sign(x), far));
}

/** From the scaled function: in two steps, since e^|x| overflows before I(x) does. */
function unscaled(x: Tensor, order: 0 | 1): Tensor {
  const half = exp(mul(abs(x), 0.5));
  return mul(mul(scaled(x, order), half), half);
}

/** A function with its derivative, which is told from the functions themselves. */
const withSlope = (op: string, value: (x: Tensor) => Tensor, slope: (x: Tensor) => Tensor): UnaryOp => {
  const differentiable = customVjp(
    (x: Tensor) => [value(x), x],
    (x, g: Tensor) => [mul(g, slope(x))],
  );
  return (x) => differentiable(floatOf(op, x));
};

/** I1(x) / x, scaled or not: 1/2 at 0. */
const quotient = (y: Tensor, x: Tensor): Tensor => where(eq(x, 0), 0.5, div(y, where(eq(x, 0), 1, x)));

/** The modified Bessel function of order 0, in f32. */
export const i0: UnaryOp = withSlope(
  'i0',
  (x) => unscaled(x, 0),
  (x) => unscaled(x, 1),
);
/** e^-|x| i0(x), which does not overflow; in f32. */
export const i0e: UnaryOp = withSlope(
  'i0e',
  (x) => scaled(x, 0),
  (x) => sub(scaled(x, 1), mul(sign(x), scaled(x, 0))),
);
/** The modified Bessel function of order 1, in f32. */
export const i1: UnaryOp = withSlope(
  'i1',
  (x) => unscaled(x, 1),
  (x) => sub(unscaled(x, 0), quotient(unscaled(x, 1), x)),
);
/** e^-|x| i1(x), which does not overflow; in f32. */
export const i1e: UnaryOp = withSlope(
  'i1e',
  (x) => scaled(x, 1),
  (x) => sub(scaled(x, 0), add(quotient(scaled(x, 1), x), mul(sign(x), scaled(x, 1)))),
);

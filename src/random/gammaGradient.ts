import {
  add,
  digamma,
  div,
  exp,
  full,
  gt,
  le,
  log,
  logicalAnd,
  lt,
  mul,
  neg,
  pow,
  reciprocal,
  sqrt,
  sub,
  type Tensor,
  where,
} from '../tensor/index.js';

/**
 * The derivative of the logarithm of a gamma sample by its shape parameter alpha, at a fixed probability: -(dF/dalpha) / (x dF/dx) for the
 * distribution function F (Figurnov et al., 2018). As PyTorch computes it: a series for small x, Rice's saddle point expansion for large
 * alpha, and between them a rational function of log(x / alpha) and log(alpha), within 1e-3 of the exact value.
 */
export function logGammaSlope(alpha: Tensor, x: Tensor, logX: Tensor): Tensor {
  const small = lt(x, 0.8);
  const large = gt(alpha, 8);
  // Each way gets arguments for which it is finite: the others' results are not used, but NaN would not go away.
  const between = slopeBetween(alpha, sub(logX, log(alpha)));
  const ratio = div(x, alpha);
  const near = logicalAnd(le(0.9, ratio), le(ratio, 1.1));
  const saddle = where(near, slopeAtMode(alpha, ratio), slopeOffMode(alpha, where(near, 0.5, ratio)));
  return where(small, slopeOfSeries(alpha, where(small, x, 0), logX), where(large, saddle, between));
}

/** F = x^alpha / Gamma(alpha) sum of (-x)^i / (i! (alpha + i)), to i = 5. */
function slopeOfSeries(alpha: Tensor, x: Tensor, logX: Tensor): Tensor {
  let numerator = full(alpha.shape, 1);
  let series = reciprocal(alpha);
  let squares = mul(series, series);
  for (let i = 1; i <= 5; i++) {
    numerator = mul(numerator, mul(x, -1 / i));
    const part = reciprocal(add(alpha, i));
    series = add(series, mul(numerator, part));
    squares = add(squares, mul(numerator, mul(part, part)));
  }
  return mul(sub(squares, mul(sub(logX, digamma(alpha)), series)), exp(x));
}

/** Near the mode, in powers of 1 / alpha; r is x / alpha. */
function slopeAtMode(alpha: Tensor, r: Tensor): Tensor {
  const i = reciprocal(alpha);
  const one = add(mul(add(i, 24), i), 288);
  const quadratic = mul(mul(r, 6), sub(mul(i, 53), mul(r, 120)));
  const rest = add(sub(mul(i, 107), mul(mul(mul(r, r), 65), i)), mul(r, 3600));
  const two = add(add(quadratic, 1440), rest);
  return div(div(mul(one, two), 1244160), mul(r, alpha));
}

function slopeOffMode(alpha: Tensor, r: Tensor): Tensor {
  const scale = sqrt(mul(alpha, 8));
  const logR = log(r);
  const second = div(scale, mul(alpha, sub(1, r)));
  const third = pow(mul(alpha, sub(sub(r, 1), logR)), -1.5);
  const both = where(lt(r, 1), sub(second, third), add(second, third));
  const away = mul(alpha, mul(sub(1, r), sub(1, r)));
  const first = sub(mul(logR, both), mul(sqrt(div(2, alpha)), div(add(r, 1), away)));
  const stirling = add(div(add(div(1, mul(alpha, 24)), 1), mul(alpha, 12)), 1);
  return neg(div(mul(stirling, first), scale));
}

const RATIONAL = [
  [0.16009398, -0.094634809, 0.025146376, -0.0030648343, 1, 0.32668115, 0.10406089, 0.0014179084],
  [0.53487893, 0.1298071, 0.065735949, -0.0015649758, 0.16639465, 0.020070113, -0.0035938915, -0.00058392623],
  [0.040121004, -0.0065914022, -0.0026286047, -0.0013441777, 0.017050642, -0.0021309326, 0.00085092367, -1.5247877e-7],
] as const;

/** `u` is log(x / alpha). The rational function gives dx / dalpha. */
function slopeBetween(alpha: Tensor, u: Tensor): Tensor {
  const v = log(alpha);
  const polynomial = (from: number): Tensor => {
    const c = [0, 1, 2, 3].map((i) => {
      const [a, b, d] = RATIONAL.map((row) => row[from + i]!) as [number, number, number];
      return add(mul(u, add(mul(u, d), b)), a);
    });
    return add(mul(v, add(mul(v, add(mul(v, c[3]!), c[2]!)), c[1]!)), c[0]!);
  };
  return exp(sub(sub(div(polynomial(0), polynomial(4)), u), v));
}

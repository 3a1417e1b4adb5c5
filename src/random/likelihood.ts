/** Logarithms of probabilities of counts without the cancellation that sums of log-gammas have (Loader, 2000). */
import { add, div, log, log1p, lt, mul, neg, sub, type Tensor, where } from '../tensor/index.js';

/** (1 + y) log(1 + y) - y: how unlikely a count is that is (1 + y) times the expected one, in parts of the latter. */
export function deviance(y: Tensor): Tensor {
  const small = lt(mul(y, y), 0.01);
  const s = where(small, y, 0);
  // y^2 / 2 - y^3 / 6 + y^4 / 12 - ..., (-y)^n / (n (n - 1)).
  const series = [-1 / 72, 1 / 56, -1 / 42, 1 / 30, -1 / 20, 1 / 12, -1 / 6, 1 / 2].reduce(
    (sum, c) => add(mul(sum, s), c),
    mul(s, 0),
  );
  const far = where(small, 0, y);
  const whole = add(far, 1);
  const direct = sub(mul(whole, log(whole)), far);
  return where(small, mul(mul(s, s), series), direct);
}

/** log(k!) less Stirling's approximation of it, for k of at least 1, within 2e-5: a continued fraction. */
export function stirlingError(k: Tensor): Tensor {
  let below = k;
  for (const c of [22999 / 22737, 195 / 371, 53 / 210, 1 / 30]) below = add(k, div(c, below));
  return div(1 / 12, below);
}

/** log(2 pi k), half of it. */
const halfLog = (k: Tensor): Tensor => mul(log(mul(k, 2 * Math.PI)), 0.5);

/** The log-probability of count k under Poisson's distribution of a mean; `above` is k - mean, which may be known better than k. */
export function logPoisson(k: Tensor, mean: Tensor, above: Tensor): Tensor {
  const none = lt(k, 0.5);
  const some = where(none, 1, k);
  const far = mul(mean, deviance(where(none, 0, div(above, mean))));
  return where(none, neg(mean), neg(add(add(far, stirlingError(some)), halfLog(some))));
}

/** The log-probability of k successes among n, of probability p; `above` is k - n p. */
export function logBinomial(k: Tensor, n: Tensor, p: Tensor, above: Tensor): Tensor {
  const q = sub(1, p);
  const failures = sub(n, k);
  const none = lt(k, 0.5);
  const all = lt(failures, 0.5);
  const edge = none.logicalOr(all);
  const [some, other] = [where(edge, 1, k), where(edge, 1, failures)];
  const [expected, unexpected] = [mul(n, p), mul(n, q)];
  const away = where(edge, 0, above);
  const far = add(mul(expected, deviance(div(away, expected))), mul(unexpected, deviance(div(neg(away), unexpected))));
  const stirling = sub(stirlingError(n), add(stirlingError(some), stirlingError(other)));
  const width = mul(log(mul(div(mul(some, other), n), 2 * Math.PI)), -0.5);
  const inside = add(sub(stirling, far), width);
  return where(none, mul(n, log1p(neg(p))), where(all, mul(n, log(p)), inside));
}

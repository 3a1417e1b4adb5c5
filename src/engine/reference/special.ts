/** Special functions to float64's precision. */

const ROOT_PI = Math.sqrt(Math.PI);

/** Error function: erf(x) = 2 / sqrt(pi) e^(-x²) (x + 2 x³ / 3 + 4 x⁵ / 15 + …), whose terms do not cancel. */
export function erf(x: number): number {
  // erfc(6) is 2e-17. Written so that NaN goes on.
  if (Math.abs(x) >= 6) return Math.sign(x);
  const twice = 2 * x * x;
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > Math.abs(sum) * 1e-17; odd += 2) {
    term *= twice / odd;
    sum += term;
  }
  return (2 / ROOT_PI) * Math.exp(-x * x) * sum;
}

/** 1 - erf(x); from 2 on a continued fraction. */
export function erfc(x: number): number {
  if (!(x >= 2)) return 1 - erf(x);
  if (x > 28) return 0;
  let fraction = x;
  for (let k = 80; k >= 1; k--) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / (ROOT_PI * fraction);
}

/** Newton's method with Halley's correction, on erf near 0 and on erfc beyond. */
export function erfinv(x: number): number {
  const a = Math.abs(x);
  if (!(a < 1)) return a === 1 ? x * Infinity : Number.NaN;
  if (a < 1e-8) return (x * ROOT_PI) / 2;
  // Winitzki's approximation.
  const w = Math.log1p(-a * a);
  const half = 2 / (Math.PI * 0.147) + w / 2;
  let y = Math.sqrt(Math.sqrt(half * half - w / 0.147) - half);
  for (let i = 0; i < 4; i++) {
    const error = a < 0.5 ? erf(y) - a : 1 - a - erfc(y);
    const step = (error * ROOT_PI * Math.exp(y * y)) / 2;
    y -= step / (1 + y * step);
  }
  return x < 0 ? -y : y;
}

/** What x is away from the nearest whole number. */
const fromWhole = (x: number): number => x - Math.round(x);

/** log |Γ(x)|: Stirling's series after steps up to 10, its own series at the zeros 1 and 2, a reflection below 0. */
export function lgamma(x: number): number {
  if (Math.abs(x) === Infinity) return Infinity;
  if (x <= 0) {
    const sine = Math.abs(Math.sin(Math.PI * fromWhole(x)));
    return x === 0 || sine === 0 ? Infinity : Math.log(Math.PI) - Math.log(-x) - Math.log(sine) - lgamma(-x);
  }
  const z = x - 1;
  if (Math.abs(z) < 1e-3) return z * (-0.5772156649015329 + z * (0.8224670334241132 - z * 0.4006856343865314));
  if (Math.abs(x - 2) < 1e-3) return Math.log1p(x - 2) + lgamma(z);
  let product = 1;
  let y = x;
  for (; y < 10; y++) product *= y;
  const r = 1 / (y * y);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / y;
  return (y - 0.5) * Math.log(y) - y + Math.log(2 * Math.PI) / 2 + series - Math.log(product);
}

/** Γ'(x) / Γ(x): an asymptotic series after steps up to 10, a reflection below 0. */
export function digamma(x: number): number {
  if (x === 0) return -1 / x;
  if (x < 0) {
    const rest = x === -Infinity ? 0 : fromWhole(x);
    return rest === 0 ? Number.NaN : digamma(1 - x) - Math.PI / Math.tan(Math.PI * rest);
  }
  let sum = 0;
  let y = x;
  for (; y < 10; y++) sum += 1 / y;
  const r = 1 / (y * y);
  const series = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r / 132))));
  return Math.log(y) - 0.5 / y - series - sum;
}

/** Float64 references and the largest error allowed from each function, in units of the last place of an f32. */

/** erf to about 1e-15, from its series and its continued fraction. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (Number.isNaN(x) || a > 6) return Number.isNaN(x) ? x : Math.sign(x);
  if (a < 3) {
    let [sum, term] = [a, a];
    for (let n = 1; term > 1e-18 * sum; n++) {
      term *= (2 * a * a) / (2 * n + 1);
      sum += term;
    }
    return (Math.sign(x) * 2 * Math.exp(-a * a) * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let k = 80; k >= 1; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}

/** 1 - erf(x); from 2 on by its continued fraction. */
function erfc(x: number): number {
  if (!(x >= 2)) return 1 - erf(x);
  let fraction = 0;
  for (let k = 80; k >= 1; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

interface Reference<F> {
  readonly exact: F;
  /** What this repository's largest error is, measured over the whole range, rounded up. */
  readonly ulps: number;
}

export const unaryReferences: Record<string, Reference<(x: number) => number>> = {
  reciprocal: { exact: (x) => 1 / x, ulps: 0.5 },
  sqrt: { exact: Math.sqrt, ulps: 0.5 },
  rsqrt: { exact: (x) => 1 / Math.sqrt(x), ulps: 1.5 },
  exp: { exact: Math.exp, ulps: 1 },
  expm1: { exact: Math.expm1, ulps: 2.2 },
  log: { exact: Math.log, ulps: 0.8 },
  log1p: { exact: Math.log1p, ulps: 0.9 },
  sin: { exact: Math.sin, ulps: 2.5 },
  cos: { exact: Math.cos, ulps: 2.5 },
  tan: { exact: Math.tan, ulps: 3.7 },
  asin: { exact: Math.asin, ulps: 2.3 },
  acos: { exact: Math.acos, ulps: 1.1 },
  atan: { exact: Math.atan, ulps: 2 },
  sinh: { exact: Math.sinh, ulps: 1.7 },
  cosh: { exact: Math.cosh, ulps: 1.4 },
  tanh: { exact: Math.tanh, ulps: 1.3 },
  sigmoid: { exact: (x) => 1 / (1 + Math.exp(-x)), ulps: 2.4 },
  erf: { exact: erf, ulps: 1.5 },
  log2: { exact: Math.log2, ulps: 2 },
  log10: { exact: Math.log10, ulps: 2 },
  erfc: { exact: erfc, ulps: 3.6 },
};

export const binaryReferences: Record<string, Reference<(x: number, y: number) => number>> = {
  add: { exact: (x, y) => x + y, ulps: 0.5 },
  sub: { exact: (x, y) => x - y, ulps: 0.5 },
  mul: { exact: (x, y) => x * y, ulps: 0.5 },
  div: { exact: (x, y) => x / y, ulps: 0.5 },
  pow: { exact: (x, y) => x ** y, ulps: 1.2 },
  atan2: { exact: Math.atan2, ulps: 1.8 },
  fmod: { exact: (x, y) => x % y, ulps: 0 },
};

const SMALLEST_NORMAL = 2 ** -126;

/** True for values that an engine may flush to zero. */
export const isSubnormal = (x: number): boolean => x !== 0 && Math.abs(x) < SMALLEST_NORMAL;

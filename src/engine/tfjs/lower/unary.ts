import type { UnaryFn } from '../../../graph/index.js';
import type { Emit } from '../emit.js';
import type { Ref } from '../tape.js';

/** A function of f32; null where the backend's kernels are not exact enough. */
type Floats = (e: Emit, x: Ref) => Ref;

/** log2 and log10 are multiples of the natural logarithm, which is within an ulp. */
const scaledLog =
  (factor: number): Floats =>
  (e, x) =>
    e.mul(e.unary('Log', x), e.float(factor));

/** Keeps zeros and what is too small to differ from its image: some kernels lose the sign of -0. */
const keepingZeros =
  (fn: Floats): Floats =>
  (e, x) =>
    e.select(e.equal(x, e.float(0)), x, fn(e, x));

/** log(u) of the rounded u = 1 + x, and what the rounding lost. */
const log1p: Floats = (e, x) => {
  const u = e.add(x, e.float(1));
  const log = e.unary('Log', u);
  const lost = e.div(e.sub(x, e.sub(u, e.float(1))), u);
  const ends = e.or(e.equal(u, e.float(0)), e.equal(u, e.float(Infinity)));
  return e.select(ends, log, e.add(log, lost));
};

/** The kernels of wasm are right to 1e-7, which is much where the result is small; their tangent is right to an ulp. */
const sin: Floats = (e, x) => {
  const t = e.unary('Tan', e.mul(x, e.float(0.5)));
  return e.div(e.add(t, t), e.add(e.mul(t, t), e.float(1)));
};
const cos: Floats = (e, x) => {
  const t = e.unary('Tan', x);
  const size = e.div(e.float(1), e.unary('Sqrt', e.add(e.mul(t, t), e.float(1))));
  return e.select(e.less(e.mul(sin(e, x), t), e.float(0)), e.unary('Neg', size), size);
};

const erf: Floats = (e, x) => {
  const a = e.unary('Abs', x);
  const t = e.binary('Minimum', a, e.float(4));
  const exponent = polynomial(
    e,
    t,
    [-1.28717512e-1, -6.34846687e-1, -1.06777877e-1, 2.42546219e-2, -3.88396438e-3, 3.83197126e-4, -1.7285347e-5],
  );
  const tail = e.sub(e.float(1), e.unary('Exp', e.sub(e.mul(exponent, t), t)));
  const large = e.mul(tail, e.unary('Sign', x));
  const z = e.mul(x, x);
  const series = polynomial(
    e,
    z,
    [1.28379166e-1, -3.76125336e-1, 1.12819925e-1, -2.67681349e-2, 4.99119423e-3, -5.96761703e-4],
  );
  const small = e.add(x, e.mul(x, series));
  const result = e.select(e.less(a, e.float(0.92773438)), small, large);
  return e.select(e.isNaN(x), x, result);
};

/** c[0] + x (c[1] + x (…)). */
export function polynomial(e: Emit, x: Ref, coefficients: readonly number[]): Ref {
  return coefficients.reduceRight<Ref | null>(
    (sum, c) => (sum === null ? e.float(c) : e.add(e.mul(sum, x), e.float(c))),
    null,
  )!;
}

/** Functions of f32 by kernels; what is not here is read back. */
export const FLOAT_UNARY: Partial<Record<UnaryFn, Floats>> = {
  neg: (e, x) => e.unary('Neg', x),
  abs: (e, x) => e.unary('Abs', x),
  // 0 for NaN.
  sign: (e, x) => {
    const zero = e.float(0);
    return e.sub(e.boolToFloat(e.less(zero, x)), e.boolToFloat(e.less(x, zero)));
  },
  floor: (e, x) => e.unary('Floor', x),
  ceil: (e, x) => e.unary('Ceil', x),
  // The cpu backend loses the sign of what rounds to -0.
  round: (e, x) => (e.backend === 'cpu' ? withSign(e, e.unary('Round', x), x) : e.unary('Round', x)),
  trunc: (e, x) => e.select(e.less(x, e.float(0)), e.unary('Ceil', x), e.unary('Floor', x)),
  reciprocal: (e, x) => e.unary('Reciprocal', x),
  sqrt: (e, x) => e.unary('Sqrt', x),
  rsqrt: (e, x) => e.unary('Rsqrt', x),
  exp: (e, x) => e.unary('Exp', x),
  expm1: (e, x) => e.unary('Expm1', x),
  log: (e, x) => e.unary('Log', x),
  log1p: keepingZeros((e, x) => (e.backend === 'wasm' ? log1p(e, x) : e.unary('Log1p', x))),
  log2: scaledLog(Math.LOG2E),
  log10: scaledLog(Math.LOG10E),
  sin: keepingZeros((e, x) => (e.backend === 'wasm' ? sin(e, x) : e.unary('Sin', x))),
  cos: (e, x) => (e.backend === 'wasm' ? cos(e, x) : e.unary('Cos', x)),
  tan: (e, x) => e.unary('Tan', x),
  asin: (e, x) => e.unary('Asin', x),
  acos: (e, x) => e.unary('Acos', x),
  atan: (e, x) => e.unary('Atan', x),
  sinh: (e, x) => e.unary('Sinh', x),
  cosh: (e, x) => e.unary('Cosh', x),
  tanh: (e, x) => e.unary('Tanh', x),
  sigmoid: (e, x) => e.unary('Sigmoid', x),
  erf,
  isnan: (e, x) => e.isNaN(x),
  isinf: (e, x) => e.equal(e.unary('Abs', x), e.float(Infinity)),
  isfinite: (e, x) => e.less(e.unary('Abs', x), e.float(Infinity)),
  // The reciprocal of -0 is below 0.
  signbit: (e, x) => {
    const zero = e.float(0);
    return e.or(e.less(x, zero), e.and(e.equal(x, zero), e.less(e.unary('Reciprocal', x), zero)));
  },
};

/** `result` with -0 for 0 where `x` is below 0 or -0. */
function withSign(e: Emit, result: Ref, x: Ref): Ref {
  const zero = e.float(0);
  return e.select(e.equal(result, zero), e.mul(x, zero), result);
}

/** Functions of i32 and, as the same words, u32. */
export const INT_UNARY: Partial<Record<UnaryFn, (e: Emit, x: Ref, signed: boolean) => Ref>> = {
  neg: (e, x) => e.sub(e.int(0), x),
  abs: (e, x, signed) => (signed ? e.select(e.less(x, e.int(0)), e.sub(e.int(0), x), x) : x),
  sign: (e, x, signed) =>
    signed ? e.sub(e.toInt(e.less(e.int(0), x)), e.toInt(e.less(x, e.int(0)))) : e.toInt(e.notEqual(x, e.int(0))),
  bitwiseNot: (e, x) => e.sub(e.int(-1), x),
};

import { type DType, isFloat, rangeOf, roundToDType, wideDType } from '../dtype.js';
import type { BinaryFn, UnaryFn } from '../node.js';

/** Nearest integer, halves to even. */
function roundHalfToEven(x: number): number {
  const r = Math.round(x);
  return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

/**
 * Elementwise functions of one number, in float64; storing the result rounds it. null where folding is not worth its own definition.
 */
export const UNARY_VALUES: Record<UnaryFn, ((x: number) => number) | null> = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: (x) => Number(x > 0) - Number(x < 0),
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfToEven,
  trunc: Math.trunc,
  reciprocal: (x) => 1 / x,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  log2: Math.log2,
  log10: Math.log10,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  erf: null,
  erfc: null,
  erfinv: null,
  lgamma: null,
  digamma: null,
  isnan: (x) => Number(Number.isNaN(x)),
  isinf: (x) => Number(Math.abs(x) === Infinity),
  isfinite: (x) => Number(Number.isFinite(x)),
  signbit: (x) => Number(x < 0 || Object.is(x, -0)),
  logicalNot: (x) => 1 - x,
  bitwiseNot: (x) => ~x,
};

type BinaryValue = (a: number, b: number, dtype: DType) => number;

/** As UNARY_VALUES. Integers wrap when stored. */
export const BINARY_VALUES: Record<BinaryFn, BinaryValue | null> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b, dtype) => (dtype === 'f32' ? a * b : Math.imul(a, b)),
  div: (a, b) => a / b,
  floorDiv: null,
  remainder: null,
  fmod: (a, b, dtype) => (dtype !== 'f32' && b === 0 ? 0 : a % b),
  pow: null,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  atan2: (y, x) => Math.atan2(y, x),
  nextafter: null,
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shiftLeft: null,
  shiftRight: null,
  gcd: null,
};

/** Numeric conversion: floats to integers truncate and saturate (storing NaN gives 0), by way of i32 for i8 and u8; between integers wraps; to bool is != 0, NaN true. */
export function castValue(x: number, from: DType, to: DType): number {
  if (to === 'bool') return x === 0 ? 0 : 1;
  if (!isFloat(from) || isFloat(to)) return roundToDType(x, to);
  const [low, high] = rangeOf(wideDType(to));
  return Math.min(Math.max(Math.trunc(x), low), high);
}

import type { DType, TypedArray, UnaryFn } from '../../graph/index.js';
import { digamma, erf, erfc, erfinv, lgamma } from './special.js';

/** Fills `out`, whose dtype rounds. */
type UnaryLoop = (x: TypedArray, out: TypedArray) => void;
type UnaryLoops = Partial<Record<DType, UnaryLoop>>;

const each =
  (fn: (x: number) => number): UnaryLoop =>
  (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = fn(x[i]!);
  };

const float = (fn: (x: number) => number): UnaryLoops => ({ f32: each(fn) });
const integers = (fn: (x: number) => number): UnaryLoops => ({ i32: each(fn), u32: each(fn) });

const negate: UnaryLoop = (x, out) => {
  for (let i = 0; i < out.length; i++) out[i] = -x[i]!;
};

/** 0 for NaN and for both zeros, as PyTorch's. */
const sign = (x: number): number => Number(x > 0) - Number(x < 0);

/** Nearest whole number, halves to even; keeps -0. */
function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  const nearest = rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
  // Infinities leave no rest, and what rounds to zero keeps its sign.
  if (!Number.isFinite(x)) return x;
  return nearest === 0 && (x < 0 || Object.is(x, -0)) ? -0 : nearest;
}

/** Every unary function: one loop for each dtype that it takes. Computed in float64. */
export const UNARY: Record<UnaryFn, UnaryLoops> = {
  // Integers wrap: -INT_MIN is INT_MIN.
  neg: { f32: negate, i32: negate, u32: negate },
  abs: { ...float(Math.abs), ...integers(Math.abs) },
  sign: { ...float(sign), ...integers(sign) },
  floor: float(Math.floor),
  ceil: float(Math.ceil),
  round: float(roundHalfToEven),
  trunc: float(Math.trunc),
  reciprocal: float((x) => 1 / x),
  sqrt: {
    f32: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(x[i]!);
    },
  },
  rsqrt: float((x) => 1 / Math.sqrt(x)),
  exp: {
    f32: (x, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.exp(x[i]!);
    },
  },
  expm1: float(Math.expm1),
  log: float(Math.log),
  log1p: float(Math.log1p),
  log2: float(Math.log2),
  log10: float(Math.log10),
  sin: float(Math.sin),
  cos: float(Math.cos),
  tan: float(Math.tan),
  asin: float(Math.asin),
  acos: float(Math.acos),
  atan: float(Math.atan),
  sinh: float(Math.sinh),
  cosh: float(Math.cosh),
  tanh: float(Math.tanh),
  sigmoid: float((x) => 1 / (1 + Math.exp(-x))),
  erf: float(erf),
  erfc: float(erfc),
  erfinv: float(erfinv),
  lgamma: float(lgamma),
  digamma: float(digamma),
  isnan: float((x) => Number(Number.isNaN(x))),
  isinf: float((x) => Number(Math.abs(x) === Infinity)),
  isfinite: float((x) => Number(Number.isFinite(x))),
  signbit: float((x) => Number(x < 0 || Object.is(x, -0))),
  logicalNot: { bool: each((x) => 1 - x) },
  bitwiseNot: integers((x) => ~x),
};

/**
 * Every function of the kernel IR, defined once for all engines from operations that are right everywhere. NaN, infinities and
 * signed zeros come out as from PyTorch on a CPU; results below the smallest normal number may be zero.
 *
 * Largest errors in ulp, measured against float64 over the whole range of arguments where division and square root round correctly
 * (CPUs, SwiftShader: bit for bit the same there). GPUs may divide with an error of 2.5 ulp; the promise is 4.
 *
 * | function | ulp | function | ulp | function | ulp |
 * |---|---|---|---|---|---|
 * | exp | 0.97 | sin | 2.47 | sinh | 1.59 |
 * | expm1 | 2.11 | cos | 2.43 | cosh | 1.39 |
 * | log | 0.77 | tan | 3.62 | tanh | 1.25 |
 * | log1p | 0.81 | asin | 2.20 | sigmoid | 2.31 |
 * | pow | 1.17 | acos | 1.07 | erf | 1.38 |
 * | rsqrt | 1.49 | atan | 1.98 | atan2 | 1.79 |
 *
 * Exact: rounding, signs, comparisons, max, min, fmod, integer functions and casts. Correctly rounded: + - * / sqrt reciprocal.
 *
 * What WGSL's own functions get wrong, seen on SwiftShader: x != x is false for NaN; max and min drop NaN and mix up the zeros;
 * exp(NaN) is inf, log(0) -88 and log(-1) 0, tanh(100) NaN, pow(-2, 3) 8, sin(1e10) 1, atan2(-0, 1) pi; f32 to i32 saturates to
 * 2147483520; u32 to f32 rounds twice; x * 0 folds to 0, x + 0 to x, 0 - x to -x, (1 + x) - 1 to x, c - (x - d) to (c + d) - x; the
 * literal -0.0 is +0. Sound there: + - * / on variables, < <= ==, floor, ceil, trunc, round, abs, sqrt, bitcasts, select, integers.
 */
import type { BinaryFn, UnaryFn, WordDType } from '../../src/graph/index.js';
import * as basics from './basics.js';
import type { NumericFn } from './body.js';
import * as division from './division.js';
import * as exponential from './exponential.js';
import * as integers from './integers.js';
import * as inverse from './inverse-trigonometry.js';
import * as logarithm from './logarithm.js';
import * as power from './power.js';
import * as special from './special-functions.js';
import * as trigonometry from './trigonometry.js';

export { better } from './basics.js';
export * from './body.js';
export { casts } from './integers.js';
export { castFn, packedFns } from './packed.js';
export { threefry } from './threefry.js';

type ByDType = Partial<Record<WordDType, NumericFn>>;

const { floatFns, integerFns } = basics;
const f32 = (fn: NumericFn): ByDType => ({ f32: fn });

/** The function of each operand dtype it is allowed for. */
export const unaryFns: Record<UnaryFn, ByDType> = {
  neg: { f32: floatFns.neg, i32: integerFns.neg_i32, u32: integerFns.neg_u32 },
  abs: { f32: floatFns.abs, i32: integerFns.abs_i32, u32: integerFns.abs_u32 },
  sign: { f32: floatFns.sign, i32: integerFns.sign_i32, u32: integerFns.sign_u32 },
  floor: f32(floatFns.floor),
  ceil: f32(floatFns.ceil),
  round: f32(floatFns.round),
  trunc: f32(floatFns.trunc),
  reciprocal: f32(floatFns.reciprocal),
  sqrt: f32(floatFns.sqrt),
  rsqrt: f32(floatFns.rsqrt),
  exp: f32(exponential.exp),
  expm1: f32(exponential.expm1),
  log: f32(logarithm.log),
  log1p: f32(logarithm.log1p),
  log2: f32(logarithm.log2),
  log10: f32(logarithm.log10),
  sin: f32(trigonometry.sin),
  cos: f32(trigonometry.cos),
  tan: f32(trigonometry.tan),
  asin: f32(inverse.asin),
  acos: f32(inverse.acos),
  atan: f32(inverse.atan),
  sinh: f32(exponential.sinh),
  cosh: f32(exponential.cosh),
  tanh: f32(exponential.tanh),
  sigmoid: f32(exponential.sigmoid),
  erf: f32(exponential.erf),
  erfc: f32(special.erfc),
  erfinv: f32(special.erfinv),
  lgamma: f32(special.lgamma),
  digamma: f32(special.digamma),
  isnan: f32(floatFns.isnan),
  isinf: f32(floatFns.isinf),
  isfinite: f32(floatFns.isfinite),
  signbit: f32(floatFns.signbit),
  logicalNot: { bool: basics.logicalNot },
  bitwiseNot: { i32: integerFns.not_i32, u32: integerFns.not_u32 },
};

const pairs = {
  f32: basics.pairs('f32'),
  i32: basics.pairs('i32'),
  u32: basics.pairs('u32'),
  bool: basics.pairs('bool'),
};
type Pair = keyof (typeof pairs)['f32'];
const numbers = (fn: Pair): ByDType => ({ f32: pairs.f32[fn], i32: pairs.i32[fn], u32: pairs.u32[fn] });
const all = (fn: Pair): ByDType => ({ ...numbers(fn), bool: pairs.bool[fn] });
const bits = { i32: basics.bitwise('i32'), u32: basics.bitwise('u32'), bool: basics.bitwise('bool') };
const ofBits = (fn: 'and' | 'or' | 'xor'): ByDType => ({ i32: bits.i32[fn], u32: bits.u32[fn], bool: bits.bool[fn] });

export const binaryFns: Record<BinaryFn, ByDType> = {
  add: numbers('add'),
  sub: numbers('sub'),
  mul: numbers('mul'),
  div: f32(basics.divide),
  floorDiv: { f32: division.floorDivF32, i32: division.floorDivI32, u32: division.floorDivU32 },
  remainder: { f32: division.remainderF32, i32: division.remainderI32, u32: division.remainderU32 },
  fmod: { f32: division.fmodF32, i32: division.fmodI32, u32: division.remainderU32 },
  pow: { f32: power.powF32, i32: power.powI32, u32: power.powU32 },
  max: all('max'),
  min: all('min'),
  atan2: f32(inverse.atan2),
  nextafter: f32(basics.nextafter),
  eq: all('eq'),
  ne: all('ne'),
  lt: all('lt'),
  le: all('le'),
  and: ofBits('and'),
  or: ofBits('or'),
  xor: ofBits('xor'),
  shiftLeft: { i32: integers.shiftLeftI32, u32: integers.shiftLeftU32 },
  shiftRight: { i32: integers.shiftRightI32, u32: integers.shiftRightU32 },
  gcd: { i32: integers.gcdI32, u32: integers.gcdU32 },
};

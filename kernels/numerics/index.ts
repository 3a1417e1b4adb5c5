/**
 * Every function of the kernel IR, defined once for all engines from operations that are right everywhere. NaN, infinities and
 * signed zeros come out as from PyTorch on a CPU. Largest errors, measured against float64 (test/kernels/numerics):
 */
import type { BinaryFn, DType, UnaryFn } from '../../src/graph/index.js';
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
export { threefry } from './threefry.js';

type ByDType = Partial<Record<DType, NumericFn>>;

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

/** Functions of a few exact operations: signs, rounding, order, comparisons, logic. */
import { isNaNBits, keepNaN, magnitude, signBit } from './bits.js';
import {
  abs,
  add,
  and,
  bitsToF32,
  bitsToI32,
  bitsToU32,
  ceil,
  constant,
  define,
  div,
  eq,
  floor,
  gt,
  i32,
  le,
  lt,
  max,
  min,
  mul,
  NAN,
  type Num,
  type NumericFn,
  type NumType,
  ne,
  neg,
  not,
  or,
  roundEven,
  select,
  sqrt,
  sub,
  trunc,
  u32,
  xor,
} from './body.js';

const ofFloat = (name: string, build: (x: Num) => Num): NumericFn => define(name, ['f32'], build);

/** What a square root is below zero is left open by WGSL. */
const guardedRoot = (x: Num, root: Num): Num => select(lt(x, 0), NAN, root);

export const floatFns = {
  neg: ofFloat('neg_f32', neg),
  abs: ofFloat('abs_f32', abs),
  /** 0 for both zeros and for NaN, as PyTorch's. */
  sign: ofFloat('sign_f32', (x) => select(lt(0, x), 1, select(lt(x, 0), -1, 0))),
  floor: ofFloat('floor', floor),
  ceil: ofFloat('ceil', ceil),
  trunc: ofFloat('trunc', trunc),
  /** Halves to even. */
  round: ofFloat('round', roundEven),
  /** 0.5 ulp where division is correctly rounded (CPUs). */
  reciprocal: ofFloat('reciprocal', (x) => div(1, x)),
  /** 0.5 ulp where the engine's root is correctly rounded (CPUs). sqrt(-0) = -0. */
  sqrt: ofFloat('sqrt', (x) => guardedRoot(x, sqrt(x))),
  /** rsqrt(±0) = ±inf. */
  rsqrt: ofFloat('rsqrt', (x) => guardedRoot(x, div(1, sqrt(x)))),
  isnan: ofFloat('isnan', isNaNBits),
  isinf: ofFloat('isinf', (x) => eq(magnitude(x), i32(0x7f800000))),
  isfinite: ofFloat('isfinite', (x) => lt(magnitude(x), i32(0x7f800000))),
  /** False for NaN, whose sign means nothing. */
  signbit: ofFloat('signbit', (x) => and(lt(bitsToI32(x), i32(0)), not(isNaNBits(x)))),
};

export const integerFns = {
  neg_i32: define('neg_i32', ['i32'], neg),
  neg_u32: define('neg_u32', ['u32'], (x) => sub(u32(0), x)),
  /** INT_MIN stays. */
  abs_i32: define('abs_i32', ['i32'], (x) => max(x, sub(i32(0), x))),
  abs_u32: define('abs_u32', ['u32'], (x) => x),
  sign_i32: define('sign_i32', ['i32'], (x) => min(max(x, i32(-1)), i32(1))),
  sign_u32: define('sign_u32', ['u32'], (x) => min(x, u32(1))),
  not_i32: define('not_i32', ['i32'], not),
  not_u32: define('not_u32', ['u32'], not),
};

export const logicalNot = define('not_bool', ['bool'], not);

type Build = (a: Num, b: Num) => Num;
const pair = (name: string, type: NumType, build: Build): NumericFn => define(`${name}_${type}`, [type, type], build);

// An unordered comparison is false, so `b` stands where it is NaN. Equal values differ at most in the sign of zero.
const extreme = (above: Build, ofZeros: Build): Build => {
  return (a, b) =>
    keepNaN(a, select(eq(a, b), bitsToF32(ofZeros(bitsToU32(a), bitsToU32(b))), select(above(a, b), a, b)));
};

/** The functions of two operands of one type that every type has (arithmetic: numbers only). */
export const pairs = (type: NumType) => ({
  add: pair('add', type, add),
  sub: pair('sub', type, sub),
  mul: pair('mul', type, mul),
  /** NaN if either is NaN; of the two zeros the maximum is +0 and the minimum -0. */
  max: pair('max', type, type === 'f32' ? extreme(gt, and) : type === 'bool' ? or : max),
  min: pair('min', type, type === 'f32' ? extreme(lt, or) : type === 'bool' ? and : min),
  eq: pair('eq', type, eq),
  ne: pair('ne', type, ne),
  lt: pair('lt', type, type === 'bool' ? (a, b) => and(not(a), b) : lt),
  le: pair('le', type, type === 'bool' ? (a, b) => or(not(a), b) : le),
});

export const divide = pair('div', 'f32', div);

/** The f32 beside a on the way to b: the bits of a magnitude count up and down. */
export const nextafter = pair('nextafter', 'f32', (a, b) => {
  const up = eq(lt(a, b), lt(0, a));
  const next = bitsToF32(add(bitsToI32(a), select(up, i32(1), i32(-1))));
  const fromZero = bitsToF32(or(u32(1), signBit(b)));
  const moved = select(eq(magnitude(a), i32(0)), fromZero, next);
  return keepNaN(a, keepNaN(b, select(eq(a, b), b, moved)));
});

/** Bit by bit; logic for bool. */
export const bitwise = (type: NumType) => ({
  and: pair('and', type, and),
  or: pair('or', type, or),
  xor: pair('xor', type, type === 'bool' ? ne : xor),
});

/** Whether `x` is to replace the best value so far of an argmax or argmin: strictly better, or the first NaN. */
export const better = (fn: 'argmax' | 'argmin', type: NumType): NumericFn =>
  define(`${fn}_takes_${type}`, [type, type], (x, best) => {
    const one = type === 'bool' ? constant(true, 'bool') : null;
    const above: Build = one ? (a, b) => and(a, not(b)) : gt;
    const strictly = fn === 'argmax' ? above(x, best) : above(best, x);
    return type === 'f32' ? or(strictly, and(isNaNBits(x), not(isNaNBits(best)))) : strictly;
  });

import {
  add,
  bitsToF32,
  bitsToU32,
  define,
  INF,
  le,
  lt,
  mul,
  type Num,
  polynomial,
  select,
  shl,
  sub,
} from '../../numerics/index.js';

// The upper part has 9 bits: its product with any exponent is exact.
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;
/** 1.5 * 2^23: a small number added to it is rounded to a whole one, which stands in the lowest bits. */
const MAGIC = 12582912;

/** x = n ln 2 + r with |r| <= ln(2) / 2; the lowest bits of `shifted` are n + bias. */
function reduce(x: Num, bias: number): { r: Num; shifted: Num } {
  const shifted = add(mul(x, Math.LOG2E), MAGIC + bias);
  const n = sub(shifted, MAGIC + bias);
  return { r: sub(sub(x, mul(n, LN2_HIGH)), mul(n, LN2_LOW)), shifted };
}

/** e^r. */
const power = (r: Num): Num => polynomial(r, 1, 1, 0.49999994, 0.16666521, 0.041668274, 0.00836868, 0.0013820099);

/**
 * The function of kernels/numerics in fewer instructions: nothing is reassociated here, so rounding takes one addition, and NaN and
 * what is too large go the same way out. Below the smallest normal number: 0.
 */
export const exp = define('exp', ['f32'], (x) => {
  const { r, shifted } = reduce(x, 0);
  const scaled = bitsToF32(add(bitsToU32(power(r)), shl(bitsToU32(shifted), 23)));
  return select(le(x, 88.72284), select(lt(x, -87.33654), 0, scaled), add(x, INF));
});

// Powers of two that are multiplied in: NaN then takes care of itself. The exponent's field is 0 from -87.7 down (2^n is 0), and that
// of infinity from 88.4 up.
const scaled = (shifted: Num, x: Num): Num => mul(x, bitsToF32(shl(bitsToU32(shifted), 23)));
const atLeast = (low: number, x: Num): Num => select(lt(x, low), low, x);
const atMost = (high: number, x: Num): Num => select(lt(high, x), high, x);

/** e^x where it does not matter that it is infinite from 88.4 on: next to 1, or in the denominator of what is then 0. */
export const expWithin = define('exp_within', ['f32'], (x) => {
  const { r, shifted } = reduce(atMost(89, atLeast(-88, x)), 127);
  return scaled(shifted, power(r));
});

/** e^x for what is never positive (or NaN), to 2.3 ulp: a softmax spends its time here. */
export const expNonPositive = define('exp_non_positive', ['f32'], (x) => {
  const { r, shifted } = reduce(atLeast(-88, x), 127);
  return scaled(shifted, polynomial(r, 1, 0.9999997, 0.4999915, 0.16667648, 0.04189784, 0.008289718));
});

/** asin, acos, atan, atan2. */
import { flipSign, isNaNBits, keepNaN, magnitude, signBit, withSignOf } from './bits.js';
import {
  abs,
  add,
  define,
  div,
  eq,
  i32,
  lt,
  mul,
  NAN,
  type Num,
  ne,
  or,
  polynomial,
  select,
  sqrt,
  sub,
  u32,
} from './body.js';

// The upper parts are rounded to f32 like all constants; the lower ones are what that leaves.
const PI_HIGH = Math.PI;
const PI_LOW = -8.7422777e-8;
const HALF_PI_HIGH = Math.PI / 2;
const HALF_PI_LOW = -4.371139e-8;
const QUARTER_PI = Math.PI / 4;
const QUARTER_PI_LOW = -2.1855694e-8;

/** (asin(x) - x) / x for z = x², |x| <= 1/2. */
const asinTail = (z: Num): Num => mul(z, polynomial(z, 0.16666754, 0.0749525, 0.04547653, 0.02414885, 0.04221852));

/**
 * high + (±x + low) where `where` holds, else x. The constants are selected, not written: a compiler may fold high - (x - low), and
 * with it the lower half of the constant.
 */
function reflect(where: Num, high: number, low: number, x: Num): Num {
  const sign = select(where, u32(0x80000000), u32(0));
  return add(select(where, high, 0), add(flipSign(x, sign), select(where, low, 0)));
}

/** What asin and acos share: for |x| > 1/2 both go through asin(sqrt((1 - |x|) / 2)). */
function halved(x: Num) {
  const large = lt(0.5, abs(x));
  const z = select(large, mul(0.5, sub(1, abs(x))), mul(x, x));
  const root = select(large, sqrt(z), abs(x));
  return { large, root, tail: mul(root, asinTail(z)) };
}

/** NaN outside of [-1, 1]. */
const inDomain = (x: Num, value: Num): Num => select(lt(i32(0x3f800000), magnitude(x)), NAN, value);

export const asin = define('asin', ['f32'], (x) => {
  const { large, root, tail } = halved(x);
  const part = add(root, tail);
  const value = reflect(large, HALF_PI_HIGH, HALF_PI_LOW, mul(part, select(large, 2, 1)));
  return select(lt(abs(x), 2.44140625e-4), x, inDomain(x, withSignOf(value, x)));
});

export const acos = define('acos', ['f32'], (x) => {
  const { large, root, tail } = halved(x);
  const part = add(root, tail);
  const far = reflect(lt(x, 0), PI_HIGH, PI_LOW, add(part, part));
  const signed = withSignOf(tail, x);
  const near = sub(HALF_PI_HIGH, sub(x, sub(HALF_PI_LOW, signed)));
  return inDomain(x, select(large, far, near));
});

/** atan(t) for t = a / b from 0 to tan(3 pi / 8), or its complement: base + atan((a - b) / (a + b)). */
function atanOfRatio(numerator: Num, denominator: Num, base: Num, baseLow: Num): Num {
  const t = div(numerator, denominator);
  const z = mul(t, t);
  const series = mul(mul(t, z), polynomial(z, -0.33332956, 0.19977935, -0.13879848, 0.08060076));
  return add(base, add(t, add(series, baseLow)));
}

export const atan = define('atan', ['f32'], (x) => {
  const a = abs(x);
  const steep = lt(2.4142137, a);
  const middle = lt(0.41421357, a);
  const numerator = select(steep, -1, select(middle, sub(a, 1), a));
  const denominator = select(steep, a, select(middle, add(a, 1), 1));
  const base = select(steep, HALF_PI_HIGH, select(middle, QUARTER_PI, 0));
  const baseLow = select(steep, HALF_PI_LOW, select(middle, QUARTER_PI_LOW, 0));
  const value = withSignOf(atanOfRatio(numerator, denominator, base, baseLow), x);
  return select(lt(a, 2.44140625e-4), x, keepNaN(x, value));
});

export const atan2 = define('atan2', ['f32', 'f32'], (y, x) => {
  const [ay, ax] = [abs(y), abs(x)];
  const steep = lt(ax, ay);
  const [lesser, greater] = [select(steep, ax, ay), select(steep, ay, ax)];
  // Sums must stay finite, and parts of the lesser normal; two infinities are equal.
  const infinite = eq(magnitude(greater), i32(0x7f800000));
  const factor = select(lt(1e30, greater), 0.25, select(lt(greater, 1e-30), 2 ** 60, 1));
  const small = select(infinite, select(eq(magnitude(lesser), i32(0x7f800000)), 1, 0), mul(lesser, factor));
  const large = select(infinite, 1, mul(greater, factor));
  const middle = lt(mul(large, 0.41421357), small);
  const zero = eq(large, 0);
  const numerator = select(middle, sub(small, large), small);
  const denominator = select(zero, 1, select(middle, add(small, large), large));
  const acute = atanOfRatio(numerator, denominator, select(middle, QUARTER_PI, 0), select(middle, QUARTER_PI_LOW, 0));
  const first = reflect(steep, HALF_PI_HIGH, HALF_PI_LOW, acute);
  const angle = reflect(ne(signBit(x), u32(0)), PI_HIGH, PI_LOW, first);
  return select(or(isNaNBits(x), isNaNBits(y)), NAN, withSignOf(angle, y));
});

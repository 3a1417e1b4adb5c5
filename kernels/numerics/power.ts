/** Powers of floats and integers. */
import { isNaNBits, magnitude, signBit } from './bits.js';
import {
  abs,
  add,
  and,
  bitsToF32,
  bitsToI32,
  bitsToU32,
  constant,
  define,
  div,
  eq,
  floor,
  ge,
  INF,
  i32,
  le,
  loop,
  lt,
  mul,
  NAN,
  type Num,
  ne,
  not,
  or,
  polynomial,
  select,
  shl,
  shr,
  sub,
  toF32,
  trunc,
  u32,
  xor,
} from './body.js';

/** The upper 12 bits of the mantissa: products of two such numbers are exact. */
const upper = (x: Num): Num => bitsToF32(and(bitsToU32(x), u32(0xfffff000)));

/** 2 / (3 ln 2), in two parts and rounded. */
const CP = 9.6179670095e-1;
const CP_HIGH = 9.619140625e-1;
const CP_LOW = -1.1736857402e-4;

/** log2 of a normal positive number as a sum of two, the first of 12 bits; after FreeBSD's e_powf.c. */
function log2InTwoParts(x: Num): readonly [Num, Num] {
  const bits = bitsToI32(x);
  const fraction = and(bits, i32(0x007fffff));
  // Three intervals of the mantissa: around 1, around 3/2, around 2.
  const around2 = le(i32(0x5db3d7), fraction);
  const around1 = or(le(fraction, i32(0x1cc471)), around2);
  const n = add(sub(shr(bits, 23), i32(0x7f)), select(around2, i32(1), i32(0)));
  const mantissaBits = sub(or(fraction, i32(0x3f800000)), select(around2, i32(0x00800000), i32(0)));
  const mantissa = bitsToF32(mantissaBits);
  const middle = select(around1, 1, 1.5);
  const logMiddleHigh = select(around1, 0, 5.849609375e-1);
  const logMiddleLow = select(around1, 0, 1.5632208487e-6);

  const u = sub(mantissa, middle);
  const v = div(1, add(mantissa, middle));
  const s = mul(u, v);
  const sHigh = upper(s);
  const sumHigh = bitsToF32(
    add(
      or(and(shr(mantissaBits, 1), i32(0xfffff000)), i32(0x20000000)),
      select(around1, i32(0x00400000), i32(0x00600000)),
    ),
  );
  const sumLow = sub(mantissa, sub(sumHigh, middle));
  const sLow = mul(v, sub(sub(u, mul(sHigh, sumHigh)), mul(sHigh, sumLow)));

  const s2 = mul(s, s);
  const series = polynomial(
    s2,
    6.0000002384e-1,
    4.2857143283e-1,
    3.3333334327e-1,
    2.7272811532e-1,
    2.3066075146e-1,
    2.0697501302e-1,
  );
  const r = add(mul(mul(s2, s2), series), mul(sLow, add(sHigh, s)));
  const s2High = mul(sHigh, sHigh);
  const tHigh = upper(add(add(3, s2High), r));
  const tLow = sub(r, sub(sub(tHigh, 3), s2High));
  const pu = mul(sHigh, tHigh);
  const pv = add(mul(sLow, tHigh), mul(tLow, s));
  const pHigh = upper(add(pu, pv));
  const pLow = sub(pv, sub(pHigh, pu));
  const zHigh = mul(pHigh, CP_HIGH);
  const zLow = add(add(mul(pHigh, CP_LOW), mul(pLow, CP)), logMiddleLow);
  const exponent = toF32(n);
  const high = upper(add(add(add(zHigh, zLow), logMiddleHigh), exponent));
  return [high, sub(zLow, sub(sub(sub(high, exponent), logMiddleHigh), zHigh))];
}

/** 2^(high + low), 0 or infinite outside of the normal numbers; |low| is small. */
function exp2OfSum(high: Num, low: Num): Num {
  const z = add(high, low);
  const bounded = select(lt(z, -127.4), -127.4, select(lt(128.4, z), 128.4, z));
  const n = floor(add(bounded, 0.5));
  const g = select(lt(abs(z), 200), add(sub(high, n), low), 0);
  const series = polynomial(g, Math.LN2, 0.24022648, 0.055503592, 0.009618506, 0.0013391242, 1.53271e-4);
  const power = add(1, mul(g, series));
  const bits = add(bitsToI32(power), shl(bitsToI32(add(n, 12582912)), 23));
  const tooSmall = or(lt(z, -127.4), lt(bits, i32(0x00800000)));
  const tooLarge = or(lt(128.4, z), le(i32(0x7f800000), bits));
  return select(tooLarge, INF, select(tooSmall, 0, bitsToF32(bits)));
}

/** As C's powf: pow(x, 0) and pow(1, y) are 1 even for NaN; a negative number to a fraction is NaN. */
export const powF32 = define('pow_f32', ['f32', 'f32'], (x, y) => {
  const ax = abs(x);
  const [t1, t2] = log2InTwoParts(ax);
  const y1 = upper(y);
  const low = add(mul(sub(y, y1), t1), mul(y, t2));
  const ordinary = exp2OfSum(mul(y1, t1), low);

  const halfY = mul(y, 0.5);
  const integer = eq(trunc(y), y);
  const odd = and(integer, ne(trunc(halfY), halfY));
  const negative = ne(signBit(x), u32(0));
  const sign = select(and(odd, negative), u32(0x80000000), u32(0));

  const positiveY = lt(0, y);
  const zero = lt(magnitude(x), i32(0x00800000));
  const infinite = eq(magnitude(x), i32(0x7f800000));
  const aboveOne = lt(1, ax);
  // 0, infinity or an exponent that leaves nothing between: the result is 0 or infinite, but for pow(-1, ±inf) = 1.
  const extreme = or(or(zero, infinite), ge(abs(y), 4294967296));
  const size = select(ne(aboveOne, positiveY), 0, INF);
  const value = select(extreme, select(eq(ax, 1), 1, size), ordinary);
  const signed = bitsToF32(xor(bitsToU32(value), sign));
  const fractional = and(and(negative, not(integer)), not(or(zero, infinite)));
  const eitherNaN = or(isNaNBits(x), isNaNBits(y));
  const one = or(eq(y, 0), eq(x, 1));
  return select(one, 1, select(or(eitherNaN, fractional), NAN, signed));
});

/** By repeated squaring; overflow wraps. */
const integerPower = (x: Num, exponent: Num): Num =>
  loop(
    [constant(1, x.type), x, exponent],
    (_result, _square, rest) => ne(rest!, u32(0)),
    (result, square, rest) => [
      mul(result!, select(eq(and(rest!, u32(1)), u32(0)), constant(1, x.type), square!)),
      mul(square!, square!),
      shr(rest!, 1),
    ],
  )[0]!;

/** Negative exponents: 1 for 1, ±1 for -1, else 0. */
export const powI32 = define('pow_i32', ['i32', 'i32'], (x, y) => {
  const negative = lt(y, i32(0));
  const power = integerPower(x, select(negative, u32(0), bitsToU32(y)));
  const sign = select(eq(and(y, i32(1)), i32(0)), i32(1), i32(-1));
  const inverse = select(eq(x, i32(1)), i32(1), select(eq(x, i32(-1)), sign, i32(0)));
  return select(negative, inverse, power);
});

export const powU32 = define('pow_u32', ['u32', 'u32'], integerPower);

/** Logarithms. Below the smallest normal number a logarithm is that of 0: -inf. */
import { keepNaN, magnitude } from './bits.js';
import {
  abs,
  add,
  and,
  barrier,
  bitsToF32,
  bitsToI32,
  define,
  div,
  i32,
  lt,
  mul,
  NAN,
  type Num,
  polynomial,
  select,
  sub,
  toF32,
} from './body.js';

// The upper part of ln 2 has 16 bits: its product with any exponent is exact.
const LN2_HIGH = 6.9313812256e-1;
const LN2_LOW = 9.0580006145e-6;
const SQRT_HALF = 0x3f3504f3;

/** The parts of a normal positive x = 2^k (1 + f) with 1 + f from sqrt(1/2) to sqrt(2); after FreeBSD's e_logf.c. */
function partsOf(x: Num): { k: Num; f: Num; halfSquare: Num; tail: Num } {
  const offset = sub(bitsToI32(x), i32(SQRT_HALF));
  // The upper nine bits convert exactly.
  const k = mul(toF32(and(offset, i32(0xff800000))), 2 ** -23);
  const f = sub(bitsToF32(add(and(offset, i32(0x007fffff)), i32(SQRT_HALF))), 1);
  const s = div(f, add(2, f));
  const z = mul(s, s);
  const rest = mul(z, polynomial(z, 0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841));
  const halfSquare = mul(mul(0.5, f), f);
  return { k, f, halfSquare, tail: mul(s, add(halfSquare, rest)) };
}

/** log(x) + correction for a normal positive x. */
function logOfNormal(x: Num, correction: Num | null): Num {
  const { k, f, halfSquare, tail } = partsOf(x);
  const low = mul(k, LN2_LOW);
  const small = add(tail, correction ? add(low, correction) : low);
  return add(mul(k, LN2_HIGH), sub(f, sub(halfSquare, small)));
}

/** Zero (or subnormal): -inf; below: NaN; +inf and NaN stay. `x` is the logarithm's operand. */
function atTheEnds(x: Num, inside: Num): Num {
  const finite = select(lt(magnitude(x), i32(0x00800000)), -Infinity, select(lt(x, 0), NAN, inside));
  return select(lt(magnitude(x), i32(0x7f800000)), finite, keepNaN(x, select(lt(x, 0), NAN, x)));
}

export const log = define('log', ['f32'], (x) => atTheEnds(x, logOfNormal(x, null)));

export const log1p = define('log1p', ['f32'], (x) => {
  const u = barrier(add(1, x));
  // What rounding 1 + x lost.
  const lost = select(lt(abs(x), 1), sub(x, sub(u, 1)), sub(1, sub(u, x)));
  const inside = atTheEnds(u, logOfNormal(u, div(lost, u)));
  return select(lt(magnitude(x), i32(0x33000000)), x, inside);
});

/** The part of a logarithm that the mantissa makes: log(1 + f). */
const ofMantissa = ({ f, halfSquare, tail }: ReturnType<typeof partsOf>): Num => sub(f, sub(halfSquare, tail));

/** Powers of two come out whole. */
export const log2 = define('log2', ['f32'], (x) => {
  const parts = partsOf(x);
  return atTheEnds(x, add(parts.k, mul(ofMantissa(parts), Math.LOG2E)));
});

// The upper part of log10(2) has 13 bits: its product with any exponent is exact.
const LOG10_2_HIGH = 0.301025390625;
const LOG10_2_LOW = 4.6050389812e-6;

export const log10 = define('log10', ['f32'], (x) => {
  const parts = partsOf(x);
  const low = add(mul(parts.k, LOG10_2_LOW), mul(ofMantissa(parts), Math.LOG10E));
  return atTheEnds(x, add(mul(parts.k, LOG10_2_HIGH), low));
});

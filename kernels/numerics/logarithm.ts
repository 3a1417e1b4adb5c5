/** log and log1p. Below the smallest normal number a logarithm is that of 0: -inf. */
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

/** log(x) + correction for a normal positive x = 2^k (1 + f) with 1 + f from sqrt(1/2) to sqrt(2); after FreeBSD's e_logf.c. */
function logOfNormal(x: Num, correction: Num | null): Num {
  const offset = sub(bitsToI32(x), i32(SQRT_HALF));
  // The upper nine bits convert exactly.
  const k = mul(toF32(and(offset, i32(0xff800000))), 2 ** -23);
  const f = sub(bitsToF32(add(and(offset, i32(0x007fffff)), i32(SQRT_HALF))), 1);
  const s = div(f, add(2, f));
  const z = mul(s, s);
  const rest = mul(z, polynomial(z, 0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841));
  const halfSquare = mul(mul(0.5, f), f);
  const low = mul(k, LN2_LOW);
  const tail = add(mul(s, add(halfSquare, rest)), correction ? add(low, correction) : low);
  return add(mul(k, LN2_HIGH), sub(f, sub(halfSquare, tail)));
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

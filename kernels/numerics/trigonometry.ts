/**
 * sin, cos and tan, for every finite argument: up to 12,800 by Cody and Waite's reduction, beyond by Payne and Hanek's, which GPUs and
 * WebAssembly skip where no argument needs it (SwiftShader, which skips no branch, computes it always).
 */
import { magnitude, signBit } from './bits.js';
import {
  abs,
  add,
  and,
  bitsToF32,
  bitsToI32,
  bitsToU32,
  define,
  div,
  eq,
  FALSE,
  floor,
  ge,
  i32,
  loop,
  lt,
  mul,
  NAN,
  type Num,
  ne,
  neg,
  or,
  polynomial,
  select,
  shl,
  shr,
  sub,
  toF32,
  toI32,
  u32,
  xor,
} from './body.js';

/** Up to here multiples of pi/2 are subtracted in parts whose products are exact. */
const NEAR = 12800;
const HALF_PI = [1.5703125, 4.837512969970703e-4, 7.549533620476723e-8, 2.5633440682570896e-12] as const;
const HALF_PI_HIGH = Math.PI / 2;
const HALF_PI_LOW = -4.371139e-8;
const TWO_OVER_PI = 0.63661977;

/** The bits of 2/pi after the binary point, behind 32 zeros. */
const TWO_OVER_PI_WORDS = [0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab];

/** x = quadrant * pi/2 + r with |r| <= pi/4 (a little more at the seams); of the quadrant only the two lowest bits count. */
interface Reduced {
  readonly r: Num;
  readonly quadrant: Num;
}

/** Cody and Waite's reduction in four parts. */
function reduceNear(x: Num): Reduced {
  const n = floor(add(mul(x, TWO_OVER_PI), 0.5));
  let r = x;
  for (const part of HALF_PI) r = sub(r, mul(n, part));
  return { r, quadrant: bitsToU32(add(n, 12582912)) };
}

/** Upper 32 bits of the product. */
function mulHigh(a: Num, b: Num): Num {
  const [aHigh, aLow, bHigh, bLow] = [shr(a, 16), and(a, u32(0xffff)), shr(b, 16), and(b, u32(0xffff))];
  const u = add(mul(aHigh, bLow), shr(mul(aLow, bLow), 16));
  const v = add(mul(aLow, bHigh), and(u, u32(0xffff)));
  return add(mul(aHigh, bHigh), add(shr(u, 16), shr(v, 16)));
}

/**
 * The 96 bits of the table from byte number `start` on, as three words. By selection only: CPUs have no shifts by different amounts
 * in the lanes of a vector.
 */
function bitsFromByte(start: Num): Num[] {
  let words = [0, 1, 2, 3].map((offset) => {
    const chosen = u32(TWO_OVER_PI_WORDS[offset]!);
    const later = TWO_OVER_PI_WORDS.slice(offset + 1, offset + 5);
    return later.reduce((word, next, i) => select(lt(u32(4 * i + 3), start), u32(next), word), chosen);
  });
  for (const bytes of [2, 1]) {
    const move = ne(and(start, u32(bytes)), u32(0));
    const [by, rest] = [8 * bytes, 32 - 8 * bytes];
    words = words.map((word, i) => {
      const next = words[i + 1];
      return select(move, next ? or(shl(word, by), shr(next, rest)) : shl(word, by), word);
    });
  }
  return words.slice(0, 3);
}

/**
 * Payne and Hanek's reduction: multiplies the mantissa by the 96 bits of 2/pi that matter at this exponent; the two highest bits
 * of the product are the quadrant.
 */
function reduceFar(x: Num): Reduced {
  const bits = bitsToU32(magnitude(x));
  const start = sub(shr(bits, 23), u32(120));
  // The bits below a byte go to the mantissa, which then has up to 31.
  const scaled = or(and(bits, u32(0x007fffff)), shl(add(and(start, u32(7)), u32(150)), 23));
  const mantissa = bitsToU32(toI32(bitsToF32(scaled)));
  const [high, middle, low] = bitsFromByte(shr(start, 3));
  const product = mul(mantissa, middle!);
  const lower = add(product, mulHigh(mantissa, low!));
  const carry = select(lt(lower, product), u32(1), u32(0));
  const upper = add(add(mul(mantissa, high!), mulHigh(mantissa, middle!)), carry);
  const fraction = or(shl(upper, 2), shr(lower, 30));
  const quadrant = add(shr(upper, 30), shr(fraction, 31));
  // In two parts: 24 bits, which convert exactly, and the rest.
  const turns = mul(toF32(bitsToI32(and(fraction, u32(0xffffff00)))), 2 ** -32);
  const rest = mul(toF32(or(shl(fraction, 24), shr(shl(lower, 2), 8))), 2 ** -56);
  const r = add(mul(turns, HALF_PI_HIGH), add(mul(turns, HALF_PI_LOW), mul(rest, HALF_PI_HIGH)));
  const negative = ne(signBit(x), u32(0));
  return { r: select(negative, neg(r), r), quadrant: select(negative, sub(u32(0), quadrant), quadrant) };
}

function reduce(x: Num): Reduced {
  const near = reduceNear(x);
  const far = reduceFar(x);
  const [r, quadrant] = loop(
    [near.r, near.quadrant, ge(abs(x), NEAR)],
    (_r, _quadrant, once) => once!,
    () => [far.r, far.quadrant, FALSE],
  );
  return { r: r!, quadrant: quadrant! };
}

function sine(r: Num): Num {
  const z = mul(r, r);
  return add(r, mul(mul(r, z), polynomial(z, -0.16666655, 0.00833219, -1.9518394e-4)));
}

function cosine(r: Num): Num {
  const z = mul(r, r);
  return sub(1, sub(mul(0.5, z), mul(mul(z, z), polynomial(z, 0.041666646, -0.001388731, 2.4432331e-5))));
}

function tangent(r: Num): Num {
  const z = mul(r, r);
  const series = polynomial(z, 0.33333135, 0.13339317, 0.053371992, 0.024560455, 0.0029236602, 0.009495344);
  return add(r, mul(mul(r, z), series));
}

/** Sine of r plus a number of quadrants. */
function sineOf({ r, quadrant }: Reduced): Num {
  const value = select(eq(and(quadrant, u32(1)), u32(0)), sine(r), cosine(r));
  return bitsToF32(xor(bitsToU32(value), shl(and(quadrant, u32(2)), 30)));
}

/** NaN where x is infinite or NaN; x itself where it is tiny, which keeps -0. */
const odd = (x: Num, value: Num): Num => select(lt(abs(x), 2.44140625e-4), x, finiteOnly(x, value));
const finiteOnly = (x: Num, value: Num): Num => select(lt(magnitude(x), i32(0x7f800000)), value, NAN);

export const sin = define('sin', ['f32'], (x) => odd(x, sineOf(reduce(x))));

export const cos = define('cos', ['f32'], (x) => {
  const { r, quadrant } = reduce(x);
  return finiteOnly(x, sineOf({ r, quadrant: add(quadrant, u32(1)) }));
});

export const tan = define('tan', ['f32'], (x) => {
  const { r, quadrant } = reduce(x);
  const t = tangent(r);
  return odd(x, select(eq(and(quadrant, u32(1)), u32(0)), t, div(-1, t)));
});

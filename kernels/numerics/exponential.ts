/** exp and what is built on it. Results below the smallest normal number are 0. */
import { keepNaN, magnitude, withSignOf } from './bits.js';
import {
  abs,
  add,
  bitsToF32,
  bitsToU32,
  call,
  define,
  div,
  floor,
  INF,
  i32,
  lt,
  mul,
  type Num,
  neg,
  polynomial,
  select,
  shl,
  sub,
  u32,
} from './body.js';

// The upper part has 9 bits: its product with any exponent is exact.
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;

/** x = n ln 2 + r with |r| <= ln(2) / 2. `exponent` is n as bits that add to the exponent field of an f32. */
function reduce(x: Num): { r: Num; exponent: Num } {
  const n = floor(add(mul(x, Math.LOG2E), 0.5));
  // 1.5 * 2^23: the integer n comes to stand in the lowest bits.
  return { r: sub(sub(x, mul(n, LN2_HIGH)), mul(n, LN2_LOW)), exponent: shl(bitsToU32(add(n, 12582912)), 23) };
}

/** e^r for the r of `reduce`. */
const expOfRest = (r: Num): Num =>
  add(1, add(r, mul(mul(r, r), polynomial(r, 0.49999994, 0.16666521, 0.041668274, 0.00836868, 0.0013820099))));

/** x * 2^n, where both x and the result are normal. */
const scale = (x: Num, exponent: Num): Num => bitsToF32(add(bitsToU32(x), exponent));

export const exp = define('exp', ['f32'], (x) => {
  const { r, exponent } = reduce(x);
  const inside = select(lt(x, -87.33654), 0, scale(expOfRest(r), exponent));
  return keepNaN(x, select(lt(88.72284, x), INF, inside));
});

export const expm1 = define('expm1', ['f32'], (x) => {
  const { r, exponent } = reduce(x);
  const rest = mul(r, add(1, mul(r, polynomial(r, 0.5, 0.16666545, 0.0416664, 0.008366409, 0.0013940997))));
  // 2^(n - 1), so that 2^n stays finite at the upper end.
  const half = bitsToF32(add(exponent, u32(0x3f000000)));
  const sum = add(mul(half, rest), sub(half, 0.5));
  const inside = select(lt(x, -17.4), -1, add(sum, sum));
  const outside = select(lt(88.72284, x), INF, inside);
  // A tiny x is its own expm1: keeps -0.
  return select(lt(magnitude(x), i32(0x33000000)), x, keepNaN(x, outside));
});

/** e^|x| / 2, finite as long as that is. */
function halfExp(x: Num): Num {
  const { r, exponent } = reduce(abs(x));
  const inside = scale(expOfRest(r), sub(exponent, u32(0x00800000)));
  return select(lt(89.41599, abs(x)), INF, inside);
}

export const sinh = define('sinh', ['f32'], (x) => {
  const e = halfExp(x);
  const large = withSignOf(sub(e, div(0.25, e)), x);
  const z = mul(x, x);
  const small = add(x, mul(mul(x, z), polynomial(z, 0.16666718, 0.008330221, 2.0376881e-4)));
  return select(lt(abs(x), 2.44140625e-4), x, select(lt(abs(x), 1), small, keepNaN(x, large)));
});

export const cosh = define('cosh', ['f32'], (x) => {
  const e = halfExp(x);
  return keepNaN(x, add(e, div(0.25, e)));
});

export const tanh = define('tanh', ['f32'], (x) => {
  const a = abs(x);
  const large = withSignOf(sub(1, div(2, add(call(exp, add(a, a)), 1))), x);
  const z = mul(x, x);
  const series = polynomial(z, -0.33333284, 0.13331485, -0.053742994, 0.020649033, -0.005715387);
  const small = add(x, mul(mul(x, z), series));
  return select(lt(a, 2.44140625e-4), x, select(lt(a, 0.625), small, keepNaN(x, large)));
});

export const sigmoid = define('sigmoid', ['f32'], (x) => div(1, add(1, call(exp, neg(x)))));

/** Two ranges: a polynomial, and 1 - e^polynomial. */
export const erf = define('erf', ['f32'], (x) => {
  const a = abs(x);
  // Beyond 4 the result is 1; a bound keeps the polynomial from overflowing.
  const t = select(lt(a, 4), a, 4);
  const exponent = polynomial(
    t,
    -1.28717512e-1,
    -6.34846687e-1,
    -1.06777877e-1,
    2.42546219e-2,
    -3.88396438e-3,
    3.83197126e-4,
    -1.7285347e-5,
  );
  const large = withSignOf(sub(1, call(exp, sub(mul(exponent, t), t))), x);
  const z = mul(x, x);
  const series = polynomial(
    z,
    1.28379166e-1,
    -3.76125336e-1,
    1.12819925e-1,
    -2.67681349e-2,
    4.99119423e-3,
    -5.96761703e-4,
  );
  // Near the smallest normal number x * series would be subnormal and might flush.
  const small = select(lt(a, 2 ** -60), mul(x, 1.1283792), add(x, mul(x, series)));
  return select(lt(a, 0.92773438), small, keepNaN(x, large));
});

/** Shifts of any width, common divisors, and casts. */
import { isNaNBits } from './bits.js';
import {
  add,
  and,
  bitsToI32,
  bitsToU32,
  constant,
  define,
  eq,
  i32,
  loop,
  lt,
  max,
  min,
  mul,
  type Num,
  type NumericFn,
  type NumType,
  ne,
  not,
  or,
  rem,
  select,
  shl,
  shr,
  sub,
  toF32,
  toI32,
  toU32,
  u32,
} from './body.js';

/** Amounts count as u32: negative ones are past the width. */
const past = (amount: Num): Num => lt(u32(31), amount);

const shiftLeft = (type: 'i32' | 'u32'): NumericFn =>
  define(`shiftLeft_${type}`, [type, type], (x, y) => {
    const amount = bitsToU32(y);
    return select(past(amount), constant(0, type), shl(x, and(amount, u32(31))));
  });
export const shiftLeftI32 = shiftLeft('i32');
export const shiftLeftU32 = shiftLeft('u32');

/** Past the width only copies of the sign are left. */
export const shiftRightI32 = define('shiftRight_i32', ['i32', 'i32'], (x, y) => shr(x, min(bitsToU32(y), u32(31))));
export const shiftRightU32 = define('shiftRight_u32', ['u32', 'u32'], (x, y) =>
  select(past(y), u32(0), shr(x, and(y, u32(31)))),
);

const cast = (from: NumType, to: NumType, build: (x: Num) => Num): NumericFn =>
  define(`${from}_to_${to}`, [from], build);
const truth = (x: Num): Num => not(eq(x, 0));
const oneIf = (type: NumType) => (x: Num) => select(x, constant(1, type), constant(0, type));
const same = (x: Num): Num => x;

/** casts[from][to]. Floats truncate and saturate, NaN gives 0 (true as bool); integers keep their bits. */
export const casts: Record<NumType, Record<NumType, NumericFn>> = {
  f32: {
    f32: cast('f32', 'f32', same),
    i32: cast('f32', 'i32', (x) => {
      const inRange = select(
        lt(x, 2147483648),
        select(lt(x, -2147483648), i32(-(2 ** 31)), toI32(x)),
        i32(2 ** 31 - 1),
      );
      return select(isNaNBits(x), i32(0), inRange);
    }),
    u32: cast('f32', 'u32', (x) => {
      const inRange = select(lt(x, 4294967296), toU32(x), u32(2 ** 32 - 1));
      return select(or(isNaNBits(x), lt(x, 0)), u32(0), inRange);
    }),
    bool: cast('f32', 'bool', truth),
  },
  i32: {
    f32: cast('i32', 'f32', toF32),
    i32: cast('i32', 'i32', same),
    u32: cast('i32', 'u32', bitsToU32),
    bool: cast('i32', 'bool', truth),
  },
  u32: {
    // An engine may convert large numbers by way of i32, which rounds twice; the sum of the halves rounds once.
    f32: cast('u32', 'f32', (x) => add(mul(toF32(shr(x, 16)), 65536), toF32(and(x, u32(0xffff))))),
    i32: cast('u32', 'i32', bitsToI32),
    u32: cast('u32', 'u32', same),
    bool: cast('u32', 'bool', truth),
  },
  bool: {
    f32: cast('bool', 'f32', oneIf('f32')),
    i32: cast('bool', 'i32', oneIf('i32')),
    u32: cast('bool', 'u32', oneIf('u32')),
    bool: cast('bool', 'bool', same),
  },
};

/** By Euclid. */
const commonDivisor = (x: Num, y: Num): Num =>
  loop(
    [x, y],
    (_, b) => ne(b!, u32(0)),
    (a, b) => [b!, rem(a!, select(eq(b!, u32(0)), u32(1), b!))],
  )[0]!;

/** Of the magnitudes, which u32 holds all. */
export const gcdI32 = define('gcd_i32', ['i32', 'i32'], (x, y) => {
  const size = (v: Num): Num => bitsToU32(max(v, sub(i32(0), v)));
  return bitsToI32(commonDivisor(size(x), size(y)));
});

export const gcdU32 = define('gcd_u32', ['u32', 'u32'], commonDivisor);

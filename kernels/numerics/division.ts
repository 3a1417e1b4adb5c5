/** Floored and truncated division with remainders. */
import { isNaNBits, magnitude, signBit } from './bits.js';
import {
  add,
  and,
  bitsToF32,
  bitsToU32,
  call,
  constant,
  define,
  div,
  eq,
  floor,
  i32,
  loop,
  lt,
  mul,
  NAN,
  type Num,
  type NumType,
  ne,
  or,
  rem,
  select,
  shl,
  shr,
  sub,
  toF32,
  u32,
  xor,
} from './body.js';

/** The remainder of |x| by |y|, both normal, exactly: the mantissas are divided, eight bits of the quotient at a time. */
function remainderOfMagnitudes(x: Num, y: Num): Num {
  const mantissa = (bits: Num): Num => or(and(bits, u32(0x007fffff)), u32(0x00800000));
  const [xBits, yBits] = [bitsToU32(magnitude(x)), bitsToU32(magnitude(y))];
  const divisor = mantissa(yBits);
  const [xExponent, yExponent] = [shr(xBits, 23), shr(yBits, 23)];
  const steps = select(lt(yExponent, xExponent), sub(xExponent, yExponent), u32(0));
  const [rest] = loop(
    [rem(mantissa(xBits), divisor), steps, divisor],
    (_rest, left) => ne(left!, u32(0)),
    (rest, left, by) => {
      const now = select(lt(left!, u32(8)), left!, u32(8));
      return [rem(shl(rest!, now), by!), sub(left!, now), by!];
    },
  );
  return mul(mul(toF32(rest!), 2 ** -23), bitsToF32(shl(yExponent, 23)));
}

/** Infinite or NaN. */
const notFinite = (x: Num): Num => lt(i32(0x7f7fffff), magnitude(x));

/** As C's fmodf: exact, with the sign of x. */
export const fmodF32 = define('fmod_f32', ['f32', 'f32'], (x, y) => {
  const signed = bitsToF32(or(bitsToU32(remainderOfMagnitudes(x, y)), signBit(x)));
  const finite = select(lt(magnitude(x), magnitude(y)), x, signed);
  // Subnormals count as zeros.
  const ofZero = select(lt(magnitude(x), i32(0x00800000)), x, finite);
  const undefinedHere = or(lt(magnitude(y), i32(0x00800000)), notFinite(x));
  return select(or(undefinedHere, isNaNBits(y)), NAN, ofZero);
});

const signsDiffer = (a: Num, b: Num): Num => ne(signBit(a), signBit(b));

/** As PyTorch's remainder: fmod, plus y where the signs differ. */
export const remainderF32 = define('remainder_f32', ['f32', 'f32'], (x, y) => {
  const rest = call(fmodF32, x, y);
  return select(and(ne(rest, 0), signsDiffer(rest, y)), add(rest, y), rest);
});

/** As PyTorch's floor_divide: the whole number below the quotient of what fmod leaves; x / 0 as by division. */
export const floorDivF32 = define('floorDiv_f32', ['f32', 'f32'], (x, y) => {
  const rest = call(fmodF32, x, y);
  const quotient = div(sub(x, rest), y);
  const lowered = select(and(ne(rest, 0), signsDiffer(rest, y)), sub(quotient, 1), quotient);
  const below = floor(lowered);
  const whole = select(lt(0.5, sub(lowered, below)), add(below, 1), below);
  const zero = bitsToF32(xor(signBit(x), signBit(y)));
  const result = select(ne(lowered, 0), whole, zero);
  // Subnormals count as zeros, as they do for the remainder.
  const byZero = div(x, bitsToF32(signBit(y)));
  return select(lt(magnitude(y), i32(0x00800000)), byZero, result);
});

/** Quotient (truncated) and remainder with a divisor that no machine refuses. */
function divide(type: NumType, x: Num, y: Num) {
  const zero = eq(y, 0);
  const refused = type === 'i32' ? or(zero, and(eq(x, -(2 ** 31)), eq(y, -1))) : zero;
  // By 1: INT_MIN / -1 wraps to INT_MIN, and the remainder is 0.
  const divisor = select(refused, constant(1, type), y);
  const quotient = div(x, divisor);
  return { zero, divisor, quotient, rest: sub(x, mul(quotient, divisor)) };
}

export const floorDivI32 = define('floorDiv_i32', ['i32', 'i32'], (x, y) => {
  const { zero, divisor, quotient, rest } = divide('i32', x, y);
  const below = and(ne(rest, 0), lt(xor(rest, divisor), 0));
  return select(zero, 0, add(quotient, select(below, i32(-1), i32(0))));
});
export const remainderI32 = define('remainder_i32', ['i32', 'i32'], (x, y) => {
  const { divisor, rest } = divide('i32', x, y);
  return select(and(ne(rest, 0), lt(xor(rest, divisor), 0)), add(rest, divisor), rest);
});
export const fmodI32 = define('fmod_i32', ['i32', 'i32'], (x, y) => divide('i32', x, y).rest);

export const floorDivU32 = define('floorDiv_u32', ['u32', 'u32'], (x, y) => {
  const { zero, quotient } = divide('u32', x, y);
  return select(zero, 0, quotient);
});
export const remainderU32 = define('remainder_u32', ['u32', 'u32'], (x, y) => divide('u32', x, y).rest);

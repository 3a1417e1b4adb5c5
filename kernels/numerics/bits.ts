/** What the bits of an f32 tell, as parts of function bodies. */
import { and, bitsToF32, bitsToI32, bitsToU32, gt, i32, type Num, type NumLike, or, select, u32, xor } from './body.js';

/** Bits without the sign, as i32: CPUs compare those faster than u32. */
export const magnitude = (x: Num): Num => and(bitsToI32(x), i32(0x7fffffff));

/** The sign bit alone. */
export const signBit = (x: Num): Num => and(bitsToU32(x), u32(0x80000000));

/** `x` with its sign flipped where the bit `sign` is set. */
export const flipSign = (x: Num, sign: Num): Num => bitsToF32(xor(bitsToU32(x), sign));

/** The non-negative `x` with the sign bit of `from`. */
export const withSignOf = (x: Num, from: Num): Num => bitsToF32(or(bitsToU32(x), signBit(from)));

/** NaN is told by its bits: a compiler may fold x == x. */
export const isNaNBits = (x: Num): Num => gt(magnitude(x), i32(0x7f800000));

/** `result`, or `x` where that is NaN. */
export const keepNaN = (x: Num, result: NumLike): Num => select(isNaNBits(x), x, result);

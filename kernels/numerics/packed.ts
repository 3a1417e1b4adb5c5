/** f16, i8 and u8 between words of storage and the values that are computed with. */
import { InternalError, type PackedDType } from '../../src/graph/index.js';
import { isNaNBits, signBit } from './bits.js';
import {
  add,
  and,
  bitsToF32,
  bitsToU32,
  call,
  define,
  gt,
  i32,
  lt,
  min,
  type NumericFn,
  type NumType,
  or,
  select,
  shl,
  shr,
  sub,
  u32,
} from './body.js';
import { casts } from './integers.js';

/** The bits of the nearest f16, halves to even. */
const halfBits = define('half_bits', ['f32'], (x) => {
  const size = and(bitsToU32(x), u32(0x7fffffff));
  // Below the smallest normal number: adding 1/2 rounds at the distance of the subnormal ones.
  const small = sub(bitsToU32(add(bitsToF32(size), 0.5)), u32(0x3f000000));
  const rounded = shr(add(add(size, u32(0xfff)), and(shr(size, 13), u32(1))), 13);
  const normal = min(sub(rounded, u32(0x1c000)), u32(0x7c00));
  const finite = select(lt(size, u32(0x38800000)), small, normal);
  return or(shr(signBit(x), 16), select(isNaNBits(x), u32(0x7e00), finite));
});

/** The number of the low 16 bits. */
const halfValue = define('half_value', ['u32'], (word) => {
  const size = and(word, u32(0x7fff));
  const small = bitsToU32(sub(bitsToF32(add(size, u32(0x3f000000))), 0.5));
  const normal = add(shl(size, 13), u32(112 << 23));
  const special = or(shl(size, 13), u32(0x7f800000));
  const magnitude = select(lt(size, u32(0x400)), small, select(gt(size, u32(0x7bff)), special, normal));
  return bitsToF32(or(shl(and(word, u32(0x8000)), 16), magnitude));
});

const halfRound = define('half_round', ['f32'], (x) => call(halfValue, call(halfBits, x)));

const wrapTo = (name: string, wrap: Parameters<typeof define>[2]): NumericFn => define(name, ['i32'], wrap);

const PACKED: Record<PackedDType | 'f32', readonly NumericFn[]> = {
  f32: [define('bits', ['f32'], bitsToU32)],
  f16: [halfBits, halfValue, halfRound],
  i8: [wrapTo('wrap_i8', (x) => shr(shl(x, 24), 24))],
  u8: [wrapTo('wrap_u8', (x) => and(x, i32(255)))],
};

interface Cast {
  readonly x: { readonly dtype: NumType };
  readonly dtype: NumType;
  readonly via?: PackedDType | 'f32' | undefined;
}

/** The function of a cast, directly or by way of a packed dtype. Throws InternalError where there is none. */
export function castFn(cast: Cast): NumericFn {
  const { x, dtype, via } = cast;
  if (via === undefined) return casts[x.dtype][dtype];
  const fn = PACKED[via].find(({ params, type }) => params[0] === x.dtype && type === dtype);
  if (fn === undefined) throw new InternalError(`[cast] ${x.dtype} to ${dtype} by way of ${via}`);
  return fn;
}

export const packedFns: readonly NumericFn[] = Object.values(PACKED).flat();

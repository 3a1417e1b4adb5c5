import { ArgumentError, DTypeError } from './errors.js';
import { halfBits, halfValue } from './half.js';

/** Element types that take one 32-bit word in storage (a bool is the word 0 or 1): what engines compute in. */
export type WordDType = 'f32' | 'i32' | 'u32' | 'bool';
/** Element types that share a word of storage: f16 by twos, i8 and u8 by fours. They are computed in f32 and in i32. */
export type PackedDType = 'f16' | 'i8' | 'u8';
/** Element types of tensors. */
export type DType = WordDType | PackedDType;

export type TypedArray = Float32Array | Int32Array | Uint32Array | Uint8Array | Int8Array;

/** What `data()` gives for each dtype. */
export interface DTypeArrays {
  f32: Float32Array;
  f16: Float32Array;
  i32: Int32Array;
  u32: Uint32Array;
  i8: Int8Array;
  u8: Uint8Array;
  bool: Uint8Array;
}

/** The arrays that hold a dtype's values on the host. */
export const ARRAYS = {
  f32: Float32Array,
  f16: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
  i8: Int8Array,
  u8: Uint8Array,
  bool: Uint8Array,
} as const;

export const DTYPES: readonly DType[] = ['f32', 'f16', 'i32', 'u32', 'i8', 'u8', 'bool'];

const WIDE: Record<PackedDType, WordDType> = { f16: 'f32', i8: 'i32', u8: 'i32' };

/** Whether several elements share a word. */
export const isPacked = (dtype: DType): dtype is PackedDType => Object.hasOwn(WIDE, dtype);
/** What a dtype is computed in. */
export const wideDType = (dtype: DType): WordDType => (isPacked(dtype) ? WIDE[dtype] : dtype);
/** Elements in a word of storage. */
export const packingOf = (dtype: DType): 1 | 2 | 4 => (dtype === 'f16' ? 2 : isPacked(dtype) ? 4 : 1);
/** Bytes of so many stored elements: whole words. */
export const bytesFor = (size: number, dtype: DType): number => Math.ceil(size / packingOf(dtype)) * 4;

export const isFloat = (dtype: DType): boolean => dtype === 'f32' || dtype === 'f16';
export const isInteger = (dtype: DType): boolean => !isFloat(dtype) && dtype !== 'bool';

/** Checks a dtype that came from a user. */
export function checkDType(op: string, dtype: unknown): DType {
  if ((DTYPES as readonly unknown[]).includes(dtype)) return dtype as DType;
  throw new DTypeError(`[${op}] unknown dtype: ${String(dtype)} (expected one of ${DTYPES.join(', ')})`);
}

/** Smallest and largest values of the integers and of bool; infinities for floats. */
export function rangeOf(dtype: DType): readonly [number, number] {
  switch (dtype) {
    case 'i32':
      return [-(2 ** 31), 2 ** 31 - 1];
    case 'u32':
      return [0, 2 ** 32 - 1];
    case 'i8':
      return [-128, 127];
    case 'u8':
      return [0, 255];
    case 'bool':
      return [0, 1];
    default:
      return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  }
}

/** Rounds or wraps a JavaScript number to the nearest value of the dtype (what storing it would give). */
export function roundToDType(value: number, dtype: DType): number {
  switch (dtype) {
    case 'f32':
      return Math.fround(value);
    case 'f16':
      return halfValue(halfBits(value));
    case 'i32':
      return value | 0;
    case 'u32':
      return value >>> 0;
    case 'i8':
      return (value << 24) >> 24;
    case 'u8':
      return value & 255;
    case 'bool':
      return value !== 0 ? 1 : 0;
  }
}

const RANK: Record<DType, number> = { bool: 0, u8: 1, i8: 2, u32: 3, i32: 4, f16: 5, f32: 6 };

/** dtype of an operation between two tensors: see promoteTypes (src/tensor/promotion.ts). */
export function promote(a: DType, b: DType): DType {
  if (a === b) return a;
  const [low, high] = RANK[a] < RANK[b] ? [a, b] : [b, a];
  // No wider signed integer holds both; 32-bit words wrap.
  return high === 'i8' && low === 'u8' ? 'i32' : high === 'u32' && low === 'i8' ? 'i32' : high;
}

/** dtype of an operation between a tensor and a plain number: integers keep an integer tensor's dtype, otherwise f32. */
export function promoteWithNumber(dtype: DType, value: number): DType {
  if (isFloat(dtype)) return dtype;
  if (!Number.isInteger(value)) return 'f32';
  return dtype === 'bool' ? 'i32' : dtype;
}

/** A number that becomes a value of a dtype; refuses integers that would wrap. */
export function checkedNumber(op: string, value: number, dtype: DType): number {
  const [least, most] = rangeOf(dtype);
  if (dtype !== 'bool' && (value < least || value > most)) {
    throw new ArgumentError(`[${op}] number out of range: ${value} (${dtype} holds ${least}..${most})`);
  }
  return value;
}

import { DTypeError, UnsupportedError } from './errors.js';

/** Element types of tensors. Every element takes one 32-bit word in storage; a bool is the word 0 or 1. */
export type DType = 'f32' | 'i32' | 'u32' | 'bool';

export type TypedArray = Float32Array | Int32Array | Uint32Array | Uint8Array;

/** What `data()` gives for each dtype. */
export interface DTypeArrays {
  f32: Float32Array;
  i32: Int32Array;
  u32: Uint32Array;
  bool: Uint8Array;
}

export const DTYPES: readonly DType[] = ['f32', 'i32', 'u32', 'bool'];

/** Bytes of one stored element. */
export const BYTES_PER_ELEMENT = 4;

export const isFloat = (dtype: DType): boolean => dtype === 'f32';
export const isInteger = (dtype: DType): boolean => dtype === 'i32' || dtype === 'u32';

const PLANNED = new Set(['f16', 'i8', 'u8']);

/** Checks a dtype that came from a user. */
export function checkDType(op: string, dtype: unknown): DType {
  if ((DTYPES as readonly unknown[]).includes(dtype)) return dtype as DType;
  if (PLANNED.has(dtype as string)) {
    throw new UnsupportedError(`[${op}] dtype not supported yet: ${String(dtype)} (supported: ${DTYPES.join(', ')})`);
  }
  throw new DTypeError(`[${op}] unknown dtype: ${String(dtype)} (expected one of ${DTYPES.join(', ')})`);
}

/** Rounds or wraps a JavaScript number to the nearest value of the dtype (what storing it would give). */
export function roundToDType(value: number, dtype: DType): number {
  switch (dtype) {
    case 'f32':
      return Math.fround(value);
    case 'i32':
      return value | 0;
    case 'u32':
      return value >>> 0;
    case 'bool':
      return value !== 0 ? 1 : 0;
  }
}

const RANK: Record<DType, number> = { bool: 0, u32: 1, i32: 2, f32: 3 };

/** dtype of an operation between two tensors: f32 > i32 > u32 > bool; i32 with u32 gives i32 (32-bit words wrap). */
export function promote(a: DType, b: DType): DType {
  return RANK[a] >= RANK[b] ? a : b;
}

/** dtype of an operation between a tensor and a plain number: integers keep an integer tensor's dtype, otherwise f32. */
export function promoteWithNumber(dtype: DType, value: number): DType {
  if (dtype === 'f32') return 'f32';
  if (!Number.isInteger(value)) return 'f32';
  return dtype === 'bool' ? 'i32' : dtype;
}

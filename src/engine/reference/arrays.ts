import { type DType, OutOfMemoryError, type Shape, sizeOf, type TypedArray } from '../../graph/index.js';

const ARRAYS = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, bool: Uint8Array } as const;

/** A new array of zeros; storing to it rounds (f32) or wraps (integers). Throws OutOfMemoryError. */
export function zeros(shape: Shape, dtype: DType): TypedArray {
  try {
    return new ARRAYS[dtype](sizeOf(shape));
  } catch (error) {
    const size = `${sizeOf(shape)} elements of ${dtype}`;
    throw new OutOfMemoryError(`[reference] no memory for ${size}`, { cause: error });
  }
}

/** 32-bit words as an array of the dtype; only bool is copied. */
export function fromWords(words: ArrayBuffer, dtype: DType): TypedArray {
  return dtype === 'bool' ? Uint8Array.from(new Uint32Array(words)) : new ARRAYS[dtype](words);
}

/** The elements as 32-bit words; shared with the array where it has such words. */
export function toWords(array: TypedArray): ArrayBuffer {
  const words = array instanceof Uint8Array ? Uint32Array.from(array) : array;
  const { buffer, byteOffset, byteLength } = words;
  const whole = byteOffset === 0 && byteLength === buffer.byteLength;
  return (whole ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)) as ArrayBuffer;
}

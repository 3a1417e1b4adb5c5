import {
  ARRAYS,
  type DType,
  OutOfMemoryError,
  type Shape,
  sizeOf,
  type TypedArray,
  wordsOf,
} from '../../graph/index.js';

/** A new array of zeros; storing to it rounds (f32; f16 is rounded before) or wraps (integers). Throws OutOfMemoryError. */
export function zeros(shape: Shape, dtype: DType): TypedArray {
  try {
    return new ARRAYS[dtype](sizeOf(shape));
  } catch (error) {
    const size = `${sizeOf(shape)} elements of ${dtype}`;
    throw new OutOfMemoryError(`[reference] no memory for ${size}`, { cause: error });
  }
}

/** The elements as 32-bit words; shared with the array where it has such words. */
export function toWords(array: TypedArray, dtype: DType): ArrayBuffer {
  const words = wordsOf(array, dtype);
  const { buffer, byteOffset, byteLength } = words;
  const whole = byteOffset === 0 && byteLength === buffer.byteLength;
  return (whole ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)) as ArrayBuffer;
}

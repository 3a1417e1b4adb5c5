import { type DType, type TypedArray, wideDType } from '../../graph/index.js';
import type { TfArray, TfType } from './tf.js';

const TF_TYPES = { f32: 'float32', i32: 'int32', u32: 'int32', bool: 'bool' } as const;

/** What elements of a dtype are held in. */
export const tfTypeOf = (dtype: DType): TfType => TF_TYPES[wideDType(dtype)];

/** The elements as a tensor takes them; shared with the array where its words are the same. */
export function toTfArray(values: TypedArray, dtype: DType): TfArray {
  switch (dtype) {
    case 'u32':
      return new Int32Array(values.buffer, values.byteOffset, values.length);
    case 'i8':
    case 'u8':
      return Int32Array.from(values);
    default:
      return values as TfArray;
  }
}

/** The elements of a tensor as an array of their dtype; perhaps shared with it. */
export function fromTfArray(values: TfArray, dtype: DType): TypedArray {
  switch (dtype) {
    case 'u32':
      return values instanceof Int32Array
        ? new Uint32Array(values.buffer, values.byteOffset, values.length)
        : Uint32Array.from(values);
    case 'i8':
      return Int8Array.from(values);
    case 'u8':
      return Uint8Array.from(values);
    // The cpu backend keeps casts and comparisons in whatever array they came in.
    case 'bool':
      return values instanceof Uint8Array ? values : Uint8Array.from(values);
    case 'i32':
      return values instanceof Int32Array ? values : Int32Array.from(values);
    default:
      return values instanceof Float32Array ? values : Float32Array.from(values);
  }
}

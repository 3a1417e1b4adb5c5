import { cast } from './elementwise.js';
import type { Tensor } from './tensor.js';

/** As f16: half the memory of f32, and 11 bits of precision. */
export const half = (x: Tensor): Tensor => cast(x, 'f16');
/** As f32. */
export const float = (x: Tensor): Tensor => cast(x, 'f32');
/** As i32; floats truncate and saturate. */
export const int = (x: Tensor): Tensor => cast(x, 'i32');
/** As i8: the low 8 bits of `int`, with a sign. */
export const char = (x: Tensor): Tensor => cast(x, 'i8');
/** As u8: the low 8 bits of `int`. */
export const byte = (x: Tensor): Tensor => cast(x, 'u8');
/** As bool: whether it is not zero. */
export const bool = (x: Tensor): Tensor => cast(x, 'bool');

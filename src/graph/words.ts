import { ARRAYS, bytesFor, type DType, type TypedArray } from './dtype.js';
import { halfBits, halfValue } from './half.js';

/** Words to upload: a bool becomes one, packed elements share them. */
export function wordsOf(host: TypedArray, dtype: DType): Float32Array | Int32Array | Uint32Array {
  if (dtype === 'bool') return Uint32Array.from(host);
  if (host instanceof Float32Array && dtype === 'f16') {
    const halves = new Uint16Array(2 * Math.ceil(host.length / 2));
    for (let i = 0; i < host.length; i++) halves[i] = halfBits(host[i]!);
    return new Uint32Array(halves.buffer);
  }
  if (host instanceof Uint8Array || host instanceof Int8Array) {
    const bytes = new Uint8Array(bytesFor(host.length, dtype));
    bytes.set(host);
    return new Uint32Array(bytes.buffer);
  }
  return host;
}

/** The dtype's array over words of so many elements that came from an engine. */
export function arrayOf(words: ArrayBuffer, dtype: DType, size: number): TypedArray {
  if (dtype === 'bool') return Uint8Array.from(new Uint32Array(words));
  if (dtype === 'f16') return Float32Array.from(new Uint16Array(words, 0, size), halfValue);
  return new ARRAYS[dtype](words, 0, size);
}

import { type DType, isPacked, type PackedDType, wideDType } from '../../src/graph/index.js';
import type { Expr } from '../ir.js';
import { type Lin, toIndex } from './lin.js';

/** A value as one of another dtype: packed ones are rounded or wrapped, and stay in the dtype that they are computed in. */
export function castTo(dtype: DType, x: Expr): Expr {
  const wide = wideDType(dtype);
  const value: Expr = x.dtype === wide ? x : { kind: 'cast', dtype: wide, x };
  // Zeros and ones are what they are everywhere.
  if (!isPacked(dtype) || x.dtype === 'bool') return value;
  return { kind: 'cast', dtype: wide, x: value, via: dtype };
}

const word = (value: number): Expr => ({ kind: 'const', dtype: 'u32', value });
const bits = (fn: 'and' | 'or' | 'shiftLeft' | 'shiftRight', a: Expr, b: Expr): Expr => ({
  kind: 'binary',
  dtype: 'u32',
  fn,
  a,
  b,
});

/** The element of a word that begins at a bit. */
export function unpacked(of: Expr, dtype: PackedDType, from: Lin): Expr {
  const known = from.terms.length === 0;
  const shift: Expr = known ? word(from.c) : { kind: 'index', dtype: 'u32', index: toIndex(from) };
  const x = known && from.c === 0 ? of : bits('shiftRight', of, shift);
  if (dtype === 'f16') return { kind: 'cast', dtype: 'f32', x, via: dtype };
  return { kind: 'cast', dtype: 'i32', x: { kind: 'cast', dtype: 'i32', x }, via: dtype };
}

/** The word of neighbouring elements. */
export function packed(values: readonly Expr[], dtype: PackedDType): Expr {
  const width = 32 / values.length;
  return values
    .map((value, i) => {
      // A value that is rounded last need not be rounded before.
      const x = value.kind === 'cast' && value.via === dtype && value.x.dtype === value.dtype ? value.x : value;
      if (dtype === 'f16') return shifted({ kind: 'cast', dtype: 'u32', x, via: dtype }, i * width);
      const low = bits('and', { kind: 'cast', dtype: 'u32', x }, word(255));
      return shifted(low, i * width);
    })
    .reduce((all, one) => bits('or', all, one));
}

const shifted = (x: Expr, by: number): Expr => (by === 0 ? x : bits('shiftLeft', x, word(by)));

/** Variables, and indices made of parts; zeros and ones are left out. */
import type { Index, IndexVar } from '../../ir.js';

export const indexVar = (name: string, extent: number): IndexVar => ({ name, extent });
export const variable = (v: IndexVar): Index => ({ kind: 'var', v });
export const constant = (value: number): Index => ({ kind: 'const', value });
export const times = (a: Index, b: number): Index =>
  a.kind === 'const' ? constant(a.value * b) : b === 1 ? a : { kind: 'mul', a, b };
export function plus(...parts: Index[]): Index {
  return parts
    .filter((part) => part.kind !== 'const' || part.value !== 0)
    .reduce<Index>((a, b) => (a.kind === 'const' && a.value === 0 ? b : { kind: 'add', a, b }), constant(0));
}
export const quotient = (a: Index, b: number): Index => (b === 1 ? a : { kind: 'div', a, b });
export const remainder = (a: Index, b: number): Index => (b === 1 ? constant(0) : { kind: 'mod', a, b });

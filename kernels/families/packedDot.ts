import type { ContractionKernel, Expr, Index, IndexVar } from '../ir.js';

/** The elements of a word, and how they widen to i32. */
interface Word {
  readonly load: Expr;
  readonly via: 'i8' | 'u8';
}

/**
 * A sum of products of packed 8-bit integers, four steps of k at a time: the operands become the words that the elements lie in, for
 * WGSL's dot4I8Packed or dot4U8Packed. Null where the elements of an operand do not lie side by side along k in whole words.
 */
export function byWords(kernel: ContractionKernel): ContractionKernel | null {
  const { dtype, k } = kernel;
  if (dtype !== 'i32' || k.extent === 0 || k.extent % 4 !== 0) return null;
  const words: IndexVar = { name: k.name, extent: k.extent / 4 };
  const [a, b] = [wordOf(kernel.a, k, words), wordOf(kernel.b, k, words)];
  if (a === null || b === null || a.via !== b.via) return null;
  return { ...kernel, k: words, a: a.load, b: b.load, meet: a.via === 'i8' ? 'dot4I8' : 'dot4U8' };
}

/** The word of an operand `i32(word >> (k % 4 * 8))`, taken by way of i8 or u8. */
function wordOf(operand: Expr, k: IndexVar, words: IndexVar): Word | null {
  if (operand.kind !== 'cast' || (operand.via !== 'i8' && operand.via !== 'u8')) return null;
  const { x } = operand;
  if (x.kind !== 'cast' || x.dtype !== 'i32' || x.via !== undefined) return null;
  const shifted = x.x;
  if (shifted.kind !== 'binary' || shifted.fn !== 'shiftRight') return null;
  const { a: load, b: by } = shifted;
  if (load.kind !== 'load' || load.dtype !== 'u32' || by.kind !== 'index' || !isByteOf(by.index, k)) return null;
  const index = inWords(load.index, k, words);
  return index && { load: { ...load, index }, via: operand.via };
}

const isVar = (index: Index, v: IndexVar): boolean => index.kind === 'var' && index.v === v;

/** Whether an index is k % 4 * 8. */
const isByteOf = (index: Index, k: IndexVar): boolean =>
  index.kind === 'mul' && index.b === 8 && index.a.kind === 'mod' && index.a.b === 4 && isVar(index.a.a, k);

/** An index in which k occurs as k / 4 only, in terms of that; null for others. */
function inWords(index: Index, k: IndexVar, words: IndexVar): Index | null {
  switch (index.kind) {
    case 'const':
      return index;
    case 'var':
      return index.v === k ? null : index;
    case 'value':
      return null;
    case 'mul':
    case 'div':
    case 'mod': {
      if (index.kind === 'div' && index.b === 4 && isVar(index.a, k)) return { kind: 'var', v: words };
      const a = inWords(index.a, k, words);
      return a && { ...index, a };
    }
    case 'add':
    case 'sub': {
      const [a, b] = [inWords(index.a, k, words), inWords(index.b, k, words)];
      return a && b && { ...index, a, b };
    }
  }
}

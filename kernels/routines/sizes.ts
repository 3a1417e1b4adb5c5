import { isPrim, type Node, type RoutineAttrs, sizeOf, type WordDType } from '../../src/graph/index.js';
import type { RoutinePrim } from './operands.js';

/** Sizes of a routine: A is [m, n]; k is the columns of the right-hand side of a solver. */
export interface RoutineSizes {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

export function sizesOf({ inputs, shape }: Node<'routine'>): RoutineSizes {
  const [m, n] = inputs[0]!.shape.slice(-2) as [number, number];
  return { batch: sizeOf(shape.slice(0, -2)), m, n, k: inputs[1]?.shape.at(-1) ?? 0 };
}

/** 32-bit words of scratch that a routine needs for each matrix. */
export function scratchOf({ fn }: RoutineAttrs, { m, n }: Omit<RoutineSizes, 'batch'>): number {
  if (fn === 'eigh') return 2 * n * n;
  if (fn === 'qr') return (Math.min(m, n) + n) * m;
  return fn === 'svd' ? n * m + m + n : 0;
}

/** Values of a digit that an argsort goes by. */
export const RADIX = 256;
/** Digits of the keys of a dtype. */
export const digitsOf = (dtype: WordDType): number => (dtype === 'bool' ? 1 : 4);
/** Words of scratch for a line of n elements: keys, positions, and counters for each digit. */
export const sortScratch = (n: number, dtype: WordDType): number => 2 * n + RADIX * digitsOf(dtype);

/** 32-bit words of scratch for a whole kernel. */
export function scratchWords(node: Node<RoutinePrim>): number {
  if (isPrim(node, 'argsort')) {
    const n = node.shape[node.attrs.axis]!;
    return n === 0 ? 0 : (sizeOf(node.shape) / n) * sortScratch(n, node.inputs[0]!.dtype as WordDType);
  }
  if (!isPrim(node, 'routine')) return 0;
  const sizes = sizesOf(node);
  return sizes.batch * scratchOf(node.attrs, sizes);
}

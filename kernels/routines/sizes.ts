import { isPrim, type Node, type RoutineAttrs, sizeOf } from '../../src/graph/index.js';
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

/** 32-bit words of scratch for a whole kernel. */
export function scratchWords(node: Node<RoutinePrim>): number {
  if (!isPrim(node, 'routine')) return 0;
  const sizes = sizesOf(node);
  return sizes.batch * scratchOf(node.attrs, sizes);
}

import { ArgumentError, reshape, type Shape, ShapeError, showShape } from '../graph/index.js';
import { checkProduct } from './checkProduct.js';
import { matmul } from './linalg.js';
import { nodeOf } from './operands.js';
import type { Tensor } from './tensor.js';

const shaped = (x: Tensor, shape: Shape): Tensor => x.derive(reshape(x.node, shape));

/**
 * The product of a chain of matrices in the order that takes the fewest multiplications; the first and last may be vectors.
 */
export function multiDot(tensors: readonly Tensor[]): Tensor {
  return chained('multiDot', tensors);
}

/** `multiDot` of matrices: `chainMatmul(a, b, c)`. */
export function chainMatmul(...matrices: Tensor[]): Tensor {
  for (const x of matrices) {
    if (nodeOf('chainMatmul', x).shape.length !== 2)
      throw new ShapeError(`[chainMatmul] not a matrix: ${showShape(x.shape)}`);
  }
  return chained('chainMatmul', matrices);
}

function chained(op: string, tensors: readonly Tensor[]): Tensor {
  if (!Array.isArray(tensors) || tensors.length === 0)
    throw new ArgumentError(`[${op}] no tensors given (expected one or more)`);
  const last = tensors.length - 1;
  const chain = tensors.map((x: Tensor, i) => {
    const { shape } = nodeOf(op, x);
    if (shape.length === 2) return x;
    if (shape.length !== 1 || (i > 0 && i < last) || last === 0) {
      throw new ShapeError(`[${op}] not a matrix: ${showShape(shape)} (vectors only at the ends)`);
    }
    return shaped(x, i === 0 ? [1, shape[0]!] : [shape[0]!, 1]);
  });
  chain.slice(1).forEach((x, i) => {
    checkProduct(op, chain[i]!, x, [2, 2]);
  });
  // The classic dynamic program: cost[i][j] of the chain from i to j, and where to cut it.
  const length = (i: number): number => (i === 0 ? chain[0]!.shape[0]! : chain[i - 1]!.shape[1]!);
  const cost = chain.map(() => new Array<number>(chain.length).fill(0));
  const cut = chain.map(() => new Array<number>(chain.length).fill(0));
  for (let span = 1; span < chain.length; span++) {
    for (let i = 0; i + span < chain.length; i++) {
      const j = i + span;
      cost[i]![j] = Infinity;
      for (let k = i; k < j; k++) {
        const total = cost[i]![k]! + cost[k + 1]![j]! + length(i) * length(k + 1) * length(j + 1);
        if (total < cost[i]![j]!) [cost[i]![j], cut[i]![j]] = [total, k];
      }
    }
  }
  const product = (i: number, j: number): Tensor =>
    i === j ? chain[i]! : matmul(product(i, cut[i]![j]!), product(cut[i]![j]! + 1, j));
  const out = product(0, last);
  const ends = [tensors[0]!.ndim === 1 ? [] : [out.shape[0]!], tensors[last]!.ndim === 1 ? [] : [out.shape[1]!]];
  return shaped(out, ends.flat());
}

/** How far apart, or in how like directions, vectors are. */
import { normalizeAxis } from '../graph/index.js';
import { add, div, maximum, mul, sub } from './elementwise.js';
import { alike } from './operands.js';
import { norm, type ReduceOptions, sum } from './reductions.js';
import type { Tensor } from './tensor.js';

/**
 * The cosine of the angle between vectors along an axis (1 by default): their product over their lengths, each at least `eps`. Both
 * broadcast. In f32.
 */
export function cosineSimilarity(a: Tensor, b: Tensor, dim = 1, eps = 1e-8): Tensor {
  const [x, y] = alike('cosineSimilarity', [a, b], 'float') as [Tensor, Tensor];
  normalizeAxis('cosineSimilarity', dim, x.ndim);
  const lengths = (v: Tensor): Tensor => maximum(norm(v, 2, dim, { keepDim: true }), eps);
  return sum(mul(div(x, lengths(x)), div(y, lengths(y))), dim);
}

/** The p-norm of a - b + eps along the last axis; both broadcast. In f32. */
export function pairwiseDistance(a: Tensor, b: Tensor, p = 2, eps = 1e-6, options?: ReduceOptions): Tensor {
  const [x, y] = alike('pairwiseDistance', [a, b], 'float') as [Tensor, Tensor];
  normalizeAxis('pairwiseDistance', -1, x.ndim);
  return norm(add(sub(x, y), eps), p, -1, options);
}

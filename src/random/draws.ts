import { cast, type Node, reshape, type Shape, slice } from '../graph/index.js';
import { bitwiseNot, cos, log, log1p, lt, mul, neg, sqrt, type Tensor, where } from '../tensor/index.js';
import { fromNode } from '../tensor/internal.js';
import { bitsFrom, type Generator } from './generator.js';

export interface DrawOptions {
  /** Of the result, to which the parameters broadcast; that of the parameters unless given. */
  shape?: number | Shape;
  /** Where the random bits come from; unless given, from the generator that `tl.manualSeed` starts. */
  generator?: Generator | null;
}

/** Several arrays of u32 words out of one draw. */
export function words(op: string, count: number, shape: Shape, generator: Generator | null | undefined): Tensor[] {
  const all = bitsFrom(op, generator, [count, ...shape]);
  const row = (i: number): Node => reshape(slice(all, [i, ...shape.map(() => 0)], [1, ...shape]), shape);
  return Array.from({ length: count }, (_, i) => fromNode(row(i)));
}

/** f32 of u32 words: (word + 1/2) / 2^32, above 0 and up to 1, with all of f32's precision near 0. */
export function openUniform(word: Tensor): Tensor {
  return mul(fromNode(cast(word.node, 'f32')).add(0.5), 2 ** -32);
}

/** f32, uniform over [0, 1) in steps of 2^-24: the upper 24 bits. */
export function unitInterval(word: Tensor): Tensor {
  return mul(fromNode(cast(word.bitwiseRightShift(8).node, 'f32')), 2 ** -24);
}

/** A number uniform over (0, 1), as the distance to the nearer end and whether that is 0. */
export function nearerEnd(word: Tensor): { distance: Tensor; atZero: Tensor } {
  const atZero = lt(word, 2 ** 31);
  return { distance: openUniform(where(atZero, word, bitwiseNot(word))), atZero };
}

/** f32, exponential of mean 1, precise at both ends: 1.2e-10 to 22.9. */
export function standardExponential(word: Tensor): Tensor {
  const { distance, atZero } = nearerEnd(word);
  return neg(where(atZero, log1p(neg(distance)), log(distance)));
}

/** f32, normal of mean 0 and variance 1, by Box and Muller's transform. */
export function standardNormal(word: Tensor, other: Tensor): Tensor {
  return mul(sqrt(mul(standardExponential(word), 2)), cos(mul(unitInterval(other), 2 * Math.PI)));
}

/** f32, of the distribution of -log(E) for exponential E. */
export const standardGumbel = (word: Tensor): Tensor => neg(log(standardExponential(word)));

import { ArgumentError, cast, DTypeError, type Shape, ShapeError, showShape } from '../graph/index.js';
import {
  add,
  argmax,
  argsort,
  cumsum,
  gather,
  indexSelect,
  log,
  minimum,
  mul,
  narrow,
  searchsorted,
  type Tensor,
  tensor,
  topk,
} from '../tensor/index.js';
import { activeTrace, fromNode, insideTransform, nodeOf } from '../tensor/internal.js';
import { type DrawOptions, openUniform, standardGumbel, words } from './draws.js';
import { type Generator, hostWords } from './generator.js';
import { resultShape } from './parameters.js';

/** A tensor of f32 whose last axis holds the categories. */
function categories(op: string, name: string, x: Tensor): Tensor {
  const { shape, dtype } = nodeOf(op, x);
  if (dtype === 'bool') throw new DTypeError(`[${op}] ${name} are bool (expected numbers)`);
  if (shape.length === 0 || shape[shape.length - 1] === 0) {
    throw new ShapeError(`[${op}] ${name} are ${showShape(shape)} (expected [..., categories], at least one)`);
  }
  return fromNode(cast(x.node, 'f32')).detach();
}

/**
 * Categories by their unnormalized log-probabilities [..., k]: i32 of the shape before k, or of `shape`, to which that broadcasts. The largest of the
 * logits with Gumbel noise. Throws ShapeError where there is no category.
 */
export function categorical(logits: Tensor, options?: DrawOptions): Tensor {
  const op = 'categorical';
  const x = categories(op, 'logits', logits);
  const shape = resultShape(op, x.shape.slice(0, -1), options?.shape);
  const [word] = words(op, 1, [...shape, x.shape[x.ndim - 1]!], options?.generator);
  return argmax(add(x, standardGumbel(word!)), -1);
}

export interface MultinomialOptions {
  /** Whether a category may come several times (false). */
  replacement?: boolean;
  /** Where the random bits come from. */
  generator?: Generator | null;
}

/**
 * Categories by weights [..., k], which need not add up to 1: i32 [..., numSamples]. With replacement by the inverse of the distribution function (so
 * weights below 2^-24 of the sum may round away), without by the largest log-weights with Gumbel noise, in the order of drawing. A weight of
 * 0 is never drawn, unless there are not enough others. Throws ArgumentError for more samples than categories without replacement.
 */
export function multinomial(weights: Tensor, numSamples: number, options?: MultinomialOptions): Tensor {
  const op = 'multinomial';
  const x = categories(op, 'weights', weights);
  if (!Number.isInteger(numSamples) || numSamples < 1) {
    throw new ArgumentError(`[${op}] numSamples is ${String(numSamples)} (expected an integer of at least 1)`);
  }
  const k = x.shape[x.ndim - 1]!;
  if (options?.replacement) {
    const [word] = words(op, 1, [...x.shape.slice(0, -1), numSamples], options.generator);
    const sums = cumsum(x, -1);
    const total = narrow(sums, -1, k - 1, 1);
    // Above 0 and up to the sum: the first sum that is not below is that of a category with a weight.
    const found = searchsorted(sums, minimum(mul(openUniform(word!), total), total));
    // Sums that are NaN find no place.
    return minimum(found, k - 1);
  }
  if (numSamples > k) {
    throw new ArgumentError(`[${op}] numSamples is ${numSamples} for ${k} categories (expected replacement, or fewer)`);
  }
  const [word] = words(op, 1, x.shape, options?.generator);
  return topk(add(log(x), standardGumbel(word!)), numSamples).indices;
}

/** The order of n by 64 random bits each: equal ones, which keep their order, have a probability below n^2 / 2^65. */
function orderOfWords(op: string, n: number, generator: Generator | null | undefined): Tensor {
  const [high, low] = words(op, 2, [n], generator);
  const first = argsort(low!);
  return gather(first, 0, argsort(gather(high!, 0, first), 0, { stable: true }));
}

/** Fisher and Yates's shuffle, without the bias of a remainder. */
function shuffled(op: string, n: number, generator: Generator | null | undefined): Tensor {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  const next = hostWords(op, generator);
  for (let i = n - 1; i > 0; i--) {
    const limit = 2 ** 32 - (2 ** 32 % (i + 1));
    let word = next();
    while (word >= limit) word = next();
    const j = word % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return tensor(order);
}

/** On the host, where there is no need to wait for a run; what is traced sorts random words, another order. */
const randomOrder = (op: string, n: number, generator: Generator | null | undefined): Tensor =>
  activeTrace() === null && !insideTransform() ? shuffled(op, n, generator) : orderOfWords(op, n, generator);

/**
 * The integers 0..n-1 in random order, i32 [n]; or a tensor with its elements along axis 0 in random order. Drawn on the host; inside compile and
 * other transforms by sorting random words, for which every call draws anew.
 */
export function permutation(x: number | Tensor, options?: { generator?: Generator | null }): Tensor {
  const op = 'permutation';
  if (typeof x === 'number') {
    if (!Number.isInteger(x) || x < 0) throw new ArgumentError(`[${op}] n is ${x} (expected an integer of at least 0)`);
    return randomOrder(op, x, options?.generator);
  }
  const shape: Shape = nodeOf(op, x).shape;
  if (shape.length === 0) throw new ShapeError(`[${op}] input is [] (expected rank 1 or more)`);
  return indexSelect(x, 0, randomOrder(op, shape[0]!, options?.generator));
}

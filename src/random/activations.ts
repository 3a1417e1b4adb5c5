import { ArgumentError, DTypeError, normalizeAxis } from '../graph/index.js';
import { add, arange, argmax, div, eq, ge, mul, reshape, softmax, sub, type Tensor, where } from '../tensor/index.js';
import { nodeOf } from '../tensor/internal.js';
import { standardGumbel, unitInterval, words } from './draws.js';
import type { Generator } from './generator.js';

export interface GumbelSoftmaxOptions {
  /** Temperature: the smaller, the nearer to one category (1). */
  tau?: number;
  /** Whether the result is the category, one-hot, with the gradient of the shares (false). */
  hard?: boolean;
  /** The axis of the categories (-1). */
  dim?: number;
  /** Where the random bits come from. */
  generator?: Generator | null;
}

/**
 * A sample of categories that is differentiable by their logits: softmax((logits + Gumbel noise) / tau), in f32. Throws DTypeError unless the
 * logits are f32, ArgumentError unless tau is above 0.
 */
export function gumbelSoftmax(logits: Tensor, options: GumbelSoftmaxOptions = {}): Tensor {
  const op = 'gumbelSoftmax';
  const { shape, dtype } = nodeOf(op, logits);
  if (dtype !== 'f32') throw new DTypeError(`[${op}] logits are ${dtype} (expected f32)`);
  const { tau = 1, hard = false, generator } = options;
  if (!(tau > 0)) throw new ArgumentError(`[${op}] tau is ${String(tau)} (expected a number above 0)`);
  const axis = normalizeAxis(op, options.dim ?? -1, shape.length);
  const noise = standardGumbel(words(op, 1, shape, generator)[0]!);
  const soft = softmax(div(add(logits, noise), tau), axis);
  if (!hard) return soft;
  const places = reshape(
    arange(shape[axis]!),
    shape.map((d, i) => (i === axis ? d : 1)),
  );
  const category = where(eq(places, argmax(soft, axis, { keepDim: true })), 1, 0);
  return add(sub(category, soft.detach()), soft);
}

export interface RreluOptions {
  /** Where the random bits come from. */
  generator?: Generator | null;
}

/**
 * x where it is not negative, else a slope times x: in training one of its own for each element, uniform over lower..upper, otherwise their
 * mean; in f32. Throws DTypeError unless x is f32, ArgumentError unless lower <= upper.
 */
export function rrelu(x: Tensor, lower = 1 / 8, upper = 1 / 3, training = false, options?: RreluOptions): Tensor {
  const op = 'rrelu';
  const { shape, dtype } = nodeOf(op, x);
  if (dtype !== 'f32') throw new DTypeError(`[${op}] input is ${dtype} (expected f32)`);
  if (!(lower <= upper)) {
    throw new ArgumentError(`[${op}] slopes are ${String(lower)} to ${String(upper)} (expected lower <= upper)`);
  }
  if (!training) return where(ge(x, 0), x, mul(x, (lower + upper) / 2));
  const slope = add(mul(unitInterval(words(op, 1, shape, options?.generator)[0]!), upper - lower), lower);
  return where(ge(x, 0), x, mul(x, slope));
}

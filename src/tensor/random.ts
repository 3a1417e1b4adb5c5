import { hostStorage } from '../compile/index.js';
import { ArgumentError, binary, cast, checkDType, type DType, DTypeError, leaf, type Shape } from '../graph/index.js';
import { type CreateOptions, created } from './creation.js';
import { hostSeed, integersNode, normalNode, uniformNode } from './generator.js';
import { checkInteger, nodeOf, shapeOf } from './operands.js';
import type { Tensor } from './tensor.js';

function floatOnly(op: string, dtype: DType | undefined): void {
  if (checkDType(op, dtype ?? 'f32') !== 'f32') throw new DTypeError(`[${op}] dtype is ${dtype} (expected f32)`);
}

/** Random numbers, uniform over [0, 1) in steps of 2^-24; f32. */
export function rand(shape: number | Shape, options?: CreateOptions): Tensor {
  floatOnly('rand', options?.dtype);
  return created(uniformNode(shapeOf('rand', shape)), options);
}

/** Random numbers from the normal distribution of mean 0 and variance 1; f32. */
export function randn(shape: number | Shape, options?: CreateOptions): Tensor {
  floatOnly('randn', options?.dtype);
  return created(normalNode(shapeOf('randn', shape)), options);
}

/** `rand` in the shape of another tensor. */
export function randLike(x: Tensor, options?: CreateOptions): Tensor {
  return rand(nodeOf('randLike', x).shape, options);
}

/** `randn` in the shape of another tensor. */
export function randnLike(x: Tensor, options?: CreateOptions): Tensor {
  return randn(nodeOf('randnLike', x).shape, options);
}

/**
 * Random integers from low up to but without high; i32 unless told otherwise. The remainder of 32 random bits: no value is more likely than
 * another by more than (high - low) / 2^32. Throws ArgumentError for an empty range.
 */
export function randint(low: number, high: number, shape: number | Shape, options?: CreateOptions): Tensor {
  checkInteger('randint', 'low', low, -(2 ** 31));
  checkInteger('randint', 'high', high);
  if (high <= low || high > 2 ** 31) {
    throw new ArgumentError(`[randint] range is ${low} to ${high} (expected low < high, at most 2^31)`);
  }
  const node = integersNode(low, high, shapeOf('randint', shape));
  return created(cast(node, checkDType('randint', options?.dtype ?? 'i32')), options);
}

/** 1 with the probability that each element of x gives, else 0; f32 like x. Throws DTypeError unless x is f32. */
export function bernoulli(x: Tensor, options?: CreateOptions): Tensor {
  const node = nodeOf('bernoulli', x);
  if (node.dtype !== 'f32') throw new DTypeError(`[bernoulli] probabilities are ${node.dtype} (expected f32)`);
  const hit = binary('lt', uniformNode(node.shape), node);
  return created(cast(hit, checkDType('bernoulli', options?.dtype ?? 'f32')), options);
}

/** The integers 0..n-1 in random order; i32. Drawn on the host. */
export function randperm(n: number): Tensor {
  const order = Int32Array.from({ length: checkInteger('randperm', 'n', n, 0) }, (_, i) => i);
  const next = hostRandom(hostSeed());
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return created(leaf(hostStorage(order, [n], 'i32')), undefined);
}

/** sfc32, uniform over [0, 1): what a shuffle on the host needs. */
function hostRandom([seed, draw]: readonly [number, number]): () => number {
  let [a, b, c, d] = [seed, draw, 0x9e3779b9, 1];
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

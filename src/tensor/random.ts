import { hostStorage } from '../compile/index.js';
import {
  ArgumentError,
  argsort,
  binary,
  cast,
  checkDType,
  DTypeError,
  gather,
  isFloat,
  leaf,
  type Node,
  type Shape,
} from '../graph/index.js';
import { type CreateOptions, created } from './creation.js';
import { bitsNode, hostSeed, integersNode, normalNode, uniformNode } from './generator.js';
import { checkInteger, floatDType, nodeOf, shapeOf } from './operands.js';
import type { Tensor } from './tensor.js';
import { activeTrace } from './trace.js';

function floatOnly(op: string, node: Node, options: CreateOptions | undefined): Tensor {
  const dtype = checkDType(op, options?.dtype ?? 'f32');
  if (!isFloat(dtype)) throw new DTypeError(`[${op}] dtype is ${dtype} (expected a float)`);
  return created(cast(node, dtype), options);
}

/** Random numbers, uniform over [0, 1) in steps of 2^-24; f32 unless told otherwise. */
export function rand(shape: number | Shape, options?: CreateOptions): Tensor {
  return floatOnly('rand', uniformNode(shapeOf('rand', shape)), options);
}

/** Random numbers from the normal distribution of mean 0 and variance 1; f32 unless told otherwise. */
export function randn(shape: number | Shape, options?: CreateOptions): Tensor {
  return floatOnly('randn', normalNode(shapeOf('randn', shape)), options);
}

const like = (x: Tensor, options: CreateOptions | undefined): CreateOptions => ({
  ...options,
  dtype: options?.dtype ?? floatDType(x.dtype),
});

/** `rand` in the shape of another tensor, and in its dtype where that is a float. */
export function randLike(x: Tensor, options?: CreateOptions): Tensor {
  return rand(nodeOf('randLike', x).shape, like(x, options));
}

/** `randn` in the shape of another tensor, and in its dtype where that is a float. */
export function randnLike(x: Tensor, options?: CreateOptions): Tensor {
  return randn(nodeOf('randnLike', x).shape, like(x, options));
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

/** 1 with the probability that each element of x gives, else 0; in x's dtype. Throws DTypeError unless x is a float. */
export function bernoulli(x: Tensor, options?: CreateOptions): Tensor {
  const node = nodeOf('bernoulli', x);
  if (!isFloat(node.dtype)) throw new DTypeError(`[bernoulli] probabilities are ${node.dtype} (expected a float)`);
  const hit = binary('lt', uniformNode(node.shape), node);
  return created(cast(hit, checkDType('bernoulli', options?.dtype ?? node.dtype)), options);
}

/** The integers 0..n-1 in random order; i32. Drawn on the host; in a compiled function by sorting 64 random bits each, anew at every call. */
export function randperm(n: number): Tensor {
  checkInteger('randperm', 'n', n, 0);
  if (activeTrace() !== null) {
    const first = argsort(bitsNode([n]), 0);
    return created(gather(first, argsort(gather(bitsNode([n]), first, 0), 0), 0), undefined);
  }
  const order = Int32Array.from({ length: n }, (_, i) => i);
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

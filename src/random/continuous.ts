import { erf } from '../engine/reference/special.js';
import { ArgumentError, type Shape } from '../graph/index.js';
import {
  add,
  clamp,
  div,
  erfinv,
  exp,
  full,
  gt,
  log1p,
  mul,
  neg,
  reciprocal,
  sqrt,
  sub,
  type Tensor,
  type TensorLike,
  tan,
  where,
} from '../tensor/index.js';
import {
  type DrawOptions,
  nearerEnd,
  openUniform,
  standardExponential,
  standardGumbel,
  standardNormal,
  unitInterval,
  words,
} from './draws.js';
import { parameters } from './parameters.js';

/** Uniform over [low, high), in f32; differentiable in both. */
export function uniform(low: TensorLike = 0, high: TensorLike = 1, options?: DrawOptions): Tensor {
  const { values, shape } = parameters('uniform', { low: [low, 'real'], high: [high, 'real'] }, options);
  const [from, to] = values as [Tensor, Tensor];
  return add(from, mul(sub(to, from), unitInterval(words('uniform', 1, shape, options?.generator)[0]!)));
}

/** Normal, in f32; differentiable in both parameters. A standard deviation of 0 gives the mean. */
export function normal(mean: TensorLike = 0, std: TensorLike = 1, options?: DrawOptions): Tensor {
  const { values, shape, checked } = parameters('normal', { mean: [mean, 'real'], std: [std, 'nonNegative'] }, options);
  return checked(add(values[0]!, mul(values[1]!, normals('normal', shape, options))));
}

const normals = (op: string, shape: Shape, options: DrawOptions | undefined): Tensor => {
  const [one, other] = words(op, 2, shape, options?.generator);
  return standardNormal(one!, other!);
};

/** The exponential of a normal number, in f32; differentiable in both parameters. */
export function logNormal(mean: TensorLike = 0, std: TensorLike = 1, options?: DrawOptions): Tensor {
  const given = { mean: [mean, 'real'], std: [std, 'nonNegative'] } as const;
  const { values, shape, checked } = parameters('logNormal', given, options);
  return checked(exp(add(values[0]!, mul(values[1]!, normals('logNormal', shape, options)))));
}

/** Exponential of a rate (mean 1 / rate), in f32; differentiable. */
export function exponential(rate: TensorLike = 1, options?: DrawOptions): Tensor {
  const { values, shape, checked } = parameters('exponential', { rate: [rate, 'positive'] }, options);
  const [word] = words('exponential', 1, shape, options?.generator);
  return checked(div(standardExponential(word!), values[0]!));
}

/** Gumbel's distribution of extremes, loc - scale log(E), in f32; differentiable in both parameters. */
export function gumbel(loc: TensorLike = 0, scale: TensorLike = 1, options?: DrawOptions): Tensor {
  const given = { loc: [loc, 'real'], scale: [scale, 'positive'] } as const;
  const { values, shape, checked } = parameters('gumbel', given, options);
  return checked(add(values[0]!, mul(values[1]!, standardGumbel(words('gumbel', 1, shape, options?.generator)[0]!))));
}

/** Laplace's distribution, exponential on both sides of loc, in f32; differentiable in both parameters. */
export function laplace(loc: TensorLike = 0, scale: TensorLike = 1, options?: DrawOptions): Tensor {
  const given = { loc: [loc, 'real'], scale: [scale, 'positive'] } as const;
  const { values, shape, checked } = parameters('laplace', given, options);
  const [word, side] = words('laplace', 2, shape, options?.generator);
  const size = standardExponential(word!);
  return checked(add(values[0]!, mul(values[1]!, where(nearerEnd(side!).atZero, size, neg(size)))));
}

/** Cauchy's distribution, in f32; differentiable in both parameters. Its tails reach 3e9 scales. */
export function cauchy(loc: TensorLike = 0, scale: TensorLike = 1, options?: DrawOptions): Tensor {
  const given = { loc: [loc, 'real'], scale: [scale, 'positive'] } as const;
  const { values, shape, checked } = parameters('cauchy', given, options);
  const [word, choice] = words('cauchy', 2, shape, options?.generator);
  // The tangent up to 45 degrees or its reciprocal, equally likely: small angles are precise.
  const near = tan(mul(openUniform(word!), Math.PI / 4));
  const size = where(choice!.bitwiseAnd(1).eq(0), near, reciprocal(near));
  return checked(add(values[0]!, mul(values[1]!, where(nearerEnd(choice!).atZero, size, neg(size)))));
}

/** Beyond this many standard deviations an interval is a tail, for which the inverse of the distribution function is too coarse. */
const TAIL = 2;
/** Proposals in a tail: each fails with a probability of at most 0.158, all of them with 2.4e-10. */
const TAIL_ROUNDS = 12;

/**
 * Normal, of what lies between a and b, in f32: `truncatedNormal(0, 1, -2, 2, { shape: [3] })`. By the inverse of the distribution function; an
 * interval beyond two standard deviations by up to 12 proposals, which all fail with a probability below 1e-9 (the nearer end is given then).
 * Throws ArgumentError unless a < b and std > 0.
 */
export function truncatedNormal(mean = 0, std = 1, a = -2, b = 2, options?: DrawOptions): Tensor {
  const op = 'truncatedNormal';
  if (!Number.isFinite(mean)) throw new ArgumentError(`[${op}] mean is ${String(mean)} (expected a finite number)`);
  if (!(std > 0 && std < Infinity))
    throw new ArgumentError(`[${op}] std is ${String(std)} (expected a number above 0)`);
  if (!(a < b)) throw new ArgumentError(`[${op}] interval is ${String(a)} to ${String(b)} (expected a < b)`);
  const { shape } = parameters(op, {}, options);
  const [low, high] = [(a - mean) / std, (b - mean) / std];
  const mirrored = high < -TAIL;
  const standard =
    low > TAIL || mirrored
      ? tail(op, mirrored ? -high : low, mirrored ? -low : high, shape, options)
      : between(op, low, high, shape, options);
  return clamp(add(mul(mirrored ? neg(standard) : standard, std), mean), a, b);
}

function between(op: string, low: number, high: number, shape: Shape, options: DrawOptions | undefined): Tensor {
  const [from, to] = [erf(low * Math.SQRT1_2), erf(high * Math.SQRT1_2)];
  const [word] = words(op, 1, shape, options?.generator);
  return mul(erfinv(add(mul(openUniform(word!), to - from), from)), Math.SQRT2);
}

/** Marsaglia's way: x^2 / 2 beyond low^2 / 2 is exponential, up to high; x is kept with the probability low / x. */
function tail(op: string, low: number, high: number, shape: Shape, options: DrawOptions | undefined): Tensor {
  const all = words(op, 2 * TAIL_ROUNDS, shape, options?.generator);
  const span = -Math.expm1((low * low - high * high) / 2);
  let result = full(shape, low);
  for (let i = TAIL_ROUNDS - 1; i >= 0; i--) {
    const beyond = neg(log1p(mul(openUniform(all[2 * i]!), -span)));
    const x = sqrt(add(mul(beyond, 2), low * low));
    result = where(gt(mul(openUniform(all[2 * i + 1]!), x), low), result, x);
  }
  return result;
}

import { ShapeError, showShape } from '../graph/index.js';
import {
  add,
  clamp,
  customVjp,
  div,
  exp,
  full,
  gt,
  log,
  log1p,
  lt,
  mul,
  neg,
  rsqrt,
  sigmoid,
  softmax,
  sub,
  type Tensor,
  type TensorLike,
  where,
} from '../tensor/index.js';
import { nodeOf } from '../tensor/internal.js';
import { type DrawOptions, standardExponential, standardNormal, words } from './draws.js';
import { logGammaSlope } from './gammaGradient.js';
import type { Generator } from './generator.js';
import { parameters } from './parameters.js';

/** Proposals: each is refused with a probability of at most 0.0486 (for alpha 1), all of them with 6.5e-10. */
const ROUNDS = 7;
/** The smallest gamma sample, as PyTorch's: f32 would have 0. */
const SMALLEST = 2 ** -126;

/**
 * Samples of the standard gamma distribution as x and log(x), by Marsaglia and Tsang's way (2000): d (1 + t)^3 for t a normal number over
 * 3 sqrt(d), kept where it is likely enough. For alpha < 1, x of alpha + 1 times U^(1 / alpha).
 */
function sample(op: string, alpha: Tensor, generator: Generator | null | undefined): { x: Tensor; logX: Tensor } {
  const all = words(op, 3 * ROUNDS + 1, alpha.shape, generator);
  const boosted = lt(alpha, 1);
  const d = sub(where(boosted, add(alpha, 1), alpha), 1 / 3);
  const width = mul(rsqrt(d), 1 / 3);
  // The mode of t, should no proposal be kept.
  let kept = full(alpha.shape, 0);
  for (let i = ROUNDS - 1; i >= 0; i--) {
    const t = mul(standardNormal(all[3 * i]!, all[3 * i + 1]!), width);
    // 3 (log(1 + t) - t + t^2 / 2) - t^3, which is small where t is: there from its series.
    const small = lt(mul(t, t), 0.01);
    const s = where(small, t, 0);
    const square = mul(s, s);
    const series = [3 / 8, -3 / 7, 1 / 2, -3 / 5, 3 / 4].reduce((sum, c) => add(mul(sum, s), c), mul(s, 0).sub(1 / 3));
    const near = neg(mul(mul(square, square), series));
    const inside = gt(t, -1);
    const far = where(inside, t, 0);
    const direct = sub(mul(sub(add(log1p(far), mul(mul(far, far), 0.5)), far), 3), mul(mul(far, far), far));
    const advantage = mul(d, where(small, near, direct));
    const accepted = inside.logicalAnd(gt(standardExponential(all[3 * i + 2]!), neg(advantage)));
    kept = where(accepted, t, kept);
  }
  const base = add(kept, 1);
  const value = mul(d, mul(mul(base, base), base));
  const boost = where(boosted, neg(div(standardExponential(all[3 * ROUNDS]!), alpha)), 0);
  const x = clamp(mul(value, exp(boost)), SMALLEST);
  return { x, logX: add(log(value), boost) };
}

/** A gamma sample with its implicit gradient by alpha. */
function standardGamma(op: string, alpha: Tensor, generator: Generator | null | undefined): Tensor {
  return customVjp(
    (a: Tensor) => {
      const { x, logX } = sample(op, a, generator);
      return [x, { a, x, logX }];
    },
    ({ a, x, logX }, g: Tensor) => [mul(g, mul(x, logGammaSlope(a, x, logX)))],
  )(alpha);
}

/** The logarithm of a gamma sample, which is precise for the smallest of them too. */
function logGammaSample(op: string, alpha: Tensor, generator: Generator | null | undefined): Tensor {
  return customVjp(
    (a: Tensor) => {
      const { x, logX } = sample(op, a, generator);
      return [logX, { a, x, logX }];
    },
    ({ a, x, logX }, g: Tensor) => [mul(g, logGammaSlope(a, x, logX))],
  )(alpha);
}

/**
 * Gamma of a concentration (shape parameter) and a rate, in f32, at least 2^-126 / rate. Differentiable in both, in the concentration by implicit
 * reparametrisation as PyTorch's. Seven proposals, which are all refused with a probability below 1e-9.
 */
export function gamma(concentration: TensorLike, rate: TensorLike = 1, options?: DrawOptions): Tensor {
  const given = { concentration: [concentration, 'positive'], rate: [rate, 'positive'] } as const;
  const { values, checked } = parameters('gamma', given, options);
  return checked(div(standardGamma('gamma', values[0]!, options?.generator), values[1]!));
}

/** The sum of df squared normal numbers, for any df above 0; in f32, differentiable. */
export function chi2(df: TensorLike, options?: DrawOptions): Tensor {
  const { values, checked } = parameters('chi2', { df: [df, 'positive'] }, options);
  return checked(mul(standardGamma('chi2', mul(values[0]!, 0.5), options?.generator), 2));
}

/** Student's t, in f32; differentiable in all parameters. */
export function studentT(df: TensorLike, loc: TensorLike = 0, scale: TensorLike = 1, options?: DrawOptions): Tensor {
  const given = { df: [df, 'positive'], loc: [loc, 'real'], scale: [scale, 'positive'] } as const;
  const { values, shape, checked } = parameters('studentT', given, options);
  const half = mul(values[0]!, 0.5);
  const logGamma = logGammaSample('studentT', half, options?.generator);
  const [one, other] = words('studentT', 2, shape, options?.generator);
  const spread = exp(mul(sub(log(half), logGamma), 0.5));
  return checked(add(values[1]!, mul(values[2]!, mul(standardNormal(one!, other!), spread))));
}

/** Beta, in f32: the share of one gamma sample in the sum of two. Differentiable in both concentrations, through those samples. */
export function beta(concentration1: TensorLike, concentration0: TensorLike, options?: DrawOptions): Tensor {
  const given = { concentration1: [concentration1, 'positive'], concentration0: [concentration0, 'positive'] } as const;
  const { values, checked } = parameters('beta', given, options);
  const [one, other] = values.map((alpha) => logGammaSample('beta', alpha, options?.generator));
  return checked(sigmoid(sub(one!, other!)));
}

/**
 * Dirichlet: concentrations [..., k] to shares [..., k] that add up to 1, in f32. `shape` is that of the result, k included. Differentiable, through
 * the gamma samples. Throws ShapeError for a single number.
 */
export function dirichlet(concentration: Tensor, options?: DrawOptions): Tensor {
  const { shape } = nodeOf('dirichlet', concentration);
  if (shape.length === 0) throw new ShapeError(`[dirichlet] concentration is ${showShape(shape)} (expected [..., k])`);
  const { values, checked } = parameters('dirichlet', { concentration: [concentration, 'positive'] }, options);
  return softmax(checked(logGammaSample('dirichlet', values[0]!, options?.generator)), -1);
}

import { ArgumentError, cast, checkDType, type DType } from '../graph/index.js';
import {
  add,
  div,
  exp,
  floor,
  full,
  ge,
  gt,
  le,
  log,
  log1p,
  logicalAnd,
  lt,
  mul,
  neg,
  sqrt,
  sub,
  type Tensor,
  type TensorLike,
  where,
} from '../tensor/index.js';
import { fromNode } from '../tensor/internal.js';
import { type DrawOptions, nearerEnd, openUniform, standardExponential, unitInterval, words } from './draws.js';
import { logBinomial, logPoisson } from './likelihood.js';
import { parameters, resultShape } from './parameters.js';

/** Means from which on counts are drawn by proposals. */
const MANY = 10;
/** Counts of a mean below MANY that are told apart: more have a probability below 1e-9. */
const MOST = 36;
/** Proposals for Poisson's distribution: each is refused with a probability of at most 0.2475, all of them with 8.2e-10. */
const POISSON_ROUNDS = 15;
/** Proposals for the binomial distribution: each is refused with a probability of at most 0.295, all of them with 9.8e-10. */
const BINOMIAL_ROUNDS = 17;

export interface IntegerOptions extends DrawOptions {
  /** Element type: i32 unless given. */
  dtype?: DType;
}

/**
 * Integers from low up to but without high, i32 unless told otherwise: the remainder of 32 random bits, so that no value is more likely than
 * another by more than (high - low) / 2^32. Throws ArgumentError for an empty range.
 */
export function randint(low: number, high: number, options?: IntegerOptions): Tensor {
  const op = 'randint';
  for (const [name, value] of [
    ['low', low],
    ['high', high],
  ] as const) {
    if (!Number.isInteger(value)) throw new ArgumentError(`[${op}] ${name} is ${String(value)} (expected an integer)`);
  }
  if (high <= low || low < -(2 ** 31) || high > 2 ** 31) {
    throw new ArgumentError(`[${op}] range is ${low} to ${high} (expected low < high, within -2^31..2^31)`);
  }
  const shape = resultShape(op, [], options?.shape);
  const [word] = words(op, 1, shape, options?.generator);
  const span = high - low;
  const reduced = span === 2 ** 32 ? word! : word!.remainder(full(shape, span, { dtype: 'u32' }));
  const value = add(fromNode(cast(reduced.node, 'i32')), full(shape, low, { dtype: 'i32' }));
  return fromNode(cast(value.node, checkDType(op, options?.dtype ?? 'i32')));
}

/** 1 with probability p, else 0; f32. */
export function bernoulli(p: TensorLike, options?: DrawOptions): Tensor {
  const { values, shape, checked } = parameters('bernoulli', { p: [p, 'probability'] }, options);
  const [word] = words('bernoulli', 1, shape, options?.generator);
  return checked(fromNode(cast(lt(unitInterval(word!), values[0]!).node, 'f32')));
}

/** How many trials it takes to the first success, itself included, for a probability p above 0: 1, 2, ...; f32. */
export function geometric(p: TensorLike, options?: DrawOptions): Tensor {
  const { values, shape, checked } = parameters('geometric', { p: [p, 'positiveProbability'] }, options);
  const [word] = words('geometric', 1, shape, options?.generator);
  const failures = floor(div(standardExponential(word!), neg(log1p(neg(values[0]!)))));
  return checked(add(failures, 1).detach());
}

/** Counts by the inverse of a distribution function: `ratio(k)` is the probability of k in parts of that of k - 1. */
function byInversion(
  op: string,
  first: Tensor,
  ratio: (k: number) => Tensor,
  options: DrawOptions | undefined,
): Tensor {
  const probabilities = [first];
  for (let k = 1; k <= MOST; k++) probabilities.push(mul(probabilities[k - 1]!, ratio(k)));
  // From the far end, so that what is unlikely keeps its precision: `left` is the probability of k and more.
  const chance = openUniform(words(op, 1, first.shape, options?.generator)[0]!);
  let left = probabilities[MOST]!;
  let count = full(first.shape, 0);
  for (let k = MOST; k >= 1; k--) {
    count = add(count, where(lt(chance, left), 1, 0));
    left = add(left, probabilities[k - 1]!);
  }
  return count;
}

interface Proposals {
  readonly rounds: number;
  /** The middle of the proposals: its whole part, and what is above that. */
  readonly whole: Tensor;
  readonly rest: Tensor;
  readonly a: Tensor;
  readonly b: Tensor;
  /** The logarithm of what the probability of a proposal is multiplied by. */
  readonly logScale: Tensor;
  /** Of a count, given as it is and as its distance from `whole`. */
  logLikelihood(k: Tensor, offset: Tensor): Tensor;
  readonly most: Tensor | null;
}

/** Hörmann's transformed rejection (1993): counts by proposals with wide tails, kept where they are likely enough. */
function byProposals(
  op: string,
  { rounds, whole, rest, a, b, logScale, logLikelihood, most }: Proposals,
  options: DrawOptions | undefined,
): Tensor {
  const all = words(op, 2 * rounds, whole.shape, options?.generator);
  let offset = full(whole.shape, 0);
  for (let i = rounds - 1; i >= 0; i--) {
    const { distance, atZero } = nearerEnd(all[2 * i]!);
    const u = mul(sub(0.5, distance), where(atZero, -1, 1));
    const here = floor(add(mul(add(div(mul(a, 2), distance), b), u), rest));
    const k = add(whole, here);
    const possible = most === null ? ge(k, 0) : logicalAnd(ge(k, 0), le(k, most));
    const known = where(possible, here, 0);
    const proposed = sub(logScale, log(add(div(a, mul(distance, distance)), b)));
    const level = sub(proposed, standardExponential(all[2 * i + 1]!));
    const likely = le(level, logLikelihood(add(whole, known), known));
    offset = where(logicalAnd(possible, likely), here, offset);
  }
  return add(whole, offset);
}

/**
 * Poisson of a mean, in f32. Below 10 by the inverse of the distribution function (counts above 36 have a probability below 1e-9 and become 36), else by up to
 * 15 proposals, which are all refused with a probability below 1e-9 (then the mode is given). No gradient.
 */
export function poisson(rate: TensorLike, options?: DrawOptions): Tensor {
  const { values, checked } = parameters('poisson', { rate: [rate, 'nonNegative'] }, options);
  const mean = values[0]!.detach();
  const few = lt(mean, MANY);
  const small = where(few, mean, 1);
  const byInverse = byInversion('poisson', exp(neg(small)), (k) => mul(small, 1 / k), options);
  const large = where(few, MANY, mean);
  const whole = floor(large);
  const fraction = sub(large, whole);
  const b = add(mul(sqrt(large), 2.53), 0.931);
  const proposals: Proposals = {
    rounds: POISSON_ROUNDS,
    whole,
    rest: add(fraction, 0.43),
    a: sub(mul(b, 0.02483), 0.059),
    b,
    logScale: log(add(div(1.1328, sub(b, 3.4)), 1.1239)),
    logLikelihood: (k, offset) => logPoisson(k, large, sub(offset, fraction)),
    most: null,
  };
  return checked(where(few, byInverse, byProposals('poisson', proposals, options)));
}

/**
 * How many of n trials succeed, each with probability p, in f32; n up to 2^24. By the inverse of the distribution function where n p or n (1 - p) is
 * below 10, else by up to 17 proposals, which are all refused with a probability below 1e-9 (then the mode is given). No gradient.
 */
export function binomial(n: TensorLike, p: TensorLike, options?: DrawOptions): Tensor {
  const { values, checked } = parameters('binomial', { n: [n, 'nonNegative'], p: [p, 'probability'] }, options);
  const [trials, probability] = values.map((x) => x.detach()) as [Tensor, Tensor];
  const flipped = gt(probability, 0.5);
  const rare = where(flipped, sub(1, probability), probability);
  const few = lt(mul(trials, rare), MANY);
  const [smallP, smallN] = [where(few, rare, 0), where(few, trials, 1)];
  const odds = div(smallP, sub(1, smallP));
  const first = exp(mul(smallN, log1p(neg(smallP))));
  const byInverse = byInversion(
    'binomial',
    first,
    (k) => mul(mul(where(ge(smallN, k), add(smallN, 1 - k), 0), odds), 1 / k),
    options,
  );
  const [largeP, largeN] = [where(few, 0.5, rare), where(few, 4 * MANY, trials)];
  const mean = mul(largeN, largeP);
  const deviation = sqrt(mul(mean, sub(1, largeP)));
  const whole = floor(mean);
  const fraction = sub(mean, whole);
  const b = add(mul(deviation, 2.53), 1.15);
  const mode = floor(mul(add(largeN, 1), largeP));
  const logLikelihood = (k: Tensor, offset: Tensor): Tensor => logBinomial(k, largeN, largeP, sub(offset, fraction));
  const proposals: Proposals = {
    rounds: BINOMIAL_ROUNDS,
    whole,
    rest: add(fraction, 0.5),
    a: add(sub(mul(b, 0.0248), 0.0873), mul(largeP, 0.01)),
    b,
    logScale: add(log(mul(add(div(5.1, b), 2.83), deviation)), logLikelihood(mode, sub(mode, whole))),
    logLikelihood,
    most: largeN,
  };
  const count = where(few, byInverse, byProposals('binomial', proposals, options));
  return checked(where(flipped, sub(trials, count), count));
}

import * as tl from 'tiller';
import * as random from 'tiller/random';
import { describe } from 'vitest';
import { bools, ints, js, type Mistake, throwsEach, z } from './mistakes.js';

describe('random numbers name themselves in errors', () => {
  const two: readonly [string, (a: tl.TensorLike, b: tl.TensorLike, o?: random.DrawOptions) => tl.Tensor, string][] = [
    ['logNormal', random.logNormal, 'std'],
    ['normal', random.normal, 'std'],
    ['gumbel', random.gumbel, 'scale'],
    ['laplace', random.laplace, 'scale'],
    ['cauchy', random.cauchy, 'scale'],
    ['gamma', random.gamma, 'rate'],
    ['beta', random.beta, 'concentration0'],
  ];
  throwsEach(
    two.flatMap(([op, draw, second]): Mistake[] => [
      [`${op} parameter`, () => draw(1, -1), tl.ArgumentError, `[${op}] ${second} is -1 (expected a number`],
      [`${op} of bools`, () => draw(bools(2), 1), tl.DTypeError, `[${op}] `],
      [`${op} shapes`, () => draw(tl.ones([2]), tl.ones([3])), tl.ShapeError, `[${op}] shapes do not broadcast`],
      [`${op} shape`, () => draw(tl.ones([2]), 1, { shape: [3] }), tl.ShapeError, `[${op}] shapes do not broadcast`],
      [`${op} smaller`, () => draw(tl.ones([2]), 1, { shape: [1] }), tl.ShapeError, `[${op}] parameters are [2]`],
      [`${op} no shape`, () => draw(1, 1, { shape: js('3') }), tl.ArgumentError, `[${op}] shape is string`],
      [`${op} generator`, () => draw(1, 1, { generator: js(4) }), tl.ArgumentError, `[${op}] generator is number`],
      [`${op} no tensor`, () => draw(js('1'), 1), tl.ArgumentError, `[${op}] not a tensor: string`],
    ]),
  );
  throwsEach([
    [
      'exponential',
      () => random.exponential(0),
      tl.ArgumentError,
      '[exponential] rate is 0 (expected a number above 0)',
    ],
    ['uniform', () => random.uniform(Number.NaN), tl.ArgumentError, '[uniform] low is NaN'],
    ['chi2', () => random.chi2(0), tl.ArgumentError, '[chi2] df is 0'],
    ['studentT', () => random.studentT(-1), tl.ArgumentError, '[studentT] df is -1'],
    ['dirichlet', () => random.dirichlet(tl.ones([])), tl.ShapeError, '[dirichlet] concentration is []'],
    ['poisson', () => random.poisson(-1), tl.ArgumentError, '[poisson] rate is -1 (expected a number of at least 0)'],
    ['binomial', () => random.binomial(3, 2), tl.ArgumentError, '[binomial] p is 2 (expected a number of 0 to 1)'],
    ['binomial n', () => random.binomial(-3, 0.5), tl.ArgumentError, '[binomial] n is -3'],
    ['bernoulli', () => random.bernoulli(1.5), tl.ArgumentError, '[bernoulli] p is 1.5'],
    [
      'geometric',
      () => random.geometric(0),
      tl.ArgumentError,
      '[geometric] p is 0 (expected a number above 0, up to 1)',
    ],
    ['randint', () => random.randint(3, 3), tl.ArgumentError, '[randint] range is 3 to 3'],
    ['randint half', () => random.randint(0.5, 3), tl.ArgumentError, '[randint] low is 0.5'],
    [
      'truncatedNormal',
      () => random.truncatedNormal(0, 1, 2, 1),
      tl.ArgumentError,
      '[truncatedNormal] interval is 2 to 1',
    ],
    ['truncatedNormal std', () => random.truncatedNormal(0, 0), tl.ArgumentError, '[truncatedNormal] std is 0'],
    ['truncatedNormal mean', () => random.truncatedNormal(Infinity), tl.ArgumentError, '[truncatedNormal] mean is'],
    ['categorical', () => random.categorical(z()), tl.ShapeError, '[categorical] logits are []'],
    ['categorical of none', () => random.categorical(z(2, 0)), tl.ShapeError, '[categorical] logits are [2, 0]'],
    [
      'categorical shape',
      () => random.categorical(z(2, 3), { shape: [3] }),
      tl.ShapeError,
      '[categorical] shapes do not',
    ],
    [
      'multinomial',
      () => random.multinomial(z(3), 4),
      tl.ArgumentError,
      '[multinomial] numSamples is 4 for 3 categories',
    ],
    ['multinomial of 0', () => random.multinomial(z(3), 0), tl.ArgumentError, '[multinomial] numSamples is 0'],
    ['multinomial dtype', () => random.multinomial(bools(3), 1), tl.DTypeError, '[multinomial] weights are bool'],
    ['permutation', () => random.permutation(-1), tl.ArgumentError, '[permutation] n is -1'],
    ['permutation of a number', () => random.permutation(z()), tl.ShapeError, '[permutation] input is []'],
    ['gumbelSoftmax', () => random.gumbelSoftmax(z(3), { tau: 0 }), tl.ArgumentError, '[gumbelSoftmax] tau is 0'],
    ['gumbelSoftmax dtype', () => random.gumbelSoftmax(ints(3)), tl.DTypeError, '[gumbelSoftmax] logits are i32'],
    ['gumbelSoftmax dim', () => random.gumbelSoftmax(z(3), { dim: 1 }), tl.ShapeError, '[gumbelSoftmax] axis out of'],
    ['rrelu', () => random.rrelu(z(3), 0.5, 0.1), tl.ArgumentError, '[rrelu] slopes are 0.5 to 0.1'],
    ['rrelu dtype', () => random.rrelu(ints(3)), tl.DTypeError, '[rrelu] input is i32'],
    ['a seed', () => new random.Generator(-1), tl.ArgumentError, '[Generator] seed is -1'],
    ['half a seed', () => new random.Generator(0.5), tl.ArgumentError, '[Generator] seed is 0.5'],
    ['a split', () => new random.Generator(1).split(0), tl.ArgumentError, '[Generator] count is 0'],
  ]);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backward, reduceGradients } from '../../src/autograd/index.js';
import { full, type Node, REDUCE_FNS, type ReduceFn, reduce, sizeOf, unary } from '../../src/graph/index.js';
import { checkGradient, randomLeaf, randomNumbers, valuesLeaf } from './checkGradient.js';
import { evaluate64 } from './evaluate64.js';

const seeds = fc.integer({ min: 1, max: 1e6 });
const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 });

/** Values that are far enough apart for differences of max and min. */
function spacedLeaf(seed: number, shape: readonly number[]): Node<'leaf'> {
  const next = randomNumbers(seed);
  const order = Array.from({ length: sizeOf(shape) }, (_, i) => ({ i, at: next() })).sort((a, b) => a.at - b.at);
  return valuesLeaf(
    shape,
    order.map((o) => o.i * 0.25 - 1.1),
    'f32',
    true,
  );
}

const axesOf = (shape: readonly number[], seed: number): number[] =>
  shape.flatMap((_, i) => ((seed >> i) & 1 ? [i] : []));

const gradientAt = (fn: ReduceFn, shape: number[], values: number[], axes: number[]): number[] => {
  const x = valuesLeaf(shape, values, 'f32', true);
  const y = reduce(fn, x, axes);
  return evaluate64([backward([y], [full(y.shape, 1, 'f32')], [x])[0]!])[0]!;
};

describe('gradients of reductions', () => {
  for (const fn of REDUCE_FNS) {
    if (reduceGradients[fn] === null) {
      it(`${fn} has none`, () => {
        const x = spacedLeaf(1, [3]);
        const y = reduce(fn, x, [0]);
        expect(backward([y], [full([1], 1, 'f32')], [x])).toEqual([null]);
      });
      continue;
    }
    it(`${fn} agrees with differences on any axes, and on no elements`, () => {
      fc.assert(
        fc.property(shapes, seeds, (shape, seed) => {
          const extreme = fn === 'max' || fn === 'min';
          const build = (x: Node): Node => {
            const y = reduce(fn, x, axesOf(shape, seed));
            return extreme ? y : unary('sin', y);
          };
          const empty = axesOf(shape, seed).some((a) => shape[a] === 0);
          if (empty && extreme) return;
          // Products of many numbers near 1 stay near 1.
          const x = extreme ? spacedLeaf(seed, shape) : randomLeaf(randomNumbers(seed), shape, 0.75, 1.25);
          checkGradient((v) => build(v!), [x], seed);
        }),
        { numRuns: 40 },
      );
    });
  }

  it('shares the gradient of max and min among ties', () => {
    expect(gradientAt('max', [2, 3], [1, 3, 3, 5, 4, 5], [1])).toEqual([0, 0.5, 0.5, 0.5, 0, 0.5]);
    expect(gradientAt('min', [4], [2, 2, 2, 2], [0])).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(gradientAt('max', [2, 2], [1, Number.NaN, 3, 4], [1])).toEqual([Number.NaN, Number.NaN, 0, 1]);
  });

  it('is right for prod with zeros', () => {
    expect(gradientAt('prod', [4], [2, 3, 4, 5], [0])).toEqual([60, 40, 30, 24]);
    expect(gradientAt('prod', [4], [2, 0, 4, 5], [0])).toEqual([0, 40, 0, 0]);
    expect(gradientAt('prod', [4], [0, 3, 0, 5], [0])).toEqual([0, 0, 0, 0]);
    expect(gradientAt('prod', [1], [0], [0])).toEqual([1]);
    expect(gradientAt('prod', [2, 3], [1, 2, 0, 4, 5, 6], [0, 1])).toEqual([0, 0, 240, 0, 0, 0]);
  });

  it('is right for prod of any length, to second order, zeros among the values', () => {
    for (let n = 1; n <= 9; n++) {
      const next = randomNumbers(n);
      const values = Array.from({ length: n }, (_, i) => (i % 3 === 1 ? 0 : next() + 0.5));
      checkGradient((x) => reduce('prod', x!, [0]), [valuesLeaf([n], values, 'f32', true)]);
    }
    const values = [0.5, 0, 1.5, 2, 0, 1, 3, -1];
    checkGradient((x) => reduce('prod', x!, [0]), [valuesLeaf([2, 2, 2], values, 'f32', true)]);
    checkGradient((x) => reduce('prod', x!, [0, 2]), [valuesLeaf([2, 2, 2], [...values], 'f32', true)]);
  });

  it('differentiates softmax and log-sum-exp twice', () => {
    const logSumExp = (x: Node): Node => unary('log', reduce('sum', unary('exp', x), [1]));
    checkGradient((x) => logSumExp(x!), [randomLeaf(randomNumbers(3), [2, 4], -1, 1)]);
  });
});

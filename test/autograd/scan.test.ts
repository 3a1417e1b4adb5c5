import fc from 'fast-check';
import { describe, it } from 'vitest';
import { CUMULATIVE_FNS, cumulative, SCATTER_FNS, scatter, sizeOf, unary } from '../../src/graph/index.js';
import { checkGradient, distinctLeaves, randomNumbers, valuesLeaf } from './checkGradient.js';

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });

describe('gradients of scans', () => {
  it('agree with differences, zeros included', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CUMULATIVE_FNS),
        shapes,
        fc.nat(2),
        fc.nat(1e6),
        fc.boolean(),
        (fn, shape, at, seed, zero) => {
          const x = distinctLeaves(randomNumbers(seed), [shape])[0]!;
          if (zero && fn === 'prod') (x.attrs.source as unknown as { values: number[] }).values[0] = 0;
          checkGradient((v) => cumulative(fn, v!, at % shape.length), [x], seed);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('gradients of scatter', () => {
  it('agree with differences: smaller indices, every axis, repeated places where they add', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SCATTER_FNS),
        shapes,
        fc.nat(2),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 1 }),
        fc.nat(1e6),
        (fn, shape, at, picks, less, seed) => {
          const next = randomNumbers(seed);
          const axis = at % shape.length;
          // The gradient of `set` is defined where no place is named twice.
          const count = fn === 'set' ? Math.min(picks, shape[axis]!) : picks;
          const shapeOfIndex = shape.map((d, i) => (i === axis ? count : Math.max(0, d - less)));
          const inner = sizeOf(shapeOfIndex.slice(axis + 1));
          const index = valuesLeaf(
            shapeOfIndex,
            Array.from({ length: sizeOf(shapeOfIndex) }, (_, i) =>
              fn === 'set' ? Math.floor(i / inner) % count : Math.floor(next() * (shape[axis]! + 1)),
            ),
            'i32',
          );
          const leaves = distinctLeaves(next, [shape, shapeOfIndex]);
          checkGradient((v, u) => scatter(fn, unary('sin', v!), index, unary('sin', u!), axis), leaves, seed);
        },
      ),
      { numRuns: 60 },
    );
  });
});

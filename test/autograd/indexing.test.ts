import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backward } from '../../src/autograd/index.js';
import { full, gather, sizeOf, unary } from '../../src/graph/index.js';
import { checkGradient, randomLeaf, randomNumbers, valuesLeaf } from './checkGradient.js';
import { evaluate64 } from './evaluate64.js';

describe('gradient of gather', () => {
  it('agrees with differences: repeated indices, a smaller index, every axis, nothing to gather', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 0, max: 2 }),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 1 }),
        fc.integer({ min: 1, max: 1e6 }),
        (shape, at, picks, less, seed) => {
          const next = randomNumbers(seed);
          const axis = at % shape.length;
          const shapeOfIndex = shape.map((d, i) => (i === axis ? picks : Math.max(0, d - less)));
          const x = randomLeaf(next, shape, -1, 1);
          const index = valuesLeaf(
            shapeOfIndex,
            Array.from({ length: sizeOf(shapeOfIndex) }, () => Math.floor(next() * shape[axis]!)),
            'i32',
          );
          checkGradient((v) => gather(unary('sin', v!), index, axis), [x], seed);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('gives an index out of range no element', () => {
    const x = valuesLeaf([3], [1, 2, 3], 'f32', true);
    const y = gather(x, valuesLeaf([4], [0, -1, 3, 0], 'i32'), 0);
    const [g] = backward([y], [full([4], 1, 'f32')], [x]);
    expect(evaluate64([g!])).toEqual([[2, 0, 0]]);
  });

  it('keeps an infinite gradient in the rows it belongs to', () => {
    const x = valuesLeaf([3], [1, 2, 3], 'f32', true);
    const y = gather(x, valuesLeaf([2], [0, 2], 'i32'), 0);
    const [g] = backward([y], [valuesLeaf([2], [Number.POSITIVE_INFINITY, 1])], [x]);
    expect(evaluate64([g!])).toEqual([[Infinity, 0, 1]]);
  });
});

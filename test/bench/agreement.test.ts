import { describe, expect, it } from 'vitest';
import { compare } from '../../bench/agreement.js';

describe('comparing two results', () => {
  it('finds the largest relative difference', () => {
    const { error, agrees } = compare([1, 2.002, 3], [1, 2, 3], 1e-4);
    // Relative to the typical size sqrt(14 / 3), which is larger than 2.
    expect(error).toBeCloseTo(0.002 / Math.sqrt(14 / 3), 10);
    expect(agrees).toBe(false);
    expect(compare([1, 2.002, 3], [1, 2, 3], 1e-2).agrees).toBe(true);
  });

  it('measures large values by their own size, and values near zero by the typical size', () => {
    expect(compare([1001, 0], [1000, 0], 1).error).toBeCloseTo(1e-3, 10);
    expect(compare([100, 1e-4], [100, 0], 1).error).toBeCloseTo(1e-4 / Math.sqrt(5000), 10);
  });

  it('does not take a constant for a vanishing scale', () => {
    expect(compare([1e-9, 1e-9], [0, 0], 1).agrees).toBe(false);
  });

  it.each([
    ['NaN against a number', [1, NaN], [1, 2]],
    ['a number against NaN', [1, 2], [1, NaN]],
    ['opposite infinities', [Infinity], [-Infinity]],
    ['infinity against a number', [Infinity, 1], [1e30, 1]],
    ['another number of values', [1, 2], [1, 2, 3]],
  ])('never agrees on %s', (_, ours, theirs) => {
    expect(compare(ours, theirs, 1e9)).toEqual({ error: Infinity, agrees: false });
  });

  it('agrees on equal NaN, infinities and signed zeros', () => {
    expect(compare([NaN, Infinity, -Infinity, 0], [NaN, Infinity, -Infinity, -0], 0)).toEqual({
      error: 0,
      agrees: true,
    });
  });
});

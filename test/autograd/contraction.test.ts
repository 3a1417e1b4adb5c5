import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backward } from '../../src/autograd/index.js';
import { type ConvAttrs, conv, convOutputSize, dot, full, topologicalOrder } from '../../src/graph/index.js';
import { checkGradient, randomLeaf, randomNumbers } from './checkGradient.js';
import { evaluate64 } from './evaluate64.js';

const seeds = fc.integer({ min: 1, max: 1e6 });
const small = fc.integer({ min: 0, max: 3 });

describe('gradients of dot', () => {
  it('agree with differences, batched and empty', () => {
    fc.assert(
      fc.property(fc.array(small, { maxLength: 2 }), small, small, small, seeds, (batch, m, k, n, seed) => {
        const next = randomNumbers(seed);
        const [a, b] = [randomLeaf(next, [...batch, m, k], -2, 2), randomLeaf(next, [...batch, k, n], -2, 2)];
        checkGradient((x, y) => dot(x!, y!), [a, b], seed);
      }),
      { numRuns: 25 },
    );
  });

  it('builds only what is wanted', () => {
    const next = randomNumbers(1);
    const [a, b] = [randomLeaf(next, [2, 3], -1, 1), randomLeaf(next, [3, 2], -1, 1)];
    const gradients = backward([dot(a, b)], [full([2, 2], 1, 'f32')], [b]);
    expect(gradients).toHaveLength(1);
    expect(gradients[0]!.shape).toEqual([3, 2]);
  });
});

const axis = fc.record({
  kernel: fc.integer({ min: 1, max: 3 }),
  size: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 3 }),
  padLow: fc.integer({ min: -1, max: 3 }),
  padHigh: fc.integer({ min: -1, max: 3 }),
  inputDilation: fc.integer({ min: 1, max: 2 }),
  kernelDilation: fc.integer({ min: 1, max: 2 }),
});

const spatialAxes = fc.array(axis, { minLength: 1, maxLength: 2 });

function attrsOf(axes: (ConvAxis & { kernel: number; size: number })[], groups: number): ConvAttrs {
  const each = (name: keyof ConvAxis): number[] => axes.map((a) => a[name]);
  return {
    stride: each('stride'),
    padLow: each('padLow'),
    padHigh: each('padHigh'),
    inputDilation: each('inputDilation'),
    kernelDilation: each('kernelDilation'),
    groups,
  };
}

type ConvAxis = Record<'stride' | 'padLow' | 'padHigh' | 'inputDilation' | 'kernelDilation', number>;

describe('gradients of conv', () => {
  it('agree with differences to second order: stride, cropping, dilation of both, groups', () => {
    const groupings = fc.constantFrom<[number, number, number, number]>(
      // batch, groups, inputs a group, outputs a group
      [1, 1, 1, 1],
      [2, 1, 2, 3],
      [1, 2, 1, 2],
      [2, 2, 2, 1],
    );
    fc.assert(
      fc.property(spatialAxes, groupings, seeds, (axes, [batch, groups, inputs, outputs], seed) => {
        const next = randomNumbers(seed);
        const attrs = attrsOf(axes, groups);
        const x = randomLeaf(next, [batch, groups * inputs, ...axes.map((a) => a.size)], -1, 1);
        const w = randomLeaf(next, [groups * outputs, inputs, ...axes.map((a) => a.kernel)], -1, 1);
        fc.pre(axes.every((a, i) => convOutputSize(a.size, a.kernel, attrs, i) > 0));
        checkGradient((u, v) => conv(u!, v!, attrs), [x, w], seed);
      }),
      { numRuns: 40 },
    );
  });

  it('have the right shape where the output, the batch, the channels or the kernel are empty', () => {
    const plain = { stride: [1], padLow: [1], padHigh: [1], inputDilation: [1], kernelDilation: [1], groups: 1 };
    for (const [xs, ws] of [
      [
        [0, 1, 3],
        [1, 1, 2],
      ],
      [
        [1, 0, 3],
        [2, 0, 2],
      ],
      [
        [1, 1, 3],
        [0, 1, 2],
      ],
      [
        [1, 1, 0],
        [1, 1, 2],
      ],
      [
        [1, 1, 3],
        [1, 1, 9],
      ],
      [
        [1, 1, 3],
        [1, 1, 0],
      ],
    ] as const) {
      const next = randomNumbers(1);
      const [x, w] = [randomLeaf(next, xs, -1, 1), randomLeaf(next, ws, -1, 1)];
      checkGradient((u, v) => conv(u!, v!, plain), [x, w]);
    }
  });

  it('are convolutions again', () => {
    const next = randomNumbers(2);
    const [x, w] = [randomLeaf(next, [2, 4, 5, 5], -1, 1), randomLeaf(next, [6, 2, 3, 3], -1, 1)];
    const two = (v: number): number[] => [v, v];
    const attrs = {
      stride: two(2),
      padLow: two(1),
      padHigh: two(1),
      inputDilation: two(1),
      kernelDilation: two(1),
      groups: 2,
    };
    const y = conv(x, w, attrs);
    const gradients = backward([y], [full(y.shape, 1, 'f32')], [x, w]);
    const prims = new Set(topologicalOrder(gradients.map((g) => g!)).map((n) => n.prim));
    expect([...prims].sort()).toEqual(['const', 'conv', 'expand', 'flip', 'leaf', 'permute', 'reshape']);
  });

  it('of a transposed convolution is the convolution', () => {
    const next = randomNumbers(7);
    const [x, w] = [randomLeaf(next, [1, 1, 4], -1, 1), randomLeaf(next, [1, 1, 3], -1, 1)];
    const attrs = { stride: [1], padLow: [2], padHigh: [2], inputDilation: [2], kernelDilation: [1], groups: 1 };
    const y = conv(x, w, attrs);
    const [dx] = backward([y], [full(y.shape, 1, 'f32')], [x]);
    const sum = evaluate64([w])[0]!.reduce((a, b) => a + b, 0);
    for (const v of evaluate64([dx!])[0]!) expect(v).toBeCloseTo(sum, 12);
  });
});

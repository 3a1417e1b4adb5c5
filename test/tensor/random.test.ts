import * as tl from 'tiller';
import { beforeEach, describe, expect, it } from 'vitest';
import { cacheStats } from '../../src/compile/index.js';

const N = 20_000;

beforeEach(async () => {
  await tl.init({ engine: 'reference' });
  tl.manualSeed(1234);
});

const moment = (values: ArrayLike<number>, f: (v: number) => number): number =>
  Array.from(values).reduce((sum, v) => sum + f(v), 0) / values.length;

/** Whether a sample mean lies within five standard errors of what is expected. */
function expectMean(values: ArrayLike<number>, f: (v: number) => number, mean: number, variance: number): void {
  expect(Math.abs(moment(values, f) - mean)).toBeLessThan(5 * Math.sqrt(variance / values.length));
}

describe('random numbers', () => {
  it('repeat after the same seed, and only then', async () => {
    const draw = async () => [...(await tl.randn([64]).data())];
    const [first, second] = [await draw(), await draw()];
    tl.manualSeed(1234);
    expect(await draw()).toEqual(first);
    expect(await draw()).toEqual(second);
    expect(second).not.toEqual(first);
    tl.manualSeed(1235);
    expect(await draw()).not.toEqual(first);
    tl.manualSeed(2 ** 32 + 1234);
    expect(await draw()).not.toEqual(first);
  });

  it('are the same each time one tensor is read, and in every use of it', async () => {
    const x = tl.rand([100]);
    const zero = x.sub(x.add(0));
    expect(new Set(await zero.data())).toEqual(new Set([0]));
    expect(await x.data()).toEqual(await x.data());
  });

  it('run the same plan for every draw', async () => {
    const draw = () =>
      tl
        .dropout(tl.randn([10]), 0.3)
        .add(tl.randint(0, 9, [10]))
        .data();
    await draw();
    const { misses } = cacheStats();
    await draw();
    await draw();
    expect(cacheStats().misses).toBe(misses);
  });

  it('rand is uniform over [0, 1)', async () => {
    const values = await tl.rand([N]).data();
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expectMean(values, (v) => v, 1 / 2, 1 / 12);
    expectMean(values, (v) => v * v, 1 / 3, 1 / 5 - 1 / 9);
    for (let bin = 0; bin < 10; bin++) {
      expectMean(values, (v) => (Math.floor(v * 10) === bin ? 1 : 0), 0.1, 0.09);
    }
  });

  it('randn has the moments of the normal distribution', async () => {
    const values = await tl.randn([N / 4, 4]).data();
    expect(values.every(Number.isFinite)).toBe(true);
    expectMean(values, (v) => v, 0, 1);
    expectMean(values, (v) => v * v, 1, 2);
    expectMean(values, (v) => v ** 3, 0, 15);
    expectMean(values, (v) => v ** 4, 3, 96);
    // Neighbours are independent.
    expectMean(
      values.map((v, i) => v * values[(i + 1) % N]!),
      (v) => v,
      0,
      1,
    );
  });

  it('randint covers its range evenly, negative bounds too', async () => {
    const values = await tl.randint(-3, 4, [N]).data();
    expect(new Set(values)).toEqual(new Set([-3, -2, -1, 0, 1, 2, 3]));
    for (let k = -3; k < 4; k++) expectMean(values, (v) => (v === k ? 1 : 0), 1 / 7, 6 / 49);
    const wide = await tl.randint(-(2 ** 31), 2 ** 31, [N]).data();
    expectMean(wide, (v) => (v < 0 ? 1 : 0), 1 / 2, 1 / 4);
  });

  it('bernoulli follows each probability', async () => {
    const values = await tl.bernoulli(tl.full([N], 0.2)).data();
    expect(new Set(values)).toEqual(new Set([0, 1]));
    expectMean(values, (v) => v, 0.2, 0.16);
    expect(await tl.bernoulli(tl.tensor([0, 1, 0, 1])).tolist()).toEqual([0, 1, 0, 1]);
  });
});

describe('dropout', () => {
  it('zeroes and scales, and its gradient does the same', async () => {
    const x = tl.ones([N], { requiresGrad: true });
    const y = tl.dropout(x, 0.25);
    y.sum().backward();
    const values = await y.data();
    expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    expectMean(values, (v) => (v === 0 ? 1 : 0), 0.25, 0.1875);
    expect(await x.grad!.data()).toEqual(values);
  });

  it('is the identity outside training and at 0, and zeros at 1', async () => {
    const x = tl.tensor([1, 2, 3]);
    expect(await tl.dropout(x, 0.5, false).tolist()).toEqual([1, 2, 3]);
    expect(await tl.dropout(x, 0).tolist()).toEqual([1, 2, 3]);
    expect(await tl.dropout(x, 1).tolist()).toEqual([0, 0, 0]);
  });
});

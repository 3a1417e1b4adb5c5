import * as tl from 'tiller';
import * as random from 'tiller/random';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { correlation, expectCounts, expectDistribution, expectMoments } from './checks.js';
import { CONTINUOUS, DISCRETE } from './distributions.js';

const N = 1_000_000;

describe('a million samples of each distribution', () => {
  const lines: string[] = [];
  beforeAll(async () => {
    await tl.init({ engine: 'wasm' });
    tl.manualSeed(20_240_601);
  });
  afterAll(() =>
    console.log(
      `| distribution | moments, in standard errors | test statistic / critical value |\n${lines.join('\n')}`,
    ),
  );
  const errors = (e: readonly number[]): string => e.map((v) => v.toFixed(1)).join(', ');

  it.each(CONTINUOUS)('$name: moments, and Kolmogorov and Smirnov', async ({ name, draw, cdf, moments }) => {
    const values = await draw({ shape: [N] }).data();
    const statistic = expectDistribution(values, cdf) / 2.2253;
    const off = moments === null ? 'none' : errors(expectMoments(values, moments));
    lines.push(`| ${name} | ${off} | ${statistic.toFixed(2)} |`);
    // Neighbours have nothing to do with each other.
    const serial = correlation(values.subarray(1), values.subarray(0, -1));
    if (moments !== null) expect(Math.abs(serial)).toBeLessThan(4.65 / Math.sqrt(N));
  });

  it.each(DISCRETE)('$name: moments, and Pearson', async ({ name, draw, from, to, pmf, moments }) => {
    const values = await draw({ shape: [N] }).data();
    const statistic = expectCounts(values, from, to, pmf);
    lines.push(`| ${name} | ${errors(expectMoments(values, moments))} | ${statistic.toFixed(2)} |`);
  });

  it('permutations put every element everywhere, equally often', async () => {
    const firsts: number[] = [];
    const places: number[] = [];
    for (let i = 0; i < 2400; i++) {
      const order = await (i % 2 === 0 ? random.permutation(12) : tl.randperm(12)).data();
      expect([...order].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      firsts.push(order[0]!);
      places.push(order.indexOf(7));
    }
    expectCounts(firsts, 0, 11, () => 1 / 12);
    expectCounts(places, 0, 11, () => 1 / 12);
    expectCounts(
      Array.from(firsts, (f, i) => f * 12 + places[i]!).filter((_, i) => firsts[i] !== 7 && places[i] !== 0),
      0,
      143,
      (k) => (Math.floor(k / 12) === 7 || k % 12 === 0 ? 0 : 1 / 121),
    );
  });

  it('permutations of a compiled function sort words, and are as even', async () => {
    const order = tl.compile(() => random.permutation(12));
    const firsts: number[] = [];
    for (let i = 0; i < 1200; i++) firsts.push((await order().data())[0]!);
    expectCounts(firsts, 0, 11, () => 1 / 12);
  });

  it('a million of numbers in random order have no memory', async () => {
    const order = await random.permutation(N).data();
    expectDistribution(order.subarray(0, N / 2), (x) => (x + 0.5) / N);
    expect(new Set(order).size).toBe(N);
    expect(Math.abs(correlation(order.subarray(1), order.subarray(0, -1)))).toBeLessThan(4.65 / Math.sqrt(N));
  });
});

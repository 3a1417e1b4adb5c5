import { expect } from 'vitest';

export interface Moments {
  readonly mean: number;
  readonly variance: number;
  readonly skewness: number;
}

/** Standard errors by which a moment may be off: two-sided, 3.4e-6 for one that is right. */
const SIGMAS = 4.65;
/** Kolmogorov's quantile for 1e-4. */
const KOLMOGOROV = Math.sqrt(-Math.log(1e-4 / 2) / 2);
/** The normal quantile for 1e-4. */
const NORMAL = 3.719;

/** How many standard errors the first three moments are off; each is the mean of a power of the standardized sample. */
function momentErrors(values: ArrayLike<number>, { mean, variance, skewness }: Moments): number[] {
  const n = values.length;
  return [0, 1, skewness].map((expected, i) => {
    let [sum, squares] = [0, 0];
    for (let j = 0; j < n; j++) {
      const y = ((values[j]! - mean) / Math.sqrt(variance)) ** (i + 1) - expected;
      sum += y;
      squares += y * y;
    }
    return sum / n / Math.sqrt(squares / n / n);
  });
}

export function expectMoments(values: ArrayLike<number>, moments: Moments): number[] {
  const errors = momentErrors(values, moments);
  for (const error of errors) expect(Math.abs(error)).toBeLessThan(SIGMAS);
  return errors;
}

/** Kolmogorov and Smirnov's distance times the root of n: at some 20,000 of the sorted numbers, which adds 1 / 20,000 to the distance at most. */
export function kolmogorov(values: ArrayLike<number>, cdf: (x: number) => number): number {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  const step = Math.max(1, Math.floor(n / 20_000));
  let worst = 0;
  for (let i = 0; i < n; i += step) {
    const p = cdf(sorted[i]!);
    worst = Math.max(worst, Math.abs(p - i / n), Math.abs(p - (i + 1) / n));
  }
  return worst * Math.sqrt(n);
}

export function expectDistribution(values: ArrayLike<number>, cdf: (x: number) => number): number {
  const distance = kolmogorov(values, cdf);
  expect(distance).toBeLessThan(KOLMOGOROV);
  return distance;
}

/** Pearson's test at 1e-4 of counts: values from `from` up with their probabilities, the unlikely ones together. */
export function expectCounts(values: ArrayLike<number>, from: number, to: number, pmf: (k: number) => number): number {
  const n = values.length;
  const found = new Float64Array(to - from + 1);
  let outside = 0;
  for (let i = 0; i < n; i++) {
    const at = values[i]! - from;
    if (Number.isInteger(at) && at >= 0 && at < found.length) found[at]!++;
    else outside++;
  }
  let [statistic, bins, restFound, restExpected] = [0, 0, outside, n];
  for (let k = from; k <= to; k++) {
    const expected = n * pmf(k);
    if (expected < 10) {
      restFound += found[k - from]!;
      continue;
    }
    restExpected -= expected;
    statistic += (found[k - from]! - expected) ** 2 / expected;
    bins++;
  }
  if (restExpected > 5) {
    statistic += (restFound - restExpected) ** 2 / restExpected;
    bins++;
  } else {
    // Beyond the values that are likely: a few at most.
    expect(restFound).toBeLessThan(30);
  }
  const df = bins - 1;
  const limit = df * (1 - 2 / (9 * df) + NORMAL * Math.sqrt(2 / (9 * df))) ** 3;
  expect(statistic).toBeLessThan(limit);
  return statistic / limit;
}

export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = a.length;
  const mean = (x: ArrayLike<number>): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += x[i]!;
    return sum / n;
  };
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    ab += (a[i]! - ma) * (b[i]! - mb);
    aa += (a[i]! - ma) ** 2;
    bb += (b[i]! - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

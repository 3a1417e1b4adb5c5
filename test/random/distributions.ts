import type * as tl from 'tiller';
import * as core from 'tiller';
import * as random from 'tiller/random';
import type { Moments } from './checks.js';
import { betaCdf, binomialPmf, gammaCdf, normalCdf, poissonPmf, studentCdf } from './numerics.js';

type Sampler = (options: { shape: number[] }) => tl.Tensor;

interface Continuous {
  readonly name: string;
  readonly draw: Sampler;
  readonly cdf: (x: number) => number;
  readonly moments: Moments | null;
  /** Whether by proposals: one that one engine keeps and another refuses, for a rounding, changes the number. */
  readonly proposals?: boolean;
}

const EULER = 0.5772156649015329;
const of = (mean: number, variance: number, skewness: number): Moments => ({ mean, variance, skewness });
const gammaMoments = (a: number, rate: number): Moments => of(a / rate, a / rate ** 2, 2 / Math.sqrt(a));
const betaMoments = (a: number, b: number): Moments => {
  const s = a + b;
  return of(a / s, (a * b) / (s * s * (s + 1)), (2 * (b - a) * Math.sqrt(s + 1)) / ((s + 2) * Math.sqrt(a * b)));
};

/** Moments of a density between bounds, by Simpson's rule. */
function momentsOf(density: (x: number) => number, low: number, high: number): Moments {
  const n = 20_000;
  const integral = (f: (x: number) => number): number => {
    let sum = 0;
    for (let i = 0; i <= n; i++) {
      const x = low + ((high - low) * i) / n;
      sum += (i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2) * f(x) * density(x);
    }
    return (sum * (high - low)) / (3 * n);
  };
  const all = integral(() => 1);
  const mean = integral((x) => x) / all;
  const variance = integral((x) => (x - mean) ** 2) / all;
  return of(mean, variance, integral((x) => (x - mean) ** 3) / all / variance ** 1.5);
}

const truncated = (low: number, high: number) => ({
  cdf: (x: number) => (normalCdf(x) - normalCdf(low)) / (normalCdf(high) - normalCdf(low)),
  moments: momentsOf((x) => Math.exp((low * low - x * x) / 2), low, Math.min(high, low + 12)),
});

const lognormalMoments = (s: number): Moments => {
  const w = Math.exp(s * s);
  return of(Math.sqrt(w), (w - 1) * w, (w + 2) * Math.sqrt(w - 1));
};

export const CONTINUOUS: readonly Continuous[] = [
  { name: 'tl.rand', draw: ({ shape }) => core.rand(shape), cdf: (x) => x, moments: of(0.5, 1 / 12, 0) },
  { name: 'tl.randn', draw: ({ shape }) => core.randn(shape), cdf: normalCdf, moments: of(0, 1, 0) },
  {
    name: 'uniform(-1, 3)',
    draw: (o) => random.uniform(-1, 3, o),
    cdf: (x) => (x + 1) / 4,
    moments: of(1, 16 / 12, 0),
  },
  {
    name: 'normal(2, 3)',
    draw: (o) => random.normal(2, 3, o),
    cdf: (x) => normalCdf((x - 2) / 3),
    moments: of(2, 9, 0),
  },
  {
    name: 'logNormal(0, 0.4)',
    draw: (o) => random.logNormal(0, 0.4, o),
    cdf: (x) => normalCdf(Math.log(x) / 0.4),
    moments: lognormalMoments(0.4),
  },
  {
    name: 'exponential(2)',
    draw: (o) => random.exponential(2, o),
    cdf: (x) => -Math.expm1(-2 * x),
    moments: of(0.5, 0.25, 2),
  },
  {
    name: 'gumbel(1, 2)',
    draw: (o) => random.gumbel(1, 2, o),
    cdf: (x) => Math.exp(-Math.exp(-(x - 1) / 2)),
    moments: of(1 + 2 * EULER, (4 * Math.PI ** 2) / 6, 1.1395470994046486),
  },
  {
    name: 'laplace(-1, 0.5)',
    draw: (o) => random.laplace(-1, 0.5, o),
    cdf: (x) => (x < -1 ? Math.exp(2 * (x + 1)) / 2 : 1 - Math.exp(-2 * (x + 1)) / 2),
    moments: of(-1, 0.5, 0),
  },
  {
    name: 'cauchy(1, 2)',
    draw: (o) => random.cauchy(1, 2, o),
    cdf: (x) => 0.5 + Math.atan((x - 1) / 2) / Math.PI,
    moments: null,
  },
  { name: 'truncatedNormal(-2, 2)', draw: (o) => random.truncatedNormal(0, 1, -2, 2, o), ...truncated(-2, 2) },
  {
    name: 'truncatedNormal(0.5, inf)',
    draw: (o) => random.truncatedNormal(0, 1, 0.5, Infinity, o),
    ...truncated(0.5, Infinity),
  },
  {
    name: 'truncatedNormal(3, 4)',
    draw: (o) => random.truncatedNormal(0, 1, 3, 4, o),
    ...truncated(3, 4),
    proposals: true,
  },
  {
    name: 'truncatedNormal(2.01, inf)',
    draw: (o) => random.truncatedNormal(0, 1, 2.01, Infinity, o),
    ...truncated(2.01, Infinity),
    proposals: true,
  },
  {
    name: 'gamma(0.1)',
    draw: (o) => random.gamma(0.1, 1, o),
    cdf: (x) => gammaCdf(0.1, x),
    moments: gammaMoments(0.1, 1),
    proposals: true,
  },
  {
    name: 'gamma(0.7, 3)',
    draw: (o) => random.gamma(0.7, 3, o),
    cdf: (x) => gammaCdf(0.7, 3 * x),
    moments: gammaMoments(0.7, 3),
    proposals: true,
  },
  {
    name: 'gamma(1)',
    draw: (o) => random.gamma(1, 1, o),
    cdf: (x) => gammaCdf(1, x),
    moments: gammaMoments(1, 1),
    proposals: true,
  },
  {
    name: 'gamma(4.5)',
    draw: (o) => random.gamma(4.5, 1, o),
    cdf: (x) => gammaCdf(4.5, x),
    moments: gammaMoments(4.5, 1),
    proposals: true,
  },
  {
    name: 'gamma(1000)',
    draw: (o) => random.gamma(1000, 1, o),
    cdf: (x) => gammaCdf(1000, x),
    moments: gammaMoments(1000, 1),
    proposals: true,
  },
  {
    name: 'chi2(3)',
    draw: (o) => random.chi2(3, o),
    cdf: (x) => gammaCdf(1.5, x / 2),
    moments: of(3, 6, Math.sqrt(8 / 3)),
    proposals: true,
  },
  {
    name: 'studentT(16)',
    draw: (o) => random.studentT(16, 0, 1, o),
    cdf: (x) => studentCdf(16, x),
    moments: of(0, 16 / 14, 0),
    proposals: true,
  },
  {
    name: 'studentT(1.5)',
    draw: (o) => random.studentT(1.5, 1, 2, o),
    cdf: (x) => studentCdf(1.5, (x - 1) / 2),
    moments: null,
    proposals: true,
  },
  {
    name: 'beta(0.5, 0.5)',
    draw: (o) => random.beta(0.5, 0.5, o),
    cdf: (x) => betaCdf(0.5, 0.5, x),
    moments: betaMoments(0.5, 0.5),
    proposals: true,
  },
  {
    name: 'beta(2, 5)',
    draw: (o) => random.beta(2, 5, o),
    cdf: (x) => betaCdf(2, 5, x),
    moments: betaMoments(2, 5),
    proposals: true,
  },
  {
    name: 'dirichlet([0.5, 1, 2.5])[1]',
    draw: ({ shape }) => random.dirichlet(core.tensor([0.5, 1, 2.5]), { shape: [...shape, 3] }).select(-1, 1),
    cdf: (x) => betaCdf(1, 3, x),
    moments: betaMoments(1, 3),
    proposals: true,
  },
];

interface Discrete {
  readonly name: string;
  readonly draw: Sampler;
  readonly from: number;
  readonly to: number;
  readonly pmf: (k: number) => number;
  readonly moments: Moments;
  /** Whether by whole numbers alone, which every engine has to agree on. */
  readonly exact?: boolean;
}

const poissonOf = (mean: number): Discrete => ({
  name: `poisson(${mean})`,
  draw: (o) => random.poisson(mean, o),
  from: Math.max(0, Math.floor(mean - 8 * Math.sqrt(mean) - 3)),
  to: Math.ceil(mean + 8 * Math.sqrt(mean) + 12),
  pmf: (k) => poissonPmf(mean, k),
  moments: of(mean, mean, 1 / Math.sqrt(mean)),
});

const binomialOf = (n: number, p: number): Discrete => ({
  name: `binomial(${n}, ${p})`,
  draw: (o) => random.binomial(n, p, o),
  from: Math.max(0, Math.floor(n * p - 9 * Math.sqrt(n * p * (1 - p)) - 3)),
  to: Math.min(n, Math.ceil(n * p + 9 * Math.sqrt(n * p * (1 - p)) + 12)),
  pmf: (k) => binomialPmf(n, p, k),
  moments: of(n * p, n * p * (1 - p), (1 - 2 * p) / Math.sqrt(n * p * (1 - p))),
});

const listed = (weights: readonly number[], first = 0): Pick<Discrete, 'from' | 'to' | 'pmf' | 'moments'> => {
  const total = weights.reduce((a, b) => a + b);
  const pmf = (k: number): number => (weights[k - first] ?? 0) / total;
  const power = (c: number, p: number): number =>
    weights.reduce((sum, w, i) => sum + ((i + first - c) ** p * w) / total, 0);
  const mean = power(0, 1);
  const variance = power(mean, 2);
  return {
    from: first,
    to: first + weights.length - 1,
    pmf,
    moments: of(mean, variance, power(mean, 3) / variance ** 1.5),
  };
};

const WEIGHTS = [1, 0, 3, 2, 0.5, 0];

export const DISCRETE: readonly Discrete[] = [
  {
    name: 'tl.randint(-3, 4)',
    draw: ({ shape }) => core.randint(-3, 4, shape),
    ...listed([1, 1, 1, 1, 1, 1, 1], -3),
    exact: true,
  },
  {
    name: 'tl.bernoulli(0.3)',
    draw: ({ shape }) => core.bernoulli(core.full(shape, 0.3)),
    ...listed([0.7, 0.3]),
    exact: true,
  },
  {
    name: 'randint(5, 15)',
    draw: (o) => random.randint(5, 15, o),
    ...listed(new Array<number>(10).fill(1), 5),
    exact: true,
  },
  { name: 'bernoulli(0.8)', draw: (o) => random.bernoulli(0.8, o), ...listed([0.2, 0.8]), exact: true },
  {
    name: 'geometric(0.3)',
    draw: (o) => random.geometric(0.3, o),
    from: 1,
    to: 60,
    pmf: (k) => 0.3 * 0.7 ** (k - 1),
    moments: of(1 / 0.3, 0.7 / 0.09, 1.7 / Math.sqrt(0.7)),
  },
  ...[0.05, 3, 9.99, 10, 40, 2000].map(poissonOf),
  ...(
    [
      [10, 0.3],
      [30, 0.9],
      [40, 0.25],
      [100, 0.5],
      [300, 0.7],
    ] as const
  ).map(([n, p]) => binomialOf(n, p)),
  { name: 'categorical', draw: (o) => random.categorical(core.tensor(WEIGHTS).log(), o), ...listed(WEIGHTS) },
  {
    name: 'multinomial with replacement',
    draw: ({ shape }) => random.multinomial(core.tensor(WEIGHTS), shape[0]!, { replacement: true }),
    ...listed(WEIGHTS),
  },
  {
    name: 'multinomial without replacement, the second of two',
    draw: ({ shape }) => random.multinomial(core.tensor([1, 0, 3, 2]).expand(shape[0]!, 4), 2).select(1, 1),
    ...listed(
      [0, 1, 2, 3].map((j) =>
        [1, 0, 3, 2].reduce((sum, w, i, all) => (i === j ? sum : sum + (w * all[j]!) / (6 - w)), 0),
      ),
    ),
  },
];

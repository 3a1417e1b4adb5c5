import { readFileSync } from 'node:fs';
import * as tl from 'tiller';
import * as random from 'tiller/random';
import { Generator } from 'tiller/random';
import { beforeAll, describe, expect, it } from 'vitest';
import { logGammaSlope } from '../../src/random/gammaGradient.js';
import { gammaCdf, logGamma } from './numerics.js';

interface Goldens {
  readonly alpha: number[];
  readonly x: number[];
  readonly slope: number[];
}
const goldens = JSON.parse(readFileSync(new URL('gammaGradients.json', import.meta.url), 'utf8')) as Goldens;

/** By the theorem of implicit functions: -(dF/dalpha) / (dF/dx), the former by a difference. */
function implicitSlope(alpha: number, x: number): number {
  const h = 1e-4 * alpha;
  const byAlpha = (gammaCdf(alpha + h, x) - gammaCdf(alpha - h, x)) / (2 * h);
  return -byAlpha / Math.exp((alpha - 1) * Math.log(x) - x - logGamma(alpha));
}

describe.each(['reference', 'wasm', 'webgpu'] as const)('the gradient of a gamma sample on %s', (engine) => {
  beforeAll(async () => {
    await tl.init({ engine });
  });

  it("is PyTorch's, and that of implicit functions", async () => {
    const [alpha, x] = [tl.tensor(goldens.alpha), tl.tensor(goldens.x)];
    const slopes = await logGammaSlope(alpha, x, x.log()).mul(x).data();
    goldens.slope.forEach((expected, i) => {
      // The saddle point expansion subtracts nearly equal numbers, here in f32.
      expect(Math.abs(slopes[i]! / expected - 1)).toBeLessThan(1e-3);
      const [a, at] = [goldens.alpha[i]!, goldens.x[i]!];
      const probability = gammaCdf(a, at);
      if (probability < 0.001 || probability > 0.999 || a > 500) return;
      expect(Math.abs(slopes[i]! / implicitSlope(a, at) - 1)).toBeLessThan(3e-3);
    });
  });
});

describe('gradients of samples', () => {
  beforeAll(async () => {
    await tl.init({ engine: 'wasm' });
  });

  it('of gamma samples: the derivative of the mean, through every function of them', async () => {
    const n = 40_000;
    const gen = new Generator(8);
    const slopeOf = async (f: (p: tl.Tensor) => tl.Tensor, at: number): Promise<number> => {
      const p = tl.tensor(at, { requiresGrad: true });
      f(p.expand(n)).mean().backward();
      return p.grad!.item<number>();
    };
    const generator = gen;
    expect(Math.abs((await slopeOf((p) => random.gamma(p, 1, { generator }), 0.6)) - 1)).toBeLessThan(0.04);
    expect(Math.abs((await slopeOf((p) => random.gamma(p, 1, { generator }), 30)) - 1)).toBeLessThan(0.01);
    expect(Math.abs((await slopeOf((p) => random.gamma(3, p, { generator }), 2)) + 0.75)).toBeLessThan(0.02);
    expect(Math.abs((await slopeOf((p) => random.chi2(p, { generator }), 5)) - 1)).toBeLessThan(0.02);
    // d/da of a / (a + b) is b / (a + b)^2.
    expect(Math.abs((await slopeOf((p) => random.beta(p, 3, { generator }), 2)) - 3 / 25)).toBeLessThan(0.004);
    const second = (p: tl.Tensor) =>
      random.dirichlet(tl.stack([p, tl.full([n], 2), tl.full([n], 0.5)], 1), { generator }).select(1, 0);
    expect(Math.abs((await slopeOf(second, 1.5)) - 2.5 / 16)).toBeLessThan(0.005);
    // The variance of Student's t is df / (df - 2).
    const square = (p: tl.Tensor) => random.studentT(p, 0, 1, { generator }).square();
    expect(Math.abs((await slopeOf(square, 12)) + 2 / 100)).toBeLessThan(0.01);
  });

  it.each<[string, (a: tl.TensorLike, b: tl.TensorLike, generator: Generator) => tl.Tensor]>([
    ['uniform', (a, b, generator) => random.uniform(a, b, { shape: [5], generator })],
    ['normal', (a, b, generator) => random.normal(a, b, { shape: [5], generator })],
    ['logNormal', (a, b, generator) => random.logNormal(a, b, { shape: [5], generator })],
    ['gumbel', (a, b, generator) => random.gumbel(a, b, { shape: [5], generator })],
    ['laplace', (a, b, generator) => random.laplace(a, b, { shape: [5], generator })],
    ['cauchy', (a, b, generator) => random.cauchy(a, b, { shape: [5], generator })],
    ['exponential', (a, _, generator) => random.exponential(a, { shape: [5], generator })],
  ])('%s: by its parameters, what changes when they change', async (_, draw) => {
    const [at, h] = [0.5, 1 / 64];
    const sum = async (a: number, b: number): Promise<number> => {
      const values = await draw(a, b, new Generator(3)).data();
      return Array.from(values).reduce((s, v) => s + v, 0);
    };
    const [a, b] = [tl.tensor(at, { requiresGrad: true }), tl.tensor(1.5, { requiresGrad: true })];
    draw(a, b, new Generator(3)).sum().backward();
    const byA = ((await sum(at + h, 1.5)) - (await sum(at - h, 1.5))) / (2 * h);
    const byB = ((await sum(at, 1.5 + h)) - (await sum(at, 1.5 - h))) / (2 * h);
    expect(Math.abs((await a.grad!.item<number>()) - byA)).toBeLessThan(2e-3 * (1 + Math.abs(byA)));
    const gradB = b.grad === null ? 0 : await b.grad.item<number>();
    expect(Math.abs(gradB - byB)).toBeLessThan(2e-3 * (1 + Math.abs(byB)));
  });

  it('have none for counts', () => {
    const p = tl.full([3], 0.5, { requiresGrad: true });
    const samples = [
      random.poisson(p),
      random.binomial(5, p),
      random.geometric(p),
      random.bernoulli(p),
      random.categorical(p),
      random.multinomial(p, 2),
    ];
    for (const sample of samples) expect(sample.requiresGrad).toBe(false);
  });

  it('gumbelSoftmax: shares that add up to 1, or a category with their gradient', async () => {
    const logits = tl.tensor(
      [
        [1, 2, 0],
        [0, 0, 3],
      ],
      { requiresGrad: true },
    );
    const weights = tl.tensor([1, -2, 3]);
    const soft = random.gumbelSoftmax(logits, { tau: 0.7, generator: new Generator(6) });
    soft.mul(weights).sum().backward();
    const expected = await logits.grad!.data();
    (await soft.sum(-1).data()).forEach((v) => {
      expect(v).toBeCloseTo(1, 5);
    });
    logits.grad = null;
    const hard = random.gumbelSoftmax(logits, { tau: 0.7, hard: true, generator: new Generator(6) });
    hard.mul(weights).sum().backward();
    expect(await logits.grad!.data()).toEqual(expected);
    const categories = await hard.argmax(-1).data();
    expect(categories).toEqual(await soft.argmax(-1).data());
    (await hard.data()).forEach((v, i) => {
      expect(v).toBeCloseTo(i % 3 === categories[Math.floor(i / 3)] ? 1 : 0, 6);
    });
    const many = random
      .gumbelSoftmax(tl.tensor([1, 2, 3]).log().unsqueeze(0).expand(30_000, 3), { hard: true })
      .mean(0);
    (await many.data()).forEach((v, i) => {
      expect(Math.abs(v - (i + 1) / 6)).toBeLessThan(0.015);
    });
    expect(random.gumbelSoftmax(tl.zeros([3, 4]), { dim: 0 }).shape).toEqual([3, 4]);
  });

  it('rrelu: one slope for each element in training, the mean otherwise', async () => {
    const x = tl.full([20_000], -2, { requiresGrad: true });
    const y = random.rrelu(x, 0.1, 0.3, true);
    y.sum().backward();
    const [values, slopes] = [await y.data(), await x.grad!.data()];
    values.forEach((v, i) => {
      expect(v).toBeCloseTo(-2 * slopes[i]!, 5);
    });
    expect(Math.min(...slopes)).toBeGreaterThanOrEqual(0.1);
    expect(Math.max(...slopes)).toBeLessThanOrEqual(0.3);
    expect(Math.abs(Array.from(slopes).reduce((a, b) => a + b) / 20_000 - 0.2)).toBeLessThan(0.003);
    expect(await random.rrelu(tl.tensor([-8, 0, 3]), 1 / 8, 3 / 8).tolist()).toEqual([-2, 0, 3]);
  });
});

describe('edges of the parameters', () => {
  beforeAll(async () => {
    await tl.init({ engine: 'wasm' });
  });

  it('give what is certain, and no number outside of the domain', async () => {
    expect(await random.poisson(tl.tensor([0, -1, Number.NaN])).tolist()).toEqual([0, Number.NaN, Number.NaN]);
    expect(await random.binomial(7, tl.tensor([0, 1, 1.5])).tolist()).toEqual([0, 7, Number.NaN]);
    expect(await random.binomial(tl.tensor([0, 100]), tl.tensor([0.5, 1])).tolist()).toEqual([0, 100]);
    expect(await random.bernoulli(tl.tensor([0, 1, -0.5])).tolist()).toEqual([0, 1, Number.NaN]);
    expect(await random.geometric(tl.tensor([1, 0])).tolist()).toEqual([1, Number.NaN]);
    expect(await random.normal(3, tl.tensor([0, -1])).tolist()).toEqual([3, Number.NaN]);
    expect(await random.gamma(tl.tensor([0, -2])).tolist()).toEqual([Number.NaN, Number.NaN]);
    expect(await random.exponential(tl.tensor(-1)).item()).toBeNaN();
    const tiny = await random.gamma(1e-4, 1, { shape: [100] }).data();
    expect(tiny.every((v) => v >= 2 ** -126)).toBe(true);
    const shares = await random.dirichlet(tl.tensor([1e-3, 1e-3]), { shape: [200, 2] }).data();
    expect(shares.every((v) => v >= 0 && v <= 1)).toBe(true);
    expect(
      await random
        .truncatedNormal(0, 1, -1e-3, 1e-3, { shape: [50] })
        .abs()
        .max()
        .item<number>(),
    ).toBeLessThan(1.001e-3);
    expect(
      await random
        .truncatedNormal(0, 1, -40, -39, { shape: [50] })
        .max()
        .item<number>(),
    ).toBeLessThanOrEqual(-39);
    expect((await random.poisson(1e8, { shape: [20] }).data()).every((v) => Math.abs(v - 1e8) < 8e4)).toBe(true);
  });

  it('broadcast to a shape', () => {
    expect(random.normal(tl.zeros([3, 1]), tl.ones([4])).shape).toEqual([3, 4]);
    expect(random.normal(tl.zeros([3, 1]), 1, { shape: [2, 3, 4] }).shape).toEqual([2, 3, 4]);
    expect(random.gamma(2).shape).toEqual([]);
    expect(random.exponential(1, { shape: 5 }).shape).toEqual([5]);
    expect(random.uniform(0, 1, { shape: [0, 3] }).shape).toEqual([0, 3]);
    expect(random.categorical(tl.zeros([2, 5])).shape).toEqual([2]);
    expect(random.categorical(tl.zeros([2, 5]), { shape: [7, 2] }).shape).toEqual([7, 2]);
    expect(random.multinomial(tl.ones([2, 5]), 3).shape).toEqual([2, 3]);
    expect(random.multinomial(tl.ones([2, 5]), 30, { replacement: true }).shape).toEqual([2, 30]);
    expect(random.permutation(tl.zeros([4, 2])).shape).toEqual([4, 2]);
  });

  it('multinomial without replacement draws each category once, and none without a weight', async () => {
    const rows = (await random.multinomial(tl.tensor([1, 0, 2, 3, 0.1]).expand(300, 5), 4).tolist()) as number[][];
    for (const row of rows) expect([...row].sort()).toEqual([0, 2, 3, 4]);
  });
});

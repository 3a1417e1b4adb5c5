import { beforeEach, describe, expect, it } from 'vitest';
import * as tl from '../../src/index.js';
import * as nn from '../../src/nn/index.js';
import * as optim from '../../src/optim/index.js';

// On base WebGPU limits: 8 storage buffers a stage.
beforeEach(async () => {
  await tl.init({ engine: 'plan-only' });
});

/** What realizing tensors would launch: kernels and submits. */
async function launches(...tensors: tl.Tensor[]): Promise<{ names: string[]; submits: number }> {
  const before = tl.plans().length;
  await tl.realize(...tensors);
  const made = tl.plans().slice(before);
  return { names: made.flatMap((p) => p.kernels.map((k) => k.name)), submits: made.reduce((n, p) => n + p.submits, 0) };
}

async function count(...tensors: tl.Tensor[]): Promise<number> {
  const { names, submits } = await launches(...tensors);
  expect(submits).toBe(1);
  return names.length;
}

describe('kernel counts', () => {
  it('fuses elementwise trees into their reduction', async () => {
    const x = tl.zeros([100]).add(tl.arange(100));
    expect(await count(x.mul(2).add(1).relu().sum())).toBe(1);
    const y = tl.tensor(new Float32Array(64 * 65), { shape: [64, 65] });
    expect(await count(y.mul(2).add(1).relu().sum(0))).toBe(1);
    expect(await count(y.mul(2).add(1).relu().sum(1).sqrt().add(1))).toBe(1);
  });

  it('scatters and runs along an axis in one kernel, on views of what is stored', async () => {
    const table = tl.tensor(new Float32Array(100 * 8), { shape: [100, 8] });
    const rows = tl.tensor(new Int32Array(50), { dtype: 'i32' });
    const added = tl.tensor(new Float32Array(50 * 8), { shape: [50, 8] });
    expect(await launches(table.indexAdd(0, rows, added))).toMatchObject({ names: ['scatter_add'] });
    expect(
      await launches(
        tl
          .tensor(new Float32Array(6400), { shape: [64, 100] })
          .neg()
          .cumsum(1)
          .mul(2),
      ),
    ).toMatchObject({
      names: ['neg', 'cumulative_sum', 'mul'],
    });
    // Short lines are computed where they are used.
    expect((await launches(table.cumsum(1).mul(2))).names).toEqual([expect.not.stringContaining('cumulative')]);
    // Few long lines are run in pieces, then the last elements of those, which are added to the next ones.
    expect(await count(table.reshape(800).cumsum(0))).toBe(4);
  });

  it('computes row functions in one kernel', async () => {
    const x = tl.tensor(new Float32Array(128 * 65), { shape: [128, 65] });
    expect(await count(tl.softmax(x, 1))).toBe(1);
    expect(await count(tl.logSoftmax(x, -1))).toBe(1);
    const centred = x.sub(x.mean(1, { keepDim: true }));
    const variance = centred.mul(centred).mean(1, { keepDim: true });
    expect(await count(centred.div(variance.add(1e-5).sqrt()))).toBe(1);
    expect(await count(tl.softmax(x.add(1).mul(2), 1).mul(3))).toBe(1);
  });

  it('computes a softmax and its gradient without storing what lies between', async () => {
    const x = tl.tensor(new Float32Array(128 * 65), { shape: [128, 65] });
    const g = tl.tensor(new Float32Array(128 * 65), { shape: [128, 65] });
    const dx = tl.grad((a: tl.Tensor) => tl.softmax(a, 1).mul(g).sum())(x);
    expect(await count(dx)).toBe(1);
  });

  it('gives a product its bias, activation and residual', async () => {
    const x = tl.tensor(new Float32Array(32 * 16), { shape: [32, 16] });
    const w = tl.tensor(new Float32Array(8 * 16), { shape: [8, 16] });
    const b = tl.tensor(new Float32Array(8));
    const r = tl.tensor(new Float32Array(32 * 8), { shape: [32, 8] });
    expect(await count(x.matmul(w.t()).add(b).relu().add(r))).toBe(1);
    expect(await count(x.mul(0.5).matmul(w.t()).add(b).tanh())).toBe(1);
    const image = tl.tensor(new Float32Array(2 * 3 * 9 * 9), { shape: [2, 3, 9, 9] });
    const kernel = tl.tensor(new Float32Array(4 * 3 * 3 * 3), { shape: [4, 3, 3, 3] });
    expect(await count(tl.conv2d(image, kernel, tl.tensor(new Float32Array(4)), { padding: 1 }).relu())).toBe(1);
  });

  it('moves nothing: views are indices of what reads them', async () => {
    const x = tl.tensor(new Float32Array(6 * 4 * 5), { shape: [6, 4, 5] });
    expect(await count(x.permute(2, 0, 1).reshape(10, 12).slice(0, 1, 9).flip(1).add(1))).toBe(1);
    expect(await count(tl.concat([x, x.mul(2), x.flip(0)], 0).sum(2))).toBe(1);
    expect(await count(tl.maxPool2d(tl.zeros([1, 1, 8, 8]).add(tl.arange(64).reshape(1, 1, 8, 8)), 2))).toBe(1);
  });

  it('splits a concatenation of more parts than a kernel can bind', async () => {
    const parts = Array.from({ length: 20 }, (_, i) => tl.tensor([i, i + 1]));
    expect(await count(tl.concat(parts, 0))).toBeLessThanOrEqual(5);
  });

  it('trains an MLP with at most 18 launches in one submit', async () => {
    const net = new nn.Sequential(
      new nn.Linear(784, 256),
      new nn.ReLU(),
      new nn.Linear(256, 128),
      new nn.ReLU(),
      new nn.Linear(128, 10),
    );
    const opt = new optim.Adam(net.parameters(), { lr: 1e-3 });
    const steps: tl.PlanListing[] = [];
    await tl.realize(...net.parameters());
    for (let i = 0; i < 3; i++) {
      const x = tl.tensor(new Float32Array(128 * 784), { shape: [128, 784] });
      const y = tl.tensor(new Int32Array(128), { shape: [128], dtype: 'i32' });
      opt.zeroGrad();
      tl.crossEntropy(net.forward(x), y).backward();
      const before = tl.plans().length;
      await opt.step();
      const made = tl.plans().slice(before);
      expect(made).toHaveLength(1);
      steps.push(made[0]!);
    }
    for (const step of steps) {
      expect(step.submits).toBe(1);
      expect(step.kernels.length).toBeLessThanOrEqual(12);
      for (const kernel of step.kernels) expect(kernel.bindings.length).toBeLessThanOrEqual(8);
    }
  });
});

import { beforeAll, describe, expect, it, vi } from 'vitest';
import * as tl from '../../src/index.js';
import * as nn from '../../src/nn/index.js';
import * as optim from '../../src/optim/index.js';

beforeAll(async () => {
  await tl.init({ engine: 'reference' });
});

class Net extends nn.Module {
  hidden = new nn.Linear(6, 8);
  dropout = new nn.Dropout(0.25);
  out = new nn.Linear(8, 3);
  forward(x: tl.Tensor): tl.Tensor {
    return this.out.forward(this.dropout.forward(this.hidden.forward(x).relu()));
  }
}

function batches(count: number): { x: Float32Array; y: Int32Array }[] {
  return Array.from({ length: count }, (_, n) => ({
    x: Float32Array.from({ length: 30 }, (_, i) => Math.sin(i * 7 + n * 3)),
    y: Int32Array.from({ length: 5 }, (_, i) => (i * 2 + n) % 3),
  }));
}

/** Losses of ten training steps, with the step compiled or not. */
async function train(compiled: boolean): Promise<number[]> {
  tl.manualSeed(3);
  const net = new Net();
  const opt = new optim.AdamW(net.parameters(), { lr: 0.05 });
  await tl.realize(...net.parameters());
  const step = (x: tl.Tensor, y: tl.Tensor): tl.Tensor => {
    opt.zeroGrad();
    const loss = tl.crossEntropy(net.forward(x), y);
    loss.backward();
    opt.step();
    return loss;
  };
  const run = compiled ? tl.compile(step) : step;
  const losses: number[] = [];
  for (const [i, { x, y }] of batches(10).entries()) {
    if (i === 6) opt.lr = 0.01;
    const loss = run(tl.tensor(x, { shape: [5, 6] }), tl.tensor(y, { shape: [5], dtype: 'i32' }));
    losses.push(await loss.item());
  }
  if (compiled) expect((run as tl.Compiled<[tl.Tensor, tl.Tensor], tl.Tensor>).traces).toBe(1);
  return losses;
}

describe('compile', () => {
  it('trains as the function itself does: dropout, AdamW, a changed learning rate', async () => {
    expect(await train(true)).toEqual(await train(false));
  });

  it('takes and returns structures, reads what it captured at every call', async () => {
    const w = tl.tensor([1, 2, 3], { requiresGrad: true });
    const constant = tl.tensor([10, 20, 30]);
    const f = tl.compile((input: { a: tl.Tensor; list: [tl.Tensor] }, flag: boolean) => ({
      sum: input.a.add(input.list[0]).mul(w),
      rest: [flag ? constant : constant.neg()],
    }));
    const a = tl.tensor([1, 1, 1]);
    const out = f({ a, list: [a] }, true);
    expect(await out.sum.tolist()).toEqual([2, 4, 6]);
    expect(await out.rest[0]!.tolist()).toEqual([10, 20, 30]);
    const opt = new optim.SGD([w], { lr: 1 });
    w.sum().backward();
    await opt.step();
    expect(await f({ a, list: [a] }, true).sum.tolist()).toEqual([0, 2, 4]);
    expect(f.traces).toBe(1);
    expect(await f({ a, list: [a] }, false).rest[0]!.tolist()).toEqual([-10, -20, -30]);
    expect(f.traces).toBe(2);
  });

  it('traces again for another shape or number, not for another scalar', async () => {
    const f = tl.compile((x: tl.Tensor, c: number | tl.Tensor) => x.mul(c).sum());
    expect(await f(tl.tensor([1, 2]), 3).item()).toBe(9);
    expect(await f(tl.tensor([1, 2]), 4).item()).toBe(12);
    expect(await f(tl.tensor([1, 2, 3]), 4).item()).toBe(24);
    expect(f.traces).toBe(3);
    for (let c = 0; c < 5; c++) expect(await f(tl.tensor([1, 2]), tl.scalar(c)).item()).toBe(3 * c);
    expect(f.traces).toBe(4);
  });

  it('traces again in the other mode of a module, once each', async () => {
    const drop = new nn.Dropout(0.5);
    const f = tl.compile((x: tl.Tensor) => drop.forward(x));
    const x = tl.ones([200]);
    const counts: number[] = [];
    for (let i = 0; i < 3; i++) {
      drop.train();
      const kept = (await f(x).data()).filter((v) => v !== 0).length;
      counts.push(kept);
      drop.eval();
      expect([...new Set(await f(x).data())]).toEqual([1]);
    }
    expect(new Set(counts).size).toBeGreaterThan(1);
    expect(f.traces).toBe(2);
    expect(f.lastReason).toMatch(/train/);
  });

  it('warns when it is traced again and again', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const f = tl.compile((x: tl.Tensor, n: number) => x.add(n));
    for (let n = 0; n < 10; n++) f(tl.tensor([1]), n);
    expect(warn).toHaveBeenCalledTimes(2);
    expect(String(warn.mock.calls[0]![0])).toMatch(/traced 9 times/);
    warn.mockRestore();
  });

  it('refuses to read inside, to await inside, and what escaped', async () => {
    let escaped: tl.Tensor | undefined;
    const f = tl.compile((x: tl.Tensor) => {
      escaped = x.add(1);
      return escaped.mul(2);
    });
    expect(await f(tl.tensor([1])).tolist()).toEqual([4]);
    await expect(escaped!.data()).rejects.toThrow(tl.StaleTensorError);
    let inside: Promise<unknown> | undefined;
    tl.compile((x: tl.Tensor) => {
      inside = x.data();
      inside.catch(() => {});
      return x.add(1);
    })(tl.tensor([1]));
    await expect(inside).rejects.toThrow(tl.UnsupportedError);
    const bad = tl.compile((async (x: tl.Tensor) => x.add(1)) as unknown as (x: tl.Tensor) => tl.Tensor);
    expect(() => bad(tl.tensor([1]))).toThrow(/synchronous/);
    expect(() => tl.compile((x: tl.Tensor) => x.add(tl.ones([2, 2])).matmul(tl.ones([3])))(tl.ones([2]))).toThrow(
      tl.ShapeError,
    );
  });

  it('leaves parameters as they were when tracing fails', async () => {
    const w = tl.tensor([1, 2], { requiresGrad: true });
    const opt = new optim.SGD([w], { lr: 1, momentum: 0.9 });
    const f = tl.compile(() => {
      w.sum().backward();
      opt.step();
      throw new Error('mine');
    });
    expect(f).toThrow('mine');
    expect(await w.tolist()).toEqual([1, 2]);
    expect(w.grad).toBeNull();
  });

  it('holds no memory for unread results', async () => {
    const w = tl.tensor(new Float32Array(64), { requiresGrad: true });
    const opt = new optim.SGD([w], { lr: 0.1 });
    const step = tl.compile((x: tl.Tensor) => {
      opt.zeroGrad();
      const loss = w.mul(x).sum();
      loss.backward();
      opt.step();
      return loss;
    });
    const live: number[] = [];
    for (let i = 0; i < 1000; i++) {
      const loss = step(tl.tensor(new Float32Array(64).fill(i)));
      if (i % 10 === 0) await tl.realize(loss);
      live.push(tl.memory().live + tl.memory().pooled);
    }
    expect(Math.max(...live.slice(200))).toBeLessThanOrEqual(Math.max(...live.slice(100, 200)));
  });
});

describe('a compiled training step on plan-only', () => {
  it('is one submit a call, the same program each time', async () => {
    await tl.init({ engine: 'plan-only' });
    const net = new Net();
    const opt = new optim.Adam(net.parameters());
    await tl.realize(...net.parameters());
    const step = tl.compile((x: tl.Tensor, y: tl.Tensor) => {
      opt.zeroGrad();
      const loss = tl.crossEntropy(net.forward(x), y);
      loss.backward();
      opt.step();
      return loss;
    });
    const { x, y } = batches(1)[0]!;
    const run = (): tl.Tensor => step(tl.tensor(x, { shape: [5, 6] }), tl.tensor(y, { shape: [5], dtype: 'i32' }));
    await tl.realize(run());
    const before = tl.plans().length;
    for (let i = 0; i < 5; i++) run();
    const made = tl.plans().slice(before);
    expect(made).toHaveLength(5);
    for (const plan of made) expect(plan).toEqual(made[0]);
    expect(made[0]!.submits).toBe(1);
    await tl.init({ engine: 'reference' });
  });
});

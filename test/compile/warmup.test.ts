import * as tl from 'tiller';
import * as nn from 'tiller/nn';
import * as optim from 'tiller/optim';
import { beforeEach, describe, expect, it } from 'vitest';
import { describeWebGPU } from '../setup/environment.js';

/** A training step with dropout, and what it trains; the same for each call. */
function training(hidden = 8) {
  tl.manualSeed(7);
  const net = new nn.Sequential(new nn.Linear(6, hidden), new nn.ReLU(), new nn.Dropout(0.3), new nn.Linear(hidden, 3));
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.05 });
  const step = tl.compile((x: tl.Tensor, y: tl.Tensor) => {
    optimizer.zeroGrad();
    const loss = tl.crossEntropy(net.forward(x), y);
    loss.backward();
    optimizer.step();
    return loss;
  });
  const values = async () => Promise.all(net.parameters().map(async (p) => [...(await p.data())]));
  return { net, step, values };
}

const x = () => tl.linspace(-1, 1, 24).reshape([4, 6]);
const y = () => tl.tensor(Int32Array.of(0, 1, 2, 1));

function warmsUp(engine: 'wasm' | 'webgpu' | 'reference'): void {
  beforeEach(async () => {
    await tl.init({ engine });
  });

  it('changes no parameter, no state and no random number', async () => {
    const losses = async (warm: boolean) => {
      const { step, values } = training();
      const before = await values();
      if (warm) {
        await step.warmup(x(), y());
        expect(await values()).toEqual(before);
      }
      const all: number[] = [];
      for (let i = 0; i < 4; i++) all.push(await step(x(), y()).item());
      return [all, await values(), await tl.rand([3]).data()];
    };
    expect(await losses(true)).toEqual(await losses(false));
  });

  it('leaves nothing to prepare for the call', async () => {
    const { step } = training();
    await step.warmup(x(), y());
    expect(step.traces).toBe(1);
    const { misses } = tl.cacheStats();
    const [xs, ys] = [x(), y()];
    await tl.realize(xs, ys);
    const prepared = tl.cacheStats();
    await step(xs, ys).item();
    expect(step.traces).toBe(1);
    expect(tl.cacheStats().misses).toBe(prepared.misses);
    expect(prepared.misses - misses).toBeLessThanOrEqual(1);
  });

  it('tells its progress, kernel by kernel', async () => {
    // Of a size that no other test has: its program is made here.
    const { step } = training(11);
    const told: [number, number][] = [];
    await tl.warmup(step, [x(), y()], { onProgress: (ready, total) => told.push([ready, total]) });
    const total = told[0]![1];
    if (engine !== 'reference') expect(total).toBeGreaterThan(2);
    expect(told.at(-1)).toEqual([total, total]);
    expect(told.map(([ready]) => ready)).toEqual(told.map(([ready]) => ready).sort((a, b) => a - b));
    if (engine !== 'reference')
      expect(told.slice(0, total + 1).map(([ready]) => ready)).toEqual(Array.from({ length: total + 1 }, (_, i) => i));

    const again: [number, number][] = [];
    await tl.warmup(step, [x(), y()], { onProgress: (ready, all) => again.push([ready, all]) });
    expect(again).toEqual([[total, total]]);
  });

  it('prepares what an uncompiled function returns', async () => {
    const w = tl.linspace(0, 1, 18).reshape([6, 3]);
    const input = x();
    await tl.realize(w, input);
    const f = (a: tl.Tensor) => tl.softmax(a.matmul(w), 1);
    await tl.warmup(f, [input]);
    const { misses } = tl.cacheStats();
    const sums = [...(await f(input).data())];
    expect(tl.cacheStats().misses).toBe(misses);
    expect(sums.reduce((s, v) => s + v, 0)).toBeCloseTo(4, 5);
  });
}

describe('warmup on wasm', () => warmsUp('wasm'));
describe('warmup on the reference', () => warmsUp('reference'));
describeWebGPU('warmup on webgpu', () => warmsUp('webgpu'));

describe('warmup', () => {
  beforeEach(async () => {
    await tl.init({ engine: 'wasm' });
  });

  it('refuses an uncompiled function that changes tensors, and leaves them', async () => {
    const layer = new nn.Linear(2, 1);
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1 });
    const before = [...(await layer.weight.data())];
    const step = () => {
      const loss = layer.forward(tl.ones([1, 2])).sum();
      loss.backward();
      optimizer.step();
      return loss;
    };
    await expect(tl.warmup(step, [])).rejects.toThrow(
      /^\[warmup\] the function changes tensors \(expected tl\.compile/,
    );
    expect([...(await layer.weight.data())]).toEqual(before);
  });

  it('refuses arguments of which gradients are to be taken', async () => {
    const f = tl.compile((a: tl.Tensor) => a.mul(2));
    await expect(f.warmup(tl.ones([2], { requiresGrad: true }))).rejects.toThrow(/^\[warmup\] .* require gradients/);
  });

  it('refuses arguments that are not in a list, and what is no function', async () => {
    const f = tl.compile((a: tl.Tensor) => a.mul(2));
    const mistaken = tl.warmup as unknown as (fn: unknown, args?: unknown) => Promise<void>;
    await expect(mistaken(f, tl.ones([2]))).rejects.toThrow(/^\[warmup\] .* a list of its arguments/);
    await expect(mistaken(f)).rejects.toThrow(tl.ArgumentError);
    await expect(mistaken(3, [])).rejects.toThrow(/^\[warmup\] .*expected a function/);
  });

  it('rejects with what the function throws', async () => {
    const f = tl.compile((a: tl.Tensor) => a.matmul(tl.ones([5, 5])));
    await expect(f.warmup(tl.ones([2, 3]))).rejects.toThrow(/matmul/);
  });
});

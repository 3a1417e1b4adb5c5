import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { currentEngine } from '../../src/compile/index.js';
import { type Interval, liveLowerBound, placeInArena } from '../../src/compile/plan/arena.js';
import type { Plan } from '../../src/engine/plan.js';
import type { PlanOnlyEngine } from '../../src/engine/plan-only/index.js';
import * as tl from '../../src/index.js';
import * as nn from '../../src/nn/index.js';
import * as optim from '../../src/optim/index.js';

beforeAll(async () => {
  await tl.init({ engine: 'plan-only' });
});

/** Bytes of the arena of the last plan, and the most that is alive in it at one launch. */
function lastArena(): { bytes: number; bound: number; kernels: number } {
  const { plan } = (currentEngine() as PlanOnlyEngine).runs.at(-1) as unknown as { plan: Plan };
  const spans = new Map<number, Interval>();
  plan.kernels.forEach(({ bindings }, at) => {
    for (const b of bindings) {
      const { bytes, place } = plan.buffers[b]!;
      if (place.kind === 'arena') spans.set(b, { bytes, first: spans.get(b)?.first ?? at, last: at });
    }
  });
  return { bytes: plan.arenaBytes, bound: liveLowerBound([...spans.values()]), kernels: plan.kernels.length };
}

const batchOf = (...shape: number[]): tl.Tensor =>
  tl.tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape });
const labels = (n: number): tl.Tensor => tl.tensor(new Int32Array(n), { dtype: 'i32' });

async function stepOf(net: nn.Module, loss: () => tl.Tensor): Promise<void> {
  const opt = new optim.Adam(net.parameters());
  await tl.realize(...net.parameters());
  for (let i = 0; i < 2; i++) {
    opt.zeroGrad();
    loss().backward();
    await opt.step();
  }
}

class Block extends nn.Module {
  q = new nn.Linear(32, 32);
  k = new nn.Linear(32, 32);
  v = new nn.Linear(32, 32);
  out = new nn.Linear(32, 32);
  up = new nn.Linear(32, 128);
  down = new nn.Linear(128, 32);
  forward(x: tl.Tensor): tl.Tensor {
    const [b, t] = x.shape as [number, number];
    const heads = (y: tl.Tensor): tl.Tensor => y.reshape(b, t, 4, 8).permute(0, 2, 1, 3);
    const n = normalize(x);
    const scores = heads(this.q.forward(n))
      .matmul(heads(this.k.forward(n)).permute(0, 1, 3, 2))
      .mul(8 ** -0.5);
    const mixed = tl
      .softmax(scores, -1)
      .matmul(heads(this.v.forward(n)))
      .permute(0, 2, 1, 3)
      .reshape(b, t, 32);
    const y = x.add(this.out.forward(mixed));
    return y.add(this.down.forward(this.up.forward(normalize(y)).relu()));
  }
}

function normalize(x: tl.Tensor): tl.Tensor {
  const centred = x.sub(x.mean(-1, { keepDim: true }));
  return centred.div(centred.mul(centred).mean(-1, { keepDim: true }).add(1e-5).sqrt());
}

describe('the arena', () => {
  it('of an MLP step is within 15 % of what has to be alive', async () => {
    const net = new nn.Sequential(
      new nn.Linear(784, 256),
      new nn.ReLU(),
      new nn.Linear(256, 128),
      new nn.ReLU(),
      new nn.Linear(128, 10),
    );
    await stepOf(net, () => tl.crossEntropy(net.forward(batchOf(128, 784)), labels(128)));
    const { bytes, bound } = lastArena();
    expect(bytes).toBeLessThanOrEqual(1.15 * bound);
    expect(bytes).toBeGreaterThanOrEqual(bound);
  });

  it('of a CNN step is within 15 % of what has to be alive', async () => {
    const net = new nn.Sequential(
      new nn.Conv2d(1, 8, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Conv2d(8, 16, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(16 * 7 * 7, 10),
    );
    await stepOf(net, () => tl.crossEntropy(net.forward(batchOf(16, 1, 28, 28)), labels(16)));
    const { bytes, bound } = lastArena();
    expect(bytes).toBeLessThanOrEqual(1.15 * bound);
  });

  it('of a transformer step is within 15 % of what has to be alive', async () => {
    class Net extends nn.Module {
      blocks = [new Block(), new Block(), new Block(), new Block()];
      head = new nn.Linear(32, 16);
      forward(x: tl.Tensor): tl.Tensor {
        let y = x;
        for (const b of this.blocks) y = b.forward(y);
        return this.head.forward(y).reshape(-1, 16);
      }
    }
    const net = new Net();
    await stepOf(net, () => tl.crossEntropy(net.forward(batchOf(2, 24, 32)), labels(48)));
    const { bytes, bound, kernels } = lastArena();
    console.log(`transformer step: ${kernels} kernels, arena ${bytes} bytes, at least ${bound}`);
    expect(bytes).toBeLessThanOrEqual(1.15 * bound);
  });

  it('never lets two buffers that live together overlap', () => {
    const interval = fc
      .tuple(fc.nat(5000), fc.nat(20), fc.nat(8))
      .map(([bytes, first, length]): Interval => ({ bytes, first, last: first + length }));
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 30 }), (intervals) => {
        const { offsets, bytes } = placeInArena(intervals);
        expect(bytes).toBeGreaterThanOrEqual(liveLowerBound(intervals));
        intervals.forEach((a, i) => {
          expect(offsets[i]! % 256).toBe(0);
          expect(offsets[i]! + a.bytes).toBeLessThanOrEqual(Math.max(bytes, a.bytes));
          intervals.slice(0, i).forEach((b, j) => {
            if (a.bytes === 0 || b.bytes === 0 || a.first > b.last || b.first > a.last) return;
            expect(offsets[i]! + a.bytes <= offsets[j]! || offsets[j]! + b.bytes <= offsets[i]!).toBe(true);
          });
        });
      }),
    );
  });
});

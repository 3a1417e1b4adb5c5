import { crossEntropy, type InitOptions, init, manualSeed, memory, type Tensor, tensor } from 'tiller';
import * as nn from 'tiller/nn';
import { Adam } from 'tiller/optim';
import { describe, expect, it } from 'vitest';

const BATCH = 32;

interface Held {
  readonly live: number;
  readonly pooled: number;
  readonly buffers: number;
}

/** Trains with a batch of its own at each step, awaiting only step() and disposing of nothing; the loss at every fiftieth. */
async function train(options: InitOptions, steps: number): Promise<{ losses: number[]; held: Held[] }> {
  await init(options);
  manualSeed(1);
  const net = new nn.Sequential(new nn.Linear(64, 32), new nn.ReLU(), new nn.Linear(32, 10));
  const optimizer = new Adam(net.parameters(), { lr: 1e-2 });
  const losses: number[] = [];
  const held: Held[] = [];
  for (let step = 1; step <= steps; step++) {
    const labels = Int32Array.from({ length: BATCH }, (_, i) => (i * 3 + step) % 10);
    // Noise, and a bright spot where the label says.
    const images = Float32Array.from({ length: BATCH * 64 }, (_, i) => {
      const [row, column] = [Math.floor(i / 64), i % 64];
      return ((i * 7 + step) % 13) / 13 + (Math.floor(column / 6) === labels[row] ? 1 : 0);
    });
    const loss: Tensor = crossEntropy(net.forward(tensor(images, { shape: [BATCH, 64] })), tensor(labels));
    optimizer.zeroGrad();
    loss.backward();
    await optimizer.step();
    if (step % 50 !== 0) continue;
    losses.push(await loss.item());
    const { live, pooled, buffers } = memory();
    held.push({ live, pooled, buffers });
  }
  return { losses, held };
}

describe('training on WebAssembly', () => {
  // Everything is split among threads.
  const alone: InitOptions = { engine: 'wasm', threads: 1 };
  const threaded = { engine: 'wasm', threads: 3, splitFrom: 0 } as InitOptions;

  it.each([
    ['one thread', alone],
    ['three threads', threaded],
  ])('keeps live and pooled bytes flat over 2,000 steps: %s', async (_, options) => {
    const { losses, held } = await train(options, 2000);
    expect(held).toHaveLength(40);
    for (const bytes of held) expect(bytes).toEqual(held[0]);
    expect(losses.every(Number.isFinite)).toBe(true);
  });

  it('gives the same bits on any number of threads, and what the reference gives', async () => {
    const { losses } = await train(alone, 300);
    expect((await train(threaded, 300)).losses).toEqual(losses);
    const { losses: expected } = await train({ engine: 'reference' }, 300);
    expect(losses[0]).toBeCloseTo(expected[0]!, 4);
    losses.forEach((loss, i) => {
      expect(loss).toBeCloseTo(expected[i]!, 2);
    });
    expect(losses.at(-1)!).toBeLessThan(losses[0]! * 0.9);
  });
});

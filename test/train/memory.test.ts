import { crossEntropy, init, memory, type Tensor, tensor } from 'tiller';
import * as nn from 'tiller/nn';
import { Adam } from 'tiller/optim';
import { describe, expect, it } from 'vitest';
import { describeWebGPU } from '../setup/environment.js';

const STEPS = 2000;
const SETTLED = 50;
const BATCH = 32;

/** 2,000 steps, each with a batch of its own, awaiting only step() and disposing of nothing. */
function trainsInConstantMemory(engine: 'webgpu' | 'wasm' | 'reference') {
  it('keeps live and pooled bytes flat', async () => {
    await init({ engine });
    const net = new nn.Sequential(new nn.Linear(64, 32), new nn.ReLU(), new nn.Linear(32, 10));
    const optimizer = new Adam(net.parameters(), { lr: 1e-2 });
    const seen: { step: number; live: number; pooled: number; buffers: number }[] = [];
    let loss: Tensor | null = null;
    for (let step = 1; step <= STEPS; step++) {
      const images = Float32Array.from({ length: BATCH * 64 }, (_, i) => ((i * 7 + step) % 13) / 13);
      const labels = Int32Array.from({ length: BATCH }, (_, i) => (i + step) % 10);
      loss = crossEntropy(net.forward(tensor(images, { shape: [BATCH, 64] })), tensor(labels));
      optimizer.zeroGrad();
      loss.backward();
      await optimizer.step();
      if (step >= SETTLED && step % SETTLED === 0) {
        const { live, pooled, buffers } = memory();
        seen.push({ step, live, pooled, buffers });
      }
    }
    const [first, last] = [seen[0]!, seen.at(-1)!];
    console.log(
      `${engine}: live ${first.live} bytes and pooled ${first.pooled} after step ${first.step}, ` +
        `${last.live} and ${last.pooled} after step ${last.step}`,
    );
    for (const { live, pooled, buffers } of seen) {
      expect({ live, pooled, buffers }).toEqual({ live: first.live, pooled: first.pooled, buffers: first.buffers });
    }
    expect(Number.isFinite(await loss!.item())).toBe(true);
    // Parameters and two moments of Adam, and little besides.
    const state = 3 * 4 * net.parameters().reduce((sum, p) => sum + p.numel(), 0);
    expect(first.live).toBeGreaterThanOrEqual(state);
  }, 120_000);
}

describe('training on the reference engine', () => trainsInConstantMemory('reference'));
describe('training on WebAssembly', () => trainsInConstantMemory('wasm'));
describeWebGPU('training on WebGPU', () => trainsInConstantMemory('webgpu'));

import { crossEntropy, init, tensor } from 'tiller';
import * as nn from 'tiller/nn';
import { Adam, AdamW, type Optimizer, SGD } from 'tiller/optim';
import { beforeAll, describe, expect, it } from 'vitest';
import { cacheStats, currentEngine } from '../../src/compile/index.js';
import type { PlanOnlyEngine } from '../../src/engine/plan-only/index.js';

beforeAll(async () => {
  await init({ engine: 'plan-only' });
});

const OPTIMIZERS: [string, (net: nn.Module) => Optimizer<{ lr: number }>][] = [
  ['Adam', (net) => new Adam(net.parameters())],
  ['AdamW', (net) => new AdamW(net.parameters())],
  ['SGD', (net) => new SGD(net.parameters(), { lr: 0.1, momentum: 0.9, dampening: 0.1, weightDecay: 1e-4 })],
];

describe.each(OPTIMIZERS)('a training step of 784-256-128-10 with %s', (_, optimizerOf) => {
  it('is one submit of at most 18 kernels, and the same plan at every step and learning rate', async () => {
    const net = new nn.Sequential(
      new nn.Linear(784, 256),
      new nn.ReLU(),
      new nn.Linear(256, 128),
      new nn.ReLU(),
      new nn.Linear(128, 10),
    );
    const optimizer = optimizerOf(net);
    const step = async () => {
      const images = tensor(new Float32Array(128 * 784), { shape: [128, 784] });
      const loss = crossEntropy(net.forward(images), tensor(new Int32Array(128)));
      optimizer.zeroGrad();
      loss.backward();
      // There is no device, so that the fetched loss has no value.
      await optimizer.step().catch(() => {});
    };
    const engine = currentEngine() as PlanOnlyEngine;
    await step();
    const { misses } = cacheStats();
    engine.runs.length = 0;
    for (let i = 0; i < 3; i++) {
      optimizer.lr *= 0.7;
      await step();
    }
    expect(cacheStats().misses).toBe(misses);
    expect(engine.runs).toHaveLength(3);
    expect(new Set(engine.runs).size).toBe(1);
    const [program] = engine.runs;
    expect(program!.submits).toBe(1);
    expect(program!.kernels).toBeLessThanOrEqual(18);
  });
});

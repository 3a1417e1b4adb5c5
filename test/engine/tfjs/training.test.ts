import { createRequire } from 'node:module';
import * as tl from 'tiller';
import type * as nn from 'tiller/nn';
import { Adam } from 'tiller/optim';
import { describe, expect, it } from 'vitest';
import { currentEngine } from '../../../src/compile/engines.js';
import type { GraphEngine } from '../../../src/engine/engine.js';
import type { TfProgram } from '../../../src/engine/tfjs/program.js';
import type { Tf } from '../../../src/engine/tfjs/tf.js';
import { cnn, type Model, mlp, transformer } from './models.js';

/** The copy of the package that the engine has. */
const tf = createRequire(import.meta.url)('@tensorflow/tfjs-core') as Tf;

/** Programs that the engine prepares while `work` runs. */
async function programsOf(work: () => Promise<void>): Promise<TfProgram[]> {
  const engine = currentEngine() as GraphEngine;
  const prepare = engine.prepareGraph;
  const programs: TfProgram[] = [];
  engine.prepareGraph = async (graph) => {
    const program = (await prepare.call(engine, graph)) as TfProgram;
    programs.push(program);
    return program;
  };
  try {
    await work();
  } finally {
    engine.prepareGraph = prepare;
  }
  return programs;
}

async function train(model: Model, steps: number, after: (step: number) => void = () => {}): Promise<number[]> {
  const optimizer = new Adam(model.net.parameters(), { lr: 3e-3 });
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const loss = model.loss(step);
    optimizer.zeroGrad();
    loss.backward();
    await optimizer.step();
    losses.push(await loss.item());
    after(step);
  }
  return losses;
}

const models: [name: string, make: () => Model, fused: number][] = [
  ['an MLP', mlp, 3],
  ['a CNN', cnn, 3],
  ['a transformer', transformer, 5],
];

/** What the reference gives, once for all backends. */
const references = new Map<string, ReturnType<typeof seeded>>();

async function seeded(make: () => Model): Promise<{ model: Model; losses: number[] }> {
  tl.manualSeed(1);
  const model = make();
  return { model, losses: await train(model, 100) };
}

const parameters = async (net: nn.Module): Promise<number[]> =>
  (await Promise.all(net.parameters().map((p) => p.data()))).flatMap((values) => [...values]);

describe.each(['wasm', 'cpu'] as const)('training on tfjs %s', (backend) => {
  it.each(models)(
    'gives the losses of the reference for %s, by kernels alone',
    async (name, make, fused) => {
      await tl.init({ engine: 'reference' });
      if (!references.has(name)) references.set(name, seeded(make));
      const expected = await references.get(name)!;
      await tl.init({ engine: 'tfjs', backend });
      const programs = await programsOf(async () => {
        const { model, losses } = await seeded(make);
        const worst = Math.max(...losses.map((loss, i) => Math.abs(loss - expected.losses[i]!)));
        expect(worst).toBeLessThan(1e-3);
        expect(losses[99]).toBeLessThan(losses[0]!);
        const before = await parameters(expected.model.net);
        (await parameters(model.net)).forEach((p, i) => {
          expect(Math.abs(p - before[i]!)).toBeLessThan(0.02);
        });
      });
      // Nothing is read back; products take their bias in, and on cpu their activation.
      expect(programs.flatMap(({ lowered }) => [...lowered.readBack.keys()])).toEqual([]);
      expect(Math.max(...programs.map(({ lowered }) => lowered.fused))).toBe(fused);
      const calls = programs.map((program) => Object.fromEntries(program.calls));
      const step = calls.reduce((a, b) => (Object.keys(a).length > Object.keys(b).length ? a : b));
      expect(step).toHaveProperty(make === cnn ? 'FusedConv2D' : '_FusedMatMul');
      expect(step).not.toHaveProperty('Conv2DBackpropFilter');
    },
    60_000,
  );

  it('keeps no tensors but the state, in steps and in compiled ones', async () => {
    await tl.init({ engine: 'tfjs', backend });
    const seen: string[] = [];
    const note = () => {
      const { numTensors, numBytes } = tf.memory();
      seen.push(`${numTensors} tensors of ${numBytes} bytes, ${tl.memory().live} bytes in ${tl.memory().buffers}`);
    };
    await train(mlp(), 100, (step) => step >= 20 && note());
    expect(new Set(seen).size).toBe(1);

    const model = mlp();
    const optimizer = new Adam(model.net.parameters());
    const step = tl.compile((x: tl.Tensor, y: tl.Tensor) => {
      const loss = tl.crossEntropy((model.net as nn.Sequential).forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
    seen.length = 0;
    for (let i = 0; i < 60; i++) {
      const x = tl.tensor(
        Float32Array.from({ length: 32 * 24 }, (_, j) => Math.sin(j + i)),
        { shape: [32, 24] },
      );
      await (step(x, tl.tensor(new Int32Array(32).fill(i % 10))) as tl.Tensor).item();
      if (i >= 20) note();
    }
    expect(new Set(seen).size).toBe(1);
  });
});

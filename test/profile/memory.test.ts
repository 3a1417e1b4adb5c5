import { beforeAll, describe, expect, it } from 'vitest';
import * as tl from '../../src/index.js';
import * as nn from '../../src/nn/index.js';
import * as optim from '../../src/optim/index.js';
import { describeWebGPU } from '../setup/environment.js';

const MIB = 2 ** 20;
const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('it did not fail'),
    (error: Error) => error,
  );

/** Makes and holds `bytes` on the engine. */
async function held(bytes: number): Promise<tl.Tensor> {
  const x = tl.ones([bytes / 4]).add(tl.scalar(1));
  await tl.realize(x);
  return x;
}

for (const [engine, describeEngine] of [
  ['wasm', describe],
  ['webgpu', describeWebGPU],
  ['reference', describe],
] as const) {
  describeEngine(`a memory budget on ${engine}`, () => {
    beforeAll(async () => {
      await tl.init({ engine, memoryBudget: 16 * MIB, debug: 0 });
    });

    it('refuses what is too much, names what holds the memory, and goes on when that is let go', async () => {
      const [a, b] = [await held(8 * MIB), await held(4 * MIB)];
      const error = await failure(held(8 * MIB));
      expect(error).toBeInstanceOf(tl.OutOfMemoryError);
      expect(error.message).toMatch(/over the memory budget: \d+ bytes more on top of \d+ \(the budget is 16777216\)/);
      const lines = error.message.split('\n');
      expect(lines[0]).toContain('(TILLER_DEBUG=1 tells where they were made)');
      expect(lines[1]).toBe('  f32[2097152]: 8388608 bytes');
      expect(lines[2]).toBe('  f32[1048576]: 4194304 bytes');
      a.dispose();
      const c = await held(8 * MIB);
      expect(await c.sum().item()).toBe(2 * MIB * 2);
      for (const x of [b, c]) x.dispose();
    });

    it('gives copies of host data back before it refuses', async () => {
      const data = tl.tensor(new Float32Array(2 * MIB).fill(1));
      // From the second use on the copy stays on the engine.
      for (let i = 0; i < 3; i++) expect(await data.sum().item()).toBe(2 * MIB);
      expect(tl.memory().live).toBeGreaterThanOrEqual(8 * MIB);
      const x = await held(12 * MIB);
      expect(await x.sum().item()).toBe(3 * MIB * 2);
      x.dispose();
      expect(await data.sum().item()).toBe(2 * MIB);
      data.dispose();
    });

    it('says where the largest holders were made, in debug', async () => {
      await tl.init({ engine, memoryBudget: 16 * MIB, debug: true });
      const told = console.error;
      console.error = () => {};
      try {
        const a = await held(12 * MIB);
        const error = await failure(held(8 * MIB));
        expect(error.message).toMatch(/f32\[3145728\]: 12582912 bytes, made at .*held.*memory\.test\.ts:\d+/);
        expect(error.message).not.toContain('/src/tensor/');
        a.dispose();
      } finally {
        console.error = told;
        await tl.init({ engine, memoryBudget: 16 * MIB, debug: false });
      }
    });
  });

  describeEngine(`leaks on ${engine}`, () => {
    it('refuses to tell where nobody recorded it', async () => {
      await tl.init({ engine, debug: 0 });
      await expect(tl.leaks()).rejects.toThrow(
        /\[leaks\] .*\(expected TILLER_DEBUG=1, or await tl.init\(\{ debug: true \}\)\)/,
      );
    });

    it('groups what is alive by the place that made it, oldest first, and forgets what was disposed', async () => {
      const told = console.error;
      console.error = () => {};
      await tl.init({ engine, debug: 1 });
      try {
        const forgotten: tl.Tensor[] = [];
        const leak = async (): Promise<void> => {
          const x = tl.ones([1000]).mul(tl.scalar(forgotten.length));
          forgotten.push(x);
          await tl.realize(x);
        };
        const first = tl.ones([3, 500]).add(tl.scalar(2));
        await tl.realize(first);
        for (let i = 0; i < 3; i++) await leak();
        const mine = (await tl.leaks()).filter(({ site }) => site.includes('memory.test.ts'));
        expect(mine).toHaveLength(2);
        expect(mine[0]).toMatchObject({ count: 1, bytes: 6000, tensors: ['f32[3, 500]'] });
        expect(mine[1]).toMatchObject({ count: 3, bytes: 12_000, tensors: ['f32[1000]'] });
        expect(mine[1]!.site).toMatch(/leak .*memory\.test\.ts:\d+/);
        expect(mine[0]!.ageMs).toBeGreaterThanOrEqual(mine[1]!.ageMs);
        for (const x of forgotten) x.dispose();
        expect((await tl.leaks()).filter(({ site }) => site.includes('leak'))).toEqual([]);
        expect(first.shape).toEqual([3, 500]);
        first.dispose();
      } finally {
        console.error = told;
        await tl.init({ engine, debug: 0 });
      }
    });
  });

  describeEngine(`memoryReport on ${engine}`, () => {
    it('sets the arena of each plan against what has to be alive', async () => {
      await tl.init({ engine });
      const net = new nn.Sequential(new nn.Linear(64, 256), new nn.ReLU(), new nn.Linear(256, 10));
      const opt = new optim.Adam(net.parameters());
      const x = tl.tensor(new Float32Array(32 * 64), { shape: [32, 64] });
      for (let i = 0; i < 2; i++) {
        opt.zeroGrad();
        tl.crossEntropy(net.forward(x), tl.tensor(new Int32Array(32), { dtype: 'i32' })).backward();
        await opt.step();
      }
      const report = await tl.memoryReport();
      const { live, peak, pooled, buffers } = tl.memory();
      expect(report).toMatchObject({ live, peak, pooled, buffers });
      // Three times the parameters: Adam keeps two more of each.
      expect(report.tensorBytes).toBeGreaterThanOrEqual(3 * 4 * (64 * 256 + 256 + 2560 + 10));
      expect(report.tensorBytes).toBeLessThanOrEqual(report.live);
      expect(String(report)).toContain('f32[256, 64]: 65536 bytes');
      if (engine === 'reference') {
        expect(report.plans).toEqual([]);
      } else {
        const [largest] = report.plans;
        expect(largest!.kernels.length).toBeGreaterThan(3);
        expect(largest!.lowerBoundBytes).toBeGreaterThanOrEqual(32 * 256 * 4);
        expect(largest!.arenaBytes).toBeGreaterThanOrEqual(largest!.lowerBoundBytes);
        expect(largest!.arenaBytes).toBeLessThanOrEqual(1.15 * largest!.lowerBoundBytes);
        expect(String(report)).toMatch(/\(1\.\d\d x the lower bound\): \d+ kernels/);
      }
    });
  });
}

it.each([0, -1, Number.NaN, 'all'])('init refuses a memory budget of %s', async (memoryBudget) => {
  await expect(tl.init({ engine: 'reference', memoryBudget: memoryBudget as number })).rejects.toThrow(
    /\[init\] memoryBudget is .* \(expected a positive number of bytes\)/,
  );
});

it.each([5, -1, 1.5, 'all', null])('init refuses a debug level of %s', async (debug) => {
  await expect(tl.init({ engine: 'reference', debug: debug as 0 })).rejects.toThrow(/\[init\] debug is .* 0 to 4\)/);
});

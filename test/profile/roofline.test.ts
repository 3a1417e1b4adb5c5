import { beforeAll, describe, expect, it } from 'vitest';
import * as tl from '../../src/index.js';
import { describeWebGPU } from '../setup/environment.js';

for (const [engine, describeEngine, timedBy] of [
  ['wasm', describe, 'clock'],
  ['webgpu', describeWebGPU, 'timestamps'],
  ['reference', describe, 'clock'],
] as const) {
  describeEngine(`roofline on ${engine}`, () => {
    beforeAll(async () => {
      await tl.init({ engine });
    });

    it('is refused while a profile has the timings to itself', async () => {
      await expect(tl.profile(() => tl.roofline())).rejects.toThrow(/\[roofline\] a profile is being taken/);
    });

    it('is measured once, leaves nothing on the engine and draws no random numbers', async () => {
      tl.manualSeed(5);
      const expected = await tl.rand([4]).tolist();
      tl.manualSeed(5);
      const { live } = tl.memory();
      const measured = await tl.roofline();
      expect(measured.gflops).toBeGreaterThan(0);
      expect(measured.gbs).toBeGreaterThan(0);
      expect(measured.timedBy).toBe(timedBy);
      // The arena stays for the programs to come.
      const arena = tl.memory().live - live;
      expect(arena).toBeLessThanOrEqual(2 ** 24);
      expect((await tl.memoryReport()).tensorBytes).toBeLessThanOrEqual(live);
      expect(await tl.rand([4]).tolist()).toEqual(expected);
      expect(await tl.roofline()).toBe(measured);
    });

    it('stands in the report beside each kernel that was timed', async () => {
      const [a, b] = [tl.rand([512, 512]), tl.rand([512, 512])];
      await tl.realize(a, b);
      const report = await tl.profile(() => tl.realize(a.matmul(b)), { roofline: true });
      const measured = await tl.roofline();
      expect(report.roofline).toBe(measured);
      expect(String(report)).toContain(
        `roofline   ${measured.gflops.toFixed(1)} GFLOP/s, ${measured.gbs.toFixed(1)} GB/s`,
      );
      if (engine === 'reference') return;
      for (const row of report.kernels) {
        const [arithmetic, memory] = [row.gflops / measured.gflops, row.gbs / measured.gbs];
        expect(row.roofline).toBeCloseTo(Math.max(arithmetic, memory), 6);
        expect(row.boundBy).toBe(arithmetic > memory ? 'arithmetic' : 'memory');
      }
      const [product] = report.kernels;
      expect(product!.boundBy).toBe('arithmetic');
      // A single run on a busy machine: far from exact, but of the same unit.
      expect(product!.roofline).toBeGreaterThan(0.02);
      expect(product!.roofline).toBeLessThan(5);
      expect(String(report)).toMatch(/\d+\.\d % of arithmetic/);
    });

    it('is left out where nobody asked for it', async () => {
      const report = await tl.profile(() => tl.ones([300]).add(tl.scalar(1)).sum().item());
      expect(report.roofline).toBeNull();
      expect(report.kernels.every((k) => k.roofline === null && k.boundBy === null)).toBe(true);
      expect(String(report)).not.toContain('roofline');
    });
  });
}

it('fits into a small memory budget', async () => {
  await tl.init({ engine: 'wasm', memoryBudget: 24 * 2 ** 20 });
  expect((await tl.roofline()).gbs).toBeGreaterThan(0);
});

it('is refused by an engine that computes nothing', async () => {
  await tl.init({ engine: 'plan-only' });
  await expect(tl.roofline()).rejects.toThrow(tl.UnsupportedError);
});

import { beforeAll, describe, expect, it } from 'vitest';
import * as tl from '../../src/index.js';
import * as nn from '../../src/nn/index.js';
import * as optim from '../../src/optim/index.js';
import { describeWebGPU } from '../setup/environment.js';

async function steps(count: number): Promise<void> {
  const net = new nn.Sequential(new nn.Linear(64, 32), new nn.ReLU(), new nn.Linear(32, 10));
  const opt = new optim.Adam(net.parameters());
  for (let i = 0; i < count; i++) {
    opt.zeroGrad();
    const x = tl.tensor(new Float32Array(16 * 64).fill(i), { shape: [16, 64] });
    const loss = tl.crossEntropy(net.forward(x), tl.tensor(new Int32Array(16), { dtype: 'i32' }));
    loss.backward();
    await opt.step();
    await loss.item();
  }
}

/** Steps of a size that people train. */
async function realSteps(count: number): Promise<void> {
  const net = new nn.Sequential(new nn.Linear(784, 128), new nn.ReLU(), new nn.Linear(128, 10));
  const opt = new optim.Adam(net.parameters());
  const x = tl.tensor(new Float32Array(128 * 784).fill(0.5), { shape: [128, 784] });
  const y = tl.tensor(new Int32Array(128), { dtype: 'i32' });
  for (let i = 0; i < count; i++) {
    opt.zeroGrad();
    const loss = tl.crossEntropy(net.forward(x), y);
    loss.backward();
    await opt.step();
    await loss.item();
  }
}

/** TypeScript by named phases and waits leave at most a twentieth of the wall clock without a name, and never overlap. */
function checkAttribution(r: tl.ProfileReport): void {
  const phases = r.spans.filter((s) => s.kind === 'phase').sort((a, b) => a.start - b.start);
  phases.forEach((s, i) => {
    if (i > 0) expect(s.start).toBeGreaterThanOrEqual(phases[i - 1]!.end);
  });
  for (const s of r.spans) {
    expect(s.end).toBeGreaterThanOrEqual(s.start);
    expect(s.end).toBeLessThanOrEqual(r.wallMs);
  }
  expect(r.phases.trace).toBeGreaterThan(0);
  expect(r.phases.other).toBeLessThanOrEqual(0.05 * r.wallMs);
}

function checkReport(r: tl.ProfileReport): void {
  const sum = (parts: object): number => Object.values(parts as Record<string, number>).reduce((a, b) => a + b, 0);
  expect(r.wallMs).toBeGreaterThan(0);
  expect(r.orchestratorMs + r.waitMs).toBeCloseTo(r.wallMs, 6);
  expect(sum(r.phases)).toBeCloseTo(r.orchestratorMs, 6);
  for (const part of Object.values(r.phases)) expect(part).toBeGreaterThanOrEqual(-1e-9);
  expect(r.copyBytes.up).toBeGreaterThanOrEqual(5 * 16 * 64 * 4);
  expect(r.copyBytes.down).toBeGreaterThanOrEqual(5 * 4);
  expect(r.cacheHits).toBeGreaterThanOrEqual(3);
  expect(r.cacheMisses).toBeGreaterThanOrEqual(1);
  expect(r.phases.plan + r.phases.codegen + r.phases.encode).toBeGreaterThan(0);
}

describe('profile on reference', () => {
  beforeAll(async () => {
    await tl.init({ engine: 'reference' });
  });

  it('partitions the wall clock, and says that this engine times nothing', async () => {
    const r = await tl.profile(() => steps(5));
    checkReport(r);
    expect(r.timedBy).toBe('nothing');
    expect(String(r)).toMatch(/not timed/);
  });

  it('does not nest, passes errors on, and can be taken again after them', async () => {
    await expect(tl.profile(() => tl.profile(() => undefined))).rejects.toThrow(tl.ArgumentError);
    await expect(
      tl.profile(() => {
        throw new Error('mine');
      }),
    ).rejects.toThrow('mine');
    expect((await tl.profile(() => undefined)).realizations).toBe(0);
  });
});

for (const [engine, describeEngine, timedBy] of [
  ['wasm', describe, 'clock'],
  ['webgpu', describeWebGPU, 'timestamps'],
] as const) {
  describeEngine(`profile on ${engine}`, () => {
    beforeAll(async () => {
      await tl.init({ engine });
    });

    it('tells the time of every kernel', async () => {
      const r = await tl.profile(() => steps(5));
      checkReport(r);
      expect(r.timedBy).toBe(timedBy);
      expect(r.kernelSpans).toHaveLength(r.kernelCount);
      expect(r.kernels.reduce((n, k) => n + k.runs, 0)).toBe(r.kernelCount);
      expect(r.engineMs).toBeGreaterThan(0);
      expect(r.kernels.reduce((n, k) => n + k.share, 0)).toBeCloseTo(1, 6);
      expect(String(r)).toContain(r.kernels[0]!.name.slice(0, 20));
      const trace = JSON.parse(r.chromeTrace()) as { traceEvents: { ph: string; dur?: number }[] };
      const events = trace.traceEvents.filter((e) => e.ph === 'X');
      expect(events).toHaveLength(r.spans.length + r.kernelSpans.length);
      for (const e of events) expect(e.dur).toBeGreaterThanOrEqual(0);
      const page = await r.html();
      expect(page).toContain('Where did it execute?');
      expect(page).not.toMatch(/(src|href)=/);
    });

    // A machine that stops this process for a moment adds to what has no name.
    it('leaves at most 5 % of the wall clock of training steps without a name', { retry: 2 }, async () => {
      checkAttribution(await tl.profile(() => realSteps(10)));
    });

    it('costs nothing afterwards: kernels are no longer timed one by one', async () => {
      await tl.profile(() => steps(2));
      await steps(2);
      const r = await tl.profile(() => undefined);
      expect(r.kernelSpans).toHaveLength(0);
    });
  });
}

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type * as Tiller from '../../src/index.js';
import { describeWebGPU } from '../setup/environment.js';

let tl: typeof Tiller;
let lines: string[] = [];

beforeAll(async () => {
  // Looked at when the library is loaded and when an engine starts.
  process.env.TILLER_DEBUG = '1';
  tl = await import('../../src/index.js');
});

beforeEach(() => {
  lines = [];
  vi.spyOn(console, 'error').mockImplementation((text: string) => {
    lines.push(...text.split('\n'));
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

let size = 8;
/** A computation that no plan is there for. */
async function compute(): Promise<void> {
  size++;
  const x = tl.tensor(new Float32Array(size * 16).fill(1), { shape: [size, 16] });
  expect(
    await x
      .matmul(tl.ones([16, 4]))
      .relu()
      .sum()
      .item(),
  ).toBe(size * 16 * 4);
}

const matching = (pattern: RegExp): string[] => lines.filter((line) => pattern.test(line));

it('TILLER_DEBUG=1 prints a line per realization, and records where tensors are made', async () => {
  await tl.init({ engine: 'wasm' });
  await compute();
  size--;
  await compute();
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(
    /^tiller: realization 1: \d+ kernels?, 1 submit, new plan, .*plan \d+\.\d\d ms.*encode \d+\.\d\d ms.*, 576 bytes up, 0 down before$/,
  );
  expect(lines[1]).toMatch(/^tiller: realization 2: .*, plan from the cache, .*576 bytes up/);
  expect(await tl.leaks()).toEqual([]);
});

it('goes on to the profile, which counts the same', async () => {
  const report = await tl.profile(compute);
  expect(report).toMatchObject({ realizations: 1, cacheMisses: 1 });
  expect(report.phases.plan).toBeGreaterThan(0);
  expect(matching(/realization/)).toHaveLength(1);
});

for (const [engine, describeEngine] of [
  ['wasm', describe],
  ['webgpu', describeWebGPU],
] as const) {
  describeEngine(`init({ debug }) on ${engine}`, () => {
    it('0 prints nothing', async () => {
      await tl.init({ engine, debug: 0 });
      await compute();
      expect(lines).toEqual([]);
    });

    it('2 prints a line per kernel', async () => {
      await tl.init({ engine, debug: 2 });
      await compute();
      await vi.waitFor(() =>
        expect(matching(/^tiller: \S+: [\d.]+ ms, \S+ GFLOP\/s, \S+ GB\/s$/).length).toBeGreaterThan(0),
      );
      expect(matching(/^tiller: realization/)).toHaveLength(1);
      expect(matching(/kernel 1/)).toEqual([]);
    });

    it('3 prints the schedule', async () => {
      await tl.init({ engine, debug: 3 });
      await compute();
      expect(matching(/^tiller: plan: \d+ kernels?, arena \d+ bytes \(at least \d+\)$/)).toHaveLength(1);
      expect(matching(/^tiller: {3}kernel 1: .*dot/)).toHaveLength(1);
      expect(matching(/^tiller: {5}for .* < 16/).length).toBeGreaterThan(0);
      expect(matching(/^tiller: {5}reads input 0.*; writes .*; \d+ FLOP$/).length).toBeGreaterThan(0);
      expect(matching(/@compute|kernel dot.*\(b0/)).toEqual([]);
    });

    it('4 prints the generated code', async () => {
      await tl.init({ engine, debug: 4 });
      await compute();
      expect(matching(/^tiller: kernel .*\(b0: f32\[\d+\] read/).length).toBeGreaterThan(0);
      const code = engine === 'webgpu' ? /^tiller: @compute @workgroup_size/ : /^tiller: \d+ bytes, phases:/;
      expect(matching(code).length).toBeGreaterThan(0);
      await tl.init({ engine, debug: false });
    });
  });
}

it('init({ debug }) alone keeps the engine', async () => {
  await tl.init({ engine: 'reference', debug: 1 });
  await tl.init({ debug: 0 });
  expect(tl.engineInfo().engine).toBe('reference');
  await compute();
  expect(lines).toEqual([]);
});

it('on the reference a realization has no kernels, and the plan says why', async () => {
  await tl.init({ engine: 'reference', debug: 3 });
  await compute();
  expect(lines).toEqual([
    'tiller: plan: reference interprets the graph, with 0 kernels',
    expect.stringMatching(/^tiller: realization \d+: 0 kernels, 0 submits, new plan, /),
  ]);
  await tl.init({ engine: 'reference', debug: 0 });
});

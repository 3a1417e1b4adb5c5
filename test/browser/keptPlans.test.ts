import { fileURLToPath } from 'node:url';
import type * as tl from 'tiller';
import { beforeAll, expect, it } from 'vitest';
import { describeChromium } from '../setup/environment.js';
import { type ChromiumRun, runInChromium } from './chromium.js';

interface Outcome {
  readonly values: number[];
  readonly stats: { readonly hits: number; readonly misses: number; readonly loaded: number };
}

describeChromium('kept plans in Chromium', () => {
  let run: ChromiumRun;
  beforeAll(async () => {
    run = await runInChromium(fileURLToPath(new URL('keptPlansInPage.ts', import.meta.url)));
  });

  function valueFrom<T>(name: string): T {
    const result = run.results[name]!;
    if (!result.ok) throw new Error(`${name} failed in the page: ${result.error}`);
    return result.value as T;
  }

  it('keeps nothing where it is told so', () => {
    expect(valueFrom('off')).toEqual([]);
  });

  it('keeps plans, and finds them', () => {
    const cold = valueFrom<Outcome>('cold');
    expect(cold.values[3]).toBeCloseTo(1, 5);
    expect(cold.stats.misses).toBeGreaterThan(0);
    expect(cold.stats.loaded).toBe(0);
    expect(valueFrom('warm')).toEqual({ values: cold.values, stats: { ...cold.stats, loaded: cold.stats.misses } });
  });

  it('plans anew where a record is damaged, and repairs it', () => {
    expect(valueFrom('damaged')).toEqual(valueFrom('cold'));
    expect(valueFrom('repaired')).toEqual(valueFrom('warm'));
  });

  it('keeps what tuning found', () => {
    const [first, second] = valueFrom<tl.TunedKernel[]>('tuned') as [tl.TunedKernel, tl.TunedKernel];
    expect(first.measured).toBeGreaterThan(0);
    expect(first).toMatchObject({ rejected: 0, recalled: false });
    expect(second).toEqual({ ...first, recalled: true });
  });

  it('forgets the least recently used beyond its size', () => {
    expect(valueFrom('bounded')).toEqual([['c', 'd'], null]);
  });

  it('goes without where the page may store nothing', () => {
    expect(valueFrom('blocked')).toEqual(valueFrom('cold'));
  });

  it('leaves nothing unsaid in the console', () => {
    expect(run.complaints).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import type { Contender } from '../../bench/contender.js';
import { measure, median } from '../../bench/measure.js';

/** Contenders that take the given milliseconds a run, on a clock of their own; `log` records who ran. */
function race(durations: number[], repeatable = true) {
  let clock = 0;
  const log: string[] = [];
  const contenders = durations.map((ms, i): Contender => {
    let started = 0;
    return {
      repeatable,
      start() {
        started++;
        log.push(`start ${i}`);
      },
      async finish() {
        clock += ms * started;
        started = 0;
        log.push(`finish ${i}`);
      },
      result: async () => [],
      dispose() {},
    };
  });
  return { contenders, log, now: () => clock };
}

const turns = (log: string[]) =>
  log.filter((line) => line.startsWith('finish')).map((line) => Number(line.split(' ')[1]));

describe('measuring', () => {
  it('gives the time of one run, however many make a sample', async () => {
    const { contenders, log, now } = race([1, 50]);
    const timings = await measure(contenders, { rounds: 3, seconds: 1, now });
    expect(timings).toMatchObject([
      { ms: 1, min: 1, samples: 3 },
      { ms: 50, min: 50, samples: 3 },
    ]);
    // Two to warm up; then 20 short runs share one wait, a long one has its own.
    const count = (line: string) => log.filter((other) => other === line).length;
    expect([count('start 0'), count('finish 0')]).toEqual([2 + 4 * 20, 2 + 4]);
    expect([count('start 1'), count('finish 1')]).toEqual([2 + 4, 2 + 4]);
  });

  it('believes the clock of one that computes in another process', async () => {
    const { contenders, now } = race([10]);
    const elsewhere = contenders.map((contender) => ({ ...contender, ownMs: () => 4 }));
    // Warmed up: 4 ms a run by its own clock, so 5 runs make a sample.
    const timings = await measure(elsewhere, { rounds: 2, seconds: 1, now });
    expect(timings).toMatchObject([{ ms: 4 / 5, samples: 2 }]);
  });

  it('lets idle threads fall asleep between samples, without timing that', async () => {
    const { contenders, log, now } = race([100]);
    const settling = contenders.map((contender) => ({ ...contender, settle: async () => void log.push('settle') }));
    await measure(settling, { rounds: 1, seconds: 1, now });
    expect(log.slice(-3)).toEqual(['start 0', 'finish 0', 'settle']);
  });

  it('takes turns, beginning with another contender each round', async () => {
    const { contenders, log, now } = race([100, 100, 100]);
    await measure(contenders, { rounds: 3, seconds: 1, now });
    expect(turns(log).slice(-9)).toEqual([0, 1, 2, 1, 2, 0, 2, 0, 1]);
  });

  it('never repeats a run that reads its own result', async () => {
    const { contenders, log, now } = race([1], false);
    await measure(contenders, { rounds: 4, seconds: 1, now });
    expect(log).toEqual(Array.from({ length: 2 + 4 }, () => ['start 0', 'finish 0']).flat());
  });

  it('takes as many samples as fit, and five at least', async () => {
    const short = race([100]);
    expect((await measure(short.contenders, { rounds: null, seconds: 2, now: short.now }))[0]!.samples).toBe(20);
    const long = race([10_000]);
    expect((await measure(long.contenders, { rounds: null, seconds: 2, now: long.now }))[0]!.samples).toBe(5);
    const endless = race([1]);
    expect((await measure(endless.contenders, { rounds: null, seconds: 60, now: endless.now }))[0]!.samples).toBe(100);
  });

  it('takes the middle of the samples', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 100])).toBe(3.5);
  });
});

import { performance } from 'node:perf_hooks';
import type { Contender } from './contender.js';

export interface Timing {
  /** Milliseconds of one run: median and minimum of the samples. */
  readonly ms: number;
  readonly min: number;
  /** Milliseconds of a run in which the JavaScript thread was busy: what its event loop did not spend waiting. Median. */
  readonly busy: number;
  readonly samples: number;
}

export interface MeasureOptions {
  /** Samples of each contender; null: as many as fit into `seconds`. */
  readonly rounds: number | null;
  readonly seconds: number;
  /** The clock, in milliseconds. */
  readonly now?: () => number;
}

const WARM_UP_RUNS = 2;
const FEWEST_SAMPLES = 5;
const MOST_SAMPLES = 100;
/** Short runs are started several times per sample, so that one wait at the end weighs little. */
const SAMPLE_MS = 20;
const MOST_REPEATS = 32;

/** Times contenders in turn: a sample of each, then a sample of each from the next one on, so that none always runs after the same other. */
export async function measure(contenders: readonly Contender[], options: MeasureOptions): Promise<Timing[]> {
  const now = options.now ?? (() => performance.now());
  const repeats: number[] = [];
  for (const contender of contenders) repeats.push(await warmUp(contender, now));

  const samples: Sample[][] = contenders.map(() => []);
  const deadline = now() + options.seconds * 1000 * contenders.length;
  for (let round = 0; another(round, options, now() < deadline); round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const i = (round + turn) % contenders.length;
      samples[i]!.push(await sample(contenders[i]!, repeats[i]!, now));
    }
  }
  return samples.map((taken) => {
    const times = taken.map(({ ms }) => ms);
    const busy = median(taken.map((one) => one.busy));
    return { ms: median(times), min: Math.min(...times), busy, samples: times.length };
  });
}

function another(round: number, { rounds }: MeasureOptions, timeLeft: boolean): boolean {
  if (rounds !== null) return round < rounds;
  return round < FEWEST_SAMPLES || (timeLeft && round < MOST_SAMPLES);
}

/** Runs until nothing is compiled any more; returns how many runs make a sample. */
async function warmUp(contender: Contender, now: () => number): Promise<number> {
  let ms = 0;
  for (let i = 0; i < WARM_UP_RUNS; i++) ({ ms } = await sample(contender, 1, now));
  if (!contender.repeatable) return 1;
  const repeats = Math.min(MOST_REPEATS, Math.max(1, Math.round(SAMPLE_MS / ms)));
  // The pools of buffers also grow to what that many results need.
  await sample(contender, repeats, now);
  return repeats;
}

type Sample = Pick<Timing, 'ms' | 'busy'>;

/** One run, from a sample of several. */
async function sample(contender: Contender, repeats: number, now: () => number): Promise<Sample> {
  const before = performance.eventLoopUtilization();
  const start = now();
  for (let i = 0; i < repeats; i++) await contender.start();
  await contender.finish();
  const ms = (contender.ownMs?.() ?? now() - start) / repeats;
  const busy = performance.eventLoopUtilization(before).active / repeats;
  await contender.settle?.();
  return { ms, busy };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

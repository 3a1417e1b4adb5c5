import { compile, engineInfo, type Trial, type TunedKernel } from '../index.js';
import { DEFAULT_SHAPES, type ShapeCase, shapeCases } from './shapes.js';
import { UsageError } from './usage.js';

export interface TuneFlags {
  readonly json: boolean;
  readonly exhaustive: boolean;
  readonly seconds: string | undefined;
}

interface Row extends TunedKernel {
  readonly case: string;
  /** How much faster the best schedule is. */
  readonly gain: number;
}

/** How long a computation may take, in seconds; undefined for what `compile` takes by itself. */
function secondsOf({ exhaustive, seconds }: TuneFlags): number | undefined {
  if (seconds === undefined) return exhaustive ? Infinity : undefined;
  const value = Number(seconds);
  if (exhaustive) throw new UsageError('--exhaustive takes as long as it takes (expected no --seconds)');
  if (!(value > 0)) throw new UsageError(`--seconds is ${seconds} (expected a positive number)`);
  return value;
}

const gainOf = ({ ms, heuristicMs }: { ms: number | null; heuristicMs: number | null }): number =>
  ms === null || heuristicMs === null ? 1 : heuristicMs / ms;

async function tuneCase({ name, compute, inputs }: ShapeCase, seconds: number | undefined): Promise<Row[]> {
  const compiled = compile(compute, { tune: { seconds, again: true } });
  await compiled.warmup(...inputs());
  return compiled.tuning!.map((kernel) => ({
    ...kernel,
    case: name,
    gain: gainOf({ ms: kernel.bestMs, heuristicMs: kernel.heuristicMs }),
  }));
}

const inMs = (ms: number | null): string => (ms === null ? '-' : ms.toFixed(ms < 10 ? 3 : 1));
const inTimes = (gain: number): string => `${gain.toFixed(2)}x`;

/** Lines with columns of equal width; those of numbers end alike. */
function table(head: readonly string[], rows: readonly (readonly string[])[], numbers: readonly number[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const pad = (cell: string, i: number): string =>
    numbers.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!);
  return [head, ...rows].map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** Every schedule that was tried, the fastest first. */
function space({ trials, heuristic, best }: Row): string {
  const gain = (trial: Trial): number => (trial.outcome === 'measured' ? gainOf(trial) : 0);
  const rows = [...trials]
    .sort((a, b) => gain(b) - gain(a))
    .map((trial) => [
      trial.schedule,
      inMs(trial.ms),
      inMs(trial.heuristicMs),
      trial.outcome === 'measured' ? inTimes(gain(trial)) : trial.outcome,
      [...(trial.schedule === heuristic ? ['heuristic'] : []), ...(trial.schedule === best ? ['chosen'] : [])].join(
        ', ',
      ),
    ]);
  return table(['schedule', 'ms', 'heuristic ms', 'gain', ''], rows, [1, 2, 3]);
}

const summary = (rows: readonly Row[]): string =>
  table(
    ['', 'kernel', 'heuristic', 'ms', 'best', 'ms', 'gain', 'tried'],
    rows.map((row) => [
      row.case,
      row.kernel,
      row.heuristic,
      inMs(row.heuristicMs),
      row.best === row.heuristic ? 'the same' : row.best,
      inMs(row.bestMs),
      inTimes(row.gain),
      `${row.measured + row.rejected} of ${row.candidates}${row.rejected > 0 ? `, ${row.rejected} rejected` : ''}`,
    ]),
    [3, 5, 6],
  );

/** Searches schedules for the shapes of the command line, keeps what it finds, and prints it. Throws UsageError. */
export async function printTuning(words: readonly string[], flags: TuneFlags): Promise<void> {
  const seconds = secondsOf(flags);
  const cases = shapeCases(words.length > 0 ? words : DEFAULT_SHAPES);
  const { engine, adapter, software } = engineInfo();
  const rows: Row[] = [];
  for (const each of cases) {
    const found = await tuneCase(each, seconds);
    rows.push(...found);
    if (flags.json || !flags.exhaustive) continue;
    for (const row of found) console.log(`${row.case}, ${row.kernel}: ${row.bucket}\n${space(row)}\n`);
  }
  const gain = Math.exp(rows.reduce((sum, row) => sum + Math.log(row.gain), 0) / Math.max(rows.length, 1));
  if (flags.json) {
    console.log(JSON.stringify({ engine, adapter, software, gain, kernels: rows }));
    return;
  }
  console.log(`${engine}: ${adapter}${software ? ' (the CPU does the work)' : ''}`);
  if (rows.length === 0) console.log('nothing to tune: it has one schedule for each of these kernels');
  else console.log(`${summary(rows)}\n\ngeometric mean of the gains: ${inTimes(gain)}`);
}

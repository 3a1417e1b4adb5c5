import { compare } from './agreement.js';
import type { Case } from './cases/case.js';
import type { Contender } from './contender.js';
import { type MeasureOptions, measure, type Timing } from './measure.js';
import type { Row } from './report.js';
import type { Side } from './side.js';

interface Entry {
  readonly side: Side;
  readonly contender: Contender;
  readonly values: ArrayLike<number>;
  timing: Timing | null;
}

/** Why a peer has no numbers. */
type Absence = Pick<Row, 'note' | 'failed'>;

/**
 * Runs one benchmark on all sides, in turn, and compares tiller's results with each peer's. A peer that cannot run it or fails gets
 * a row that says so; a failure of tiller throws.
 */
export async function compete(
  benchmark: Case,
  tiller: readonly Side[],
  peers: readonly Side[],
  options: MeasureOptions,
): Promise<Row[]> {
  const entries: Entry[] = [];
  const absences = new Map<Side, Absence>();
  try {
    for (const side of [...tiller, ...peers]) {
      const inability = side.cannot?.(benchmark) ?? benchmark.cannot?.[`${side.name} ${side.engine}`] ?? null;
      if (inability !== null) {
        absences.set(side, { note: `cannot: ${inability}` });
        continue;
      }
      try {
        const contender = await side.prepare(benchmark);
        entries.push({ side, contender, values: await contender.result(), timing: null });
      } catch (error) {
        if (tiller.includes(side)) throw error;
        const reason = error instanceof Error ? error.message.split('\n')[0]! : String(error);
        absences.set(side, { note: `failed: ${reason}`, failed: true });
      }
    }
    const timings = await measure(
      entries.map(({ contender }) => contender),
      options,
    );
    entries.forEach((entry, i) => {
      entry.timing = timings[i]!;
    });
    return tiller.flatMap((side) => {
      const ours = entries.find((entry) => entry.side === side)!;
      if (peers.length === 0) return [alone(benchmark, ours)];
      return peers.map((peer) => {
        const theirs = entries.find((entry) => entry.side === peer);
        return theirs
          ? against(benchmark, ours, theirs)
          : { ...alone(benchmark, ours), ...peerOf(peer), ...absences.get(peer) };
      });
    });
  } finally {
    for (const { contender } of entries) contender.dispose();
  }
}

/** Microseconds of the JavaScript thread for each operation of a chain. */
function overhead(benchmark: Case, { timing }: Entry): number | null {
  if (benchmark.kind !== 'op' || benchmark.operations === undefined) return null;
  return (1000 * timing!.busy) / benchmark.operations;
}

function alone(benchmark: Case, entry: Entry): Row {
  const { side, timing } = entry;
  const own = overhead(benchmark, entry);
  const { busy, ...times } = timing!;
  return {
    bench: benchmark.name,
    engine: side.engine,
    adapter: side.adapter,
    toggles: side.toggles,
    ...times,
    busyMs: busy,
    ...(own === null ? {} : { usPerOperation: own }),
    ...(benchmark.flops === undefined ? {} : { gflops: benchmark.flops / timing!.ms / 1e6 }),
    peer: null,
    peerMs: null,
    peerMin: null,
    ratio: null,
    maxError: null,
    agrees: null,
  };
}

/** What a row says of the peer. */
function peerOf({ name, native, adapter }: Side): Pick<Row, 'peer' | 'native' | 'peerAdapter'> {
  return { peer: name, ...(native && { native, peerAdapter: adapter }) };
}

function against(benchmark: Case, ours: Entry, theirs: Entry): Row {
  const { error, agrees } = compare(ours.values, theirs.values, benchmark.tolerance);
  const { ms, min, busy } = theirs.timing!;
  const [own, other] = [overhead(benchmark, ours), overhead(benchmark, theirs)];
  return {
    ...alone(benchmark, ours),
    ...peerOf(theirs.side),
    peerMs: ms,
    peerMin: min,
    ...(benchmark.flops === undefined ? {} : { peerGflops: benchmark.flops / ms / 1e6 }),
    ...(theirs.side.native ? {} : { peerBusyMs: busy }),
    ...(own === null || other === null || theirs.side.native
      ? {}
      : { peerUsPerOperation: other, overheadRatio: other / own }),
    ratio: ms / ours.timing!.ms,
    maxError: error,
    agrees,
  };
}

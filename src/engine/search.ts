import type { TypedArray } from '../graph/index.js';
import type { Trial } from './tuning.js';

/** A schedule that is ready to run, on the same inputs as others. */
export interface Contender {
  /** Milliseconds of one run. */
  time(): Promise<number>;
  /** What it computes. */
  outputs(): Promise<readonly TypedArray[]>;
}

export interface Candidate {
  readonly name: string;
  /** Rejects where the schedule cannot be used. */
  make(): Promise<Contender>;
}

export interface SearchOptions {
  /** When to stop, by `now`; the heuristic's schedule is measured whatever the time. With Infinity no measurement is cut short. */
  readonly deadline: number;
  /** Milliseconds. */
  now(): number;
  /** Whether a candidate computes what the heuristic's schedule does. */
  agrees(found: readonly TypedArray[], expected: readonly TypedArray[]): boolean;
  /** What an earlier search has found. */
  readonly known?: readonly Trial[];
}

export interface Found {
  readonly best: string;
  readonly trials: readonly Trial[];
  /** Whether every candidate was tried. */
  readonly complete: boolean;
}

/** Measurements of each side, in alternation. */
const ROUNDS = 5;
/** A candidate that is slower by this factor in the first round is not measured again, where time is short. */
const HOPELESS = 1.5;
/** A candidate has to be faster by more than measurements vary. */
const WORTHWHILE = 0.97;
/** Of many alike the luckiest looks best: one is taken only after more measurements, and of so many of the best at most. */
const CONFIRMING_ROUNDS = 10;
const CONFIRMED = 3;

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/**
 * Measures candidates against the first of them, the heuristic's, in their order and until the deadline. One is taken only if it
 * computes the same and is faster. Rejects only where the heuristic's own schedule fails.
 */
export async function search(candidates: readonly Candidate[], options: SearchOptions): Promise<Found> {
  const [heuristic, ...others] = candidates as readonly [Candidate, ...Candidate[]];
  const duel = new Duel(await heuristic.make(), options);
  const own = await duel.alone();
  const trials = new Map<string, Trial>(options.known?.map((trial) => [trial.schedule, trial]));
  trials.set(heuristic.name, { schedule: heuristic.name, ms: own, heuristicMs: own, outcome: 'measured' });
  for (const candidate of others) {
    if (trials.has(candidate.name)) continue;
    if (duel.isLate()) break;
    trials.set(candidate.name, await duel.meet(candidate));
  }
  const best = await duel.winner(others, trials);
  const tried = candidates.flatMap(({ name }) => trials.get(name) ?? []);
  return { best: best?.name ?? heuristic.name, trials: tried, complete: tried.length === candidates.length };
}

/** Measurements of the heuristic's schedule and of another, in alternation. */
interface Times {
  readonly own: number[];
  readonly other: number[];
}

const mediansOf = ({ own, other }: Times): Pick<Trial, 'ms' | 'heuristicMs'> => ({
  ms: median(other),
  heuristicMs: median(own),
});

/** Not only in the median: whoever was held up less often by other work would win. */
const isFasterAtBest = ({ own, other }: Times): boolean => Math.min(...other) < WORTHWHILE * Math.min(...own);

/** The heuristic's schedule against others. */
class Duel {
  readonly #base: Contender;
  readonly #options: SearchOptions;
  #expected: readonly TypedArray[] | null = null;
  /** When trials have to end, so that there is time to confirm the best of them. */
  #trialsEnd: number;

  constructor(base: Contender, options: SearchOptions) {
    this.#base = base;
    this.#options = options;
    this.#trialsEnd = options.deadline;
  }

  isLate(): boolean {
    return this.#options.now() >= this.#trialsEnd;
  }

  #isOver(): boolean {
    return this.#options.now() >= this.#options.deadline;
  }

  /** The heuristic's time. */
  async alone(): Promise<number> {
    const { now, deadline } = this.#options;
    const start = now();
    const times: number[] = [];
    do times.push(await this.#base.time());
    while (times.length < ROUNDS && !this.isLate());
    const confirming = ((now() - start) / times.length) * 2 * CONFIRMING_ROUNDS;
    this.#trialsEnd = deadline - Math.max(0, Math.min(confirming, (deadline - start) / 2));
    return median(times);
  }

  /** Checks what a candidate computes, then measures it. */
  async meet({ name, make }: Candidate): Promise<Trial> {
    this.#expected ??= await this.#base.outputs();
    try {
      const contender = await make();
      if (!this.#options.agrees(await contender.outputs(), this.#expected)) return rejected(name, 'wrong');
      const isPatient = this.#options.deadline === Infinity;
      const goesOn = ({ own, other }: Times): boolean =>
        own.length < ROUNDS && !this.isLate() && (isPatient || own.length > 1 || other[0]! < HOPELESS * own[0]!);
      return { schedule: name, ...mediansOf(await this.#alternate(contender, goesOn)), outcome: 'measured' };
    } catch {
      return this.#failed(name);
    }
  }

  /** Throws where it is the device that fails: that says nothing about the candidate. */
  async #failed(name: string): Promise<Trial> {
    await this.#base.time();
    return rejected(name, 'failed');
  }

  async #alternate(contender: Contender, goesOn: (times: Times) => boolean): Promise<Times> {
    const times: Times = { own: [], other: [] };
    do {
      // Whichever comes first may find the machine in another state.
      const isOwnFirst = times.own.length % 2 === 0;
      if (isOwnFirst) times.own.push(await this.#base.time());
      times.other.push(await contender.time());
      if (!isOwnFirst) times.own.push(await this.#base.time());
    } while (goesOn(times));
    return times;
  }

  /** The fastest candidate, after it was measured once more; null where that is the heuristic's. Corrects the trials. */
  async winner(candidates: readonly Candidate[], trials: Map<string, Trial>): Promise<Candidate | null> {
    const confirmed = new Set<Candidate>();
    let open = candidates;
    for (;;) {
      const best = fastest(open, trials);
      if (best === null || confirmed.has(best)) return best;
      if ((confirmed.size > 0 && this.#isOver()) || confirmed.size === CONFIRMED) {
        open = open.filter((candidate) => confirmed.has(candidate));
        continue;
      }
      confirmed.add(best);
      try {
        const goesOn = ({ own }: Times): boolean =>
          own.length < ROUNDS || (own.length < CONFIRMING_ROUNDS && !this.#isOver());
        const times = await this.#alternate(await best.make(), goesOn);
        trials.set(best.name, { ...trials.get(best.name)!, ...mediansOf(times) });
        if (!isFasterAtBest(times)) open = open.filter((candidate) => candidate !== best);
      } catch {
        trials.set(best.name, await this.#failed(best.name));
      }
    }
  }
}

const rejected = (schedule: string, outcome: 'wrong' | 'failed'): Trial => ({
  schedule,
  ms: null,
  heuristicMs: null,
  outcome,
});

function fastest(candidates: readonly Candidate[], trials: ReadonlyMap<string, Trial>): Candidate | null {
  let [found, least]: [Candidate | null, number] = [null, WORTHWHILE];
  for (const candidate of candidates) {
    const { ms, heuristicMs } = trials.get(candidate.name) ?? rejected('', 'failed');
    const share = ms === null || heuristicMs === null ? Infinity : ms / heuristicMs;
    if (share < least) [found, least] = [candidate, share];
  }
  return found;
}

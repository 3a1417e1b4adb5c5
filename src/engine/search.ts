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
/** Of many alike the luckiest looks best: this many of the best are measured once more before one is taken. */
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

type Times = Pick<Trial, 'ms' | 'heuristicMs'>;

/** The heuristic's schedule against others. */
class Duel {
  readonly #base: Contender;
  readonly #options: SearchOptions;
  #expected: readonly TypedArray[] | null = null;

  constructor(base: Contender, options: SearchOptions) {
    this.#base = base;
    this.#options = options;
  }

  isLate(): boolean {
    return this.#options.now() >= this.#options.deadline;
  }

  /** The heuristic's time. */
  async alone(): Promise<number> {
    const times: number[] = [];
    do times.push(await this.#base.time());
    while (times.length < ROUNDS && !this.isLate());
    return median(times);
  }

  /** Checks what a candidate computes, then measures it. */
  async meet({ name, make }: Candidate): Promise<Trial> {
    this.#expected ??= await this.#base.outputs();
    try {
      const contender = await make();
      if (!this.#options.agrees(await contender.outputs(), this.#expected)) return rejected(name, 'wrong');
      return { schedule: name, ...(await this.#alternate(contender)), outcome: 'measured' };
    } catch {
      return this.#failed(name);
    }
  }

  /** Throws where it is the device that fails: that says nothing about the candidate. */
  async #failed(name: string): Promise<Trial> {
    await this.#base.time();
    return rejected(name, 'failed');
  }

  async #alternate(contender: Contender): Promise<Times> {
    const [own, other]: [number[], number[]] = [[], []];
    const isPatient = this.#options.deadline === Infinity;
    do {
      // Whichever comes first may find the machine in another state.
      const isOwnFirst = own.length % 2 === 0;
      if (isOwnFirst) own.push(await this.#base.time());
      other.push(await contender.time());
      if (!isOwnFirst) own.push(await this.#base.time());
    } while (own.length < ROUNDS && !this.isLate() && (isPatient || own.length > 1 || other[0]! < HOPELESS * own[0]!));
    return { ms: median(other), heuristicMs: median(own) };
  }

  /** The fastest candidate, after the fastest are measured once more; null where that is the heuristic's. Corrects the trials. */
  async winner(candidates: readonly Candidate[], trials: Map<string, Trial>): Promise<Candidate | null> {
    const confirmed = new Set<Candidate>();
    for (;;) {
      const best = fastest(candidates, trials);
      if (best === null || confirmed.has(best) || confirmed.size === CONFIRMED || this.isLate()) return best;
      confirmed.add(best);
      try {
        const contender = await best.make();
        trials.set(best.name, { ...trials.get(best.name)!, ...(await this.#alternate(contender)) });
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

/** What came of one schedule of a kernel. */
export interface Trial {
  /** The schedule in words. */
  readonly schedule: string;
  /** Median of one run in milliseconds; null where it was not measured, because it does not compile or computes something else. */
  readonly ms: number | null;
  /** What the heuristic's schedule took in alternation with it. */
  readonly heuristicMs: number | null;
  readonly outcome: 'measured' | 'wrong' | 'failed';
}

/** What measuring found for the kernels of one bucket on one adapter: what is kept between processes. */
export interface Choice {
  /** The best schedule, as the engine has it. */
  readonly schedule: Readonly<Record<string, unknown>>;
  /** That in words. */
  readonly best: string;
  readonly trials: readonly Trial[];
  /** Whether every schedule of the space was tried. */
  readonly complete: boolean;
}

/** Where choices are found and left. */
export interface ChoiceStore {
  /** What is known of a bucket; null where that is nothing. */
  recall(bucket: string): Promise<Choice | null>;
  keep(bucket: string, choice: Choice): Promise<void>;
}

/** That a plan is to be tuned. */
export interface TuneRequest {
  /** How long measuring may take, for all kernels together; with 0 nothing is measured. */
  readonly seconds: number;
  /** Whether what is known is measured anew. */
  readonly again: boolean;
}

export interface TuneOptions extends TuneRequest {
  readonly choices: ChoiceStore;
}

/** What tuning made of the kernels of a plan that share a bucket. */
export interface TunedKernel {
  /** The name of the first of them. */
  readonly kernel: string;
  /** How many of them the plan has. */
  readonly count: number;
  /** What the choice is keyed by, beside the adapter. */
  readonly bucket: string;
  /** The schedule without tuning, in words. */
  readonly heuristic: string;
  /** What a run with it takes, in milliseconds (median); null where it was not measured. */
  readonly heuristicMs: number | null;
  /** The schedule with tuning. */
  readonly best: string;
  /** What a run with that takes, measured in alternation. */
  readonly bestMs: number | null;
  /** Schedules there are. */
  readonly candidates: number;
  /** How many of them were measured, some perhaps by an earlier process. */
  readonly measured: number;
  /** How many were refused: they do not compile, or compute something other than the heuristic's does. */
  readonly rejected: number;
  /** Whether all were tried: the budget was long enough. */
  readonly complete: boolean;
  /** Whether nothing had to be measured, since an earlier search was complete. */
  readonly recalled: boolean;
  /** The best of the choice as it is kept: that of another kernel of the bucket may have tiles of other extents. */
  readonly keptAs: string | null;
  readonly trials: readonly Trial[];
}

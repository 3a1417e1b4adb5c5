/** Numbers behind the schedules of loop kernels. Results depend on them only in the order of sums and products. */
export interface LoopTuning {
  /** Lanes are neighbouring points, or neighbouring values of the innermost variable of each loop, or whichever is cheaper. */
  readonly lanes: 'cheaper' | 'points' | 'inner';
  /** Nanoseconds that a task should take: there are then many, and the end of none is waited for long. */
  readonly taskCost: number;
  /** Segments of few tasks that take longer than this (in nanoseconds) have their reductions split. */
  readonly longCost: number;
  /** The least number of points of a part of a reduction. */
  readonly leastPart: number;
  /** Transpositions of at least this many points are done in tiles; of fewer, everything stays in the cache anyway. */
  readonly leastTiled: number;
}

export const LOOP_TUNING: LoopTuning = {
  lanes: 'cheaper',
  taskCost: 25_000,
  longCost: 100_000,
  leastPart: 1024,
  leastTiled: 1 << 15,
};

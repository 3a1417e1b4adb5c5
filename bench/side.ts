import type { Case, Training } from './cases/case.js';
import type { Contender } from './contender.js';

/** A library on an engine. */
export interface Side {
  readonly name: string;
  readonly engine: string;
  /** What it computes on, in words. */
  readonly adapter: string;
  /** How Dawn was started, where it is used: 'default', or 'own' for the flags that tiller sets by itself. */
  readonly toggles: string;
  /** True for native code: a ceiling to compare with, never counted as the best peer. */
  readonly native?: true;
  /** Why it cannot run a benchmark; null where it can. */
  cannot?(benchmark: Case): string | null;
  prepare(benchmark: Case): Promise<Contender>;
  close(): void;
}

/** The values of several results, one after the other. */
export function joined(results: readonly ArrayLike<number>[]): ArrayLike<number> {
  return results.length === 1 ? results[0]! : results.flatMap((values) => Array.from(values));
}

/** Steps whose losses must agree. */
const COMPARED_STEPS = 5;

/** Training steps in turn; the first are taken here, and their losses are the result. */
export async function trainingContender(training: Training): Promise<Contender> {
  let next = 0;
  const losses: number[] = [];
  while (next < COMPARED_STEPS) losses.push(await training.step(next++));
  return {
    repeatable: false,
    start: async () => {
      await training.step(next++);
    },
    finish: async () => {},
    result: async () => losses,
    dispose: () => training.dispose(),
  };
}

import fc from 'fast-check';
import { describe, it } from 'vitest';
import { engines, expectAgreement } from './agreement.js';
import { steps } from './graphs.js';

/** `npm run fuzz -- --runs N` sets it; a plain test run does 500. */
const RUNS = Number(process.env.TILLER_FUZZ_RUNS ?? 500);

describe('random graphs', () => {
  it(
    `agree between reference and ${engines.join(' and ')}, forward and gradient (${RUNS} graphs)`,
    async () => {
      await fc.assert(fc.asyncProperty(steps, expectAgreement), { numRuns: RUNS });
    },
    Math.max(300_000, RUNS * 1000),
  );
});

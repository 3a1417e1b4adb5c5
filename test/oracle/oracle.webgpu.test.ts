import { beforeAll, describe, expect, it } from 'vitest';
import * as tl from '../../src/index.js';
import { describeWebGPU } from '../setup/environment.js';
import { type CaseResult, runCase } from './cases.js';
import { differencesOf, problemsOf } from './checkCase.js';
import { FIXTURES, loadCases, type OracleCase, REFERENCE_TIMEOUT_MS } from './fixtures.js';

describeWebGPU('webgpu against PyTorch and the reference', () => {
  const suites = FIXTURES.map((fixture) => ({ fixture, cases: loadCases(fixture) }));
  const reference = new Map<OracleCase, CaseResult>();

  beforeAll(async () => {
    await tl.init({ engine: 'reference' });
    for (const oracle of suites.flatMap(({ cases }) => cases)) {
      // What the reference cannot run, its own tests report.
      const result = await runCase(oracle).catch(() => null);
      if (result !== null) reference.set(oracle, result);
    }
    await tl.init({ engine: 'webgpu' });
  }, REFERENCE_TIMEOUT_MS);

  for (const { fixture, cases } of suites) {
    describe(fixture, () => {
      for (const oracle of cases) {
        it(`${oracle.op} ${oracle.name}`, async () => {
          const result = await runCase(oracle);
          expect(problemsOf(oracle, result, 'kernels')).toEqual([]);
          const expected = reference.get(oracle);
          expect(expected, 'the reference has no result').toBeDefined();
          expect(differencesOf(oracle, result, expected!)).toEqual([]);
        });
      }
    });
  }
});

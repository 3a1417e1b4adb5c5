import { beforeAll, describe, expect, it } from 'vitest';
import * as tl from '../../src/index.js';
import { type CaseResult, runCase } from './cases.js';
import { differencesOf, problemsOf } from './checkCase.js';
import { FIXTURES, loadCases, type OracleCase, REFERENCE_TIMEOUT_MS } from './fixtures.js';

/** Whatever can be split among threads is: the cases are small. */
const SPLIT_ALL = { splitFrom: 0 };

const suites = FIXTURES.map((fixture) => ({ fixture, cases: loadCases(fixture) }));
const reference = new Map<OracleCase, CaseResult>();
const onOneThread = new Map<OracleCase, CaseResult>();

beforeAll(async () => {
  await tl.init({ engine: 'reference' });
  for (const oracle of suites.flatMap(({ cases }) => cases)) {
    // What the reference cannot run, its own tests report.
    const result = await runCase(oracle).catch(() => null);
    if (result !== null) reference.set(oracle, result);
  }
}, REFERENCE_TIMEOUT_MS);

const bitsOf = ({ outputs, grads }: CaseResult) =>
  [...outputs, ...grads].map((array) => array && new Uint8Array(array.buffer, array.byteOffset, array.byteLength));

describe.each([
  ['one thread', { threads: 1 }],
  ['one thread, without relaxed SIMD', { threads: 1, relaxedSimd: false }],
  ['three threads', { threads: 3, ...SPLIT_ALL }],
])('wasm on %s against PyTorch and the reference', (where, options) => {
  beforeAll(async () => {
    const info = await tl.init({ engine: 'wasm', ...options });
    expect(info.engine).toBe('wasm');
  });

  for (const { fixture, cases } of suites) {
    describe(fixture, () => {
      for (const oracle of cases) {
        it(`${oracle.op} ${oracle.name}`, async () => {
          const result = await runCase(oracle);
          expect(problemsOf(oracle, result, 'kernels')).toEqual([]);
          const expected = reference.get(oracle);
          expect(expected, 'the reference has no result').toBeDefined();
          expect(differencesOf(oracle, result, expected!)).toEqual([]);
          if (where === 'one thread') onOneThread.set(oracle, result);
          if (where === 'three threads') expect(bitsOf(result)).toEqual(bitsOf(onOneThread.get(oracle)!));
        });
      }
    });
  }
});

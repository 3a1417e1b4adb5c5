import { beforeAll, describe, expect, it } from 'vitest';
import * as tl from '../../src/index.js';
import { gradientsOf, runCase } from './cases.js';
import { problemsOf } from './checkCase.js';
import { FIXTURES, loadCases } from './fixtures.js';

describe('reference against PyTorch', () => {
  beforeAll(async () => {
    await tl.init({ engine: 'reference' });
  });

  for (const fixture of FIXTURES) {
    describe(fixture, () => {
      for (const oracle of loadCases(fixture)) {
        it(`${oracle.op} ${oracle.name}`, async () => {
          expect(problemsOf(oracle, await runCase(oracle), 'reference')).toEqual([]);
        });
      }
    });
  }

  describe('grad gives what backward gives', () => {
    for (const oracle of loadCases('composing').filter(({ cotangents }) => cotangents)) {
      it(`${oracle.op} ${oracle.name}`, async () => {
        expect(await gradientsOf(oracle)).toEqual((await runCase(oracle)).grads);
      });
    }
  });
});

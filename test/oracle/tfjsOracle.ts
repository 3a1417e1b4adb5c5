import { beforeAll, describe, expect, it } from 'vitest';
import * as tl from '../../src/index.js';
import { runCase } from './cases.js';
import { problemsOf } from './checkCase.js';
import { FIXTURES, loadCases } from './fixtures.js';

/** With TILLER_TFJS_ALL=1 a backend that runs some of the cases runs all of them. */
const ALL = process.env.TILLER_TFJS_ALL === '1';

/** The cases against PyTorch on one backend of the tfjs engine: every `one in` so many of them. */
export function tfjsAgainstPyTorch(backend: 'wasm' | 'cpu', oneIn: number): void {
  describe(`tfjs on ${backend} against PyTorch`, () => {
    beforeAll(async () => {
      const info = await tl.init({ engine: 'tfjs', backend });
      expect(info).toMatchObject({ engine: 'tfjs', backend, gpu: false, software: true });
    });

    let number = 0;
    for (const fixture of FIXTURES) {
      describe(fixture, () => {
        for (const oracle of loadCases(fixture)) {
          if (number++ % oneIn !== 0 && !ALL) continue;
          it(`${oracle.op} ${oracle.name}`, async () => {
            expect(problemsOf(oracle, await runCase(oracle), 'kernels')).toEqual([]);
          });
        }
      });
    }
  });
}

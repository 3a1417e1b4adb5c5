import { beforeAll, describe, expect, it } from 'vitest';
import * as tl from '../../src/index.js';
import { casesOf, differenceOf, runRounded, SWEPT } from './sweep.js';

/** Every case of the oracle, on f16 tensors: the result is f16 where it was f32, and right but for its rounding. */
describe.each(['reference', 'wasm'] as const)('f16 on %s', (engine) => {
  beforeAll(async () => {
    await tl.init({ engine });
  });
  for (const fixture of SWEPT) {
    it(`computes what f32 does, rounded: ${fixture}`, async () => {
      const wrong: string[] = [];
      for (const oracle of casesOf(fixture)) {
        try {
          const problem = differenceOf(await runRounded(oracle, 'f16'), await runRounded(oracle, 'f32'), 4);
          if (problem !== null) wrong.push(`${oracle.op} ${oracle.name}: ${problem}`);
        } catch (error) {
          wrong.push(`${oracle.op} ${oracle.name}: ${String(error)}`);
        }
      }
      expect(wrong).toEqual([]);
    });
  }
});

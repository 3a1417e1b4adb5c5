import { beforeAll, describe, expect, it } from 'vitest';
import * as tl from '../../src/index.js';
import { FIXTURES, loadCases } from './fixtures.js';
import { forwardDistance, vmapProblems } from './transformed.js';

beforeAll(async () => {
  await tl.init({ engine: 'reference' });
});

for (const fixture of FIXTURES) {
  describe(fixture, () => {
    it.each(loadCases(fixture).map((c) => [`${c.op} ${c.name}`, c] as const))('%s', async (_, oracle) => {
      expect((await vmapProblems(oracle)) ?? []).toEqual([]);
      const distance = await forwardDistance(oracle);
      if (distance !== null) expect(distance).toBeLessThan(1e-5);
    });
  });
}

import { beforeAll, describe, expect, it } from 'vitest';
import * as tl from '../../src/index.js';
import { FIXTURES, loadCases } from './fixtures.js';
import { forwardDistance, forwardLimit, vmapProblems } from './transformed.js';

describe('vmap is a loop over examples, and forward mode agrees with PyTorch', () => {
  beforeAll(async () => {
    await tl.init({ engine: 'reference' });
  });

  for (const fixture of FIXTURES) {
    describe(fixture, () => {
      it.each(loadCases(fixture).map((c) => [`${c.op} ${c.name}`, c] as const))('%s', async (_, oracle) => {
        expect((await vmapProblems(oracle, 'reference')) ?? []).toEqual([]);
        const distance = await forwardDistance(oracle);
        if (distance !== null) expect(distance).toBeLessThan(forwardLimit(oracle));
      });
    });
  }
});

describe('vmap in kernels', () => {
  beforeAll(async () => {
    await tl.init({ engine: 'wasm' });
  });

  // Every rule has its bits compared above; here is whether kernels take what the rules build.
  const some = FIXTURES.flatMap(loadCases).filter((_, i) => i % 9 === 0);
  it.each(some.map((c) => [`${c.op} ${c.name}`, c] as const))('%s', async (_, oracle) => {
    expect((await vmapProblems(oracle, 'kernels')) ?? []).toEqual([]);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import * as tl from '../../../src/index.js';

describe('indices that are constant in the range of a loop', () => {
  beforeAll(async () => {
    await tl.init({ engine: 'wasm' });
  });

  it.each([9, 17, 65, 130])('have another value in the last of %i elements', async (n) => {
    // Element i reads block i / (n - 1): 0 in whole vectors, 1 at last.
    const blocks = tl.pad(tl.tensor([100]), [1, 0], { value: -5 });
    const spread = blocks
      .reshape(2, 1)
      .expand(2, n - 1)
      .reshape(2 * (n - 1))
      .slice(0, 0, n);
    const values = await spread.add(tl.arange(n)).tolist<number[]>();
    expect(values).toEqual(values.map((_, i) => (i < n - 1 ? -5 : 100) + i));
  });
});

import * as tl from 'tiller';
import { afterAll, describe, expect, it } from 'vitest';

/** Values with ties, NaN and infinities. */
function valuesOf(n: number): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => {
    const v = Math.sin(i * 12.9898) * 43758.5453;
    const unit = v - Math.floor(v);
    if (i % 997 === 5) return Number.NaN;
    if (i % 991 === 7) return i % 2 === 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    return Math.floor(unit * 2000) / 7;
  });
}

/** By JavaScript's own stable sort; NaN is the largest. */
function sortedPositions(values: Float32Array, descending: boolean): number[] {
  const sign = descending ? -1 : 1;
  const compare = (a: number, b: number): number => {
    const [x, y] = [values[a]!, values[b]!];
    if (Number.isNaN(x) || Number.isNaN(y)) return sign * (Number(Number.isNaN(x)) - Number(Number.isNaN(y)));
    return x === y ? 0 : sign * (x < y ? -1 : 1);
  };
  return [...values.keys()].sort(compare);
}

describe.each(['wasm', 'webgpu'] as const)('long lines on %s', (engine) => {
  afterAll(() => tl.init({ engine: 'reference' }));

  it.each([1025, 4096, 9001])('are sorted, stably: %i', async (n) => {
    await tl.init({ engine });
    const values = valuesOf(n);
    const x = tl.tensor(values);
    for (const descending of [false, true]) {
      const order = await tl.argsort(x, 0, { descending, stable: true }).data();
      expect([...order]).toEqual(sortedPositions(values, descending));
    }
  });

  it('take few kernels', async () => {
    await tl.init({ engine: 'plan-only' });
    tl.argsort(tl.tensor(valuesOf(5000)));
    await tl.realize(tl.argsort(tl.tensor(valuesOf(5000))));
    expect(tl.plans().at(-1)!.kernels.length).toBeLessThanOrEqual(12);
  });
});

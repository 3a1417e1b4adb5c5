import { describe, expect, it } from 'vitest';
import { floatsOf, numbers, type Product, productKernel, wordsOf } from '../contraction-harness.js';
import { atOnce, backwards, inThrees, oneByOne, PLAIN, RELAXED, runOnce } from './harness.js';

/** sum over k of a(batch, m, k) * b(batch, k, n), in float64. */
function product(
  { batch, m, n, k, transA, transB }: Product,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): Float64Array {
  const out = new Float64Array(batch * m * n);
  for (let z = 0; z < batch; z++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let q = 0; q < k; q++) {
          const left = z * m * k + (transA ? q * m + i : i * k + q);
          const right = z * k * n + (transB ? j * k + q : q * n + j);
          sum += a[left]! * b[right]!;
        }
        out[(z * m + i) * n + j] = sum;
      }
    }
  }
  return out;
}
const worst = (got: ArrayLike<number>, want: ArrayLike<number>): number => {
  expect(got.length).toBe(want.length);
  let most = 0;
  for (let i = 0; i < got.length; i++) {
    const d = Math.abs(got[i]! - want[i]!);
    most = Math.max(most, Number.isNaN(d) ? Infinity : d);
  }
  return most;
};

const SIZES = [1, 3, 7, 65, 130];
const SPLITS = [oneByOne, inThrees, backwards];

describe('products', () => {
  for (const [transA, transB] of [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ] as const) {
    it(`of all sizes${transA ? ', transposed left' : ''}${transB ? ', transposed right' : ''}`, () => {
      let number = 0;
      for (const m of SIZES) {
        for (const n of SIZES) {
          for (const k of SIZES) {
            const p: Product = { batch: k === 7 ? 3 : 1, m, n, k, transA, transB };
            const [a, b] = [numbers(p.batch * m * k, 1), numbers(p.batch * k * n, 2)];
            const buffers = [wordsOf(a), wordsOf(b), new Uint32Array(p.batch * m * n).fill(0x7fc00001)];
            const kernel = productKernel(p);
            const want = product(p, a, b);
            for (const features of [RELAXED, PLAIN]) {
              const run = (split = atOnce) => floatsOf(runOnce(kernel, buffers, { split, features })[2]!);
              const got = run();
              expect(worst(got, want), `${m} x ${k} x ${n}`).toBeLessThan((k + 4) * 1e-6);
              expect(run(SPLITS[number++ % SPLITS.length])).toEqual(got);
            }
          }
        }
      }
    });
  }
});

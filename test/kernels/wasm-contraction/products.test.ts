import { describe, expect, it } from 'vitest';
import { numbers, type Product, productKernel, wordsOf, floatsOf } from '../contraction-harness.js';
import { RELAXED, PLAIN, runOnce, atOnce, backwards, inThrees, oneByOne } from './harness.js';

/** sum over k of a(batch, m, k) * b(batch, k, n), in float64. */
export function product(
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
describe('products', () => {
  for (const [transA, transB] of [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ]) {
    for (const m of SIZES)
      for (const n of SIZES) {
        it(`${m} x ${n}${transA ? ' transA' : ''}${transB ? ' transB' : ''}`, () => {
          for (const k of SIZES) {
            const p: Product = { batch: k === 7 ? 3 : 1, m, n, k, transA: transA!, transB: transB! };
            const a = numbers(p.batch * m * k, 1);
            const b = numbers(p.batch * k * n, 2);
            const kernel = productKernel(p);
            const run = (split: typeof atOnce, features = RELAXED) =>
              floatsOf(
                runOnce(kernel, [wordsOf(a), wordsOf(b), new Uint32Array(p.batch * m * n)], { split, features })[2]!,
              );
            const got = run(atOnce);
            expect(worst(got, product(p, a, b)), `k ${k}`).toBeLessThan((k + 4) * 1e-6);
            expect(run(oneByOne)).toEqual(got);
            expect(run(inThrees)).toEqual(got);
            expect(run(backwards)).toEqual(got);
            expect(worst(run(atOnce, PLAIN), product(p, a, b)), `k ${k}`).toBeLessThan((k + 4) * 1e-6);
          }
        });
      }
  }
});

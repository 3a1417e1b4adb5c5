import * as tl from 'tiller';
import { svd } from 'tiller/linalg';
import { expect, it } from 'vitest';

/** Orthonormal rows, in float64: numbers without a pattern, by Gram and Schmidt's method. */
function orthonormal(n: number): Float64Array[] {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const rows: Float64Array[] = [];
  for (let i = 0; i < n; i++) {
    const row = Float64Array.from({ length: n }, next);
    for (const before of rows) {
      const dot = row.reduce((sum, x, k) => sum + x * before[k]!, 0);
      for (let k = 0; k < n; k++) row[k]! -= dot * before[k]!;
    }
    const length = Math.hypot(...row);
    rows.push(row.map((x) => x / length));
  }
  return rows;
}

/** A symmetric matrix with these eigenvalues. */
function symmetric(values: readonly number[]): Float32Array {
  const n = values.length;
  const rows = orthonormal(n);
  const a = new Float64Array(n * n);
  rows.forEach((q, r) => {
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) a[i * n + j]! += values[r]! * q[i]! * q[j]!;
  });
  return Float32Array.from(a);
}

it('finds orthogonal singular vectors of a matrix of 200 x 200 and condition 1e4', async () => {
  await tl.init({ engine: 'wasm' });
  const n = 200;
  const values = Array.from({ length: n }, (_, i) => 10 ** ((-4 * i) / (n - 1)));
  const a = tl.tensor(symmetric(values), { shape: [n, n] });
  const [u, s, vh] = svd(a);
  const identity = tl.eye(n);
  const [outOfU, outOfV, sizes] = await Promise.all([
    u.transpose(0, 1).matmul(u).sub(identity).abs().max().item(),
    vh.matmul(vh.transpose(0, 1)).sub(identity).abs().max().item(),
    s.data(),
  ]);
  expect(outOfU).toBeLessThan(1e-5);
  expect(outOfV).toBeLessThan(1e-5);
  sizes.forEach((size, i) => {
    expect(Math.abs(size - values[i]!)).toBeLessThan(2e-6);
  });
});

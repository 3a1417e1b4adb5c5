import type { TypedArray } from '../../graph/index.js';

/** A row-major matrix inside an array. */
export interface Matrix {
  readonly data: TypedArray;
  readonly offset: number;
}

/**
 * out[M, N] = a[M, K] b[K, N], each element summed in float64 in the order of k. A row of sums at a time, so that every read and
 * write goes along a row; four k at a time, because the sums are read and written for each.
 */
export function multiplyFloats(a: Matrix, b: Matrix, out: Matrix, M: number, K: number, N: number): void {
  const sums = new Float64Array(N);
  const [left, right, target] = [a.data, b.data, out.data];
  for (let i = 0; i < M; i++) {
    const row = a.offset + i * K;
    sums.fill(0);
    let k = 0;
    for (; k + 3 < K; k += 4) {
      const x0 = left[row + k]!;
      const x1 = left[row + k + 1]!;
      const x2 = left[row + k + 2]!;
      const x3 = left[row + k + 3]!;
      const r0 = b.offset + k * N;
      const r1 = r0 + N;
      const r2 = r1 + N;
      const r3 = r2 + N;
      for (let j = 0; j < N; j++) {
        sums[j] = sums[j]! + x0 * right[r0 + j]! + x1 * right[r1 + j]! + x2 * right[r2 + j]! + x3 * right[r3 + j]!;
      }
    }
    for (; k < K; k++) {
      const x = left[row + k]!;
      const r = b.offset + k * N;
      for (let j = 0; j < N; j++) sums[j] = sums[j]! + x * right[r + j]!;
    }
    target.set(sums, out.offset + i * N);
  }
}

/** The same for 32-bit integers, which wrap. */
export function multiplyIntegers(a: Matrix, b: Matrix, out: Matrix, M: number, K: number, N: number): void {
  for (let i = 0; i < M; i++) {
    for (let j = 0; j < N; j++) {
      let sum = 0;
      for (let k = 0; k < K; k++) {
        sum = (sum + Math.imul(a.data[a.offset + i * K + k]!, b.data[b.offset + k * N + j]!)) | 0;
      }
      out.data[out.offset + i * N + j] = sum;
    }
  }
}

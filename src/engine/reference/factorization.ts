import type { RoutineAttrs } from '../../graph/index.js';
import { Dense, identity } from './dense.js';

/** L with L L^T = A, row by row. */
export function cholesky(a: Dense): Dense {
  const n = a.rows;
  const out = new Dense(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = a.at(i, j);
      for (let k = 0; k < j; k++) rest -= out.at(i, k) * out.at(j, k);
      if (i === j) out.set(i, i, rest > 0 ? Math.sqrt(rest) : Number.NaN);
      else out.set(i, j, rest / out.at(j, j));
    }
  }
  return out;
}

/** Gaussian elimination with row exchanges: U, the factors of the elimination below it, and the pivots beside them. */
export function lu(a: Dense): Dense {
  const { rows: m, columns: n } = a;
  const work = a.copy();
  const pivots = Array.from({ length: m }, (_, i) => i);
  for (let step = 0; step < Math.min(m, n); step++) {
    let pivot = step;
    for (let i = step + 1; i < m; i++) {
      if (Math.abs(work.at(i, step)) > Math.abs(work.at(pivot, step))) pivot = i;
    }
    pivots[step] = pivot;
    work.swapRows(step, pivot);
    // A column of zeros is left as it is: U has a zero on its diagonal.
    if (work.at(step, step) === 0) continue;
    for (let i = step + 1; i < m; i++) {
      const factor = work.at(i, step) / work.at(step, step);
      work.set(i, step, factor);
      for (let j = step + 1; j < n; j++) work.set(i, j, work.at(i, j) - factor * work.at(step, j));
    }
  }
  const out = new Dense(m, n + 1);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) out.set(i, j, work.at(i, j));
    out.set(i, n, pivots[i]!);
  }
  return out;
}

/** Substitution, from the row that has one unknown on. */
export function triangularSolve(a: Dense, b: Dense, { lower, unitDiagonal, transpose }: RoutineAttrs): Dense {
  const { rows: n, columns: k } = b;
  const element = (i: number, j: number): number => (transpose ? a.at(j, i) : a.at(i, j));
  const forward = lower !== transpose;
  const out = new Dense(n, k);
  for (let column = 0; column < k; column++) {
    for (let step = 0; step < n; step++) {
      const i = forward ? step : n - 1 - step;
      let rest = b.at(i, column);
      for (let done = 0; done < step; done++) {
        const j = forward ? done : n - 1 - done;
        rest -= element(i, j) * out.at(j, column);
      }
      out.set(i, column, unitDiagonal ? rest : rest / element(i, i));
    }
  }
  return out;
}

/** Q = H_1 H_2 … H_k, each H_i a reflection that makes a column of R zero below its diagonal. */
export function qr(a: Dense): Dense {
  const { rows: m, columns: n } = a;
  const k = Math.min(m, n);
  const r = a.copy();
  const reflections: { v: number[]; tau: number }[] = [];
  for (let step = 0; step < k; step++) {
    const column = Array.from({ length: m }, (_, i) => (i < step ? 0 : r.at(i, step)));
    const alpha = column[step]!;
    // A column that is zero below the diagonal already is not reflected, whatever its sign.
    const below = Math.hypot(...column.slice(step + 1));
    const beta = below === 0 ? alpha : -(alpha < 0 ? -1 : 1) * Math.hypot(alpha, below);
    const tau = below === 0 ? 0 : (beta - alpha) / beta;
    const v = column.map((x, i) => (i < step ? 0 : i === step ? 1 : x / (alpha - beta)));
    const reflection = { v: below === 0 ? v.map((_, i) => (i === step ? 1 : 0)) : v, tau };
    reflect(r, reflection);
    reflections.push(reflection);
  }
  const q = identity(m);
  for (const reflection of reflections.reverse()) reflect(q, reflection);
  const out = new Dense(m, k + n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < k; j++) out.set(i, j, q.at(i, j));
    for (let j = i; j < n && i < k; j++) out.set(i, k + j, r.at(i, j));
  }
  return out;
}

/** x becomes (I - tau v v^T) x. */
function reflect(x: Dense, { v, tau }: { v: readonly number[]; tau: number }): void {
  if (tau === 0) return;
  for (let j = 0; j < x.columns; j++) {
    let sum = 0;
    for (let i = 0; i < x.rows; i++) sum += v[i]! * x.at(i, j);
    for (let i = 0; i < x.rows; i++) x.set(i, j, x.at(i, j) - tau * sum * v[i]!);
  }
}

import type { RoutineAttrs } from '../../src/graph/index.js';
import { div, type IndexLike, type Matrix, minus, mul, type Program, plus, sub } from './program.js';

/** Substitution: what each row contributes to the rows after it is taken away from them as soon as it is known. */
export function triangularSolve(
  p: Program,
  n: number,
  columns: number,
  { lower, unitDiagonal, transpose }: RoutineAttrs,
  [a, b, x]: readonly [Matrix, Matrix, Matrix],
): void {
  const element = (i: IndexLike, j: IndexLike) => (transpose ? a.at(j, i) : a.at(i, j));
  const forward = (lower ?? false) !== (transpose ?? false);
  p.lanes2([0, n], [0, columns], (i, j) => x.set(i, j, b.at(i, j)));
  p.serial(0, n, (step) => {
    const row: IndexLike = forward ? step : minus(n - 1, step);
    if (!unitDiagonal) {
      p.lanes(0, columns, (j) => x.set(row, j, div(x.at(row, j), element(row, row))));
    }
    p.lanes2(forward ? [plus(step, 1), n] : [0, row], [0, columns], (i, j) =>
      x.set(i, j, sub(x.at(i, j), mul(element(i, row), x.at(row, j)))),
    );
  });
}

import { div, integer, le, lt, type Matrix, mul, number, type Program, sqrt, sub, where } from './program.js';

/** L with L L^T = A, column by column: an element is a product of rows, which lie in memory as they are read. */
export function cholesky(p: Program, n: number, a: Matrix, l: Matrix): void {
  p.lanes2([0, n], [0, n], (i, j) => l.set(i, j, number(0)));
  p.serial(0, n, (j) => {
    const rest = sub(
      a.at(j, j),
      p.sum(0, j, (k) => mul(l.at(j, k), l.at(j, k))),
    );
    const square = p.let('square', rest);
    const pivot = p.let('pivot', where(lt(number(0), square), sqrt(square), number(Number.NaN)));
    p.lanes(j, n, (i) => {
      const products = p.sum(0, j, (k) => mul(l.at(i, k), l.at(j, k)));
      l.set(i, j, where(le(integer(i), integer(j)), pivot, div(sub(a.at(i, j), products), pivot)));
    });
  });
}

import { normalize, orthogonalize, sortRows } from './jacobi.js';
import {
  abs,
  add,
  div,
  type Expr,
  eq,
  type IndexLike,
  integer,
  le,
  type Matrix,
  mul,
  number,
  type Program,
  plus,
  sqrt,
  where,
} from './program.js';

/**
 * Eigenvectors as the right singular vectors of A + shift, which is as large as the largest eigenvalue at least, so that the order of
 * singular values is that of eigenvalues; these are taken from A and the vectors afterwards.
 *
 * @param w scratch of n rows for the shifted matrix
 * @param v scratch of n rows for the eigenvectors
 * @param out n + 1 rows
 */
export function eigh(p: Program, n: number, a: Matrix, w: Matrix, v: Matrix, out: Matrix): void {
  const symmetric = (i: IndexLike, j: IndexLike): Expr => where(le(integer(j), integer(i)), a.at(i, j), a.at(j, i));
  const zero = number(0);
  const product = (x: Matrix, i: IndexLike, y: Matrix, j: IndexLike): Expr =>
    p.sum(0, n, (k) => mul(x.at(i, k), y.at(j, k)));
  p.lanes(0, n, (i) => {
    const [largest] = p.fold('max', 0, n, (k) => [abs(symmetric(i, k))]) as [Expr];
    out.set(0, i, largest);
  });
  const [largest] = p.fold('max', 0, n, (k) => [out.at(0, k)]) as [Expr];
  const scale = p.let('scale', where(eq(largest, zero), number(1), largest));
  p.lanes2([0, n], [0, n], (i, j) => w.set(i, j, div(symmetric(i, j), scale)));
  // The root of the length of A A, which exceeds the largest eigenvalue by less than the length of A does.
  p.lanes2([0, n], [0, n], (i, j) => v.set(i, j, product(w, i, w, j)));
  p.lanes(0, n, (i) => out.set(0, i, product(v, i, v, i)));
  const squares = p.sum(0, n, (k) => out.at(0, k));
  const shift = p.let('shift', sqrt(sqrt(squares)));
  p.lanes2([0, n], [0, n], (i, j) => {
    const diagonal = p.let('diagonal', eq(integer(i), integer(j)));
    w.set(i, j, add(w.at(i, j), where(diagonal, shift, zero)));
    v.set(i, j, where(diagonal, number(1), zero));
  });
  orthogonalize(p, n, n, w, v, out);
  normalize(p, n, v);
  // What A makes of each vector; the product with the vector is the eigenvalue.
  p.lanes2([0, n], [0, n], (i, j) => {
    const sum = p.sum(0, n, (k) => mul(v.at(i, k), div(symmetric(j, k), scale)));
    w.set(i, j, sum);
  });
  p.lanes(0, n, (i) => out.set(0, i, mul(scale, product(v, i, w, i))));
  sortRows(p, n, out, false, [[v, n]]);
  p.lanes2([0, n], [0, n], (i, j) => out.set(plus(i, 1), j, v.at(j, i)));
}

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
  // Row sums of absolute values bound the eigenvalues; a maximum in front of them keeps them from overflow.
  p.lanes(0, n, (i) => {
    const [largest] = p.fold('max', 0, n, (k) => [abs(symmetric(i, k))]) as [Expr];
    out.set(0, i, largest);
  });
  const [largest] = p.fold('max', 0, n, (k) => [out.at(0, k)]) as [Expr];
  const scale = p.let('scale', where(eq(largest, zero), number(1), largest));
  p.lanes2([0, n], [0, n], (i, j) => {
    w.set(i, j, div(symmetric(i, j), scale));
    v.set(i, j, where(eq(integer(i), integer(j)), number(1), zero));
  });
  p.lanes(0, n, (i) =>
    out.set(
      0,
      i,
      p.sum(0, n, (k) => abs(w.at(i, k))),
    ),
  );
  const [shift] = p.fold('max', 0, n, (k) => [out.at(0, k)]) as [Expr];
  p.lanes(0, n, (i) => w.set(i, i, add(w.at(i, i), shift)));
  orthogonalize(p, n, n, w, v);
  normalize(p, n, v);
  // What A makes of each vector; the product with the vector is the eigenvalue.
  p.lanes2([0, n], [0, n], (i, j) =>
    w.set(
      i,
      j,
      p.sum(0, n, (k) => mul(v.at(i, k), div(symmetric(j, k), scale))),
    ),
  );
  p.lanes(0, n, (i) =>
    out.set(
      0,
      i,
      mul(
        scale,
        p.sum(0, n, (k) => mul(v.at(i, k), w.at(i, k))),
      ),
    ),
  );
  sortRows(p, n, out, false, [[v, n]]);
  p.lanes2([0, n], [0, n], (i, j) => out.set(plus(i, 1), j, v.at(j, i)));
}

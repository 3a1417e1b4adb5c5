import type { IndexVar } from '../ir.js';
import { normalize, orthogonalize, sortRows } from './jacobi.js';
import {
  abs,
  div,
  type Expr,
  eq,
  integer,
  le,
  lt,
  type Matrix,
  mul,
  not,
  number,
  type Program,
  sqrt,
  sub,
  where,
} from './program.js';

/** Singular values below this part of the largest have no direction of their own. */
const NEGLIGIBLE = 1e-7;

export interface SvdParts {
  readonly a: Matrix;
  readonly u: Matrix;
  readonly values: Matrix;
  readonly vh: Matrix;
  /** Scratch: n rows of m elements, and a row each of m and of n. */
  readonly w: Matrix;
  readonly lengths: Matrix;
  readonly products: Matrix;
}

/** One-sided Jacobi rotations of the columns of A, which lie in scratch as rows. */
export function svd(p: Program, m: number, n: number, { a, u, values, vh, w, lengths, products }: SvdParts): void {
  const [zero, one] = [number(0), number(1)];
  p.lanes(0, n, (j) => {
    const [largest] = p.fold('max', 0, m, (k) => [abs(a.at(k, j))]) as [Expr];
    values.set(0, j, largest);
  });
  const [largest] = p.fold('max', 0, n, (k) => [values.at(0, k)]) as [Expr];
  const scale = p.let('scale', where(eq(largest, zero), one, largest));
  p.lanes2([0, n], [0, m], (i, j) => w.set(i, j, div(a.at(j, i), scale)));
  p.lanes2([0, n], [0, n], (i, j) => vh.set(i, j, where(eq(integer(i), integer(j)), one, zero)));
  orthogonalize(p, n, m, w, vh, values);
  normalize(p, n, vh);
  p.lanes(0, n, (i) => values.set(0, i, sqrt(p.sum(0, m, (k) => mul(w.at(i, k), w.at(i, k))))));
  sortRows(p, n, values, true, [
    [w, m],
    [vh, n],
  ]);
  const least = p.let('least', mul(number(NEGLIGIBLE), values.at(0, 0)));
  p.serial(0, n, (j) => complete(p, m, j, least, { values, w, lengths, products }));
  p.lanes2([0, m], [0, n], (i, j) => u.set(i, j, w.at(j, i)));
  p.lanes(0, n, (j) => values.set(0, j, mul(scale, values.at(0, j))));
}

/**
 * Makes row j of `w` a unit vector: divided by its length, or, where it is too short to have a direction, one that is orthogonal to those
 * before it, made of the axis that lies in them least.
 */
function complete(
  p: Program,
  m: number,
  j: IndexVar,
  least: Expr,
  { values, w, lengths, products }: Pick<SvdParts, 'values' | 'w' | 'lengths' | 'products'>,
): void {
  const value = p.let('value', values.at(0, j));
  const short = p.let('short', le(value, least));
  p.lanes(0, m, (i) => {
    p.if(short, () =>
      lengths.set(
        0,
        i,
        p.sum(0, j, (k) => mul(w.at(k, i), w.at(k, i))),
      ),
    );
    p.if(not(short), () => w.set(j, i, div(w.at(j, i), value)));
  });
  const axis = p.let('axis', integer(0));
  p.if(short, () => {
    const shortest = p.let('shortest', lengths.at(0, 0));
    p.serial(1, m, (i) => {
      p.if(lt(lengths.at(0, i), shortest), () => {
        p.assign(shortest, lengths.at(0, i));
        p.assign(axis, integer(i));
      });
    });
  });
  p.lanes(0, m, (i) => {
    p.if(short, () => w.set(j, i, where(eq(integer(i), axis), number(1), number(0))));
  });
  // Twice: what rounding leaves of the others the first time goes the second time.
  for (let times = 0; times < 2; times++) {
    p.lanes(0, j, (k) => {
      p.if(short, () =>
        products.set(
          0,
          k,
          p.sum(0, m, (i) => mul(w.at(k, i), w.at(j, i))),
        ),
      );
    });
    p.lanes(0, m, (i) => {
      p.if(short, () => {
        const others = p.sum(0, j, (k) => mul(products.at(0, k), w.at(k, i)));
        w.set(j, i, sub(w.at(j, i), others));
      });
    });
  }
  const length = p.let('length', sqrt(p.sum(0, m, (i) => mul(w.at(j, i), w.at(j, i)))));
  p.lanes(0, m, (i) => {
    p.if(short, () => w.set(j, i, div(w.at(j, i), length)));
  });
}

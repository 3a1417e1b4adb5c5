import {
  abs,
  add,
  div,
  type Expr,
  eq,
  type IndexLike,
  integer,
  le,
  lt,
  type Matrix,
  minus,
  mul,
  neg,
  number,
  type Program,
  plus,
  sqrt,
  sub,
  where,
} from './program.js';

/**
 * Householder reflections, in scratch whose rows are the columns of Q and R: they lie in memory as they are read. Below the diagonal of R are the
 * vectors of the reflections, each of which begins with a 1 that is not stored.
 *
 * @param out Q, with R beside it
 */
export function qr(p: Program, m: number, n: number, a: Matrix, q: Matrix, r: Matrix, out: Matrix): void {
  const k = Math.min(m, n);
  const [zero, one] = [number(0), number(1)];
  p.lanes2([0, n], [0, m], (j, i) => r.set(i, j, a.at(i, j)));
  p.lanes2([0, k], [0, m], (j, i) => q.set(i, j, where(eq(integer(i), integer(j)), one, zero)));

  /** x[:, j] becomes (I - tau v v^T) x[:, j], for the vector below the diagonal of column `step`. */
  const reflect = (x: Matrix, step: IndexLike, tau: Expr, j: IndexLike): void => {
    const sum = p.sum(plus(step, 1), m, (i) => mul(r.at(i, step), x.at(i, j)));
    const by = p.let('by', mul(tau, add(x.at(step, j), sum)));
    x.set(step, j, sub(x.at(step, j), by));
    p.independent(plus(step, 1), m, (i) => x.set(i, j, sub(x.at(i, j), mul(r.at(i, step), by))));
  };

  p.serial(0, k, (step) => {
    const [largest] = p.fold('max', plus(step, 1), m, (i) => [abs(r.at(i, step))]) as [Expr];
    const alpha = p.let('alpha', r.at(step, step));
    const none = p.let('none', le(largest, zero));
    const size = p.let('size', where(lt(largest, abs(alpha)), abs(alpha), largest));
    const scale = p.let('scale', where(none, one, size));
    const scaled = (x: Expr): Expr => div(x, scale);
    const squares = p.sum(step, m, (i) => mul(scaled(r.at(i, step)), scaled(r.at(i, step))));
    const norm = p.let('norm', mul(scale, sqrt(squares)));
    // A column that is zero below the diagonal already is not reflected, whatever its sign.
    const beta = p.let('beta', where(none, alpha, where(lt(alpha, zero), norm, neg(norm))));
    const tau = p.let('tau', where(none, zero, div(sub(beta, alpha), beta)));
    const head = p.let('head', where(none, one, sub(alpha, beta)));
    p.lanes(step, m, (i) => {
      r.set(i, step, where(eq(integer(i), integer(step)), beta, div(r.at(i, step), head)));
    });
    p.lanes(plus(step, 1), n, (j) => reflect(r, step, tau, j));
  });

  p.serial(0, k, (back) => {
    const step = minus(k - 1, back);
    const squares = p.sum(plus(step, 1), m, (i) => mul(r.at(i, step), r.at(i, step)));
    const tau = p.let('tau', where(eq(squares, zero), zero, div(number(2), add(one, squares))));
    p.lanes(step, k, (j) => reflect(q, step, tau, j));
  });
  p.lanes2([0, m], [0, k], (i, j) => out.set(i, j, q.at(i, j)));
  p.lanes2([0, m], [0, n], (i, j) => {
    out.set(i, plus(j, k), where(lt(integer(j), integer(i)), zero, r.at(i, j)));
  });
}

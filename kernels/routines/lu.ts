import {
  abs,
  div,
  eq,
  indexFrom,
  integer,
  lt,
  type Matrix,
  mul,
  number,
  type Program,
  plus,
  sub,
  toFloat,
  where,
} from './program.js';

/** Elimination with row exchanges, in place in the result; its last column is the rows taken as pivots. */
export function lu(p: Program, m: number, n: number, a: Matrix, out: Matrix): void {
  p.lanes2([0, m], [0, n], (i, j) => out.set(i, j, a.at(i, j)));
  p.lanes(0, m, (i) => out.set(i, n, toFloat(integer(i))));
  p.serial(0, Math.min(m, n), (k) => {
    const row = p.let('row', integer(k));
    const largest = p.let('largest', abs(out.at(k, k)));
    p.serial(plus(k, 1), m, (i) => {
      const size = p.let('size', abs(out.at(i, k)));
      p.if(lt(largest, size), () => {
        p.assign(largest, size);
        p.assign(row, integer(i));
      });
    });
    p.once(() => out.set(k, n, toFloat(row)));
    p.lanes(0, n, (j) => {
      const upper = p.let('upper', out.at(k, j));
      const lower = p.let('lower', out.at(indexFrom(row), j));
      out.set(k, j, lower);
      out.set(indexFrom(row), j, upper);
    });
    const pivot = p.let('pivot', out.at(k, k));
    p.lanes(plus(k, 1), m, (i) => {
      const x = p.let('x', out.at(i, k));
      // A column of zeros is left as it is: U has a zero on its diagonal.
      out.set(i, k, where(eq(pivot, number(0)), x, div(x, pivot)));
    });
    p.lanes2([plus(k, 1), m], [plus(k, 1), n], (i, j) =>
      out.set(i, j, sub(out.at(i, j), mul(out.at(i, k), out.at(k, j)))),
    );
  });
}

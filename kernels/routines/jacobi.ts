import {
  abs,
  add,
  div,
  type Expr,
  eq,
  indexFrom,
  integer,
  le,
  lt,
  type Matrix,
  minus,
  modulo,
  mul,
  not,
  number,
  type Program,
  plus,
  sqrt,
  sub,
  where,
} from './program.js';

/** Rows of m elements whose product is below this part of their lengths' product are orthogonal: it is all rounding. */
const toleranceOf = (m: number): number => 3e-8 * Math.max(2, Math.sqrt(m));

/** Every pair of n rows meets once in a sweep; this many leave no pair of f32 rows that is not orthogonal. */
const sweepsOf = (n: number): number =>
  n < 2 ? 0 : n <= 64 ? 6 + Math.ceil(1.2 * Math.log2(n)) : 8 + Math.ceil(1.8 * Math.log2(n));

/** Floating-point operations at most: products of rows, and rotations. */
export const jacobiFlops = (n: number, m: number): number => sweepsOf(n) * n * n * (6 * m + 3 * n);

/**
 * Rotates pairs of the n rows of `w`, of m elements, until all rows are orthogonal, and the rows of `v` (n of n elements) with them: of all that
 * gives singular vectors, this needs the least room and loses the least of small values. Pairs meet as in a tournament, each row once in
 * a round, so that a round's rotations do not depend on each other.
 *
 * @param rotated a row of n, scratch: which pairs of a sweep were rotated; where none was, all rows are orthogonal
 */
export function orthogonalize(p: Program, n: number, m: number, w: Matrix, v: Matrix, rotated: Matrix): void {
  const even = n % 2 === 0;
  const players = even ? n - 1 : n;
  const [zero, one] = [number(0), number(1)];
  p.lanes(0, n, (i) => rotated.set(0, i, one));
  p.serial(0, sweepsOf(n), () => {
    const [some] = p.fold('max', 0, n, (k) => [rotated.at(0, k)]) as [Expr];
    const going = p.let('going', lt(zero, some));
    p.lanes(0, n, (i) => rotated.set(0, i, zero));
    p.serial(0, players, (round) => {
      // An odd number of rows leaves one out in each round; of an even one, the last row meets it.
      p.lanes(even ? 0 : 1, (players + 1) / 2, (pair) => {
        const other = integer(modulo(plus(round, pair), players));
        const first = p.let('first', even ? where(eq(integer(pair), integer(0)), integer(n - 1), other) : other);
        const second = p.let('second', integer(modulo(minus(plus(round, players), pair), players)));
        const [a, b] = [indexFrom(first), indexFrom(second)];
        p.if(going, () => {
          const [aa, bb, ab] = p.fold('sum', 0, m, (k) => [
            mul(w.at(a, k), w.at(a, k)),
            mul(w.at(b, k), w.at(b, k)),
            mul(w.at(a, k), w.at(b, k)),
          ]) as [Expr, Expr, Expr];
          // So that what is not finite makes all vectors NaN, this asks for what is not orthogonal, which NaN is not either.
          p.if(not(le(abs(ab), mul(number(toleranceOf(m)), mul(sqrt(aa), sqrt(bb))))), () => {
            rotated.set(0, pair, one);
            const zeta = p.let('zeta', div(sub(bb, aa), mul(number(2), ab)));
            const sum = add(abs(zeta), sqrt(add(one, mul(zeta, zeta))));
            const tangent = p.let('tangent', div(where(lt(zeta, zero), number(-1), one), sum));
            const cosine = p.let('cosine', div(one, sqrt(add(one, mul(tangent, tangent)))));
            const sine = p.let('sine', mul(cosine, tangent));
            const half = p.let('half', div(sine, add(one, cosine)));
            for (const [rows, columns] of [
              [w, m],
              [v, n],
            ] as const) {
              p.independent(0, columns, (k) => {
                const x = p.let('x', rows.at(a, k));
                const y = p.let('y', rows.at(b, k));
                // As changes, which are small in the end: thousands of products with a cosine that is rounded would change all lengths.
                rows.set(a, k, sub(x, mul(sine, add(y, mul(half, x)))));
                rows.set(b, k, add(y, mul(sine, sub(x, mul(half, y)))));
              });
            }
          });
        });
      });
    });
  });
}

/** Makes all rows as long as a unit vector, which they are but for rounding. */
export function normalize(p: Program, n: number, v: Matrix): void {
  p.lanes(0, n, (i) => {
    const length = p.let('length', sqrt(p.sum(0, n, (k) => mul(v.at(i, k), v.at(i, k)))));
    p.independent(0, n, (k) => v.set(i, k, div(v.at(i, k), length)));
  });
}

/** Puts `key` (a row of n) in order by exchanges, and the rows of `parts` with it. */
export function sortRows(
  p: Program,
  n: number,
  key: Matrix,
  descending: boolean,
  parts: readonly (readonly [rows: Matrix, columns: number])[],
): void {
  p.serial(0, n, (to) => {
    const from = p.let('from', integer(to));
    const best = p.let('best', key.at(0, to));
    p.serial(plus(to, 1), n, (i) => {
      const x = p.let('x', key.at(0, i));
      p.if(descending ? lt(best, x) : lt(x, best), () => {
        p.assign(best, x);
        p.assign(from, integer(i));
      });
    });
    for (const [rows, columns] of parts) {
      p.lanes(0, columns, (k) => {
        const x = p.let('x', rows.at(to, k));
        rows.set(to, k, rows.at(indexFrom(from), k));
        rows.set(indexFrom(from), k, x);
      });
    }
    p.once(() => {
      key.set(0, indexFrom(from), key.at(0, to));
      key.set(0, to, best);
    });
  });
}

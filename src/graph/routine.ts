import { DTypeError, ShapeError } from './errors.js';
import { makeNode, type Node, type RoutineAttrs, type RoutineFn } from './node.js';
import { type Shape, sameShape, showShape } from './shape.js';

const RESULTS: Readonly<Record<RoutineFn, (m: number, n: number, k: number) => [rows: number, columns: number]>> = {
  cholesky: (_, n) => [n, n],
  lu: (m, n) => [m, n + 1],
  triangularSolve: (_, n, k) => [n, k],
  qr: (m, n) => [m, Math.min(m, n) + n],
  eigh: (_, n) => [n + 1, n],
  svd: (m, n) => [m + 1 + n, n],
};

/**
 * A routine on f32 matrices, whose leading dimensions are batch:
 *
 * - `cholesky` A [n, n] (lower triangle read): L [n, n], zeros above the diagonal; NaN where A is not positive definite.
 * - `lu` A [m, n]: [m, n + 1] with L below and U on and above the diagonal, partial pivoting (the first largest absolute value); the last
 *   column is the row that step i < min(m, n) took as pivot, and the row's own index after those.
 * - `triangularSolve` A [n, n], B [n, k]: X [n, k] with A X = B, or with the transpose; only the triangle is read.
 * - `qr` A [m, n], k = min(m, n): [m, k + n], first Q [m, k], then R in the first k rows, over zeros. Householder, with LAPACK's signs.
 * - `eigh` A [n, n] (lower triangle read): [n + 1, n], a row of eigenvalues, ascending, over the eigenvectors as columns.
 * - `svd` A [m, n], m >= n: [m + 1 + n, n], U [m, n] over a row of singular values, descending, over Vh [n, n].
 */
export function routine(attrs: RoutineAttrs, inputs: readonly Node[]): Node<'routine'> {
  const { fn } = attrs;
  const [a, b] = inputs as [Node, Node?];
  const [m, n] = a.shape.slice(-2) as [number, number];
  const batch = a.shape.slice(0, -2);
  const solve = fn === 'triangularSolve';
  const other: Shape = b?.shape ?? [];
  if (inputs.some((x) => x.dtype !== 'f32')) throw new DTypeError(`[${fn}] dtype is not f32 (cast first)`);
  const square = m === n || fn === 'lu' || fn === 'qr' || (fn === 'svd' && m > n);
  if (
    a.shape.length < 2 ||
    !square ||
    inputs.length !== (solve ? 2 : 1) ||
    (solve && !sameShape(other.slice(0, -1), [...batch, n]))
  ) {
    throw new ShapeError(`[${fn}] matrices do not fit: ${inputs.map((x) => showShape(x.shape)).join(', ')}`);
  }
  return makeNode('routine', inputs, attrs, [...batch, ...RESULTS[fn](m, n, other.at(-1)!)], 'f32');
}

import { DTypeError, ShapeError, showShape, UnsupportedError } from '../graph/index.js';
import {
  add,
  arange,
  broadcastTo,
  cast,
  concat,
  eq,
  eye,
  matmul,
  sub,
  type Tensor,
  tril,
  triu,
  unsqueeze,
} from '../tensor/index.js';
import { nodeOf } from '../tensor/internal.js';
import {
  checkMatrix,
  checkSquare,
  columnsOf,
  mT,
  overBatch,
  routineOf,
  rowsOf,
  sameBatch,
  sizesOf,
} from './matrices.js';
import { permutationOf, permuteRows, pivotsOf } from './permutation.js';
import { withRule } from './rule.js';
import { checkSides, triangular } from './triangular.js';

/** The routine's packed result [..., m, n + 1], with the gradients of L and U; the pivots have none. */
export function packedLu(a: Tensor): Tensor {
  const [m, n] = sizesOf(a);
  // No step exchanges rows, and no engine need know of a matrix without columns.
  if (n === 0) return overBatch(cast(unsqueeze(arange(m), -1), 'f32'), a.shape.slice(0, -2));
  return withRule(
    'lu',
    [a],
    () => routineOf({ fn: 'lu' }, a),
    (packed, g) => [gradientOf(packed, g)],
  );
}

/**
 * With k = min(m, n), the square parts have their well-known rule; the rest of a tall L is a solution with U, and that of a wide U one with
 * L, which hand their share on to the square parts.
 */
function gradientOf(packed: Tensor, g: Tensor): Tensor {
  const [m, columns] = sizesOf(packed);
  const n = columns - 1;
  const k = Math.min(m, n);
  const square = rowsOf(columnsOf(packed, 0, k), 0, k);
  const l = add(tril(square, -1), eye(k));
  const u = triu(square);
  const gs = rowsOf(columnsOf(g, 0, k), 0, k);
  let inL = matmul(mT(l), tril(gs, -1));
  let inU = matmul(triu(gs), mT(u));
  if (n > k) inL = sub(inL, matmul(columnsOf(g, k, n - k), mT(columnsOf(packed, k, n - k))));
  if (m > k) {
    const below = (x: Tensor): Tensor => rowsOf(columnsOf(x, 0, k), k, m - k);
    inU = sub(inU, matmul(mT(below(packed)), below(g)));
  }
  // X U^-T, as a solution of U Y = X^T.
  const overU = (x: Tensor): Tensor => mT(triangular(u, mT(x), { lower: false }));
  const underL = (x: Tensor): Tensor => triangular(l, x, { lower: true, unitDiagonal: true, transpose: true });
  let exchanged = overU(underL(add(tril(inL, -1), triu(inU))));
  if (n > k) exchanged = concat([exchanged, underL(columnsOf(g, k, n - k))], -1);
  if (m > k) exchanged = concat([exchanged, overU(rowsOf(columnsOf(g, 0, k), k, m - k))], -2);
  return permuteRows(exchanged, permutationOf(pivotsOf(packed), m, true));
}

/**
 * X with A X = B, or A^T X = B where `transposed`, of a packed square factorisation and B of the same batch dimensions.
 * `pivots` are i32, from 0.
 */
export function solveFactored(packed: Tensor, pivots: Tensor, b: Tensor, transposed = false): Tensor {
  const n = sizesOf(b)[0];
  const factors = columnsOf(packed, 0, n);
  const [l, u] = [
    { lower: true, unitDiagonal: true, transpose: transposed },
    { lower: false, transpose: transposed },
  ];
  if (!transposed) return triangular(factors, triangular(factors, permuteRows(b, permutationOf(pivots, n)), l), u);
  return permuteRows(triangular(factors, triangular(factors, b, u), l), permutationOf(pivots, n, true));
}

/**
 * A = P L U of matrices [..., m, n]: a permutation matrix [..., m, m], L [..., m, k] with ones on its diagonal, and U [..., k, n], with
 * k = min(m, n). Rows are exchanged so that each pivot is the largest of its column (`pivot: false` throws UnsupportedError).
 */
export function lu(a: Tensor, options?: { pivot?: boolean }): [p: Tensor, l: Tensor, u: Tensor] {
  const packed = factored('lu', a, options);
  const [m, n] = sizesOf(a);
  const k = Math.min(m, n);
  const order = permutationOf(pivotsOf(packed), m);
  const p = cast(eq(unsqueeze(order, -2), unsqueeze(arange(m), -1)), 'f32');
  const l = add(tril(columnsOf(packed, 0, k), -1), eye(m, k));
  return [p, l, triu(rowsOf(columnsOf(packed, 0, n), 0, k))];
}

/**
 * The same factors in one matrix [..., m, n], L below the diagonal and U on and above it, and the pivots, i32 [..., k]: step i exchanged row
 * i with row pivots[i] - 1 (they count from 1, as LAPACK's and PyTorch's). For `luSolve`.
 */
export function luFactor(a: Tensor, options?: { pivot?: boolean }): [factors: Tensor, pivots: Tensor] {
  const packed = factored('luFactor', a, options);
  return [columnsOf(packed, 0, sizesOf(a)[1]), add(pivotsOf(packed), 1)];
}

function factored(op: string, a: Tensor, options?: { pivot?: boolean }): Tensor {
  checkMatrix(op, a);
  if (options?.pivot === false)
    throw new UnsupportedError(`[${op}] pivot is false (expected true: rows are exchanged)`);
  return packedLu(a);
}

export interface LuSolveOptions {
  /** Solves A X = B (true), or X A = B. */
  left?: boolean;
  /** Solves with the transpose of A (false). */
  adjoint?: boolean;
}

/** X with A X = B [..., n, k], from what `luFactor` gave for A [..., n, n]; batch dimensions broadcast. */
export function luSolve(factors: Tensor, pivots: Tensor, b: Tensor, options: LuSolveOptions = {}): Tensor {
  const op = 'luSolve';
  const { left = true, adjoint = false } = options;
  checkSquare(op, factors);
  checkMatrix(op, b);
  checkSides(op, factors, b, left);
  const { shape, dtype } = nodeOf(op, pivots);
  if (dtype !== 'i32') throw new DTypeError(`[${op}] pivots are ${dtype} (expected i32)`);
  if (showShape(shape) !== showShape(factors.shape.slice(0, -1))) {
    throw new ShapeError(`[${op}] pivots are ${showShape(shape)} (expected ${showShape(factors.shape.slice(0, -1))})`);
  }
  const [matrix, side] = sameBatch(op, factors, left ? b : mT(b)) as [Tensor, Tensor];
  const exchanges = broadcastTo(sub(pivots, 1), matrix.shape.slice(0, -1));
  const x = solveFactored(matrix, exchanges, side, adjoint === left);
  return left ? x : mT(x);
}

/** A packed factorisation for matrices that it is broadcast to. */
export const packedOver = (packed: Tensor, like: Tensor): Tensor => overBatch(packed, like.shape.slice(0, -2));

import { ArgumentError, ShapeError, showShape } from '../graph/index.js';
import { matmul, neg, type Tensor, tril, triu } from '../tensor/index.js';
import { checkMatrix, checkSquare, mT, routineOf, sameBatch, sizesOf } from './matrices.js';
import { withRule } from './rule.js';

export interface Triangle {
  readonly lower: boolean;
  readonly unitDiagonal?: boolean;
  /** Solves with the transpose of the matrix. */
  readonly transpose?: boolean;
}

/** X with A X = B (or A^T X = B) for a triangular A and equal batch dimensions. */
export function triangular(a: Tensor, b: Tensor, { lower, unitDiagonal = false, transpose = false }: Triangle): Tensor {
  const attrs = { fn: 'triangularSolve', lower, unitDiagonal, transpose } as const;
  return withRule(
    'triangularSolve',
    [a, b],
    () => routineOf(attrs, a, b),
    (x, g, [matrix], needs) => {
      const gb = triangular(matrix!, g, { lower, unitDiagonal, transpose: !transpose });
      if (!needs[0]) return [null, gb];
      const whole = neg(transpose ? matmul(x, mT(gb)) : matmul(gb, mT(x)));
      const off = unitDiagonal ? 1 : 0;
      return [lower ? tril(whole, -off) : triu(whole, off), gb];
    },
  );
}

export interface SolveTriangularOptions {
  /** Whether the matrix is upper triangular; nothing of the other triangle is read. */
  upper: boolean;
  /** Solves A X = B (true), or X A = B. */
  left?: boolean;
  /** Takes the diagonal for ones (false). */
  unitriangular?: boolean;
}

/**
 * X with A X = B for a triangular A [..., n, n] and B [..., n, k]; batch dimensions broadcast. Zeros on the diagonal give infinities and NaN.
 * Throws ShapeError where they do not fit, ArgumentError where `upper` is not given.
 */
export function solveTriangular(a: Tensor, b: Tensor, options: SolveTriangularOptions): Tensor {
  const op = 'solveTriangular';
  checkSquare(op, a);
  checkMatrix(op, b);
  if (typeof options?.upper !== 'boolean')
    throw new ArgumentError(`[${op}] upper is not given (expected true or false)`);
  const { upper, left = true, unitriangular = false } = options;
  checkSides(op, a, b, left);
  const [matrix, side] = sameBatch(op, a, b) as [Tensor, Tensor];
  const triangle = { lower: !upper, unitDiagonal: unitriangular };
  return left ? triangular(matrix, side, triangle) : mT(triangular(matrix, mT(side), { ...triangle, transpose: true }));
}

/** Checks that the right-hand sides of a square matrix fit it. */
export function checkSides(op: string, a: Tensor, b: Tensor, left = true): void {
  const n = sizesOf(a)[0];
  if (sizesOf(b)[left ? 0 : 1] === n) return;
  const expected = left ? `[..., ${n}, k]` : `[..., k, ${n}]`;
  throw new ShapeError(
    `[${op}] right-hand side does not fit: ${showShape(a.shape)} and ${showShape(b.shape)} (expected ${expected})`,
  );
}

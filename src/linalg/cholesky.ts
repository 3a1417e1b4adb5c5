import { add, diagEmbed, diagonal, matmul, mul, sub, type Tensor, tril } from '../tensor/index.js';
import { checkMatrix, checkSquare, mT, routineOf, sameBatch } from './matrices.js';
import { withRule } from './rule.js';
import { checkSides, triangular } from './triangular.js';

/**
 * The lower triangular L with A = L L^T of a symmetric positive definite matrix [..., n, n]; its transpose where `upper`. Only that
 * triangle of A is read. NaN where a matrix is not positive definite (nothing throws: values are computed later than this returns).
 */
export function cholesky(a: Tensor, { upper = false }: { upper?: boolean } = {}): Tensor {
  checkSquare('cholesky', a);
  return upper ? mT(lowerFactor(mT(a))) : lowerFactor(a);
}

const lowerFactor = (a: Tensor): Tensor =>
  withRule(
    'cholesky',
    [a],
    () => routineOf({ fn: 'cholesky' }, a),
    (l, g) => {
      // With a symmetric change of A, L^T dL is the lower triangle of a symmetric matrix, half of its diagonal.
      const lower = tril(matmul(mT(l), g));
      const half = mul(sub(add(lower, mT(lower)), diagEmbed(diagonal(lower, 0, -2, -1))), 0.5);
      const transposed = { lower: true, transpose: true };
      return [triangular(l, mT(triangular(l, half, transposed)), transposed)];
    },
  );

/**
 * X with A X = B [..., n, k], of the Cholesky factor of A: lower triangular, or upper where `upper`; batch dimensions broadcast.
 * The order of arguments is PyTorch's: right-hand sides first.
 */
export function choleskySolve(b: Tensor, factor: Tensor, { upper = false }: { upper?: boolean } = {}): Tensor {
  const op = 'choleskySolve';
  checkMatrix(op, b);
  checkSquare(op, factor);
  checkSides(op, factor, b);
  const [side, l] = sameBatch(op, b, factor) as [Tensor, Tensor];
  const first = triangular(l, side, { lower: !upper, transpose: upper });
  return triangular(l, first, { lower: !upper, transpose: !upper });
}

import { ArgumentError } from '../graph/index.js';
import { add, diagEmbed, eq, eye, matmul, mul, select, sub, type Tensor, unsqueeze, where } from '../tensor/index.js';
import { checkSquare, mT, routineOf, rowsOf, sizesOf } from './matrices.js';
import { withRule } from './rule.js';

/** Which triangle of a symmetric matrix is read. */
export type Triangular = 'L' | 'U';

const valuesOf = (packed: Tensor): Tensor => select(packed, -2, 0);
const vectorsOf = (packed: Tensor): Tensor => rowsOf(packed, 1, sizesOf(packed)[1]);

const factored = (a: Tensor): Tensor =>
  withRule(
    'eigh',
    [a],
    () => routineOf({ fn: 'eigh' }, a),
    (packed, g) => {
      const values = valuesOf(packed);
      const v = vectorsOf(packed);
      const gaps = sub(unsqueeze(values, -2), unsqueeze(values, -1));
      const apart = eq(eye(sizesOf(v)[0]), 0);
      const turned = matmul(mT(v), vectorsOf(g));
      const between = where(apart, turned.div(where(apart, gaps, 1)), 0);
      // Changes of A are symmetric: what is not so in `between` counts for nothing.
      const inner = add(mul(add(between, mT(between)), 0.5), diagEmbed(valuesOf(g)));
      return [matmul(matmul(v, inner), mT(v))];
    },
  );

function triangleOf(op: string, a: Tensor, uplo: Triangular): Tensor {
  checkSquare(op, a);
  if (uplo !== 'L' && uplo !== 'U') throw new ArgumentError(`[${op}] UPLO is ${String(uplo)} (expected L or U)`);
  return uplo === 'L' ? a : mT(a);
}

/**
 * Eigenvalues of symmetric matrices [..., n, n], ascending: [..., n], and their eigenvectors as columns [..., n, n]. Only one triangle of A
 * is read: the lower one, or the upper one for 'U'. Signs of the vectors may differ between engines; so what is computed from them should
 * not depend on signs. The gradient through vectors needs eigenvalues that differ (as PyTorch's); that of `eigvalsh` does not.
 */
export function eigh(a: Tensor, uplo: Triangular = 'L'): [values: Tensor, vectors: Tensor] {
  const packed = factored(triangleOf('eigh', a, uplo));
  return [valuesOf(packed), vectorsOf(packed)];
}

/** Eigenvalues of symmetric matrices [..., n, n], ascending: [..., n]. Reads one triangle: see `eigh`. */
export function eigvalsh(a: Tensor, uplo: Triangular = 'L'): Tensor {
  const matrix = triangleOf('eigvalsh', a, uplo);
  const packed = factored(matrix);
  return withRule(
    'eigvalsh',
    [matrix, packed],
    () => valuesOf(packed),
    (_, g, [, whole]) => {
      const v = vectorsOf(whole!);
      return [matmul(mul(v, unsqueeze(g, -2)), mT(v)), null];
    },
  );
}

import { ArgumentError, ShapeError, showShape } from '../graph/index.js';
import {
  abs,
  add,
  amax,
  cast,
  div,
  gt,
  matmul,
  maximum,
  mul,
  neg,
  square,
  squeeze,
  sub,
  sum,
  type Tensor,
  unsqueeze,
  where,
  zeros,
  zerosLike,
} from '../tensor/index.js';
import { nodeOf } from '../tensor/internal.js';
import { eigh, eigvalsh } from './eigen.js';
import { checkMatrix, checkSquare, mT, sameBatch, sizesOf } from './matrices.js';
import { qr } from './qr.js';
import { withRule } from './rule.js';
import { areVectors } from './solving.js';
import { svd, svdvals } from './svd.js';
import { triangular } from './triangular.js';

export interface RankOptions {
  /** Singular values up to this one count as 0 (0). */
  atol?: number;
  /** So do those up to this part of the largest one (max(m, n) * 2^-23; 0 where `atol` is given). */
  rtol?: number;
  /** Takes the matrix as symmetric, and reads its lower triangle (false). */
  hermitian?: boolean;
}

const EPSILON = 2 ** -23;

function checkTolerances(op: string, { atol = 0, rtol = 0 }: RankOptions): void {
  if (!(atol >= 0 && rtol >= 0)) {
    throw new ArgumentError(`[${op}] tolerances are ${String(atol)} and ${String(rtol)} (expected 0 or more)`);
  }
}

/** Which of the magnitudes [..., k] of a matrix count as more than 0: bool. */
function significant(sizes: Tensor, [m, n]: readonly [number, number], options: RankOptions): Tensor {
  const { atol = 0, rtol = atol > 0 ? 0 : Math.max(m, n) * EPSILON } = options;
  if (sizes.shape.at(-1) === 0) return gt(sizes, 0);
  return gt(sizes, maximum(mul(amax(sizes, -1, { keepDim: true }), rtol), atol));
}

/** How many singular values of matrices [..., m, n] are not 0, within tolerances: i32 [...]. */
export function matrixRank(a: Tensor, options: RankOptions = {}): Tensor {
  const op = 'matrixRank';
  if (options.hermitian) checkSquare(op, a);
  else checkMatrix(op, a);
  checkTolerances(op, options);
  const x = a.detach();
  const sizes = options.hermitian ? abs(eigvalsh(x)) : svdvals(x);
  return sum(cast(significant(sizes, sizesOf(a), options), 'i32'), -1);
}

const inverted = (values: Tensor, keep: Tensor): Tensor =>
  where(keep, div(1, where(keep, values, 1)), zerosLike(values));

/** Golub and Pereyra's derivative, transposed: the gradient of A from that of its pseudoinverse P. */
function pseudoinverseGradient(a: Tensor, p: Tensor, g: Tensor): Tensor {
  const [pt, gt] = [mT(p), mT(g)];
  const through = neg(matmul(matmul(pt, g), pt));
  const fromRows = matmul(matmul(gt, p), pt);
  const fromColumns = matmul(matmul(pt, p), gt);
  const rows = sub(fromRows, matmul(a, matmul(p, fromRows)));
  const columns = sub(fromColumns, matmul(matmul(fromColumns, p), a));
  return add(through, add(rows, columns));
}

/**
 * The pseudoinverse [..., n, m] of matrices [..., m, n]: singular values within the tolerances count as 0. The gradient is right where a small
 * change leaves the rank as it is.
 */
export function pinv(a: Tensor, options: RankOptions = {}): Tensor {
  const op = 'pinv';
  if (options.hermitian) checkSquare(op, a);
  else checkMatrix(op, a);
  checkTolerances(op, options);
  return withRule(
    op,
    [a],
    () => pseudoinverse(a, options),
    (p, g, [x]) => [pseudoinverseGradient(x!, p, g)],
  );
}

function pseudoinverse(a: Tensor, options: RankOptions): Tensor {
  if (options.hermitian) {
    const [values, v] = eigh(a);
    const inverse = inverted(values, significant(abs(values), sizesOf(a), options));
    return matmul(mul(v, unsqueeze(inverse, -2)), mT(v));
  }
  const [u, s, vh] = svd(a, false);
  return matmul(mul(mT(vh), unsqueeze(inverted(s, significant(s, sizesOf(a), options)), -2)), mT(u));
}

export interface LstsqOptions {
  /** Singular values up to this part of the largest one count as 0 (max(m, n) * 2^-23). */
  rcond?: number;
  /** 'gelsd' (default) takes matrices of any rank, by singular values; 'gels' needs full rank, by QR, and is less work. */
  driver?: 'gelsd' | 'gels';
}

export interface LeastSquares {
  /** The X of the least |A X - B|, and of those the least X: [..., n, k]. */
  solution: Tensor;
  /** Squared distances |A X - B|^2 of each column [..., k] where m > n; else empty. */
  residuals: Tensor;
  /** Of the matrices: i32 [...]; empty with 'gels'. */
  rank: Tensor;
  /** Descending: [..., min(m, n)]; empty with 'gels'. */
  singularValues: Tensor;
}

/**
 * Solves A X = B in the sense of least squares: A [..., m, n], B [..., m, k], or vectors [..., m] (one for each matrix); batch dimensions
 * broadcast. Differs from PyTorch in its default driver, and in `residuals`, which do not depend on the rank.
 */
export function lstsq(a: Tensor, b: Tensor, options: LstsqOptions = {}): LeastSquares {
  const op = 'lstsq';
  checkMatrix(op, a);
  const { driver = 'gelsd', rcond } = options;
  if (driver !== 'gelsd' && driver !== 'gels') {
    throw new ArgumentError(`[${op}] driver is ${String(driver)} (expected gelsd or gels)`);
  }
  const tolerances: RankOptions = rcond === undefined ? {} : { rtol: rcond };
  checkTolerances(op, tolerances);
  const vectors = nodeOf(op, b).shape.length > 0 && areVectors(a, b);
  const side = checkMatrix(op, vectors ? unsqueeze(b, -1) : b);
  const [m, n] = sizesOf(a);
  if (sizesOf(side)[0] !== m) {
    throw new ShapeError(
      `[${op}] rows differ: ${showShape(a.shape)} and ${showShape(b.shape)} (expected B [..., ${m}, k])`,
    );
  }
  const [matrix, right] = sameBatch(op, a, side) as [Tensor, Tensor];
  const x = driver === 'gels' ? byQr(matrix, right) : bySingularValues(matrix, right, tolerances);
  const residuals = m > n ? sum(square(sub(matmul(matrix, x), right)), -2) : zeros([0]);
  const known = driver === 'gelsd';
  return {
    solution: vectors ? squeeze(x, -1) : x,
    residuals: vectors && m > n ? squeeze(residuals, -1) : residuals,
    rank: known ? matrixRank(a, tolerances) : zeros([0], { dtype: 'i32' }),
    singularValues: known ? svdvals(a.detach()) : zeros([0]),
  };
}

function byQr(a: Tensor, b: Tensor): Tensor {
  const [m, n] = sizesOf(a);
  if (m >= n) {
    const [q, r] = qr(a);
    return triangular(r, matmul(mT(q), b), { lower: false });
  }
  const [q, r] = qr(mT(a));
  return matmul(q, triangular(r, b, { lower: false, transpose: true }));
}

const bySingularValues = (a: Tensor, b: Tensor, tolerances: RankOptions): Tensor =>
  withRule(
    'lstsq',
    [a, b],
    () => {
      const [u, s, vh] = svd(a, false);
      const inverse = inverted(s, significant(s, sizesOf(a), tolerances));
      return matmul(mT(vh), mul(unsqueeze(inverse, -1), matmul(mT(u), b)));
    },
    (_, g, [matrix, side], needs) => {
      const p = pinv(matrix!, tolerances);
      return [needs[0] ? pseudoinverseGradient(matrix!, p, matmul(g, mT(side!))) : null, matmul(mT(p), g)];
    },
  );

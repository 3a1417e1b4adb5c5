import { ArgumentError, ShapeError, sameShape, showShape } from '../graph/index.js';
import {
  abs,
  add,
  amax,
  concat,
  diagEmbed,
  diagonal,
  eq,
  eye,
  log,
  matmul,
  mul,
  neg,
  permute,
  prod,
  reshape,
  sign,
  squeeze,
  sum,
  type Tensor,
  unsqueeze,
  where,
  zeros,
  zerosLike,
} from '../tensor/index.js';
import { nodeOf } from '../tensor/internal.js';
import { packedLu, packedOver, solveFactored } from './lu.js';
import { checkMatrix, checkSquare, columnsOf, mT, overBatch, sameBatch, sizesOf } from './matrices.js';
import { pivotsOf, signOf } from './permutation.js';
import { withRule } from './rule.js';
import { checkSides } from './triangular.js';

const solvePacked = (packed: Tensor, b: Tensor, transposed = false): Tensor =>
  solveFactored(packed, pivotsOf(packed), b, transposed);

/** Whether right-hand sides are vectors, by PyTorch's rule: one, or exactly one for each matrix. */
export const areVectors = (a: Tensor, b: Tensor): boolean =>
  b.ndim === 1 || (b.ndim === a.ndim - 1 && sameShape(b.shape, a.shape.slice(0, -1)));

/**
 * X with A X = B for square matrices [..., n, n] and B [..., n, k], or vectors [n] or [..., n] (one for each matrix); batch dimensions
 * broadcast. `left: false` solves X A = B. A singular matrix gives infinities and NaN: PyTorch throws, which a value computed later cannot.
 */
export function solve(a: Tensor, b: Tensor, { left = true }: { left?: boolean } = {}): Tensor {
  const op = 'solve';
  checkSquare(op, a);
  const vectors = nodeOf(op, b).shape.length > 0 && areVectors(a, b);
  if (vectors && !left) throw new ShapeError(`[${op}] vector on the right: ${showShape(b.shape)} (expected a matrix)`);
  const side = vectors ? unsqueeze(b, -1) : b;
  checkMatrix(op, side);
  checkSides(op, a, side, left);
  const [matrix, right] = sameBatch(op, a, left ? side : mT(side)) as [Tensor, Tensor];
  const x = withRule(
    op,
    [matrix, right, packedOver(packedLu(a), matrix)],
    () => solvePacked(packedOver(packedLu(a), matrix), right, !left),
    (y, g, [, , packed], needs) => {
      const gb = solvePacked(packed!, g, left);
      return [needs[0] ? neg(left ? matmul(gb, mT(y)) : matmul(y, mT(gb))) : null, gb, null];
    },
  );
  return vectors ? squeeze(x, -1) : left ? x : mT(x);
}

/** The inverse of square matrices [..., n, n]; infinities and NaN where they are singular. To solve a system, `solve` is better. */
export function inv(a: Tensor): Tensor {
  checkSquare('inv', a);
  const [n] = sizesOf(a);
  return withRule(
    'inv',
    [a],
    () => solvePacked(packedLu(a), overBatch(eye(n), a.shape.slice(0, -2))),
    (x, g) => [neg(matmul(matmul(mT(x), g), mT(x)))],
  );
}

const pivotsOnDiagonal = (packed: Tensor): Tensor => diagonal(columnsOf(packed, 0, sizesOf(packed)[0]), 0, -2, -1);

const determinant = (packed: Tensor): Tensor => mul(signOf(pivotsOf(packed)), prod(pivotsOnDiagonal(packed), -1));

/** A factorisation whose zero pivots are the smallest numbers that count beside the others. */
function regular(packed: Tensor): Tensor {
  const pivots = pivotsOnDiagonal(packed);
  if (pivots.shape.at(-1) === 0) return packed;
  const largest = amax(abs(pivots), -1, { keepDim: true });
  const least = mul(where(eq(largest, 0), 1, largest), 2 ** -23).detach();
  const raised = diagEmbed(where(eq(pivots, 0), least, zerosLike(pivots)));
  return add(packed, concat([raised, zeros([...raised.shape.slice(0, -1), 1])], -1));
}

const each = (x: Tensor): Tensor => unsqueeze(unsqueeze(x, -1), -1);

/** A^-T, from a packed factorisation. */
const inverseTransposed = (packed: Tensor): Tensor => {
  const [n] = sizesOf(packed);
  return solvePacked(packed, overBatch(eye(n), packed.shape.slice(0, -2)), true);
};

/** The determinants of square matrices [..., n, n]: [...]. Singular matrices have a gradient too, close to the right one. */
export function det(a: Tensor): Tensor {
  checkSquare('det', a);
  const factors = packedLu(a);
  return withRule(
    'det',
    [a, factors],
    () => determinant(factors),
    (_, g, [, packed]) => {
      const near = regular(packed!);
      return [mul(each(mul(g, determinant(near))), inverseTransposed(near)), null];
    },
  );
}

/**
 * Signs (1, 0 or -1) and logarithms of the absolute values of the determinants of square matrices: [...] each. Of a singular matrix 0 and
 * -Infinity. Does not overflow where `det` does.
 */
export function slogdet(a: Tensor): [sign: Tensor, logAbsDet: Tensor] {
  checkSquare('slogdet', a);
  const factors = packedLu(a);
  const signs = sign(pivotsOnDiagonal(factors.detach()));
  const size = withRule(
    'slogdet',
    [a, factors],
    () => sum(log(abs(pivotsOnDiagonal(factors))), -1),
    (_, g, [, packed]) => [mul(each(g), inverseTransposed(packed!)), null],
  );
  return [mul(signOf(pivotsOf(factors)), prod(signs, -1)), size];
}

/** Whether square matrices are singular to the last bit: bool [...]. */
export const areSingular = (a: Tensor): Tensor => eq(prod(abs(sign(pivotsOnDiagonal(packedLu(a.detach())))), -1), 0);

const product = (lengths: readonly number[]): number => lengths.reduce((a, b) => a * b, 1);

/**
 * The inverse of a tensor as a linear map from its axes from `ind` on to its first `ind` axes: shape[ind:] + shape[:ind].
 * Throws ShapeError unless both have as many elements.
 */
export function tensorinv(a: Tensor, ind = 2): Tensor {
  const { shape } = nodeOf('tensorinv', a);
  if (!Number.isInteger(ind) || ind < 1)
    throw new ArgumentError(`[tensorinv] ind is ${String(ind)} (expected 1 or more)`);
  const [to, from] = [shape.slice(0, ind), shape.slice(ind)];
  const n = product(to);
  if (n !== product(from)) {
    throw new ShapeError(`[tensorinv] not square: ${showShape(to)} and ${showShape(from)} (expected as many elements)`);
  }
  return reshape(inv(reshape(a, [n, n])), [...from, ...to]);
}

/** X with tensordot(A, X, X.ndim) = B; `dims` of A are moved to its end first. The axes of A behind those of B are those of X. */
export function tensorsolve(a: Tensor, b: Tensor, dims: readonly number[] = []): Tensor {
  const rank = nodeOf('tensorsolve', a).shape.length;
  const last = dims.map((d) => (d < 0 ? d + rank : d));
  const order = Array.from({ length: rank }, (_, i) => i).filter((i) => !last.includes(i));
  const moved = permute(a, [...order, ...last]);
  const shape = moved.shape.slice(nodeOf('tensorsolve', b).shape.length);
  const n = product(b.shape);
  if (n !== product(shape) || n * n !== product(a.shape)) {
    throw new ShapeError(`[tensorsolve] not square: ${showShape(a.shape)} for ${showShape(b.shape)}`);
  }
  return reshape(solve(reshape(moved, [n, n]), reshape(b, [n])), shape);
}

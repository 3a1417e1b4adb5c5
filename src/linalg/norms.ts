import { ArgumentError, DTypeError, ShapeError, showShape, sizeOf } from '../graph/index.js';
import {
  abs,
  amax,
  amin,
  div,
  norm as lengthOf,
  movedim,
  mul,
  sum,
  type Tensor,
  unsqueeze,
  where,
} from '../tensor/index.js';
import { nodeOf } from '../tensor/internal.js';
import { checkMatrix, checkSquare } from './matrices.js';
import { areSingular, inv } from './solving.js';
import { svdvals } from './svd.js';

/** Of matrices: Frobenius' and the nuclear norm; by singular values (2, -2), columns (1, -1) or rows (Infinity, -Infinity). */
export type MatrixOrder = 'fro' | 'nuc' | 1 | -1 | 2 | -2 | number;

export interface NormDimOptions {
  /** Keeps the axes, of length 1 (false). */
  keepDim?: boolean;
}

function checkFloat(op: string, x: Tensor): void {
  const { dtype } = nodeOf(op, x);
  if (dtype !== 'f32') throw new DTypeError(`[${op}] dtype not allowed: ${dtype} (expected f32)`);
}

/** The p-norm of all elements, or along axes: any number, 0 (how many are not zero), Infinity or -Infinity. */
export function vectorNorm(
  x: Tensor,
  ord = 2,
  dim?: number | readonly number[] | null,
  options: NormDimOptions = {},
): Tensor {
  checkFloat('vectorNorm', x);
  if (typeof ord !== 'number' || Number.isNaN(ord)) {
    throw new ArgumentError(`[vectorNorm] ord is ${String(ord)} (expected a number)`);
  }
  const result = lengthOf(x, ord, dim ?? undefined, options);
  // No number is the largest or the smallest of none.
  if ((ord < 0 || ord === Infinity) && sizeOf(result.shape) > 0 && sizeOf(x.shape) === 0) {
    throw new ShapeError(`[vectorNorm] no elements: ${showShape(x.shape)}, ord ${ord} (expected one or more)`);
  }
  return result;
}

/** Norms of the matrices in the two axes `dim`: see `MatrixOrder`. */
export function matrixNorm(
  x: Tensor,
  ord: MatrixOrder = 'fro',
  dim: readonly [number, number] = [-2, -1],
  { keepDim = false }: NormDimOptions = {},
): Tensor {
  const op = 'matrixNorm';
  checkMatrix(op, x);
  const axes = Array.isArray(dim) ? dim.map((d: number) => (d < 0 ? d + x.ndim : d)) : [];
  const outside = axes.some((d) => !Number.isInteger(d) || d < 0 || d >= x.ndim);
  if (axes.length !== 2 || outside || axes[0] === axes[1]) {
    throw new ShapeError(`[${op}] dim is ${String(dim)} (expected two axes of ${showShape(x.shape)})`);
  }
  if (!['fro', 'nuc', 1, -1, 2, -2, Infinity, -Infinity].includes(ord)) {
    throw new ArgumentError(`[${op}] ord is ${String(ord)} (expected fro, nuc, ±1, ±2 or ±Infinity)`);
  }
  const result = normOf(movedim(x, axes, [-2, -1]), ord);
  if (!keepDim) return result;
  return [...axes].sort((a, b) => a - b).reduce((y, axis) => unsqueeze(y, axis), result);
}

function normOf(x: Tensor, ord: MatrixOrder): Tensor {
  if (ord === 'fro') return lengthOf(x, 2, [-2, -1]);
  if (ord === 'nuc') return sum(svdvals(x), -1);
  const sizes = Math.abs(ord) === 2 ? svdvals(x) : sum(abs(x), Math.abs(ord) === 1 ? -2 : -1);
  if (sizes.shape.at(-1) === 0) throw new ShapeError(`[matrixNorm] no elements: ${showShape(x.shape)}, ord ${ord}`);
  return ord > 0 ? amax(sizes, -1) : amin(sizes, -1);
}

/**
 * A vector's or a matrix's norm. Without `ord` the 2-norm of all elements (or along `dim`). With it, by `dim`: one axis for vectors, two for
 * matrices; without `dim`, x is one of either. See `vectorNorm` and `matrixNorm`.
 */
export function norm(
  x: Tensor,
  ord?: MatrixOrder | null,
  dim?: number | readonly number[] | null,
  options: NormDimOptions = {},
): Tensor {
  const op = 'norm';
  checkFloat(op, x);
  if (ord === undefined || ord === null) return lengthOf(x, 2, dim ?? undefined, options);
  const axes = typeof dim === 'number' ? [dim] : (dim ?? Array.from({ length: x.ndim }, (_, i) => i));
  if (axes.length !== 1 && axes.length !== 2) {
    throw new ShapeError(`[${op}] ${axes.length} axes of ${showShape(x.shape)} with ord (expected one or two)`);
  }
  if (axes.length === 2) return matrixNorm(x, ord, axes as [number, number], options);
  if (typeof ord !== 'number') throw new ArgumentError(`[${op}] ord is ${ord} for vectors (expected a number)`);
  return vectorNorm(x, ord, axes, options);
}

/**
 * The condition number of matrices: the largest singular value over the smallest (`p` null, or 2), its reciprocal (-2), or in another norm of
 * square ones, |A| |A^-1|. Infinity where singular.
 */
export function cond(x: Tensor, p: MatrixOrder | null = null): Tensor {
  const op = 'cond';
  checkMatrix(op, x);
  if (p === null || Math.abs(p as number) === 2) {
    const s = svdvals(x);
    if (s.shape.at(-1) === 0) throw new ShapeError(`[${op}] no elements: ${showShape(x.shape)}`);
    const [largest, least] = [amax(s, -1), amin(s, -1)];
    return p === -2 ? div(least, largest) : div(largest, least);
  }
  checkSquare(op, x);
  const value = mul(matrixNorm(x, p), matrixNorm(inv(x), p));
  return where(areSingular(x), Infinity, value);
}

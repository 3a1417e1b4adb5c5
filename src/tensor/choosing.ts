import { ArgumentError, binary, iota, ShapeError, unary, where as whereNode } from '../graph/index.js';
import {
  checkInteger,
  commonDType,
  commonShape,
  firstTensor,
  isTensor,
  nodeOf,
  operandNode,
  requireDType,
  type TensorLike,
} from './operands.js';
import type { Tensor } from './tensor.js';

/**
 * `a` where the condition holds and `b` elsewhere; all three broadcast. Two plain numbers give f32.
 * Throws DTypeError when the condition is not bool, ShapeError when the shapes do not broadcast.
 */
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
  requireDType('where', nodeOf('where', condition).dtype, ['bool']);
  const operands = [condition, a, b];
  firstTensor('where', operands);
  const dtype = isTensor(a) || isTensor(b) ? commonDType([a, b]) : 'f32';
  const shape = commonShape('where', operands);
  return condition.derive(
    whereNode(
      operandNode('where', condition, 'bool', shape),
      operandNode('where', a, dtype, shape),
      operandNode('where', b, dtype, shape),
    ),
  );
}

/**
 * Limits every element to min..max; either may be null. NaN stays NaN, and a NaN bound gives NaN. The gradient passes where the
 * element is within the bounds, at the bounds too. Throws ArgumentError when both bounds are missing.
 */
export function clamp(x: Tensor, min?: TensorLike | null, max?: TensorLike | null): Tensor {
  if ((min ?? null) === null && (max ?? null) === null) {
    throw new ArgumentError('[clamp] no bounds given (expected min, max or both)');
  }
  return bounded(bounded(x, min ?? null, 'lower'), max ?? null, 'upper');
}

function bounded(x: Tensor, bound: TensorLike | null, side: 'lower' | 'upper'): Tensor {
  if (bound === null) return x;
  const like = firstTensor('clamp', [x, bound]);
  const dtype = commonDType([x, bound]);
  const shape = commonShape('clamp', [x, bound]);
  const value = operandNode('clamp', x, dtype, shape);
  const limit = operandNode('clamp', bound, dtype, shape);
  let outside = side === 'lower' ? binary('lt', value, limit) : binary('lt', limit, value);
  const mayBeNaN = dtype === 'f32' && (typeof bound !== 'number' || Number.isNaN(bound));
  if (mayBeNaN) outside = binary('or', outside, unary('isnan', limit));
  return like.derive(whereNode(outside, limit, value));
}

/**
 * The lower triangle of the last two axes, zeros above the diagonal `diagonal` (0 is the main one, positive above it).
 * Throws ShapeError below rank 2.
 */
export function tril(x: Tensor, diagonal = 0): Tensor {
  return triangle('tril', x, diagonal);
}

/**
 * The upper triangle of the last two axes, zeros below the diagonal `diagonal` (0 is the main one, positive above it).
 * Throws ShapeError below rank 2.
 */
export function triu(x: Tensor, diagonal = 0): Tensor {
  return triangle('triu', x, diagonal);
}

function triangle(op: 'tril' | 'triu', x: Tensor, diagonal: number): Tensor {
  const { shape, dtype } = nodeOf(op, x);
  const rank = shape.length;
  if (rank < 2) throw new ShapeError(`[${op}] rank is ${rank} (expected 2 or more)`);
  checkInteger(op, 'diagonal', diagonal);
  const columns = iota(shape, rank - 1);
  const limit = binary('add', iota(shape, rank - 2), operandNode(op, diagonal, 'i32', shape));
  const kept = op === 'tril' ? binary('le', columns, limit) : binary('le', limit, columns);
  return x.derive(whereNode(kept, x.node, operandNode(op, 0, dtype, shape)));
}

import { ArgumentError, binary, isFloat, unary, where as whereNode } from '../graph/index.js';
import { nonzero } from './dataDependent.js';
import {
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
 * Without `a` and `b`, where the condition is not zero: `nonzero(condition, { asTuple: true })`.
 * Throws DTypeError when the condition is not bool, ShapeError when the shapes do not broadcast.
 */
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor;
export function where(condition: Tensor): Promise<Tensor[]>;
export function where(condition: Tensor, a?: TensorLike, b?: TensorLike): Tensor | Promise<Tensor[]> {
  if (a === undefined && b === undefined) return nonzero(condition, { asTuple: true });
  return chosen(condition, a!, b!);
}

function chosen(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
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
  const mayBeNaN = isFloat(dtype) && (typeof bound !== 'number' || Number.isNaN(bound));
  if (mayBeNaN) outside = binary('or', outside, unary('isnan', limit));
  return like.derive(whereNode(outside, limit, value));
}

import {
  ArgumentError,
  cast,
  concat as concatNode,
  type DType,
  normalizeAxis,
  promote,
  reshape,
  ShapeError,
  sameShape,
  showShape,
} from '../graph/index.js';
import { nodeOf } from './operands.js';
import type { Tensor } from './tensor.js';

function joinable(op: string, tensors: readonly Tensor[]): DType {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw new ArgumentError(`[${op}] no tensors given (expected a list of at least one)`);
  }
  return tensors.map((x: Tensor) => nodeOf(op, x).dtype).reduce(promote);
}

/**
 * Joins tensors along an axis; dtypes promote. Throws ShapeError when ranks or other axes differ.
 */
export function concat(tensors: readonly Tensor[], dim = 0): Tensor {
  const dtype = joinable('concat', tensors);
  const first = tensors[0]!;
  const axis = normalizeAxis('concat', dim, first.ndim);
  return first.derive(
    concatNode(
      tensors.map((x) => cast(x.node, dtype)),
      axis,
    ),
  );
}

/** PyTorch's name of `concat`. */
export const cat: typeof concat = concat;

/** Joins tensors of one shape along a new axis; dtypes promote. Throws ShapeError when shapes differ. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  const dtype = joinable('stack', tensors);
  const first = tensors[0]!;
  const axis = normalizeAxis('stack', dim, first.ndim + 1);
  const other = tensors.find((x) => !sameShape(x.shape, first.shape));
  if (other) throw new ShapeError(`[stack] shapes differ: ${showShape(first.shape)} and ${showShape(other.shape)}`);
  const shape = [...first.shape.slice(0, axis), 1, ...first.shape.slice(axis)];
  return first.derive(
    concatNode(
      tensors.map((x) => reshape(cast(x.node, dtype), shape)),
      axis,
    ),
  );
}

import { type DType, isFloat, roundToDType } from './dtype.js';
import { DTypeError, ShapeError } from './errors.js';
import { expand, reshape } from './movement.js';
import { type LeafSource, makeNode, type Node, type ScalarSource } from './node.js';
import { checkShape, type Shape } from './shape.js';

/** A node that reads stored data. */
export function leaf(source: LeafSource, requiresGrad = false): Node<'leaf'> {
  if (requiresGrad && !isFloat(source.dtype)) {
    throw new DTypeError(`[requiresGrad] only floating tensors have gradients: ${source.dtype} (expected f32 or f16)`);
  }
  return makeNode('leaf', [], { source }, source.shape, source.dtype, requiresGrad);
}

/** A baked number of shape [], rounded to the dtype. It takes part in folding and in the structural key. */
export function constant(value: number, dtype: DType): Node<'const'> {
  return makeNode('const', [], { value: roundToDType(value, dtype) }, [], dtype);
}

/** A baked number repeated to a shape. */
export function full(shape: Shape, value: number, dtype: DType): Node {
  return broadcastScalar(constant(value, dtype), shape);
}

/** Repeats a node of shape [] to any shape. */
export function broadcastScalar(node: Node, shape: Shape): Node {
  return shape.length === 0 ? node : expand(reshape(node, new Array<number>(shape.length).fill(1)), shape);
}

/** A runtime number of shape []. */
export function scalarNode(source: ScalarSource): Node<'scalar'> {
  return makeNode('scalar', [], { source }, [], source.dtype);
}

/** i32 index along one axis. */
export function iota(shape: Shape, axis: number): Node<'iota'> {
  checkShape('iota', shape);
  if (axis < 0 || axis >= shape.length)
    throw new ShapeError(`[iota] axis out of range: ${axis} (rank ${shape.length})`);
  return makeNode('iota', [], { axis }, shape, 'i32');
}

/** u32 random words: word i is threefry2x32(key0, key1) at counter i. */
export function randomBits(key0: Node, key1: Node, shape: Shape): Node<'randomBits'> {
  for (const key of [key0, key1]) {
    if (key.dtype !== 'u32' || key.shape.length !== 0) {
      throw new DTypeError(
        `[randomBits] keys are u32 scalars: ${key.dtype} of rank ${key.shape.length} (expected u32 of rank 0)`,
      );
    }
  }
  return makeNode('randomBits', [key0, key1], {}, checkShape('randomBits', shape), 'u32');
}

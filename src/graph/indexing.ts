import { DTypeError, ShapeError } from './errors.js';
import { makeNode, type Node } from './node.js';
import { showShape } from './shape.js';

/** Picks elements along one axis by an i32 index tensor of the same rank (PyTorch's gather). Out of range gives NaN for f32, 0 else. */
export function gather(x: Node, index: Node, axis: number): Node<'gather'> {
  if (index.dtype !== 'i32') throw new DTypeError(`[gather] index is ${index.dtype} (expected i32)`);
  if (index.shape.length !== x.shape.length || !(axis >= 0 && axis < x.shape.length)) {
    throw new ShapeError(
      `[gather] ranks do not fit: ${showShape(x.shape)}, index ${showShape(index.shape)}, axis ${axis}`,
    );
  }
  if (index.shape.some((d, i) => i !== axis && d > x.shape[i]!)) {
    throw new ShapeError(
      `[gather] index ${showShape(index.shape)} is larger than ${showShape(x.shape)} off axis ${axis}`,
    );
  }
  return makeNode('gather', [x, index], { axis }, index.shape, x.dtype);
}

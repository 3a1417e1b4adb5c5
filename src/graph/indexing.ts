import { isPacked } from './dtype.js';
import { narrowed, widened } from './elementwise.js';
import { DTypeError, ShapeError } from './errors.js';
import { makeNode, type Node, type ScatterFn } from './node.js';
import { sameShape, showShape } from './shape.js';

/** Picks elements along one axis by an i32 index tensor of the same rank (PyTorch's gather). Out of range gives NaN for floats, 0 else. */
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

/** Puts updates at the places along one axis that an i32 index tensor names; index and updates have one shape, of x's rank. Out of range is dropped. */
export function scatter(fn: ScatterFn, x: Node, index: Node, updates: Node, axis: number): Node {
  if (index.dtype !== 'i32') throw new DTypeError(`[scatter] index is ${index.dtype} (expected i32)`);
  if (updates.dtype !== x.dtype) {
    throw new DTypeError(`[scatter] dtypes differ: ${x.dtype} and updates ${updates.dtype} (cast first)`);
  }
  if (fn === 'add' && x.dtype === 'bool') throw new DTypeError('[scatter] bool cannot be added (cast first)');
  if (!sameShape(index.shape, updates.shape)) {
    throw new ShapeError(
      `[scatter] index and updates differ: ${showShape(index.shape)} and ${showShape(updates.shape)} (expected one shape)`,
    );
  }
  if (index.shape.length !== x.shape.length || !(axis >= 0 && axis < x.shape.length)) {
    throw new ShapeError(
      `[scatter] ranks do not fit: ${showShape(x.shape)}, index ${showShape(index.shape)}, axis ${axis}`,
    );
  }
  if (index.shape.some((d, i) => i !== axis && d > x.shape[i]!)) {
    throw new ShapeError(
      `[scatter] index ${showShape(index.shape)} is larger than ${showShape(x.shape)} off axis ${axis}`,
    );
  }
  if (isPacked(x.dtype)) return narrowed(scatter(fn, widened(x), index, widened(updates), axis), x.dtype);
  return makeNode('scatter', [x, index, updates], { fn, axis }, x.shape, x.dtype);
}

import { isPacked } from './dtype.js';
import { narrowed, widened } from './elementwise.js';
import { DTypeError, ShapeError } from './errors.js';
import { type CumulativeFn, makeNode, type Node } from './node.js';

function checkAxis(op: string, axis: number, rank: number): void {
  if (!(axis >= 0 && axis < rank)) throw new ShapeError(`[${op}] axis out of range: ${axis} (rank ${rank})`);
}

/** Running sum, product, maximum or minimum along an axis. */
export function cumulative(fn: CumulativeFn, x: Node, axis: number): Node {
  if (x.dtype === 'bool') throw new DTypeError(`[cumulative] dtype not allowed: bool (expected f32, i32, u32)`);
  checkAxis('cumulative', axis, x.shape.length);
  if (isPacked(x.dtype)) return narrowed(cumulative(fn, widened(x), axis), x.dtype);
  return makeNode('cumulative', [x], { fn, axis }, x.shape, x.dtype);
}

/** i32 positions along an axis in ascending (or descending) order of the values; equal values keep their order, NaN is the largest. */
export function argsort(x: Node, axis: number, descending = false): Node {
  checkAxis('argsort', axis, x.shape.length);
  if (isPacked(x.dtype)) return argsort(widened(x), axis, descending);
  return makeNode('argsort', [x], { axis, descending }, x.shape, 'i32');
}

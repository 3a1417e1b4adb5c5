import { type DType, isPacked, rangeOf, type WordDType, wideDType } from './dtype.js';
import { narrowed, widened } from './elementwise.js';
import { DTypeError, ShapeError } from './errors.js';
import { makeNode, type Node, type ReduceFn } from './node.js';
import { type Shape, showShape } from './shape.js';

const DTYPES_OF: Record<ReduceFn, readonly WordDType[]> = {
  sum: ['f32', 'i32', 'u32'],
  prod: ['f32', 'i32', 'u32'],
  max: ['f32', 'i32', 'u32', 'bool'],
  min: ['f32', 'i32', 'u32', 'bool'],
  argmax: ['f32', 'i32', 'u32', 'bool'],
  argmin: ['f32', 'i32', 'u32', 'bool'],
};

/** Value of a reduction over no elements; max and min have -inf/+inf or the dtype's extreme, argmax and argmin none. */
export function reduceIdentity(fn: ReduceFn, dtype: DType): number {
  switch (fn) {
    case 'sum':
      return 0;
    case 'prod':
      return 1;
    case 'max':
    case 'argmax':
      return rangeOf(dtype)[0];
    case 'min':
    case 'argmin':
      return rangeOf(dtype)[1];
  }
}

/** Reduces axes, which stay with size 1. Zero-size reductions give the identity; argmax and argmin refuse them. */
export function reduce(fn: ReduceFn, x: Node, axes: readonly number[]): Node {
  if (!DTYPES_OF[fn].includes(wideDType(x.dtype))) {
    throw new DTypeError(`[${fn}] dtype not allowed: ${x.dtype} (expected ${DTYPES_OF[fn].join(', ')})`);
  }
  for (const a of axes) {
    if (!(a >= 0 && a < x.shape.length))
      throw new ShapeError(`[${fn}] axis out of range: ${a} (rank ${x.shape.length})`);
  }
  const arg = fn === 'argmax' || fn === 'argmin';
  if (arg) {
    if (axes.length !== 1) throw new ShapeError(`[${fn}] takes one axis: [${axes.join(', ')}]`);
    if (x.shape[axes[0]!] === 0) throw new ShapeError(`[${fn}] axis ${axes[0]} of ${showShape(x.shape)} is empty`);
  } else if (axes.length === 0) {
    return x;
  }
  if (isPacked(x.dtype)) {
    const result = reduce(fn, widened(x), axes);
    return arg ? result : narrowed(result, x.dtype);
  }
  return makeNode('reduce', [x], { fn, axes: [...axes] }, reducedShape(x.shape, axes), arg ? 'i32' : x.dtype);
}

/** The shape after reducing, with the reduced axes kept as 1. */
export function reducedShape(shape: Shape, axes: readonly number[]): number[] {
  return shape.map((d, i) => (axes.includes(i) ? 1 : d));
}

import { rowMajorStrides, type Shape, sizeOf, type TypedArray } from '../../graph/index.js';

/** Where the elements of an index space lie: index i at data[offset + sum of i[axis] * strides[axis]]. */
export interface View {
  readonly data: TypedArray;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** All elements of a row-major array. */
export const dense = (data: TypedArray, shape: Shape): View => ({ data, offset: 0, strides: rowMajorStrides(shape) });

interface Axis {
  size: number;
  from: number;
  to: number;
}

/** Fewer and longer axes of the same index space. */
function mergeAxes(shape: Shape, from: View, to: View): Axis[] {
  const axes: Axis[] = [];
  shape.forEach((size, i) => {
    if (size === 1) return;
    const axis = { size, from: from.strides[i]!, to: to.strides[i]! };
    const outer = axes[axes.length - 1];
    if (outer && outer.from === axis.from * size && outer.to === axis.to * size) {
      axes[axes.length - 1] = { ...axis, size: outer.size * size };
    } else {
      axes.push(axis);
    }
  });
  return axes.length > 0 ? axes : [{ size: 1, from: 0, to: 0 }];
}

/** Copies the elements of one view to another, over the index space `shape`. The data are of one dtype and do not overlap. */
export function copyView(shape: Shape, from: View, to: View): void {
  if (sizeOf(shape) === 0) return;
  const axes = mergeAxes(shape, from, to);
  const inner = axes.pop()!;
  const index = new Array<number>(axes.length).fill(0);
  let { offset: source } = from;
  let { offset: target } = to;
  for (let rows = axes.reduce((n, { size }) => n * size, 1); rows > 0; rows--) {
    copyRow(inner, from.data, source, to.data, target);
    for (let i = axes.length - 1; i >= 0; i--) {
      const axis = axes[i]!;
      source += axis.from;
      target += axis.to;
      if (++index[i]! < axis.size) break;
      index[i] = 0;
      source -= axis.from * axis.size;
      target -= axis.to * axis.size;
    }
  }
}

function copyRow({ size, from, to }: Axis, source: TypedArray, at: number, target: TypedArray, start: number): void {
  if (to === 1 && from === 1 && size > 16) {
    target.set(source.subarray(at, at + size), start);
  } else if (to === 1 && from === 0) {
    target.fill(source[at]!, start, start + size);
  } else {
    for (let i = 0, s = at, t = start; i < size; i++, s += from, t += to) target[t] = source[s]!;
  }
}

/** For every index of `shape` in row-major order: the sum of index * stride. */
export function offsetsOf(shape: Shape, strides: readonly number[]): Uint32Array {
  let offsets = new Uint32Array(sizeOf(shape) === 0 ? 0 : 1);
  shape.forEach((size, axis) => {
    if (offsets.length === 0) return;
    const longer = new Uint32Array(offsets.length * size);
    for (let i = 0, at = 0; i < offsets.length; i++) {
      for (let k = 0; k < size; k++) longer[at++] = offsets[i]! + k * strides[axis]!;
    }
    offsets = longer;
  });
  return offsets;
}

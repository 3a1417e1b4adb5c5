import { ShapeError } from './errors.js';

export type Shape = readonly number[];

/** Number of elements; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/** Row-major strides in elements. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let s = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = s;
    s *= shape[i]!;
  }
  return strides;
}

/** Checks that a shape from a user is a list of non-negative integers whose size fits 32-bit indices. */
export function checkShape(op: string, shape: Shape): Shape {
  for (const d of shape) {
    if (!Number.isInteger(d) || d < 0) {
      throw new ShapeError(`[${op}] invalid shape: ${showShape(shape)} (dimensions are non-negative integers)`);
    }
  }
  if (sizeOf(shape) > 2 ** 31) {
    throw new ShapeError(`[${op}] too many elements: ${showShape(shape)} has ${sizeOf(shape)} (at most 2^31)`);
  }
  return shape;
}

/** Turns an axis, possibly negative, into 0..rank-1. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || a < 0 || a >= rank) {
    throw new ShapeError(
      `[${op}] axis out of range: ${axis} (rank ${rank}${rank > 0 ? `, expected -${rank}..${rank - 1}` : ''})`,
    );
  }
  return a;
}

/** Normalises a list of axes; throws when one repeats. `undefined` means all axes. */
export function normalizeAxes(op: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof axes === 'number' ? [axes] : axes).map((a) => normalizeAxis(op, a, rank));
  if (new Set(list).size !== list.length) {
    throw new ShapeError(`[${op}] axis repeated: [${list.join(', ')}] (each axis at most once)`);
  }
  return list.sort((a, b) => a - b);
}

/** NumPy's broadcasting rule. */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const da = a[a.length - rank + i] ?? 1;
    const db = b[b.length - rank + i] ?? 1;
    if (da !== db && da !== 1 && db !== 1) {
      throw new ShapeError(
        `[${op}] shapes do not broadcast: ${showShape(a)} and ${showShape(b)} (${da} against ${db})`,
      );
    }
    out[i] = da === 1 ? db : da;
  }
  return out;
}

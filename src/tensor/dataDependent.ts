// Operations whose results have a shape that depends on data: they read it, and so give promises.
import { hostStorage, readNode } from '../compile/index.js';
import {
  ArgumentError,
  argsort,
  binary,
  broadcastShapes,
  broadcastTo,
  cast,
  concat,
  cumulative,
  type DType,
  full,
  gather,
  leaf,
  type Node,
  normalizeAxis,
  pad,
  reshape,
  type Shape,
  ShapeError,
  sameShape,
  scatter,
  showShape,
  sizeOf,
  type TypedArray,
  where,
} from '../graph/index.js';
import { gatherSlices, moveAxis, sliceAxis } from './axis.js';
import { addedUp } from './bins.js';
import { maskPositions } from './maskPositions.js';
import { asFloat, asIndex, checkInteger, nodeOf, requireDType, valueNode } from './operands.js';
import type { Tensor } from './tensor.js';
import { refuseInTransforms } from './tracing.js';

/** Asks for a result of a fixed size, at once: what is more is cut off, what is missing is `fillValue`. Works inside transforms. */
export interface Sized {
  size: number;
  fillValue?: number;
}

interface Unsized {
  size?: undefined;
}

const stored = (like: Tensor, data: TypedArray, shape: Shape, dtype: DType): Tensor =>
  like.derive(leaf(hostStorage(data, shape, dtype)));

/** The places in row-major order at which a mask holds, once it is computed. */
async function placesOf(mask: Node): Promise<Int32Array> {
  const values = await readNode(mask);
  const places: number[] = [];
  values.forEach((value: number, i: number) => {
    if (value !== 0) places.push(i);
  });
  return Int32Array.from(places);
}

export interface NonzeroOptions extends Unsized {
  /** One vector for each axis, which are indices for `at`, instead of one row for each place (false). */
  asTuple?: boolean;
}

/**
 * The places of the elements that are not zero (NaN is not), in row-major order: i32 [count, axes], or with `{ asTuple: true }` a vector of
 * each axis. The count depends on data, so this reads x; with `{ size }` it does not, and missing places are -1 (or `fillValue`).
 */
export function nonzero(x: Tensor, options: { asTuple: true } & Sized): Tensor[];
export function nonzero(x: Tensor, options: { asTuple?: false } & Sized): Tensor;
export function nonzero(x: Tensor, options: { asTuple: true } & Unsized): Promise<Tensor[]>;
export function nonzero(x: Tensor, options?: { asTuple?: false } & Unsized): Promise<Tensor>;
export function nonzero(
  x: Tensor,
  options: { asTuple?: boolean; size?: number; fillValue?: number } = {},
): Tensor | Tensor[] | Promise<Tensor | Tensor[]> {
  const mask = cast(nodeOf('nonzero', x), 'bool');
  const { shape } = mask;
  const { size, asTuple } = options;
  if (size !== undefined) {
    checkInteger('nonzero', 'size', size, 0);
    const vectors = maskPositions(mask, size, options.fillValue ?? -1);
    if (asTuple) return vectors.map((vector) => x.derive(vector));
    if (vectors.length === 0) return x.derive(full([size, 0], 0, 'i32'));
    return x.derive(
      concat(
        vectors.map((vector) => reshape(vector, [size, 1])),
        1,
      ),
    );
  }
  refuseInTransforms('nonzero');
  return placesOf(mask).then((places) => {
    let stride = sizeOf(shape);
    const vectors = shape.map((length) => {
      stride /= length || 1;
      const by = stride;
      return places.map((place) => Math.floor(place / by) % length);
    });
    const count = places.length;
    if (asTuple) return vectors.map((vector) => stored(x, vector, [count], 'i32'));
    const rows = new Int32Array(count * shape.length);
    vectors.forEach((vector, axis) => {
      vector.forEach((value, i) => {
        rows[i * shape.length + axis] = value;
      });
    });
    return stored(x, rows, [count, shape.length], 'i32');
  });
}

/** The same as `nonzero`. */
export const argwhere = (x: Tensor): Promise<Tensor> => nonzero(x);

/**
 * The elements where a bool mask holds, as a vector in row-major order; the two broadcast. Has a gradient. Their number depends on data, so
 * this reads the mask; with `{ size }` it does not, and missing elements are 0 (or `fillValue`).
 */
export function maskedSelect(x: Tensor, mask: Tensor, options: Sized): Tensor;
export function maskedSelect(x: Tensor, mask: Tensor, options?: Unsized): Promise<Tensor>;
export function maskedSelect(x: Tensor, mask: Tensor, options: Partial<Sized> = {}): Tensor | Promise<Tensor> {
  const op = 'maskedSelect';
  requireDType(op, nodeOf(op, mask).dtype, ['bool']);
  const shape = broadcastShapes(op, nodeOf(op, x).shape, mask.shape);
  const count = sizeOf(shape);
  const flat = reshape(broadcastTo(x.node, shape), [count]);
  const holds = reshape(broadcastTo(mask.node, shape), [count]);
  const { size } = options;
  if (size !== undefined) {
    checkInteger(op, 'size', size, 0);
    const fill = valueNode(op, options.fillValue ?? 0, x.dtype, [size]);
    if (count === 0) return x.derive(fill);
    const [places] = maskPositions(holds, size, -1) as [Node];
    const found = binary('le', full([size], 0, 'i32'), places);
    return x.derive(where(found, gatherSlices(flat, where(found, places, full([size], 0, 'i32')), 0), fill));
  }
  refuseInTransforms(op);
  return placesOf(holds).then((places) => {
    const positions = leaf(hostStorage(places, [places.length], 'i32'));
    return x.derive(gatherSlices(flat, positions, 0));
  });
}

export interface UniqueOptions extends Unsized {
  /** The axis along which whole slices are compared; elements without it. */
  dim?: number;
  /** They come in order always; the option is here for PyTorch's sake. */
  sorted?: boolean;
}

export interface Unique {
  /** The different elements, ascending; or the different slices, in lexicographic order. */
  values: Tensor;
  /** The place in `values` of each element (in x's shape) or slice: i32. */
  inverse: Tensor;
  /** How often each occurs: i32. */
  counts: Tensor;
}

/**
 * The different elements in ascending order, with their counts and each element's place among them. Every NaN counts as different. Their
 * number depends on data, so this reads x; with `{ size }` (elements only) it does not, and missing values and counts are 0 (or `fillValue`,
 * for the values). No gradient.
 */
export function unique(x: Tensor, options: Sized): Unique;
export function unique(x: Tensor, options?: UniqueOptions): Promise<Unique>;
export function unique(x: Tensor, options: Partial<Sized> & { dim?: number } = {}): Unique | Promise<Unique> {
  const { size, dim } = options;
  if (size === undefined) return grouped('unique', x, dim, true);
  if (dim !== undefined) throw new ArgumentError('[unique] size and dim do not go together (expected one of them)');
  return sizedUnique(x, checkInteger('unique', 'size', size, 0), options.fillValue ?? 0);
}

/** As `unique`, but only neighbours are compared, and the order stays: 1, 1, 2, 1 gives 1, 2, 1. */
export function uniqueConsecutive(x: Tensor, options?: { dim?: number }): Promise<Unique> {
  return grouped('uniqueConsecutive', x, options?.dim, false);
}

function grouped(op: string, x: Tensor, dim: number | undefined, sorts: boolean): Promise<Unique> {
  const node = nodeOf(op, x);
  const axis = dim === undefined ? null : normalizeAxis(op, dim, node.shape.length);
  refuseInTransforms(op);
  const first = axis === null ? reshape(node, [sizeOf(node.shape), 1]) : moveAxis(node, axis, 0);
  const count = first.shape[0]!;
  const inner = first.shape.slice(1);
  const width = sizeOf(inner);
  return readNode(first).then((data) => {
    const compare = (a: number, b: number): number => {
      for (let i = 0; i < width; i++) {
        const [p, q] = [data[a * width + i]!, data[b * width + i]!];
        if (p !== q) {
          // NaN goes last.
          if (p < q || (Number.isNaN(q) && !Number.isNaN(p))) return -1;
          return p > q || !Number.isNaN(q) ? 1 : a - b;
        }
      }
      return 0;
    };
    const order = Array.from({ length: count }, (_, i) => i);
    if (sorts) order.sort((a, b) => compare(a, b) || a - b);
    const heads: number[] = [];
    const counts: number[] = [];
    const inverse = new Int32Array(count);
    order.forEach((row, i) => {
      if (i === 0 || compare(order[i - 1]!, row) !== 0) {
        heads.push(row);
        counts.push(0);
      }
      counts[counts.length - 1]!++;
      inverse[row] = heads.length - 1;
    });
    const n = heads.length;
    const values = data.slice(0, n * width);
    heads.forEach((row, i) => {
      values.set(data.subarray(row * width, (row + 1) * width), i * width);
    });
    const rows = leaf(hostStorage(values, axis === null ? [n] : [n, ...inner], node.dtype));
    return {
      values: x.derive(axis === null ? rows : moveAxis(rows, 0, axis)),
      inverse: stored(x, inverse, axis === null ? node.shape : [count], 'i32'),
      counts: stored(x, Int32Array.from(counts), [n], 'i32'),
    };
  });
}

function sizedUnique(x: Tensor, size: number, fillValue: number): Unique {
  const node = nodeOf('unique', x);
  const count = sizeOf(node.shape);
  const fill = valueNode('unique', fillValue, node.dtype, [size]);
  const none = full([size], 0, 'i32');
  if (count === 0)
    return { values: x.derive(fill), inverse: x.derive(full(node.shape, 0, 'i32')), counts: x.derive(none) };
  const flat = reshape(node, [count]);
  const order = argsort(node.dtype === 'bool' ? cast(flat, 'i32') : flat, 0);
  const line = gather(flat, order, 0);
  const differs = binary('ne', sliceAxis(line, 0, 1, count - 1), sliceAxis(line, 0, 0, count - 1));
  const heads = pad(differs, { low: [1], high: [0], value: 1 });
  const group = binary('sub', cumulative('sum', cast(heads, 'i32'), 0), full([count], 1, 'i32'));
  const counts = scatter('add', none, group, full([count], 1, 'i32'), 0);
  const values = scatter('set', fill, where(heads, group, full([count], -1, 'i32')), line, 0);
  const inverse = scatter('set', full([count], 0, 'i32'), order, group, 0);
  return { values: x.derive(values), inverse: x.derive(reshape(inverse, node.shape)), counts: x.derive(counts) };
}

export interface BincountOptions {
  /** At least so many counts (0). */
  minlength?: number;
  /** Exactly so many counts, without reading x; larger elements count nowhere. Works inside transforms. */
  size?: number;
}

/**
 * How often each of 0, 1, 2, … occurs in a vector of integers that are not negative (i32), or the sums of their weights (f32). How many counts
 * there are depends on data, so this reads the largest element; with `{ size }` it does not.
 */
export function bincount(
  x: Tensor,
  weights: Tensor | null | undefined,
  options: BincountOptions & { size: number },
): Tensor;
export function bincount(x: Tensor, weights?: Tensor | null, options?: BincountOptions): Promise<Tensor>;
export function bincount(x: Tensor, weights?: Tensor | null, options: BincountOptions = {}): Tensor | Promise<Tensor> {
  const op = 'bincount';
  const index = asIndex(op, x);
  if (index.shape.length !== 1) throw new ShapeError(`[${op}] rank is ${index.shape.length} (expected a vector)`);
  const weight = weights ? asFloat(op, weights) : null;
  if (weight !== null && !sameShape(weight.shape, index.shape)) {
    throw new ShapeError(`[${op}] weights are ${showShape(weight.shape)} (expected ${showShape(index.shape)})`);
  }
  const least = checkInteger(op, 'minlength', options.minlength ?? 0, 0);
  const counts = (size: number): Tensor => x.derive(addedUp(index, size, weight));
  if (options.size !== undefined) return counts(checkInteger(op, 'size', options.size, 0));
  refuseInTransforms(op);
  return readNode(index).then((data) => {
    const values = data as Int32Array;
    const smallest = values.reduce((a, b) => Math.min(a, b), 0);
    if (smallest < 0) throw new ArgumentError(`[${op}] negative element: ${smallest} (expected 0 or more)`);
    return counts(values.reduce((n, v) => Math.max(n, v + 1), least));
  });
}

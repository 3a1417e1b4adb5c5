import { roundToDType } from './dtype.js';
import { ArgumentError, DTypeError, ShapeError } from './errors.js';
import { makeNode, type Node } from './node.js';
import { checkShape, type Shape, sameShape, showShape, sizeOf } from './shape.js';

/** The same elements in row-major order under another shape. */
export function reshape(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  checkShape('reshape', shape);
  if (sizeOf(shape) !== sizeOf(x.shape)) {
    throw new ShapeError(
      `[reshape] sizes differ: ${showShape(x.shape)} to ${showShape(shape)} (${sizeOf(x.shape)} elements against ${sizeOf(shape)})`,
    );
  }
  return makeNode('reshape', [x], {}, shape, x.dtype);
}

/** Reorders axes: output axis i is input axis order[i]. */
export function permute(x: Node, order: readonly number[]): Node {
  const rank = x.shape.length;
  if (order.length !== rank || new Set(order).size !== rank || order.some((a) => !(a >= 0 && a < rank))) {
    throw new ShapeError(`[permute] not a permutation of ${rank} axes: [${order.join(', ')}]`);
  }
  if (order.every((a, i) => a === i)) return x;
  return makeNode(
    'permute',
    [x],
    { order },
    order.map((a) => x.shape[a]!),
    x.dtype,
  );
}

/** Swaps the last two axes. */
export function transposeLast(x: Node): Node {
  const rank = x.shape.length;
  const order = Array.from({ length: rank }, (_, i) => i);
  order[rank - 1] = rank - 2;
  order[rank - 2] = rank - 1;
  return permute(x, order);
}

/** Repeats axes of size 1. */
export function expand(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  checkShape('expand', shape);
  if (x.shape.length !== shape.length || x.shape.some((d, i) => d !== shape[i] && d !== 1)) {
    throw new ShapeError(
      `[expand] cannot expand ${showShape(x.shape)} to ${showShape(shape)} (only axes of size 1, equal rank)`,
    );
  }
  return makeNode('expand', [x], {}, shape, x.dtype);
}

/** Broadcasts under NumPy's rule: new axes in front, axes of size 1 repeated. */
export function broadcastTo(x: Node, shape: Shape): Node {
  const missing = shape.length - x.shape.length;
  if (missing < 0) throw new ShapeError(`[broadcastTo] rank shrinks: ${showShape(x.shape)} to ${showShape(shape)}`);
  return expand(missing === 0 ? x : reshape(x, [...new Array<number>(missing).fill(1), ...x.shape]), shape);
}

/** Output index i of each axis reads start + i * step; `size` elements an axis. */
export function slice(x: Node, start: readonly number[], size: readonly number[], step?: readonly number[]): Node {
  const steps = step ?? x.shape.map(() => 1);
  x.shape.forEach((d, i) => {
    const last = size[i]! === 0 ? start[i]! : start[i]! + (size[i]! - 1) * steps[i]! + 1;
    if (!(start[i]! >= 0 && size[i]! >= 0 && steps[i]! >= 1 && start[i]! <= d && last <= d)) {
      throw new ShapeError(
        `[slice] axis ${i} out of range: start ${start[i]}, size ${size[i]}, step ${steps[i]} (dimension ${d})`,
      );
    }
  });
  if (sameShape(size, x.shape)) return x;
  return makeNode('slice', [x], { start: [...start], step: steps }, [...size], x.dtype);
}

export interface PadSpec {
  low: readonly number[];
  high: readonly number[];
  interior?: readonly number[];
  value?: number;
}

/** Surrounds (and interleaves, `interior`) the elements with a constant. */
export function pad(x: Node, spec: PadSpec): Node {
  const { low, high } = spec;
  const value = roundToDType(spec.value ?? 0, x.dtype);
  const interior = spec.interior ?? x.shape.map(() => 0);
  const shape = x.shape.map((d, i) => {
    if (!(low[i]! >= 0 && high[i]! >= 0 && interior[i]! >= 0)) {
      throw new ArgumentError(
        `[pad] negative amount on axis ${i}: ${low[i]}, ${high[i]}, ${interior[i]} (slice to crop)`,
      );
    }
    return low[i]! + high[i]! + (d === 0 ? 0 : d + (d - 1) * interior[i]!);
  });
  if (sameShape(shape, x.shape)) return x;
  checkShape('pad', shape);
  return makeNode('pad', [x], { low: [...low], high: [...high], interior, value }, shape, x.dtype);
}

/** Reverses axes. */
export function flip(x: Node, axes: readonly number[]): Node {
  for (const a of axes) {
    if (!(a >= 0 && a < x.shape.length))
      throw new ShapeError(`[flip] axis out of range: ${a} (rank ${x.shape.length})`);
  }
  return axes.length === 0 ? x : makeNode('flip', [x], { axes: [...axes] }, x.shape, x.dtype);
}

/** Joins along an axis. */
export function concat(parts: readonly Node[], axis: number): Node {
  const first = parts[0];
  if (first === undefined) throw new ArgumentError('[concat] no tensors given (expected at least one)');
  let total = 0;
  for (const part of parts) {
    if (part.dtype !== first.dtype)
      throw new DTypeError(`[concat] dtypes differ: ${first.dtype} and ${part.dtype} (cast first)`);
    if (part.shape.length !== first.shape.length || part.shape.some((d, i) => i !== axis && d !== first.shape[i])) {
      throw new ShapeError(
        `[concat] shapes differ off axis ${axis}: ${showShape(first.shape)} and ${showShape(part.shape)}`,
      );
    }
    total += part.shape[axis]!;
  }
  if (parts.length === 1) return first;
  return makeNode(
    'concat',
    parts,
    { axis },
    first.shape.map((d, i) => (i === axis ? total : d)),
    first.dtype,
  );
}

export interface WindowSpec {
  axes: readonly number[];
  size: readonly number[];
  stride: readonly number[];
  dilation: readonly number[];
}

/** Sliding windows: axis -> number of windows, and one trailing axis of the window's size per windowed axis. */
export function window(x: Node, spec: WindowSpec): Node<'window'> {
  const shape = [...x.shape];
  spec.axes.forEach((axis, i) => {
    const span = (spec.size[i]! - 1) * spec.dilation[i]! + 1;
    if (!(spec.size[i]! >= 1 && spec.stride[i]! >= 1 && spec.dilation[i]! >= 1) || span > x.shape[axis]!) {
      throw new ShapeError(
        `[window] size ${spec.size[i]}, stride ${spec.stride[i]}, dilation ${spec.dilation[i]} on axis ${axis} of ${showShape(x.shape)} (window spans ${span})`,
      );
    }
    shape[axis] = Math.floor((x.shape[axis]! - span) / spec.stride[i]!) + 1;
  });
  return makeNode('window', [x], { ...spec }, [...shape, ...spec.size], x.dtype);
}

import {
  ArgumentError,
  broadcastTo as broadcastNode,
  concat,
  flip as flipNode,
  type Node,
  normalizeAxes,
  normalizeAxis,
  pad as padNode,
  permute as permuteNode,
  reshape as reshapeNode,
  type Shape,
  ShapeError,
  showShape,
  sizeOf,
  slice,
} from '../graph/index.js';
import { checkInteger, type Lengths, nodeOf, numberList, shapeOf } from './operands.js';
import type { Tensor } from './tensor.js';

/** Fills in a length of -1 so that the shape has `size` elements. */
function inferLength(op: string, lengths: readonly number[], size: number, from: Shape): number[] {
  const unknown = lengths.indexOf(-1);
  if (unknown === -1) return [...lengths];
  const known = lengths.reduce((n, d, i) => (i === unknown ? n : n * d), 1);
  if (lengths.lastIndexOf(-1) !== unknown) {
    throw new ShapeError(`[${op}] more than one -1: ${showShape(lengths)} (at most one length can be inferred)`);
  }
  if (known === 0 || size % known !== 0) {
    throw new ShapeError(
      `[${op}] length cannot be inferred: ${showShape(from)} to ${showShape(lengths)} (${size} elements)`,
    );
  }
  return lengths.map((d, i) => (i === unknown ? size / known : d));
}

/**
 * The same elements in row-major order under another shape, one length of which may be -1 (inferred).
 * `x.reshape(2, 3)` or `x.reshape([2, 3])`. Throws ShapeError when the sizes differ.
 */
export function reshape(x: Tensor, ...shape: Lengths): Tensor {
  const node = nodeOf('reshape', x);
  return x.derive(
    reshapeNode(node, inferLength('reshape', numberList('reshape', shape), sizeOf(node.shape), node.shape)),
  );
}

/** Joins the axes startDim..endDim (all by default) into one; a single number becomes shape [1]. */
export function flatten(x: Tensor, startDim = 0, endDim = -1): Tensor {
  const node = nodeOf('flatten', x);
  const { shape } = node;
  if (shape.length === 0) return x.derive(reshapeNode(node, [1]));
  const first = normalizeAxis('flatten', startDim, shape.length);
  const last = normalizeAxis('flatten', endDim, shape.length);
  if (first > last) throw new ShapeError(`[flatten] axes in the wrong order: ${startDim} to ${endDim}`);
  const joined = sizeOf(shape.slice(first, last + 1));
  return x.derive(reshapeNode(node, [...shape.slice(0, first), joined, ...shape.slice(last + 1)]));
}

/** Splits an axis into several, one length of which may be -1. Throws ShapeError when they do not multiply to its length. */
export function unflatten(x: Tensor, dim: number, sizes: Shape): Tensor {
  const node = nodeOf('unflatten', x);
  const axis = normalizeAxis('unflatten', dim, node.shape.length);
  const length = node.shape[axis]!;
  const parts = inferLength('unflatten', numberList('unflatten', [sizes]), length, [length]);
  if (sizeOf(parts) !== length) {
    throw new ShapeError(`[unflatten] sizes differ: axis ${dim} of ${showShape(node.shape)} to ${showShape(parts)}`);
  }
  return x.derive(reshapeNode(node, [...node.shape.slice(0, axis), ...parts, ...node.shape.slice(axis + 1)]));
}

/** Drops axes of length 1: all of them, or those named (which stay where they are longer). */
export function squeeze(x: Tensor, dim?: number | readonly number[]): Tensor {
  const node = nodeOf('squeeze', x);
  const axes = normalizeAxes('squeeze', dim, node.shape.length);
  return x.derive(
    reshapeNode(
      node,
      node.shape.filter((d, i) => d !== 1 || !axes.includes(i)),
    ),
  );
}

/** Adds an axis of length 1 before axis `dim`; negative ones count from the back of the result. */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  const node = nodeOf('unsqueeze', x);
  const axis = normalizeAxis('unsqueeze', dim, node.shape.length + 1);
  return x.derive(reshapeNode(node, [...node.shape.slice(0, axis), 1, ...node.shape.slice(axis)]));
}

/** Reorders the axes: `x.permute(0, 2, 1)` or `x.permute([0, 2, 1])`. Throws ShapeError when it is no permutation. */
export function permute(x: Tensor, ...order: Lengths): Tensor {
  const node = nodeOf('permute', x);
  const rank = node.shape.length;
  return x.derive(
    permuteNode(
      node,
      numberList('permute', order).map((axis) => normalizeAxis('permute', axis, rank)),
    ),
  );
}

/** Swaps two axes. */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  const node = nodeOf('transpose', x);
  const rank = node.shape.length;
  const a = normalizeAxis('transpose', dim0, rank);
  const b = normalizeAxis('transpose', dim1, rank);
  return x.derive(
    permuteNode(
      node,
      node.shape.map((_, i) => (i === a ? b : i === b ? a : i)),
    ),
  );
}

/** The transpose of a matrix; vectors and single numbers pass unchanged. Throws ShapeError above rank 2. */
export function t(x: Tensor): Tensor {
  const node = nodeOf('t', x);
  if (node.shape.length > 2) {
    throw new ShapeError(`[t] rank is ${node.shape.length}: ${showShape(node.shape)} (at most 2; see transpose)`);
  }
  return x.derive(node.shape.length === 2 ? permuteNode(node, [1, 0]) : node);
}

/** Repeats axes of length 1, without a copy; -1 keeps a length, and new axes may come in front. */
export function expand(x: Tensor, ...shape: Lengths): Tensor {
  const node = nodeOf('expand', x);
  const wanted = numberList('expand', shape);
  const missing = wanted.length - node.shape.length;
  return x.derive(
    broadcast(
      'expand',
      node,
      wanted.map((d, i) => (d === -1 && i >= missing ? node.shape[i - missing]! : d)),
    ),
  );
}

/** Broadcasts to a shape under NumPy's rule. Throws ShapeError where it does not fit. */
export function broadcastTo(x: Tensor, shape: number | Shape): Tensor {
  return x.derive(broadcast('broadcastTo', nodeOf('broadcastTo', x), shapeOf('broadcastTo', shape)));
}

function broadcast(op: string, node: Node, shape: Shape): Node {
  const missing = shape.length - node.shape.length;
  if (missing < 0 || node.shape.some((d, i) => d !== 1 && d !== shape[i + missing])) {
    throw new ShapeError(
      `[${op}] cannot expand ${showShape(node.shape)} to ${showShape(shape)} (only axes of length 1 repeat)`,
    );
  }
  return broadcastNode(node, shapeOf(op, shape));
}

/** Repeats the whole tensor along each axis; more counts than axes add axes in front. Copies. */
export function repeat(x: Tensor, ...counts: Lengths): Tensor {
  const node = nodeOf('repeat', x);
  const times = numberList('repeat', counts);
  const extra = times.length - node.shape.length;
  if (extra < 0 || times.some((n) => n < 0)) {
    throw new ShapeError(
      `[repeat] counts ${showShape(times)} do not fit ${showShape(node.shape)} (one of 0 or more an axis)`,
    );
  }
  const shape = [...new Array<number>(extra).fill(1), ...node.shape];
  const paired = reshapeNode(
    node,
    shape.flatMap((d) => [1, d]),
  );
  const repeated = broadcastNode(
    paired,
    shape.flatMap((d, i) => [times[i]!, d]),
  );
  return x.derive(
    reshapeNode(
      repeated,
      shape.map((d, i) => d * times[i]!),
    ),
  );
}

/** NumPy's tile: as `repeat`, and axes beyond the counts repeat once. */
export function tile(x: Tensor, ...counts: Lengths): Tensor {
  const times = numberList('tile', counts);
  const missing = Math.max(0, nodeOf('tile', x).shape.length - times.length);
  return repeat(x, [...new Array<number>(missing).fill(1), ...times]);
}

/** Repeats each element along an axis: [a, b] twice is [a, a, b, b]. */
export function repeatInterleave(x: Tensor, count: number, dim: number): Tensor {
  const node = nodeOf('repeatInterleave', x);
  const axis = normalizeAxis('repeatInterleave', dim, node.shape.length);
  checkInteger('repeatInterleave', 'count', count, 0);
  const before = node.shape.slice(0, axis + 1);
  const after = node.shape.slice(axis + 1);
  const repeated = broadcastNode(reshapeNode(node, [...before, 1, ...after]), [...before, count, ...after]);
  return x.derive(
    reshapeNode(
      repeated,
      node.shape.map((d, i) => (i === axis ? d * count : d)),
    ),
  );
}

/** Reverses axes (all by default): `x.flip(0)`, `x.flip([0, 1])`. */
export function flip(x: Tensor, dims?: number | readonly number[]): Tensor {
  const node = nodeOf('flip', x);
  return x.derive(flipNode(node, normalizeAxes('flip', dims, node.shape.length)));
}

/**
 * Shifts elements along axes, from the end back to the start; without `dims`, in row-major order over all.
 * Throws ArgumentError when there is not one shift an axis.
 */
export function roll(x: Tensor, shifts: number | readonly number[], dims?: number | readonly number[]): Tensor {
  let node = nodeOf('roll', x);
  const amounts = numberList('roll', typeof shifts === 'number' ? [shifts] : [shifts]);
  if (dims === undefined) {
    if (amounts.length !== 1) throw new ArgumentError('[roll] several shifts need as many dims');
    return x.derive(reshapeNode(rolled(reshapeNode(node, [sizeOf(node.shape)]), 0, amounts[0]!), node.shape));
  }
  const axes = typeof dims === 'number' ? [dims] : dims;
  if (axes.length !== amounts.length) {
    throw new ArgumentError(`[roll] ${amounts.length} shifts for ${axes.length} dims (expected one an axis)`);
  }
  axes.forEach((dim, i) => {
    node = rolled(node, normalizeAxis('roll', dim, node.shape.length), amounts[i]!);
  });
  return x.derive(node);
}

function rolled(x: Node, axis: number, shift: number): Node {
  const length = x.shape[axis]!;
  const moved = length === 0 ? 0 : ((shift % length) + length) % length;
  if (moved === 0) return x;
  return concat([sliceAxis(x, axis, length - moved, moved), sliceAxis(x, axis, 0, length - moved)], axis);
}

function sliceAxis(x: Node, axis: number, start: number, length: number): Node {
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((d, i) => (i === axis ? length : d)),
  );
}

export interface PadOptions {
  /** What surrounds the elements (0). */
  value?: number;
}

/**
 * Surrounds the elements: `[before, after]` of the last axis, then of the one before it, and so on; negative amounts crop.
 * Throws ArgumentError when the amounts are not in pairs, ShapeError when there are more pairs than axes or a crop leaves less than nothing.
 */
export function pad(x: Tensor, amounts: readonly number[], options?: PadOptions): Tensor {
  const node = nodeOf('pad', x);
  const { shape } = node;
  const rank = shape.length;
  const list = numberList('pad', [amounts]);
  if (list.length % 2 !== 0) {
    throw new ArgumentError(`[pad] odd number of amounts: ${showShape(list)} (expected before and after an axis)`);
  }
  if (list.length / 2 > rank) throw new ShapeError(`[pad] ${list.length / 2} pairs for ${rank} axes`);
  const low = shape.map((_, i) => list[2 * (rank - 1 - i)] ?? 0);
  const high = shape.map((_, i) => list[2 * (rank - 1 - i) + 1] ?? 0);
  shape.forEach((d, i) => {
    if (d + Math.min(low[i]!, 0) + Math.min(high[i]!, 0) < 0) {
      throw new ShapeError(`[pad] crops more than there is: ${low[i]}, ${high[i]} on axis ${i} of ${showShape(shape)}`);
    }
  });
  const cropped = slice(
    node,
    low.map((v) => Math.max(0, -v)),
    shape.map((d, i) => d + Math.min(low[i]!, 0) + Math.min(high[i]!, 0)),
  );
  return x.derive(
    padNode(cropped, {
      low: low.map((v) => Math.max(0, v)),
      high: high.map((v) => Math.max(0, v)),
      value: options?.value ?? 0,
    }),
  );
}

import {
  broadcastTo as broadcastNode,
  type Node,
  normalizeAxes,
  normalizeAxis,
  permute as permuteNode,
  reshape as reshapeNode,
  type Shape,
  ShapeError,
  showShape,
  sizeOf,
  window as windowNode,
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

/** Moves axes to other places; the others keep their order. `x.movedim(0, -1)`, `x.movedim([0, 1], [2, 0])`. */
export function movedim(
  x: Tensor,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor {
  const op = 'movedim';
  const node = nodeOf(op, x);
  const rank = node.shape.length;
  const list = (dims: number | readonly number[]): number[] =>
    (typeof dims === 'number' ? [dims] : dims).map((dim) => normalizeAxis(op, dim, rank));
  const [from, to] = [list(source), list(destination)];
  if (from.length !== to.length || new Set(from).size !== from.length || new Set(to).size !== to.length) {
    throw new ShapeError(`[${op}] axes do not pair: ${showShape(from)} to ${showShape(to)} (each once, as many)`);
  }
  const rest = node.shape.map((_, i) => i).filter((i) => !from.includes(i));
  const order = node.shape.map((_, i) => (to.includes(i) ? from[to.indexOf(i)]! : rest.shift()!));
  return x.derive(permuteNode(node, order));
}

/** NumPy's name of `movedim`. */
export const moveaxis: typeof movedim = movedim;

/** NumPy's name of `transpose`. */
export const swapaxes: typeof transpose = transpose;

/** Another name of `transpose`. */
export const swapdims: typeof transpose = transpose;

/** All elements in row-major order, as a vector. */
export function ravel(x: Tensor): Tensor {
  return reshape(x, -1);
}

/** PyTorch's name of `reshape` where nothing may be copied; here nothing is. */
export const view: typeof reshape = reshape;

/** The same elements in the shape of another tensor. */
export function reshapeAs(x: Tensor, other: Tensor): Tensor {
  return reshape(x, [...nodeOf('reshapeAs', other).shape]);
}

/** The same as `reshapeAs`. */
export const viewAs: typeof reshapeAs = reshapeAs;

/** Repeats axes of length 1 to the shape of another tensor. */
export function expandAs(x: Tensor, other: Tensor): Tensor {
  return expand(x, [...nodeOf('expandAs', other).shape]);
}

/** A single number becomes [1]; everything else stays. */
export function atleast1d(x: Tensor): Tensor {
  return nodeOf('atleast1d', x).shape.length > 0 ? x : reshape(x, 1);
}

/** Rank 2 or more: axes of length 1 in front. */
export function atleast2d(x: Tensor): Tensor {
  const { shape } = nodeOf('atleast2d', x);
  return shape.length > 1 ? x : reshape(x, 1, shape[0] ?? 1);
}

/** Rank 3 or more: a vector becomes [1, n, 1], a matrix [n, m, 1]. */
export function atleast3d(x: Tensor): Tensor {
  const { shape } = nodeOf('atleast3d', x);
  if (shape.length > 2) return x;
  return shape.length === 2 ? reshape(x, [...shape, 1]) : reshape(x, 1, shape[0] ?? 1, 1);
}

/**
 * Windows of `size` elements along an axis, `step` apart: the axis becomes the number of windows, and a last axis holds their elements.
 * A view. (Patches of images are `im2col`.) Throws ShapeError where the window is longer than the axis.
 */
export function unfold(x: Tensor, dim: number, size: number, step: number): Tensor {
  const node = nodeOf('unfold', x);
  const axis = normalizeAxis('unfold', dim, node.shape.length);
  checkInteger('unfold', 'size', size, 1);
  checkInteger('unfold', 'step', step, 1);
  if (size > node.shape[axis]!) {
    throw new ShapeError(`[unfold] size ${size} is more than axis ${axis} of ${showShape(node.shape)}`);
  }
  return x.derive(windowNode(node, { axes: [axis], size: [size], stride: [step], dilation: [1] }));
}

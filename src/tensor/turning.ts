import {
  ArgumentError,
  concat,
  flip as flipNode,
  type Node,
  normalizeAxes,
  normalizeAxis,
  reshape as reshapeNode,
  ShapeError,
  showShape,
  sizeOf,
} from '../graph/index.js';
import { sliceAxis } from './axis.js';
import { transpose } from './movement.js';
import { checkInteger, nodeOf, numberList } from './operands.js';
import type { Tensor } from './tensor.js';

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

/** Reverses the order of columns: axis 1, of rank 2 or more. */
export function fliplr(x: Tensor): Tensor {
  if (nodeOf('fliplr', x).shape.length < 2) throw new ShapeError(`[fliplr] rank is ${x.ndim} (expected 2 or more)`);
  return flip(x, 1);
}

/** Reverses the order of rows: axis 0, of rank 1 or more. */
export function flipud(x: Tensor): Tensor {
  if (nodeOf('flipud', x).shape.length < 1) throw new ShapeError('[flipud] rank is 0 (expected 1 or more)');
  return flip(x, 0);
}

/** Turns the plane of two axes by k quarters, from the first towards the second. */
export function rot90(x: Tensor, k = 1, dims: readonly number[] = [0, 1]): Tensor {
  const op = 'rot90';
  const axes = dims.map((dim) => normalizeAxis(op, dim, nodeOf(op, x).shape.length));
  const [a, b] = axes;
  if (axes.length !== 2 || a === b) throw new ShapeError(`[${op}] dims are ${showShape(dims)} (expected two axes)`);
  const quarters = ((checkInteger(op, 'k', k) % 4) + 4) % 4;
  if (quarters === 0) return x;
  if (quarters === 2) return flip(x, axes);
  const turned = transpose(x, a!, b!);
  return flip(turned, quarters === 1 ? a : b);
}

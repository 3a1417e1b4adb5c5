import {
  binary,
  full,
  iota,
  type Node,
  normalizeAxis,
  pad,
  reduce,
  reshape,
  ShapeError,
  showShape,
  slice,
  where,
} from '../graph/index.js';
import { moveAxis } from './axis.js';
import { asSummable, checkInteger, nodeOf, operandNode, valueNode } from './operands.js';
import type { Tensor } from './tensor.js';

/**
 * The lower triangle of the last two axes, zeros above the diagonal `diagonal` (0 is the main one, positive above it).
 * Throws ShapeError below rank 2.
 */
export function tril(x: Tensor, diagonal = 0): Tensor {
  return triangle('tril', x, diagonal);
}

/**
 * The upper triangle of the last two axes, zeros below the diagonal `diagonal` (0 is the main one, positive above it).
 * Throws ShapeError below rank 2.
 */
export function triu(x: Tensor, diagonal = 0): Tensor {
  return triangle('triu', x, diagonal);
}

function triangle(op: 'tril' | 'triu', x: Tensor, diagonal: number): Tensor {
  const { shape, dtype } = nodeOf(op, x);
  const rank = shape.length;
  if (rank < 2) throw new ShapeError(`[${op}] rank is ${rank} (expected 2 or more)`);
  checkInteger(op, 'diagonal', diagonal);
  const columns = iota(shape, rank - 1);
  const limit = binary('add', iota(shape, rank - 2), operandNode(op, diagonal, 'i32', shape));
  const kept = op === 'tril' ? binary('le', columns, limit) : binary('le', limit, columns);
  return x.derive(where(kept, x.node, operandNode(op, 0, dtype, shape)));
}

/** The two axes of a diagonal, checked. */
function axesOf(op: string, rank: number, dim1: number, dim2: number): [number, number] {
  const [a, b] = [normalizeAxis(op, dim1, rank), normalizeAxis(op, dim2, rank)];
  if (a === b) throw new ShapeError(`[${op}] one axis twice: ${dim1} and ${dim2} (expected two)`);
  return [a, b];
}

/**
 * The diagonal of two axes, as a new last axis: `offset` above the main one (below it where negative). Movement only: nothing is copied
 * and the gradient goes straight back. Throws ShapeError below rank 2.
 */
export function diagonal(x: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor {
  return x.derive(diagonalNode('diagonal', nodeOf('diagonal', x), offset, dim1, dim2));
}

function diagonalNode(op: string, x: Node, offset: number, dim1: number, dim2: number): Node {
  if (x.shape.length < 2) throw new ShapeError(`[${op}] rank is ${x.shape.length} (expected 2 or more)`);
  const [a, b] = axesOf(op, x.shape.length, dim1, dim2);
  checkInteger(op, 'offset', offset);
  const last = x.shape.length - 1;
  // Rows and columns last; then every (k + 1)-th element of the square that the diagonal crosses.
  const moved = moveAxis(moveAxis(x, a, last), b > a ? b - 1 : b, last);
  const lead = moved.shape.slice(0, -2);
  const [rows, columns] = [Math.max(0, -offset), Math.max(0, offset)];
  const k = Math.max(0, Math.min(x.shape[a]! - rows, x.shape[b]! - columns));
  const zeros = lead.map(() => 0);
  const corner = k === 0 ? [0, 0] : [rows, columns];
  const square = slice(moved, [...zeros, ...corner], [...lead, k, k]);
  return slice(reshape(square, [...lead, k * k]), [...zeros, 0], [...lead, k], [...lead.map(() => 1), k + 1]);
}

/** The last axis laid along the diagonal of a new square of axes dim1 and dim2, zeros around it: what `diagonal` undoes. */
export function diagEmbed(x: Tensor, offset = 0, dim1 = -2, dim2 = -1): Tensor {
  return x.derive(embedded('diagEmbed', nodeOf('diagEmbed', x), offset, dim1, dim2));
}

function embedded(op: string, x: Node, offset: number, dim1: number, dim2: number): Node {
  if (x.shape.length === 0) throw new ShapeError(`[${op}] rank is 0 (expected 1 or more)`);
  const [a, b] = axesOf(op, x.shape.length + 1, dim1, dim2);
  checkInteger(op, 'offset', offset);
  const lead = x.shape.slice(0, -1);
  const zeros = lead.map(() => 0);
  const k = x.shape[lead.length]!;
  const flat = pad(x, {
    low: [...zeros, 0],
    high: [...zeros, 0],
    interior: [...zeros, k],
  });
  const [rows, columns] = [Math.max(0, -offset), Math.max(0, offset)];
  const square = pad(reshape(flat, [...lead, k, k]), {
    low: [...zeros, rows, columns],
    high: [...zeros, columns, rows],
  });
  // Rows and columns are last; they go where they are wanted, the earlier one first.
  const last = lead.length + 1;
  return a < b ? moveAxis(moveAxis(square, last - 1, a), last, b) : moveAxis(moveAxis(square, last, b), last, a);
}

/** A square matrix with the elements of a vector on its diagonal, or the diagonal of a matrix. Throws ShapeError for other ranks. */
export function diag(x: Tensor, diagonal = 0): Tensor {
  const node = nodeOf('diag', x);
  const rank = node.shape.length;
  if (rank !== 1 && rank !== 2) throw new ShapeError(`[diag] rank is ${rank} (expected a vector or a matrix)`);
  return x.derive(rank === 1 ? embedded('diag', node, diagonal, 0, 1) : diagonalNode('diag', node, diagonal, 0, 1));
}

/** A square matrix with all elements, in row-major order, on its diagonal. */
export function diagflat(x: Tensor, offset = 0): Tensor {
  const node = nodeOf('diagflat', x);
  const size = node.shape.reduce((n, d) => n * d, 1);
  return x.derive(embedded('diagflat', reshape(node, [size]), offset, 0, 1));
}

/** The sum of a matrix's diagonal; bool counts as i32. */
export function trace(x: Tensor): Tensor {
  const node = nodeOf('trace', x);
  if (node.shape.length !== 2) throw new ShapeError(`[trace] not a matrix: ${showShape(node.shape)}`);
  const line = diagonalNode('trace', asSummable(node), 0, 0, 1);
  return x.derive(reshape(reduce('sum', line, [0]), []));
}

/** A copy of x with other values on a diagonal: what `diagonal` would then give. */
export function diagonalScatter(x: Tensor, src: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor {
  const op = 'diagonalScatter';
  const node = nodeOf(op, x);
  const { shape } = diagonalNode(op, node, offset, dim1, dim2);
  if (showShape(nodeOf(op, src).shape) !== showShape(shape)) {
    throw new ShapeError(`[${op}] src is ${showShape(src.shape)} (expected ${showShape(shape)})`);
  }
  const [a, b] = axesOf(op, node.shape.length, dim1, dim2);
  // Each place looks at the diagonal by its row; where it is not on it, at whatever is there.
  const at = (axis: number): Node => iota(node.shape, axis);
  const on = binary('eq', at(b), binary('add', at(a), full(node.shape, offset, 'i32')));
  const values = embeddedInto(valueNode(op, src, node.dtype, shape), node.shape, offset, a, b);
  return x.derive(where(on, values, node));
}

/** The last axis of x on a diagonal of axes a and b of a shape, which need not be square. */
function embeddedInto(x: Node, shape: readonly number[], offset: number, a: number, b: number): Node {
  const square = embedded('diagonalScatter', x, offset, a, b);
  const kept = slice(
    square,
    shape.map(() => 0),
    shape.map((d, i) => Math.min(d, square.shape[i]!)),
  );
  return pad(kept, { low: shape.map(() => 0), high: shape.map((d, i) => d - kept.shape[i]!) });
}

import {
  broadcastShapes,
  broadcastTo,
  DTypeError,
  type RoutineAttrs,
  routine,
  ShapeError,
  showShape,
} from '../graph/index.js';
import { narrow, type Tensor, transpose } from '../tensor/index.js';
import { nodeOf } from '../tensor/internal.js';

/** Checks that an argument is a matrix of f32, or a batch of them. */
export function checkMatrix(op: string, x: Tensor): Tensor {
  const { shape, dtype } = nodeOf(op, x);
  if (dtype !== 'f32') throw new DTypeError(`[${op}] dtype not allowed: ${dtype} (expected f32)`);
  if (shape.length < 2) throw new ShapeError(`[${op}] not a matrix: ${showShape(shape)} (expected [..., m, n])`);
  return x;
}

/** Checks that an argument is a square matrix of f32, or a batch of them. */
export function checkSquare(op: string, x: Tensor): Tensor {
  const { shape } = checkMatrix(op, x);
  if (shape.at(-1) === shape.at(-2)) return x;
  throw new ShapeError(`[${op}] not square: ${showShape(shape)} (expected [..., n, n])`);
}

/** The size of the last axes: [m, n]. */
export const sizesOf = (x: Tensor): [rows: number, columns: number] => x.shape.slice(-2) as [number, number];

/** Matrices with their last two axes exchanged. */
export const mT = (x: Tensor): Tensor => transpose(x, -1, -2);

export const rowsOf = (x: Tensor, start: number, length: number): Tensor => narrow(x, -2, start, length);
export const columnsOf = (x: Tensor, start: number, length: number): Tensor => narrow(x, -1, start, length);

/** A matrix, repeated over batch dimensions in front. */
export const overBatch = (x: Tensor, batch: readonly number[]): Tensor =>
  x.derive(broadcastTo(x.node, [...batch, ...x.shape.slice(-2)]));

/** Matrices with the batch dimensions that theirs broadcast to. */
export function sameBatch(op: string, ...matrices: Tensor[]): Tensor[] {
  const batch = matrices.map((x) => x.shape.slice(0, -2)).reduce((a, b) => broadcastShapes(op, a, b));
  return matrices.map((x) => overBatch(x, batch));
}

/** Of one routine. Its gradient is the business of who calls it: see `withRule`. */
export const routineOf = (attrs: RoutineAttrs, ...inputs: Tensor[]): Tensor =>
  inputs[0]!.derive(
    routine(
      attrs,
      inputs.map((x) => x.node),
    ),
  );

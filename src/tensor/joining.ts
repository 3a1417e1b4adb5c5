import {
  ArgumentError,
  broadcastTo,
  cast,
  concat as concatNode,
  type DType,
  normalizeAxis,
  pad,
  promote,
  reshape,
  ShapeError,
  sameShape,
  showShape,
} from '../graph/index.js';
import { alongAxis } from './axis.js';
import { atleast1d, atleast2d, atleast3d } from './movement.js';
import { commonShape, nodeOf } from './operands.js';
import type { Tensor } from './tensor.js';

function joinable(op: string, tensors: readonly Tensor[]): DType {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw new ArgumentError(`[${op}] no tensors given (expected a list of at least one)`);
  }
  return tensors.map((x: Tensor) => nodeOf(op, x).dtype).reduce(promote);
}

/**
 * Joins tensors along an axis; dtypes promote. Throws ShapeError when ranks or other axes differ.
 */
export function concat(tensors: readonly Tensor[], dim = 0): Tensor {
  const dtype = joinable('concat', tensors);
  const first = tensors[0]!;
  const axis = normalizeAxis('concat', dim, first.ndim);
  return first.derive(
    concatNode(
      tensors.map((x) => cast(x.node, dtype)),
      axis,
    ),
  );
}

/** PyTorch's name of `concat`. */
export const cat: typeof concat = concat;

/** Joins tensors of one shape along a new axis; dtypes promote. Throws ShapeError when shapes differ. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  const dtype = joinable('stack', tensors);
  const first = tensors[0]!;
  const axis = normalizeAxis('stack', dim, first.ndim + 1);
  const other = tensors.find((x) => !sameShape(x.shape, first.shape));
  if (other) throw new ShapeError(`[stack] shapes differ: ${showShape(first.shape)} and ${showShape(other.shape)}`);
  const shape = [...first.shape.slice(0, axis), 1, ...first.shape.slice(axis)];
  return first.derive(
    concatNode(
      tensors.map((x) => reshape(cast(x.node, dtype), shape)),
      axis,
    ),
  );
}

const joinAll = (op: string, tensors: readonly Tensor[], dim: number, shaped: (x: Tensor) => Tensor): Tensor => {
  joinable(op, tensors);
  const parts = tensors.map(shaped);
  const axis = dim === 1 && parts[0]!.ndim === 1 ? 0 : dim;
  const other = parts.find(
    (x) => x.ndim !== parts[0]!.ndim || x.shape.some((d, i) => i !== axis && d !== parts[0]!.shape[i]),
  );
  if (other) {
    throw new ShapeError(
      `[${op}] shapes differ off axis ${axis}: ${showShape(parts[0]!.shape)} and ${showShape(other.shape)}`,
    );
  }
  return concat(parts, axis);
};

/** Side by side: joins along axis 1, or along axis 0 what are vectors or numbers. */
export function hstack(tensors: readonly Tensor[]): Tensor {
  return joinAll('hstack', tensors, 1, atleast1d);
}

/** One below the other: joins along axis 0 after `atleast2d`. */
export function vstack(tensors: readonly Tensor[]): Tensor {
  return joinAll('vstack', tensors, 0, atleast2d);
}

/** PyTorch's other name of `vstack`. */
export const rowStack: typeof vstack = vstack;

/** One behind the other: joins along axis 2 after `atleast3d`. */
export function dstack(tensors: readonly Tensor[]): Tensor {
  return joinAll('dstack', tensors, 2, atleast3d);
}

/** As `hstack`, with vectors and numbers as columns. */
export function columnStack(tensors: readonly Tensor[]): Tensor {
  return joinAll('columnStack', tensors, 1, (x) => (x.ndim < 2 ? x.derive(reshape(x.node, [x.numel(), 1])) : x));
}

/** The tensors, all broadcast to their common shape. Throws ShapeError when they do not broadcast. */
export function broadcastTensors(...tensors: Tensor[]): Tensor[] {
  joinable('broadcastTensors', tensors);
  const shape = commonShape('broadcastTensors', tensors);
  return tensors.map((x) => x.derive(broadcastTo(x.node, shape)));
}

export interface MeshgridOptions {
  /** Whether the first vector runs along axis 0 ('ij', the default) or along axis 1 ('xy'). */
  indexing?: 'ij' | 'xy';
}

/** The coordinates of a grid: of n vectors, n tensors with an axis for each vector, each running along its own. */
export function meshgrid(tensors: readonly Tensor[], options?: MeshgridOptions): Tensor[] {
  const op = 'meshgrid';
  joinable(op, tensors);
  for (const x of tensors) {
    if (x.ndim > 1) throw new ShapeError(`[${op}] not a vector: ${showShape(x.shape)} (expected rank 0 or 1)`);
  }
  const indexing = options?.indexing ?? 'ij';
  if (indexing !== 'ij' && indexing !== 'xy') {
    throw new ArgumentError(`[${op}] indexing is ${String(indexing)} (expected ij or xy)`);
  }
  const swap = indexing === 'xy' && tensors.length > 1;
  const place = (i: number): number => (swap && i < 2 ? 1 - i : i);
  const shape = tensors.map((_, i) => tensors[place(i)]!.numel());
  return tensors.map((x, i) => x.derive(alongAxis(reshape(x.node, [x.numel()]), shape, place(i))));
}

/** All combinations of one element of each vector: [n1 * n2 * …, vectors], the last vector running fastest. */
export function cartesianProd(...tensors: Tensor[]): Tensor {
  joinable('cartesianProd', tensors);
  const bad = tensors.find((x) => x.ndim !== 1);
  if (bad) throw new ShapeError(`[cartesianProd] not a vector: ${showShape(bad.shape)}`);
  if (tensors.length === 1) return tensors[0]!;
  const columns = meshgrid(tensors).map((x) => x.derive(reshape(x.node, [x.numel()])));
  return stack(columns, 1);
}

/** A matrix with the given ones (vectors count as rows) along its diagonal, and zeros elsewhere. */
export function blockDiag(...tensors: Tensor[]): Tensor {
  const dtype = joinable('blockDiag', tensors);
  const bad = tensors.find((x) => x.ndim > 2);
  if (bad) throw new ShapeError(`[blockDiag] not a matrix: ${showShape(bad.shape)} (expected rank 2 or less)`);
  const blocks = tensors.map((x) => atleast2d(x));
  const width = blocks.reduce((n, x) => n + x.shape[1]!, 0);
  let start = 0;
  const rows = blocks.map((x) => {
    const low = [0, start];
    start += x.shape[1]!;
    return pad(cast(x.node, dtype), { low, high: [0, width - start] });
  });
  return tensors[0]!.derive(concatNode(rows, 0));
}

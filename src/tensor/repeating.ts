import { hostStorage } from '../compile/index.js';
import {
  broadcastTo as broadcastNode,
  cumulative,
  iota,
  leaf,
  normalizeAxis,
  reshape as reshapeNode,
  ShapeError,
  showShape,
  sizeOf,
  UnsupportedError,
} from '../graph/index.js';
import { gatherSlices, withAxis } from './axis.js';
import { placesIn } from './bins.js';
import { asIndex, checkInteger, isTensor, type Lengths, nodeOf, numberList } from './operands.js';
import type { Tensor } from './tensor.js';

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

export interface RepeatInterleaveOptions {
  /** The length of the result, which it needs where the counts are a tensor: they must add up to it. */
  outputSize?: number;
}

/**
 * Repeats each element along an axis: [a, b] twice is [a, a, b, b]; without `dim`, of x in row-major order. The count is one for all, or a
 * list or vector of one an element; counts in a tensor need `{ outputSize }`.
 */
export function repeatInterleave(
  x: Tensor,
  counts: number | readonly number[] | Tensor,
  dim?: number | null,
  options?: RepeatInterleaveOptions,
): Tensor {
  const op = 'repeatInterleave';
  let node = nodeOf(op, x);
  if (dim === undefined || dim === null) node = reshapeNode(node, [sizeOf(node.shape)]);
  const axis = normalizeAxis(op, dim ?? 0, node.shape.length);
  const length = node.shape[axis]!;
  if (typeof counts === 'number') {
    checkInteger(op, 'count', counts, 0);
    const wide = withAxis(node.shape, axis, length, counts);
    const repeated = broadcastNode(reshapeNode(node, withAxis(node.shape, axis, length, 1)), wide);
    return x.derive(reshapeNode(repeated, withAxis(node.shape, axis, length * counts)));
  }
  const given = isTensor(counts) ? counts.shape : [counts.length];
  if (given.length !== 1 || given[0] !== length) {
    throw new ShapeError(`[${op}] counts are ${showShape(given)} (axis ${axis} of ${showShape(node.shape)})`);
  }
  if (!isTensor(counts)) {
    const places = counts.flatMap((count, i) => new Array<number>(checkInteger(op, 'count', count, 0)).fill(i));
    const vector = leaf(hostStorage(Int32Array.from(places), [places.length], 'i32'));
    return x.derive(gatherSlices(node, vector, axis));
  }
  const size = options?.outputSize;
  if (size === undefined) {
    throw new UnsupportedError(`[${op}] the shape depends on data: counts in a tensor (expected { outputSize })`);
  }
  const ends = cumulative('sum', asIndex(op, counts), 0);
  return x.derive(gatherSlices(node, placesIn(ends, iota([checkInteger(op, 'outputSize', size, 0)], 0), true), axis));
}

import {
  ArgumentError,
  binary,
  broadcastTo,
  cast,
  full,
  gather,
  iota,
  type Node,
  reduce,
  reshape,
  ShapeError,
  showShape,
  where,
} from '../graph/index.js';
import { alongAxis, moveAxis, withAxis } from './axis.js';
import { largest } from './largest.js';
import { checkInteger, floatLike } from './operands.js';
import type { Pooled } from './pooling.js';
import { spatialInput } from './spatial.js';
import type { Tensor } from './tensor.js';

/** One length for every spatial axis, or one each; null keeps a length. */
export type OutputSize = number | readonly (number | null)[];

interface AdaptiveMaxPool {
  (x: Tensor, outputSize: OutputSize, options: { returnIndices: true }): Pooled;
  (x: Tensor, outputSize: OutputSize, options?: { returnIndices?: false }): Tensor;
}

function outputOf(op: string, spatial: number, x: Node, outputSize: OutputSize): number[] {
  const lengths = x.shape.slice(-spatial);
  const list = typeof outputSize === 'number' ? lengths.map(() => outputSize) : outputSize;
  if (!Array.isArray(list) || list.length !== spatial) {
    throw new ArgumentError(`[${op}] outputSize is ${String(outputSize)} (expected a number or ${spatial} of them)`);
  }
  if (lengths.includes(0)) throw new ShapeError(`[${op}] nothing to pool: ${showShape(x.shape)}`);
  return list.map((size: number | null, i) => (size === null ? lengths[i]! : checkInteger(op, 'outputSize', size, 1)));
}

/** The parts of an axis, as a new last axis: output i pools the elements from floor(i * n / out) up to ceil((i + 1) * n / out). */
interface Parts {
  readonly node: Node;
  /** How many elements each part has: [out], f32. */
  readonly counts: Node;
  /** Where the parts start, if their axis counts from there. */
  readonly starts: Node | null;
}

function partsOf(x: Node, axis: number, out: number, fill: number): Parts {
  const n = x.shape[axis]!;
  if (n % out === 0) {
    const size = n / out;
    const split = reshape(x, withAxis(x.shape, axis, out, size));
    const starts = binary('mul', iota([out], 0), full([out], size, 'i32'));
    return { node: moveAxis(split, axis + 1, split.shape.length - 1), counts: full([out], size, 'f32'), starts };
  }
  const number = (value: number): Node => full([out], value, 'i32');
  const index = iota([out], 0);
  const start = binary('floorDiv', binary('mul', index, number(n)), number(out));
  const next = binary('mul', binary('add', index, number(1)), number(n));
  const end = binary('floorDiv', binary('add', next, number(out - 1)), number(out));
  // The axis goes last, one of length 1 comes where it was, and that is repeated for each part.
  const moved = moveAxis(x, axis, x.shape.length - 1);
  const shape = [...withAxis(x.shape, axis, out), n];
  const wide = broadcastTo(reshape(moved, [...withAxis(x.shape, axis, 1), n]), shape);
  const last = shape.length - 1;
  const place = iota(shape, last);
  const inside = binary(
    'and',
    binary('le', alongAxis(start, shape, axis), place),
    binary('lt', place, alongAxis(end, shape, axis)),
  );
  const node = where(inside, wide, full(shape, fill, 'f32'));
  return { node, counts: cast(binary('sub', end, start), 'f32'), starts: null };
}

function adaptiveAvgPool(spatial: number, x: Tensor, outputSize: OutputSize): Tensor {
  const op = `adaptiveAvgPool${spatial}d`;
  let node = spatialInput(op, spatial, x);
  const lead = node.shape.length - spatial;
  outputOf(op, spatial, node, outputSize).forEach((out, i) => {
    const { node: parts, counts } = partsOf(node, lead + i, out, 0);
    const sums = reshape(reduce('sum', parts, [parts.shape.length - 1]), parts.shape.slice(0, -1));
    node = binary('div', sums, alongAxis(counts, sums.shape, lead + i));
  });
  return floatLike(x, node);
}

function adaptiveMaxPool(
  spatial: number,
  x: Tensor,
  outputSize: OutputSize,
  options: { returnIndices?: boolean } = {},
): Tensor | Pooled {
  const op = `adaptiveMaxPool${spatial}d`;
  let node = spatialInput(op, spatial, x);
  const lead = node.shape.length - spatial;
  const output = outputOf(op, spatial, node, outputSize);
  let position: Node | null = null;
  let stride = 1;
  // The last axis first: of equal elements the first in row-major order wins.
  for (let i = spatial - 1; i >= 0; i--) {
    const axis = lead + i;
    const length = node.shape[axis]!;
    const parts = partsOf(node, axis, output[i]!, -Infinity);
    const { value, place } = largest(parts.node);
    node = value;
    if (options.returnIndices) {
      const { starts } = parts;
      const at = starts === null ? place() : binary('add', place(), alongAxis(starts, value.shape, axis));
      const here = binary('mul', at, full(value.shape, stride, 'i32'));
      position = position === null ? here : binary('add', here, gather(position, at, axis));
    }
    stride *= length;
  }
  return position === null ? x.derive(node) : { values: x.derive(node), indices: x.derive(position) };
}

/** Means of as many even parts of the last axis of [N, C, L] or [C, L] as the result is to have; f32. */
export function adaptiveAvgPool1d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveAvgPool(1, x, outputSize);
}

/** As `adaptiveAvgPool1d`, over the last two axes of [N, C, H, W] or [C, H, W]. */
export function adaptiveAvgPool2d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveAvgPool(2, x, outputSize);
}

/** As `adaptiveAvgPool1d`, over the last three axes of [N, C, D, H, W] or [C, D, H, W]. */
export function adaptiveAvgPool3d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptiveAvgPool(3, x, outputSize);
}

/**
 * Largest elements of as many even parts of the last axis of [N, C, L] or [C, L] as the result is to have; f32. With
 * `{ returnIndices: true }` also where they are.
 */
export const adaptiveMaxPool1d: AdaptiveMaxPool = ((
  x: Tensor,
  outputSize: OutputSize,
  options?: { returnIndices?: boolean },
) => adaptiveMaxPool(1, x, outputSize, options)) as AdaptiveMaxPool;

/** As `adaptiveMaxPool1d`, over the last two axes of [N, C, H, W] or [C, H, W]. */
export const adaptiveMaxPool2d: AdaptiveMaxPool = ((
  x: Tensor,
  outputSize: OutputSize,
  options?: { returnIndices?: boolean },
) => adaptiveMaxPool(2, x, outputSize, options)) as AdaptiveMaxPool;

/** As `adaptiveMaxPool1d`, over the last three axes of [N, C, D, H, W] or [C, D, H, W]. */
export const adaptiveMaxPool3d: AdaptiveMaxPool = ((
  x: Tensor,
  outputSize: OutputSize,
  options?: { returnIndices?: boolean },
) => adaptiveMaxPool(3, x, outputSize, options)) as AdaptiveMaxPool;

import {
  ArgumentError,
  broadcastTo,
  concat,
  flip,
  type Node,
  pad as padNode,
  ShapeError,
  showShape,
  slice,
} from '../graph/index.js';
import { sliceAxis, withAxis } from './axis.js';
import { nodeOf, numberList } from './operands.js';
import type { Tensor } from './tensor.js';

/** What surrounds the elements: a constant, their mirror image (without the edge itself), the edge repeated, or the other end. */
export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular';

export interface PadOptions {
  /** What surrounds the elements: 'constant' unless told otherwise. */
  mode?: PadMode;
  /** The constant (0). */
  value?: number;
}

/**
 * Surrounds the elements: `[before, after]` of the last axis, then of the one before it, and so on; negative amounts crop. Modes as PyTorch's
 * (of any axes). Throws ArgumentError when the amounts are not in pairs or too large for the mode, ShapeError when there are more pairs
 * than axes or a crop leaves less than nothing.
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
  const kept = shape.map((d, i) => d + Math.min(low[i]!, 0) + Math.min(high[i]!, 0));
  kept.forEach((d, i) => {
    if (d < 0) {
      throw new ShapeError(`[pad] crops more than there is: ${low[i]}, ${high[i]} on axis ${i} of ${showShape(shape)}`);
    }
  });
  const [before, after] = [low, high].map((side) => side.map((v) => Math.max(0, v))) as [number[], number[]];
  const cropped = slice(
    node,
    low.map((v) => Math.max(0, -v)),
    kept,
  );
  const mode = options?.mode ?? 'constant';
  if (mode === 'constant') return x.derive(padNode(cropped, { low: before, high: after, value: options?.value ?? 0 }));
  if (!Object.hasOwn(SIDES, mode)) {
    throw new ArgumentError(`[pad] mode is ${String(mode)} (expected constant, reflect, replicate or circular)`);
  }
  return x.derive(kept.reduce((padded, _, axis) => surround(padded, axis, before[axis]!, after[axis]!, mode), cropped));
}

/** The elements that an axis gets in front (`end` false) or behind, and how many there may be of them. */
const SIDES: Record<
  Exclude<PadMode, 'constant'>,
  { most: (length: number) => number; side: (x: Node, axis: number, count: number, end: boolean) => Node }
> = {
  reflect: {
    most: (length) => length - 1,
    side: (x, axis, count, end) => flip(sliceAxis(x, axis, end ? x.shape[axis]! - 1 - count : 1, count), [axis]),
  },
  replicate: {
    most: (length) => (length > 0 ? Infinity : 0),
    side: (x, axis, count, end) =>
      broadcastTo(sliceAxis(x, axis, end ? x.shape[axis]! - 1 : 0, 1), withAxis(x.shape, axis, count)),
  },
  circular: {
    most: (length) => length,
    side: (x, axis, count, end) => sliceAxis(x, axis, end ? 0 : x.shape[axis]! - count, count),
  },
};

function surround(x: Node, axis: number, before: number, after: number, mode: Exclude<PadMode, 'constant'>): Node {
  if (before === 0 && after === 0) return x;
  const { most, side } = SIDES[mode];
  const length = x.shape[axis]!;
  if (Math.max(before, after) > most(length)) {
    throw new ArgumentError(
      `[pad] too much for mode ${mode}: ${before}, ${after} (axis ${axis} of ${showShape(x.shape)})`,
    );
  }
  const parts = [before > 0 ? side(x, axis, before, false) : null, x, after > 0 ? side(x, axis, after, true) : null];
  return concat(
    parts.filter((part) => part !== null),
    axis,
  );
}

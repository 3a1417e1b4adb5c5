import {
  ArgumentError,
  binary,
  broadcastShapes,
  broadcastTo,
  full,
  type Node,
  reshape,
  ShapeError,
  showShape,
  sizeOf,
  UnsupportedError,
  where,
} from '../graph/index.js';
import { gatherSlices, permuteFirst, scatterSlices, withAxis, wrapped } from './axis.js';
import { maskPositions } from './maskPositions.js';
import { asIndex, checkInteger, isTensor, nodeOf, type TensorLike, valueNode } from './operands.js';
import { positionOf, type Range, readSpans, type Span, span, spanOf, writeSpans } from './spans.js';
import type { Tensor } from './tensor.js';

export type { Range } from './spans.js';

/** A bool mask as an index: the positions where it holds, at most `size` of them; places left over are out of range. */
export interface MaskIndex {
  mask: Tensor;
  size: number;
}

/**
 * One index of `at`: a number picks and drops an axis, a Range slices it, `'...'` skips axes, null adds one of length 1, a tensor of
 * positions (i32, u32) picks along an axis, several of them broadcast together, and a MaskIndex picks where a mask holds.
 */
export type Index = number | Range | '...' | null | Tensor | MaskIndex;

interface Plan {
  /** What is taken of x's axes. */
  readonly spans: Map<number, Span>;
  /** The shape after that: axes added, those that a number picked dropped. */
  readonly shape: number[];
  /** Positions along axes of that shape, ascending. */
  readonly lists: { readonly axis: number; readonly index: Node }[];
  /** Whether something stands between the positions: their axes then go first in the result. */
  apart: boolean;
  /** A bool mask over `lengths` axes from `axis` on; only `setAt` knows what to do with one. */
  mask: { readonly axis: number; readonly node: Node } | null;
}

const isMaskIndex = (index: Index): index is MaskIndex =>
  typeof index === 'object' && index !== null && 'mask' in index;
const isMask = (index: Index): index is Tensor => isTensor(index) && index.dtype === 'bool';

/** How many axes of x an index uses up. */
const axesUsed = (index: Index): number =>
  index === null || index === '...'
    ? 0
    : isMaskIndex(index)
      ? nodeOf('at', index.mask).shape.length
      : isMask(index)
        ? index.ndim
        : 1;

function planOf(op: string, x: Node, indices: readonly Index[]): Plan {
  const { shape } = x;
  const used = indices.reduce<number>((n, index) => n + axesUsed(index), 0);
  if (used > shape.length) {
    throw new ShapeError(`[${op}] ${used} indices for ${shape.length} axes of ${showShape(shape)}`);
  }
  if (indices.filter((index) => index === '...').length > 1) throw new ArgumentError(`[${op}] more than one '...'`);

  const plan: Plan = { spans: new Map(), shape: [], lists: [], apart: false, mask: null };
  // NumPy's rule: a number beside tensors is a position like theirs, and where they are not side by side their axes go first.
  const hasLists = indices.some((index) => isTensor(index) || (index !== null && isMaskIndex(index)));
  let [axis, last] = [0, -1];
  const list = (place: number): void => {
    plan.apart ||= last >= 0 && last !== place - 1;
    last = place;
  };
  const keep = (count: number): void => {
    for (let i = 0; i < count; i++) plan.shape.push(shape[axis++]!);
  };
  const pick = (index: Node): void => {
    if (shape[axis] === 0 && sizeOf(index.shape) > 0) {
      throw new ArgumentError(`[${op}] index out of range: axis ${axis} of ${showShape(shape)} is empty`);
    }
    plan.lists.push({ axis: plan.shape.length, index });
    keep(1);
  };
  indices.forEach((index, place) => {
    if (index === null) plan.shape.push(1);
    else if (index === '...') keep(shape.length - used);
    else if (typeof index === 'number') {
      if (hasLists) list(place);
      plan.spans.set(axis, span(positionOf(op, index, axis, shape), 1));
      axis++;
    } else if (isMask(index) || (!isTensor(index) && isMaskIndex(index))) {
      const mask = nodeOf(op, isTensor(index) ? index : index.mask);
      if (mask.dtype !== 'bool' || mask.shape.some((d, i) => d !== shape[axis + i])) {
        throw new ShapeError(
          `[${op}] mask is ${mask.dtype} ${showShape(mask.shape)} (expected bool ${showShape(shape.slice(axis, axis + mask.shape.length))})`,
        );
      }
      if (isTensor(index)) {
        plan.mask = { axis: plan.shape.length, node: mask };
        keep(mask.shape.length);
      } else {
        list(place);
        maskPositions(mask, checkInteger(op, 'size', index.size, 0), -(2 ** 31)).forEach(pick);
      }
    } else if (isTensor(index)) {
      list(place);
      pick(asIndex(op, index));
    } else if (Array.isArray(index)) {
      const taken = spanOf(op, index as Range, shape[axis]!);
      plan.spans.set(axis++, taken);
      plan.shape.push(taken.length);
    } else {
      throw new ArgumentError(
        `[${op}] not an index: ${typeof index} (expected a number, [start, end, step], '...', null or a Tensor)`,
      );
    }
  });
  keep(shape.length - axis);
  if (plan.mask !== null && plan.lists.length > 0) {
    throw new UnsupportedError(`[${op}] a mask beside other positions (expected { mask, size }, or nonzero of it)`);
  }
  return plan;
}

/** The axes with positions as one axis, and the positions as one list along it. */
interface Joined {
  readonly node: Node;
  readonly axis: number;
  readonly positions: Node;
  /** The shape of the positions. */
  readonly picked: readonly number[];
  /** The axes that had to move to the front for that, if any. */
  readonly axes: readonly number[] | null;
}

function joinLists(op: string, basic: Node, { lists }: Plan): Joined {
  const axes = lists.map((list) => list.axis);
  const picked = lists.reduce<readonly number[]>((shape, { index }) => broadcastShapes(op, shape, index.shape), []);
  const moved = axes.some((axis, i) => axis !== axes[0]! + i);
  const axis = moved ? 0 : axes[0]!;
  const node = moved ? permuteFirst(basic, axes) : basic;
  const lengths = axes.map((a) => basic.shape[a]!);
  const zero = full(picked, 0, 'i32');
  let positions = zero;
  let inside: Node | null = null;
  lists.forEach(({ index }, i) => {
    const length = full(picked, lengths[i]!, 'i32');
    const at = wrapped(broadcastTo(index, picked), lengths[i]!);
    positions = binary('add', binary('mul', positions, length), at);
    // Out of range on one axis must not come out as another place.
    const fits = binary('and', binary('le', zero, at), binary('lt', at, length));
    inside = inside === null ? fits : binary('and', inside, fits);
  });
  if (lists.length > 1) positions = where(inside!, positions, full(picked, -1, 'i32'));
  const merged = [...node.shape.slice(0, axis), sizeOf(lengths), ...node.shape.slice(axis + lists.length)];
  return {
    node: reshape(node, merged),
    axis,
    positions: reshape(positions, [sizeOf(picked)]),
    picked,
    axes: moved ? axes : null,
  };
}

const axesFrom = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

/**
 * NumPy's indexing: `x.at(0)` is x[0], `x.at([1, 3], null)` is x[1:3, None], `x.at('...', -1)` is x[..., -1], `x.at(rows, columns)` picks
 * by tensors of positions, which broadcast together; their axes stay where they were when the tensors are side by side, and go first
 * otherwise. Positions in tensors that are out of range give NaN (0 for integers and bool). A mask has as many elements as it likes:
 * see `maskedSelect`, `nonzero({ asTuple: true })` whose vectors are indices, or give `{ mask, size }`.
 * Throws ShapeError for more indices than axes, ArgumentError for a number past the ends, UnsupportedError for a bare mask.
 */
export function at(x: Tensor, ...indices: Index[]): Tensor {
  const node = nodeOf('at', x);
  const plan = planOf('at', node, indices);
  if (plan.mask !== null) {
    throw new UnsupportedError(
      '[at] the shape depends on data: a bool mask (expected { mask, size }, maskedSelect, or nonzero of the mask)',
    );
  }
  const basic = reshape(readSpans(node, plan.spans), plan.shape);
  if (plan.lists.length === 0) return x.derive(basic);
  const { node: merged, axis, positions, picked } = joinLists('at', basic, plan);
  const gathered = reshape(gatherSlices(merged, positions, axis), withAxis(merged.shape, axis, ...picked));
  return x.derive(plan.apart ? permuteFirst(gathered, axesFrom(axis, picked.length)) : gathered);
}

export interface SetAtOptions {
  /** Add to what is there instead of replacing it; repeated positions add up (false). */
  accumulate?: boolean;
}

/**
 * A copy of x with other values at an index (see `at`): NumPy's `x[index] = value`, which here changes nothing in place. The value
 * broadcasts; of several for one place the last stays. A bool mask may be among the indices: the value then broadcasts over the axes
 * that it leaves. Positions in tensors that are out of range are dropped.
 *
 *     x.setAt([0, [1, 3]], 7);                     // x[0, 1:3] = 7
 *     x.setAt([rows], values, { accumulate: true });
 */
export function setAt(x: Tensor, index: readonly Index[], value: TensorLike, options?: SetAtOptions): Tensor {
  return x.derive(written('setAt', x, index, value, options?.accumulate ?? false));
}

/** PyTorch's index_put: `setAt` with tensors of positions (or one bool mask) for the first axes. */
export function indexPut(x: Tensor, indices: readonly Tensor[], value: TensorLike, accumulate = false): Tensor {
  for (const index of indices) nodeOf('indexPut', index);
  return x.derive(written('indexPut', x, indices, value, accumulate));
}

function written(op: string, x: Tensor, indices: readonly Index[], value: TensorLike, accumulate: boolean): Node {
  const node = nodeOf(op, x);
  if (!Array.isArray(indices)) throw new ArgumentError(`[${op}] the indices are no list (expected an array of them)`);
  if (accumulate && node.dtype === 'bool') throw new UnsupportedError(`[${op}] accumulate on bool (cast first)`);
  const plan = planOf(op, node, indices);
  const read = readSpans(node, plan.spans);
  const basic = reshape(read, plan.shape);
  const values = (shape: readonly number[]): Node => valueNode(op, value, node.dtype, shape);
  let updated: Node;
  if (plan.lists.length === 0) {
    // NumPy's value has an axis for the places of the mask, whose number depends on data: it may not have one here.
    const { mask } = plan;
    const free = mask === null ? plan.shape : plan.shape.slice(mask.axis + mask.node.shape.length);
    const fresh = broadcastTo(values(free), plan.shape);
    updated = accumulate ? binary('add', basic, fresh) : fresh;
    if (mask !== null) {
      const around = plan.shape.map((d, i) => (i >= mask.axis && i < mask.axis + mask.node.shape.length ? d : 1));
      updated = where(broadcastTo(reshape(mask.node, around), plan.shape), updated, basic);
    }
  } else {
    const { node: merged, axis, positions, picked, axes } = joinLists(op, basic, plan);
    const places = axesFrom(axis, picked.length);
    const rest = withAxis(merged.shape, axis, ...picked);
    const fresh = plan.apart
      ? permuteFirst(values([...picked, ...withAxis(merged.shape, axis)]), places, true)
      : values(rest);
    const slices = reshape(fresh, withAxis(merged.shape, axis, sizeOf(picked)));
    const put = scatterSlices(accumulate ? 'add' : 'set', merged, positions, slices, axis);
    updated =
      axes === null
        ? reshape(put, basic.shape)
        : permuteFirst(reshape(put, permuteFirst(basic, axes).shape), axes, true);
  }
  return writeSpans(node, plan.spans, reshape(updated, read.shape));
}

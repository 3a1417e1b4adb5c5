import { sameNumber } from '../constants.js';
import { dot } from '../contraction.js';
import { roundToDType } from '../dtype.js';
import { concat, expand, flip, pad, permute, reshape, slice, transposeLast } from '../movement.js';
import { isPrim, type Node, type Prim } from '../node.js';
import { sizeOf } from '../shape.js';
import { full } from '../sources.js';
import type { Rewrites } from './rewrite.js';

/** The input of a node, where that is the result of `prim` in this graph. */
function inputThatIs<P extends Prim>(node: Node, prim: P): Node<P> | null {
  const x = node.inputs[0]!;
  return x.realized === null && isPrim(x, prim) ? x : null;
}

/** Whether an order swaps the last two axes and leaves the others. */
const swapsLast = (order: readonly number[]): boolean => {
  const rank = order.length;
  return rank >= 2 && order[rank - 1] === rank - 2 && order.slice(0, -2).every((axis, i) => axis === i);
};

function rewritePermute(node: Node<'permute'>, uses: (of: Node) => number): Node | null {
  const { order } = node.attrs;
  const x = node.inputs[0]!;
  const inner = inputThatIs(node, 'permute');
  if (inner !== null) {
    return permute(
      inner.inputs[0]!,
      order.map((axis) => inner.attrs.order[axis]!),
    );
  }
  const product = inputThatIs(node, 'dot');
  if (product !== null && swapsLast(order) && uses(product) <= 1) {
    // A weight's gradient then comes in the weight's own layout.
    return dot(transposeLast(product.inputs[1]!), transposeLast(product.inputs[0]!));
  }
  const moved = order.filter((axis) => x.shape[axis] !== 1);
  return moved.every((axis, i) => i === 0 || axis > moved[i - 1]!) ? reshape(x, node.shape) : null;
}

function rewriteSlice(node: Node<'slice'>): Node | null {
  const { start, step } = node.attrs;
  const size = node.shape;
  const inner = inputThatIs(node, 'slice');
  if (inner !== null) {
    return slice(
      inner.inputs[0]!,
      start.map((s, i) => inner.attrs.start[i]! + s * inner.attrs.step[i]!),
      size,
      step.map((s, i) => s * inner.attrs.step[i]!),
    );
  }
  if (step.some((s, i) => s !== 1 && size[i]! <= 1)) {
    // One element has no step: equal slices get equal keys.
    return slice(
      node.inputs[0]!,
      start,
      size,
      step.map((s, i) => (size[i]! <= 1 ? 1 : s)),
    );
  }
  const last = start.map((s, i) => s + (size[i]! - 1) * step[i]!);
  const padded = inputThatIs(node, 'pad');
  if (padded !== null) return sliceOfPad(node, padded, last);
  const joined = inputThatIs(node, 'concat');
  return joined === null ? null : sliceOfConcat(node, joined, last);
}

function sliceOfPad(node: Node<'slice'>, padded: Node<'pad'>, last: readonly number[]): Node | null {
  const { start, step } = node.attrs;
  const { low, interior, value } = padded.attrs;
  const x = padded.inputs[0]!;
  const begin = start.map((s, i) => s - low[i]!);
  const end = last.map((l, i) => l - low[i]!);
  const extent = x.shape.map((d, i) => d + (d - 1) * interior[i]!);
  if (begin.some((_, i) => end[i]! < 0 || begin[i]! >= extent[i]!)) {
    return full(node.shape, roundToDType(value, node.dtype), node.dtype);
  }
  // Inside, and on the elements of x only where zeros lie between them.
  const inside = begin.every(
    (b, i) =>
      b >= 0 &&
      end[i]! < extent[i]! &&
      b % (interior[i]! + 1) === 0 &&
      (node.shape[i] === 1 || step[i]! % (interior[i]! + 1) === 0),
  );
  if (!inside) return null;
  return slice(
    x,
    begin.map((b, i) => b / (interior[i]! + 1)),
    node.shape,
    step.map((s, i) => (node.shape[i] === 1 ? 1 : s / (interior[i]! + 1))),
  );
}

function sliceOfConcat(node: Node<'slice'>, joined: Node<'concat'>, last: readonly number[]): Node | null {
  const { axis } = joined.attrs;
  const { start, step } = node.attrs;
  let at = 0;
  for (const part of joined.inputs) {
    const end = at + part.shape[axis]!;
    if (start[axis]! >= at && last[axis]! < end) {
      return slice(
        part,
        start.map((s, i) => (i === axis ? s - at : s)),
        node.shape,
        step,
      );
    }
    at = end;
  }
  return null;
}

function rewritePad(node: Node<'pad'>): Node | null {
  const { low, high, interior, value } = node.attrs;
  const inner = inputThatIs(node, 'pad');
  if (inner === null || interior.some((n) => n !== 0) || !sameNumber(inner.attrs.value, value)) return null;
  return pad(inner.inputs[0]!, {
    low: low.map((n, i) => n + inner.attrs.low[i]!),
    high: high.map((n, i) => n + inner.attrs.high[i]!),
    interior: inner.attrs.interior,
    value,
  });
}

function rewriteFlip(node: Node<'flip'>): Node | null {
  const x = node.inputs[0]!;
  const axes = node.attrs.axes.filter((axis) => x.shape[axis]! > 1);
  const inner = inputThatIs(node, 'flip');
  if (inner !== null) {
    const once = [
      ...axes.filter((a) => !inner.attrs.axes.includes(a)),
      ...inner.attrs.axes.filter((a) => !axes.includes(a)),
    ];
    return flip(
      inner.inputs[0]!,
      once.sort((a, b) => a - b),
    );
  }
  return axes.length === node.attrs.axes.length ? null : flip(x, axes);
}

export const movementRewrites: Pick<
  Rewrites,
  'reshape' | 'permute' | 'expand' | 'slice' | 'pad' | 'flip' | 'concat' | 'window'
> = {
  reshape: (node) => {
    const inner = inputThatIs(node, 'reshape');
    return inner === null ? null : reshape(inner.inputs[0]!, node.shape);
  },
  permute: rewritePermute,
  expand: (node) => {
    const inner = inputThatIs(node, 'expand');
    return inner === null ? null : expand(inner.inputs[0]!, node.shape);
  },
  slice: rewriteSlice,
  pad: rewritePad,
  flip: rewriteFlip,
  concat: (node) => {
    const parts = node.inputs.filter((part) => sizeOf(part.shape) > 0);
    return parts.length === node.inputs.length ? null : concat(parts, node.attrs.axis);
  },
  window: (node) => {
    const { size, stride } = node.attrs;
    return size.every((n) => n === 1) && stride.every((n) => n === 1) ? reshape(node.inputs[0]!, node.shape) : null;
  },
};

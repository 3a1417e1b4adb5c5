import { flip, pad, permute, reshape, slice } from '../graph/movement.js';
import type { Node, PrimAttrs } from '../graph/node.js';
import { reduce } from '../graph/reduce.js';
import type { Shape } from '../graph/shape.js';
import { add } from './arithmetic.js';
import type { VjpRules } from './rule.js';

type MovementRules = Pick<VjpRules, 'reshape' | 'permute' | 'expand' | 'slice' | 'pad' | 'flip' | 'concat' | 'window'>;

export const movementRules: MovementRules = {
  reshape: (node, g) => [reshape(g, node.inputs[0]!.shape)],
  permute: (node, g) => {
    const inverse = new Array<number>(node.attrs.order.length);
    node.attrs.order.forEach((axis, i) => {
      inverse[axis] = i;
    });
    return [permute(g, inverse)];
  },
  expand: (node, g) => {
    const from = node.inputs[0]!.shape;
    const axes = from.flatMap((d, i) => (d === node.shape[i] ? [] : [i]));
    return [reduce('sum', g, axes)];
  },
  slice: (node, g) => {
    const { start, step } = node.attrs;
    const high = node.inputs[0]!.shape.map((d, i) => {
      const n = node.shape[i]!;
      return d - start[i]! - (n === 0 ? 0 : (n - 1) * step[i]! + 1);
    });
    return [pad(g, { low: start, high, interior: step.map((s) => s - 1) })];
  },
  pad: (node, g) => {
    const { low, interior } = node.attrs;
    const size = node.inputs[0]!.shape;
    return [
      slice(
        g,
        low,
        size,
        interior.map((n) => n + 1),
      ),
    ];
  },
  flip: (node, g) => [flip(g, node.attrs.axes)],
  concat: (node, g, needs) => {
    const { axis } = node.attrs;
    let at = 0;
    return node.inputs.map((part, i) => {
      const start = g.shape.map((_, j) => (j === axis ? at : 0));
      at += part.shape[axis]!;
      return needs[i] ? slice(g, start, part.shape) : null;
    });
  },
  window: (node, g) => [foldWindows(g, node.inputs[0]!.shape, node.attrs)],
};

/** Adds windows back to where `window` took them from, into zeros of a shape: its transpose. */
export function foldWindows(windows: Node, shape: Shape, { axes, size, stride, dilation }: PrimAttrs['window']): Node {
  let folded = windows;
  for (let i = axes.length - 1; i >= 0; i--) {
    folded = foldAxis(folded, axes[i]!, shape[axes[i]!]!, {
      size: size[i]!,
      stride: stride[i]!,
      dilation: dilation[i]!,
    });
  }
  return folded;
}

interface AxisWindow {
  size: number;
  stride: number;
  dilation: number;
}

/** Adds the windows along the last axis of `g` back to where they came from on `axis`, which gets `length` elements. */
function foldAxis(g: Node, axis: number, length: number, { size, stride, dilation }: AxisWindow): Node {
  const rank = g.shape.length;
  const windows = g.shape[axis]!;
  const along = (value: number): number[] => g.shape.slice(0, -1).map((_, i) => (i === axis ? value : 0));
  let sum: Node | null = null;
  const accumulate = (part: Node): void => {
    sum = sum === null ? part : add(sum, part);
  };

  if (dilation > 1) {
    // One term for each place in the window: those of all windows lie `stride` apart.
    for (let k = 0; k < size; k++) {
      const low = k * dilation;
      const high = length - low - ((windows - 1) * stride + 1);
      accumulate(pad(lastAxis(g, k), { low: along(low), high: along(high), interior: along(stride - 1) }));
    }
    return sum!;
  }

  // One term for each run of `stride` places: those of all windows lie side by side, so that it is only movement.
  // The axis moves to just before the last axis, the two become one, and it moves back.
  const order = Array.from({ length: rank - 1 }, (_, i) => i);
  const moved = [...order.filter((i) => i !== axis), axis];
  const back = order.map((i) => moved.indexOf(i));
  const sideBySide = permute(g, [...moved, rank - 1]);
  const outer = sideBySide.shape.slice(0, -2);
  for (let first = 0; first < size; first += stride) {
    const width = Math.min(stride, size - first);
    const run = lastSlice(sideBySide, first, width);
    const filled = padLast(run, 0, stride - width);
    const flat = reshape(filled, [...outer, windows * stride]);
    // The gap after the last window may reach beyond the axis.
    const room = length - first;
    const kept = windows * stride > room ? lastSlice(flat, 0, room) : flat;
    accumulate(permute(padLast(kept, first, room - kept.shape[rank - 2]!), back));
  }
  return sum!;
}

function lastAxis(x: Node, index: number): Node {
  return reshape(lastSlice(x, index, 1), x.shape.slice(0, -1));
}

function lastSlice(x: Node, start: number, size: number): Node {
  const last = x.shape.length - 1;
  return slice(
    x,
    x.shape.map((_, i) => (i === last ? start : 0)),
    x.shape.map((d, i) => (i === last ? size : d)),
  );
}

function padLast(x: Node, low: number, high: number): Node {
  const last = x.shape.length - 1;
  const along = (value: number): number[] => x.shape.map((_, i) => (i === last ? value : 0));
  return pad(x, { low: along(low), high: along(high) });
}

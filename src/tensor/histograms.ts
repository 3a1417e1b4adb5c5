import {
  ArgumentError,
  binary,
  broadcastTo,
  cast,
  full,
  iota,
  type Node,
  reduce,
  reshape,
  ShapeError,
  sameShape,
  showShape,
  sizeOf,
  where,
} from '../graph/index.js';
import { sliceAxis } from './axis.js';
import { addedUp, placesIn } from './bins.js';
import { add, div, floor, mul, sub } from './elementwise.js';
import { asFloat, checkInteger, floatLike, isTensor, nodeOf } from './operands.js';
import { max, min } from './reductions.js';
import type { Tensor } from './tensor.js';

export interface HistcOptions {
  /** How many (100). */
  bins?: number;
  /** Bounds of the first and last bin; where both are equal, those of the elements. */
  min?: number;
  max?: number;
}

/** Counts by bins of equal width between min and max, in f32; what lies outside is not counted. */
export function histc(x: Tensor, options?: HistcOptions): Tensor {
  const bins = checkInteger('histc', 'bins', options?.bins ?? 100, 1);
  return x.derive(histogramNode('histc', x, bins, options?.min ?? 0, options?.max ?? 0, null)[0].node);
}

export interface HistogramOptions {
  /** Bounds of the first and last bin; those of the elements unless given. */
  range?: readonly [number, number];
  /** What each element counts (1). */
  weight?: Tensor;
  /** Divide by the total and by the width of the bins (false). */
  density?: boolean;
}

export interface Histogram {
  hist: Tensor;
  binEdges: Tensor;
}

/**
 * Counts (f32) by bins, and their edges: so many bins of equal width, or between ascending edges. What lies outside is not counted; the last
 * bin includes its upper edge.
 */
export function histogram(x: Tensor, bins: number | Tensor, options?: HistogramOptions): Histogram {
  const op = 'histogram';
  const weight = options?.weight === undefined ? null : asFloat(op, options.weight);
  if (weight !== null && !sameShape(weight.shape, nodeOf(op, x).shape)) {
    throw new ShapeError(`[${op}] weight is ${showShape(weight.shape)} (expected ${showShape(x.shape)})`);
  }
  let [hist, binEdges]: [Tensor, Tensor] = isTensor(bins)
    ? betweenEdges(op, x, bins, weight)
    : histogramNode(op, x, checkInteger(op, 'bins', bins, 1), ...(options?.range ?? [0, 0]), weight);
  if (options?.density) {
    const count = hist.shape[0]!;
    const widths = sub(
      hist.derive(sliceAxis(binEdges.node, 0, 1, count)),
      hist.derive(sliceAxis(binEdges.node, 0, 0, count)),
    );
    hist = div(hist, mul(hist.derive(reshape(reduce('sum', hist.node, [0]), [])), widths));
  }
  return { hist, binEdges };
}

function histogramNode(
  op: string,
  x: Tensor,
  bins: number,
  low: number,
  high: number,
  weight: Node | null,
): [Tensor, Tensor] {
  if (!(Number.isFinite(low) && Number.isFinite(high) && low <= high)) {
    throw new ArgumentError(`[${op}] bounds ${low} and ${high} (expected finite, the first not above the second)`);
  }
  const values = x.derive(reshape(asFloat(op, x), [sizeOf(x.shape)]));
  const scalar = (value: number): Tensor => x.derive(full([], value, 'f32'));
  const own = low === high && x.numel() > 0;
  const least = own ? min(values) : scalar(low);
  const most = own ? max(values) : scalar(high);
  // No width: PyTorch adds some to each side.
  const side = op === 'histc' ? 1 : 0.5;
  const flat = binary('eq', least.node, most.node);
  const widen = (bound: Tensor, by: number): Tensor => x.derive(where(flat, add(bound, by).node, bound.node));
  const [from, to] = [widen(least, -side), widen(most, side)];
  const width = sub(to, from);
  const index = cast(floor(div(mul(sub(values, from), bins), width)).node, 'i32');
  const number = (value: number): Node => full(values.shape, value, 'i32');
  const [lower, upper] = [from, to].map((bound) => broadcastTo(bound.node, values.shape)) as [Node, Node];
  const inside = binary('and', binary('le', lower, values.node), binary('le', values.node, upper));
  const bin = where(inside, binary('min', index, number(bins - 1)), number(-1));
  const steps = x.derive(cast(iota([bins + 1], 0), 'f32'));
  const edges = add(mul(div(steps, bins), width), from);
  return [x.derive(cast(addedUp(bin, bins, weight), values.dtype)), floatLike(x, edges.node)];
}

function betweenEdges(op: string, x: Tensor, edges: Tensor, weight: Node | null): [Tensor, Tensor] {
  const bounds = asFloat(op, edges);
  const count = bounds.shape[0]! - 1;
  if (bounds.shape.length !== 1 || count < 1) {
    throw new ShapeError(`[${op}] bin edges are ${showShape(bounds.shape)} (expected a vector of at least 2)`);
  }
  const values = reshape(asFloat(op, x), [sizeOf(x.shape)]);
  const number = (value: number): Node => full(values.shape, value, 'i32');
  const last = broadcastTo(sliceAxis(bounds, 0, count, 1), values.shape);
  const place = binary('sub', placesIn(bounds, values, true), number(1));
  const bin = where(binary('eq', values, last), number(count - 1), place);
  // NaN is behind the last edge too.
  const inside = binary('le', values, last);
  return [x.derive(cast(addedUp(where(inside, bin, number(-1)), count, weight), values.dtype)), x.derive(bounds)];
}

import { hostStorage } from '../compile/index.js';
import {
  ArgumentError,
  binary,
  broadcastTo,
  DTypeError,
  full,
  isFloat,
  leaf,
  type Node,
  reduce,
  reshape,
  ShapeError,
  showShape,
  where,
  window,
} from '../graph/index.js';
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from './adaptivePooling.js';
import { gatherSlices, moveAxis, withAxis } from './axis.js';
import { narrow, slice } from './indexing.js';
import { floatLike, nodeOf } from './operands.js';
import { pad } from './padding.js';
import { repeatInterleave } from './repeating.js';
import { type PerAxis, perAxis } from './spatial.js';
import type { Tensor } from './tensor.js';

export type InterpolateMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'trilinear' | 'bicubic' | 'area';

export interface InterpolateOptions {
  /** The spatial lengths of the result; this or `scaleFactor`. */
  size?: PerAxis;
  /** What the spatial lengths are multiplied by (and then rounded down). */
  scaleFactor?: PerAxis;
  /** How values between elements come about: 'nearest' unless told otherwise; linear, bilinear and trilinear for 1, 2 and 3 axes. */
  mode?: InterpolateMode;
  /** Whether the first and last elements of input and output lie on each other, rather than their outer edges (false); not for nearest. */
  alignCorners?: boolean;
  /** Take the scale from the lengths even where `scaleFactor` is given, whose product was rounded (false). */
  recomputeScaleFactor?: boolean;
}

/** How many spatial axes a mode is for; 0 is any. */
const AXES: Record<InterpolateMode, number> = {
  nearest: 0,
  'nearest-exact': 0,
  area: 0,
  linear: 1,
  bilinear: 2,
  bicubic: 2,
  trilinear: 3,
};

/**
 * Resizes the spatial axes of [N, C, L], [N, C, H, W] or [N, C, D, H, W]; f32, each mode as PyTorch's.
 *
 *     x.interpolate({ scaleFactor: 2 });
 *     x.interpolate({ size: [224, 224], mode: 'bilinear' });
 *
 * Throws ShapeError for other ranks, ArgumentError for options that do not fit each other or the rank.
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const op = 'interpolate';
  const node = nodeOf(op, x);
  const spatial = node.shape.length - 2;
  if (!isFloat(node.dtype)) throw new DTypeError(`[${op}] input is ${node.dtype} (expected f32)`);
  if (spatial < 1 || spatial > 3) {
    throw new ShapeError(
      `[${op}] rank is ${node.shape.length}: ${showShape(node.shape)} (expected [N, C, ...1 to 3 axes])`,
    );
  }
  const { size, scaleFactor, mode = 'nearest', alignCorners } = options ?? {};
  if (!Object.hasOwn(AXES, mode)) {
    throw new ArgumentError(`[${op}] mode is ${String(mode)} (expected ${Object.keys(AXES).join(', ')})`);
  }
  if (AXES[mode] !== 0 && AXES[mode] !== spatial) {
    throw new ArgumentError(`[${op}] mode ${mode} is for ${AXES[mode]} spatial axes: ${showShape(node.shape)}`);
  }
  if (AXES[mode] === 0 && alignCorners !== undefined) {
    throw new ArgumentError(`[${op}] alignCorners has no meaning for mode ${mode}`);
  }
  if ((size === undefined) === (scaleFactor === undefined)) {
    throw new ArgumentError(`[${op}] ${size === undefined ? 'neither size nor' : 'both size and'} scaleFactor given`);
  }
  const lengths = node.shape.slice(2);
  const factors =
    scaleFactor === undefined ? null : typeof scaleFactor === 'number' ? lengths.map(() => scaleFactor) : scaleFactor;
  if (factors !== null && (factors.length !== spatial || factors.some((f) => !(Number.isFinite(f) && f > 0)))) {
    throw new ArgumentError(
      `[${op}] scaleFactor is ${String(scaleFactor)} (expected positive numbers, 1 or ${spatial})`,
    );
  }
  const wanted =
    factors === null ? perAxis(op, 'size', size!, spatial, 1) : lengths.map((d, i) => Math.floor(d * factors[i]!));
  if ([...lengths, ...wanted].some((d) => d < 1)) {
    throw new ShapeError(`[${op}] nothing there: ${showShape(lengths)} to ${showShape(wanted)}`);
  }
  if (mode === 'area') return [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d][spatial - 1]!(x, wanted);
  return wanted.reduce((y, out, i) => {
    const scale = factors === null || options.recomputeScaleFactor ? lengths[i]! / out : 1 / factors[i]!;
    return resized(y, i + 2, out, scale, mode, alignCorners ?? false);
  }, x);
}

type SeparableMode = Exclude<InterpolateMode, 'area'>;

/** Up to so many elements in the window of a group, reading windows beats reading by tables of positions (and so does its gradient). */
const MAX_WINDOW = 16;

function resized(x: Tensor, axis: number, out: number, scale: number, mode: SeparableMode, align: boolean): Tensor {
  const { shape } = x;
  const length = shape[axis]!;
  if (length === out && (align || scale === 1)) return x;
  const nearest = mode === 'nearest' || mode === 'nearest-exact';
  const even = !align && scale === length / out;
  if (nearest && even && out % length === 0) return repeatInterleave(x, out / length, axis);
  if (nearest && even && length % out === 0) {
    return slice(x, axis, mode === 'nearest' ? 0 : Math.floor(scale / 2), null, scale);
  }
  const ratio = align ? (out > 1 ? (length - 1) / (out - 1) : 0) : scale;
  const groups = even && !nearest ? greatestDivisor(length, out) : 1;
  const taps = Array.from({ length: out / groups }, (_, i) => tapsAt(i, ratio, mode, align));
  if (groups > 1) {
    const places = taps.flatMap((tap) => tap.places);
    const low = Math.min(...places);
    if (Math.max(...places) - low < MAX_WINDOW)
      return byWindows(x, axis, groups, taps, low, Math.max(...places) - low + 1);
  }
  const every = groups === 1 ? taps : Array.from({ length: out }, (_, i) => tapsAt(i, ratio, mode, align));
  const places = Int32Array.from(every.flatMap((tap) => tap.places.map((v) => Math.min(Math.max(v, 0), length - 1))));
  const read = gatherSlices(x.node, leaf(hostStorage(places, [places.length], 'i32')), axis);
  if (nearest) return x.derive(read);
  const weights = every.map((tap) => tap.weights);
  const split = reshape(read, withAxis(shape, axis, out, weights[0]!.length));
  return weighted(x, split, axis, weights);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** The same taps for each group of elements, `length / groups` apart: a window for each group, with the edges repeated around. */
function byWindows(x: Tensor, axis: number, groups: number, taps: readonly Taps[], low: number, size: number): Tensor {
  const length = x.shape[axis]!;
  const stride = length / groups;
  const before = Math.max(0, -low);
  const after = Math.max(0, (groups - 1) * stride + low + size - length);
  const around = x.shape.slice(axis).flatMap((_, i, rest) => (i === rest.length - 1 ? [before, after] : [0, 0]));
  const padded = pad(x, around, { mode: 'replicate' });
  const used = narrow(padded, axis, before + low, (groups - 1) * stride + size);
  const windows = window(used.node, { axes: [axis], size: [size], stride: [stride], dilation: [1] });
  const rows = moveAxis(windows, windows.shape.length - 1, axis + 1);
  const wide = broadcastTo(
    reshape(rows, withAxis(rows.shape, axis, groups, 1)),
    withAxis(rows.shape, axis, groups, taps.length),
  );
  const weights = taps.map((tap) => {
    const row = new Array<number>(size).fill(0);
    tap.places.forEach((place, k) => {
      row[place - low]! += tap.weights[k]!;
    });
    return row;
  });
  const out = weighted(x, wide, axis + 1, weights);
  return x.derive(reshape(out.node, withAxis(x.shape, axis, groups * taps.length)));
}

/** Sums axis + 1 of [..., outputs, taps, ...] by the weights of each output; what has none does not count, infinite or not. */
function weighted(like: Tensor, node: Node, axis: number, weights: readonly (readonly number[])[]): Tensor {
  const [rows, columns] = [weights.length, weights[0]!.length];
  const table = leaf(hostStorage(Float32Array.from(weights.flat()), [rows, columns], 'f32'));
  const around = node.shape.map((d, i) => (i === axis || i === axis + 1 ? d : 1));
  const factor = broadcastTo(reshape(table, around), node.shape);
  const zero = full(node.shape, 0, 'f32');
  const terms = where(binary('eq', factor, zero), zero, binary('mul', node, factor));
  return floatLike(like, reshape(reduce('sum', terms, [axis + 1]), withAxis(node.shape, axis + 1)));
}

interface Taps {
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

/** Which elements make up element i of the result, and how much each; those beyond the ends are the ends. */
function tapsAt(i: number, ratio: number, mode: SeparableMode, align: boolean): Taps {
  // PyTorch finds the nearest in f32.
  if (mode === 'nearest') return { places: [Math.floor(Math.fround(i * Math.fround(ratio)))], weights: [1] };
  if (mode === 'nearest-exact') {
    return { places: [Math.floor(Math.fround((i + 0.5) * Math.fround(ratio)))], weights: [1] };
  }
  const at = align ? i * ratio : (i + 0.5) * ratio - 0.5;
  const first = Math.floor(at);
  const t = at - first;
  if (mode === 'bicubic') {
    return {
      places: [first - 1, first, first + 1, first + 2],
      weights: [cubic(1 + t), cubic(t), cubic(1 - t), cubic(2 - t)],
    };
  }
  return { places: [first, first + 1], weights: [1 - t, t] };
}

/** The cubic convolution kernel with a = -0.75 (Keys, 1981). */
function cubic(distance: number): number {
  const a = -0.75;
  return distance <= 1
    ? ((a + 2) * distance - (a + 3)) * distance * distance + 1
    : ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a;
}

/** PyTorch's old name of `interpolate`. */
export const upsample: typeof interpolate = interpolate;

/** `interpolate` to the nearest element, by size or scale. */
export function upsampleNearest(x: Tensor, options: { size?: PerAxis; scaleFactor?: PerAxis }): Tensor {
  return interpolate(x, { ...options, mode: 'nearest' });
}

/** `interpolate` in mode bilinear with alignCorners, by size or scale. */
export function upsampleBilinear(x: Tensor, options: { size?: PerAxis; scaleFactor?: PerAxis }): Tensor {
  return interpolate(x, { ...options, mode: 'bilinear', alignCorners: true });
}

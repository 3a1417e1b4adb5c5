import { hostStorage } from '../compile/index.js';
import {
  ArgumentError,
  binary,
  broadcastTo,
  DTypeError,
  leaf,
  type Node,
  reduce,
  reshape,
  ShapeError,
  showShape,
} from '../graph/index.js';
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from './adaptivePooling.js';
import { gatherSlices, withAxis } from './axis.js';
import { nodeOf } from './operands.js';
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
  let node = nodeOf(op, x);
  const spatial = node.shape.length - 2;
  if (node.dtype !== 'f32') throw new DTypeError(`[${op}] input is ${node.dtype} (expected f32)`);
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
  wanted.forEach((out, i) => {
    const length = lengths[i]!;
    const scale = factors === null || options.recomputeScaleFactor ? length / out : 1 / factors[i]!;
    node = resized(node, i + 2, out, scale, mode, alignCorners ?? false);
  });
  return x.derive(node);
}

type SeparableMode = Exclude<InterpolateMode, 'area'>;

function resized(x: Node, axis: number, out: number, scale: number, mode: SeparableMode, align: boolean): Node {
  const length = x.shape[axis]!;
  if (length === out && (align || scale === 1)) return x;
  const nearest = mode === 'nearest' || mode === 'nearest-exact';
  if (nearest && out % length === 0 && scale === length / out) {
    const times = out / length;
    const repeated = broadcastTo(
      reshape(x, withAxis(x.shape, axis, length, 1)),
      withAxis(x.shape, axis, length, times),
    );
    return reshape(repeated, withAxis(x.shape, axis, out));
  }
  const ratio = align ? (out > 1 ? (length - 1) / (out - 1) : 0) : scale;
  const taps = Array.from({ length: out }, (_, i) => tapsAt(i, ratio, length, mode, align));
  const places = Int32Array.from(taps.flatMap(({ places: at }) => at.map((v) => Math.min(Math.max(v, 0), length - 1))));
  const read = gatherSlices(x, leaf(hostStorage(places, [places.length], 'i32')), axis);
  if (nearest) return read;
  const weights = Float32Array.from(taps.flatMap((tap) => tap.weights));
  const count = weights.length / out;
  const split = reshape(read, withAxis(x.shape, axis, out, count));
  const table = leaf(hostStorage(weights, [out, count], 'f32'));
  const rest = split.shape.map((d, i) => (i === axis || i === axis + 1 ? d : 1));
  const weighted = binary('mul', split, broadcastTo(reshape(table, rest), split.shape));
  return reshape(reduce('sum', weighted, [axis + 1]), withAxis(x.shape, axis, out));
}

interface Taps {
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

/** Which elements make up element i of the result, and how much each. */
function tapsAt(i: number, ratio: number, length: number, mode: SeparableMode, align: boolean): Taps {
  // PyTorch finds the nearest in f32.
  if (mode === 'nearest') return { places: [Math.floor(Math.fround(i * Math.fround(ratio)))], weights: [1] };
  if (mode === 'nearest-exact') {
    return { places: [Math.floor(Math.fround((i + 0.5) * Math.fround(ratio)))], weights: [1] };
  }
  const at = align ? i * ratio : (i + 0.5) * ratio - 0.5;
  if (mode === 'bicubic') {
    const first = Math.floor(at);
    const t = at - first;
    return {
      places: [first - 1, first, first + 1, first + 2],
      weights: [cubic(1 + t), cubic(t), cubic(1 - t), cubic(2 - t)],
    };
  }
  const inside = Math.max(0, at);
  const first = Math.min(Math.floor(inside), length - 1);
  return { places: [first, first + 1], weights: [1 - (inside - first), inside - first] };
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

import {
  ArgumentError,
  binary,
  broadcastTo,
  cast,
  DTypeError,
  full,
  gather,
  iota,
  isFloat,
  type Node,
  reshape,
  type Shape,
  ShapeError,
  showShape,
  sizeOf,
  where,
} from '../graph/index.js';
import { sliceAxis } from './axis.js';
import { clamp } from './choosing.js';
import { abs, add, div, floor, fmod, mul, remainder, round, sub } from './elementwise.js';
import { checkInteger, floatLike, nodeOf } from './operands.js';
import type { Tensor } from './tensor.js';

export interface GridSampleOptions {
  /** How values between elements come about: 'bilinear' (of volumes trilinear) unless told otherwise; 'bicubic' of images only. */
  mode?: 'bilinear' | 'nearest' | 'bicubic';
  /** What is outside: zeros unless told otherwise, the nearest edge, or the mirror image. */
  paddingMode?: 'zeros' | 'border' | 'reflection';
  /** Whether -1 and 1 are the centres of the first and last elements, rather than their outer edges (false). */
  alignCorners?: boolean;
}

/** A position along one axis for each output place, and what it counts; null is all. */
interface Tap {
  readonly at: Tensor;
  readonly weight: Tensor | null;
}

const MODES = ['bilinear', 'nearest', 'bicubic'];
const PADDINGS = ['zeros', 'border', 'reflection'];

/**
 * Elements of images [N, C, H, W] at the places of a grid [N, OH, OW, 2], or of volumes [N, C, D, H, W] at [N, OD, OH, OW, 3]: the last axis
 * has x, y (and z) from -1 to 1. f32; the result is [N, C, ...places].
 * Throws ShapeError where the two do not fit, ArgumentError for options out of their domain.
 */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  const op = 'gridSample';
  const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = options;
  const [image, places] = [nodeOf(op, x), nodeOf(op, grid)];
  const { shape } = image;
  const spatial = shape.length - 2;
  if (!isFloat(image.dtype) || !isFloat(places.dtype)) {
    throw new DTypeError(`[${op}] dtypes ${image.dtype} and ${places.dtype} (expected f32)`);
  }
  if (
    (spatial !== 2 && spatial !== 3) ||
    places.shape.length !== shape.length ||
    places.shape[0] !== shape[0] ||
    places.shape[spatial + 1] !== spatial
  ) {
    throw new ShapeError(
      `[${op}] input ${showShape(shape)}, grid ${showShape(places.shape)} (expected [N, C, H, W] and [N, OH, OW, 2], or one axis more)`,
    );
  }
  if (!MODES.includes(mode) || (mode === 'bicubic' && spatial === 3)) {
    throw new ArgumentError(`[${op}] mode is ${String(mode)} (expected bilinear, nearest or, of images, bicubic)`);
  }
  if (!PADDINGS.includes(paddingMode)) {
    throw new ArgumentError(`[${op}] paddingMode is ${String(paddingMode)} (expected ${PADDINGS.join(', ')})`);
  }
  const [batch, channels, ...lengths] = shape as [number, number, ...number[]];
  if (lengths.includes(0)) throw new ShapeError(`[${op}] nothing to sample: ${showShape(shape)}`);
  const out = places.shape.slice(1, -1);
  const count = sizeOf(out);
  const rows = reshape(places, [batch, count, spatial]);
  const taps = lengths.map((length, i) => {
    const coordinate = x.derive(reshape(sliceAxis(rows, 2, spatial - 1 - i, 1), [batch, count]));
    return tapsOf(coordinate, length, mode, paddingMode, alignCorners);
  });

  const flat = reshape(image, [batch, channels, sizeOf(lengths)]);
  const wide = [batch, channels, count];
  const widened = (part: Node): Node => broadcastTo(reshape(part, [batch, 1, count]), wide);
  const number = (value: number): Node => full([batch, count], value, 'i32');
  let sum: Tensor | null = null;
  const visit = (axis: number, position: Node, inside: Node | null, weight: Tensor | null): void => {
    if (axis === spatial) {
      const value = where(widened(inside!), gather(flat, widened(position), 2), full(wide, 0, 'f32'));
      const part = weight === null ? x.derive(value) : mul(x.derive(value), x.derive(widened(weight.node)));
      sum = sum === null ? part : add(sum, part);
      return;
    }
    const length = lengths[axis]!;
    for (const tap of taps[axis]!) {
      const at = cast(tap.at.node, 'i32');
      const fits = binary('and', binary('le', number(0), at), binary('lt', at, number(length)));
      visit(
        axis + 1,
        binary('add', binary('mul', position, number(length)), at),
        inside === null ? fits : binary('and', inside, fits),
        weight === null || tap.weight === null ? (weight ?? tap.weight) : mul(weight, tap.weight),
      );
    }
  };
  visit(0, number(0), null, null);
  return x.derive(reshape(sum!.node as Node, [batch, channels, ...out]));
}

function tapsOf(
  coordinate: Tensor,
  length: number,
  mode: string,
  padding: string,
  alignCorners: boolean,
): readonly Tap[] {
  const one = add(coordinate, 1);
  const at = alignCorners ? mul(one, (length - 1) / 2) : div(sub(mul(one, length), 1), 2);
  const inside = (place: Tensor): Tensor => {
    if (padding === 'zeros') return place;
    return clamp(padding === 'border' ? place : reflected(place, length, alignCorners), 0, length - 1);
  };
  if (mode === 'nearest') return [{ at: round(inside(at)), weight: null }];
  if (mode === 'bilinear') {
    const place = inside(at);
    const first = floor(place);
    const rest = sub(place, first);
    return [
      { at: first, weight: sub(1, rest) },
      { at: add(first, 1), weight: rest },
    ];
  }
  const first = floor(at);
  const t = sub(at, first);
  const distances = [add(t, 1), t, sub(1, t), sub(2, t)];
  return distances.map((distance, k) => ({
    at: inside(add(first, k - 1)),
    weight: k === 1 || k === 2 ? cubicNear(distance) : cubicFar(distance),
  }));
}

// The cubic convolution kernel with a = -0.75 (Keys, 1981): up to distance 1, and from there to 2.
const cubicNear = (d: Tensor): Tensor => add(mul(mul(sub(mul(d, 1.25), 2.25), d), d), 1);
const cubicFar = (d: Tensor): Tensor => add(mul(sub(mul(add(mul(d, -0.75), 3.75), d), 6), d), 3);

/** Mirrored at the edges as often as it takes. */
function reflected(place: Tensor, length: number, alignCorners: boolean): Tensor {
  const low = alignCorners ? 0 : -0.5;
  const span = alignCorners ? length - 1 : length;
  if (span === 0) return mul(place, 0);
  const distance = abs(sub(place, low));
  const extra = fmod(distance, span);
  const odd = remainder(floor(div(distance, span)), 2);
  // extra where the number of turns is even, span - extra where it is odd.
  return add(add(mul(sub(1, mul(odd, 2)), extra), mul(odd, span)), low);
}

export interface AffineGridOptions {
  /** Whether -1 and 1 are the centres of the first and last elements, rather than their outer edges (false). */
  alignCorners?: boolean;
}

/**
 * The grid of `gridSample` for affine maps: theta [N, 2, 3] and size [N, C, H, W] to [N, H, W, 2], or [N, 3, 4] and [N, C, D, H, W] to
 * [N, D, H, W, 3]; f32. Throws ShapeError where the two do not fit.
 */
export function affineGrid(theta: Tensor, size: Shape, options: AffineGridOptions = {}): Tensor {
  const op = 'affineGrid';
  const node = nodeOf(op, theta);
  if (!isFloat(node.dtype)) throw new DTypeError(`[${op}] theta is ${node.dtype} (expected f32)`);
  const spatial = size.length - 2;
  for (const d of size) checkInteger(op, 'size', d, 1);
  if ((spatial !== 2 && spatial !== 3) || showShape(node.shape) !== showShape([size[0]!, spatial, spatial + 1])) {
    throw new ShapeError(
      `[${op}] theta ${showShape(node.shape)} for size ${showShape(size)} (expected [N, 2, 3] for [N, C, H, W], or one axis more)`,
    );
  }
  const [batch, , ...lengths] = size as [number, number, ...number[]];
  const shape = [batch, ...lengths, spatial];
  /** What each coordinate of the result takes of x, y (and z), or as the last column adds. */
  const column = (i: number): Tensor => {
    const part = reshape(sliceAxis(node, 2, i, 1), [batch, ...lengths.map(() => 1), spatial]);
    return theta.derive(broadcastTo(part, shape));
  };
  const grid = lengths.reduce((sum, length, i) => {
    const place = theta.derive(cast(iota(shape, i + 1), 'f32'));
    const align = options.alignCorners ?? false;
    const steps = align ? Math.max(1, length - 1) : length;
    const at = align && length === 1 ? mul(place, 0) : sub(div(mul(add(place, align ? 0 : 0.5), 2), steps), 1);
    return add(sum, mul(column(spatial - 1 - i), at));
  }, column(spatial));
  return floatLike(theta, grid.node);
}

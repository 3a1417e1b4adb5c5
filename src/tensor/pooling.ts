import {
  ArgumentError,
  binary,
  cast,
  full,
  iota,
  type Node,
  pad,
  reduce,
  reshape,
  type Shape,
  ShapeError,
  scatter,
  showShape,
  sizeOf,
  window,
} from '../graph/index.js';
import { alongAxis } from './axis.js';
import { mul, pow } from './elementwise.js';
import { largest } from './largest.js';
import { asIndex, floatLike } from './operands.js';
import { type PerAxis, perAxis, spatialInput } from './spatial.js';
import type { Tensor } from './tensor.js';

export interface PoolOptions {
  /** Steps between windows (the size of the window). */
  stride?: PerAxis;
  /** Elements around the input (0), at most half a window. */
  padding?: PerAxis;
  /** Also windows that reach beyond the end, if they start inside (false). */
  ceilMode?: boolean;
}

export interface MaxPoolOptions extends PoolOptions {
  /** Distance between the window's elements (1). */
  dilation?: PerAxis;
}

export interface AvgPoolOptions extends PoolOptions {
  /** Whether the padding counts in the divisor (true). */
  countIncludePad?: boolean;
  /** Divide by this instead of by the number of elements. */
  divisorOverride?: number;
}

export interface LpPoolOptions {
  /** Steps between windows (the size of the window). */
  stride?: PerAxis;
  /** Also windows that reach beyond the end, if they start inside (false). */
  ceilMode?: boolean;
}

/** The largest elements, and their i32 positions in row-major order over the spatial axes. */
export interface Pooled {
  values: Tensor;
  indices: Tensor;
}

interface MaxPool {
  /** With the positions. */
  (x: Tensor, kernelSize: PerAxis, options: MaxPoolOptions & { returnIndices: true }): Pooled;
  (x: Tensor, kernelSize: PerAxis, options?: MaxPoolOptions & { returnIndices?: false }): Tensor;
}

interface Geometry {
  readonly size: number[];
  readonly stride: number[];
  readonly padding: number[];
  readonly dilation: number[];
  readonly places: number[];
}

function geometryOf(op: string, shape: Shape, axes: number, kernelSize: PerAxis, options: MaxPoolOptions): Geometry {
  const lengths = shape.slice(-axes);
  const size = perAxis(op, 'kernelSize', kernelSize, axes, 1);
  const stride = perAxis(op, 'stride', options.stride ?? size, axes, 1);
  const padding = perAxis(op, 'padding', options.padding ?? 0, axes, 0);
  const dilation = perAxis(op, 'dilation', options.dilation ?? 1, axes, 1);
  const places = lengths.map((length, i) => {
    const [k, s, p] = [size[i]!, stride[i]!, padding[i]!];
    if (p > k / 2) {
      throw new ArgumentError(`[${op}] padding is more than half the window: ${p} of ${k} on spatial axis ${i}`);
    }
    const span = (k - 1) * dilation[i]! + 1;
    let count = Math.floor((length + 2 * p - span + (options.ceilMode ? s - 1 : 0)) / s) + 1;
    // The last window must start inside the input or the padding before it.
    if (options.ceilMode && (count - 1) * s >= length + p) count--;
    if (count < 1 || length === 0) {
      throw new ShapeError(
        `[${op}] window does not fit: ${showShape(shape)} (it spans ${span} of ${length + 2 * p} on spatial axis ${i})`,
      );
    }
    return count;
  });
  return { size, stride, padding, dilation, places };
}

/** [..., ...places, ...size] */
function windowsOf(x: Node, { size, stride, padding, dilation, places }: Geometry, fill: number): Node {
  const lead = x.shape.length - size.length;
  const zeros = new Array<number>(lead).fill(0);
  const high = places.map((count, i) => {
    const reach = (count - 1) * stride[i]! + (size[i]! - 1) * dilation[i]! + 1;
    return Math.max(0, reach - x.shape[lead + i]! - padding[i]!);
  });
  const padded = pad(x, { low: [...zeros, ...padding], high: [...zeros, ...high], value: fill });
  return window(padded, { axes: size.map((_, i) => lead + i), size, stride, dilation });
}

function maxPool(
  spatial: number,
  x: Tensor,
  kernelSize: PerAxis,
  options: MaxPoolOptions & { returnIndices?: boolean } = {},
): Tensor | Pooled {
  const op = `maxPool${spatial}d`;
  const node = spatialInput(op, spatial, x);
  const lengths = node.shape.slice(-spatial);
  const geometry = geometryOf(op, node.shape, spatial, kernelSize, options);
  const windows = windowsOf(node, geometry, -Infinity);
  const shape = windows.shape.slice(0, -spatial);
  const { value, place } = largest(reshape(windows, [...shape, sizeOf(geometry.size)]));
  const values = x.derive(value);
  if (!options.returnIndices) return values;
  const number = (n: number): Node => full(shape, n, 'i32');
  let position = number(0);
  let stride = sizeOf(geometry.size);
  geometry.size.forEach((size, i) => {
    stride /= size;
    const within = binary('remainder', binary('floorDiv', place(), number(stride)), number(size));
    const start = binary('mul', iota(shape, shape.length - spatial + i), number(geometry.stride[i]!));
    const from = binary('sub', start, number(geometry.padding[i]!));
    const at = binary('add', from, binary('mul', within, number(geometry.dilation[i]!)));
    // Where all are -Infinity the padding may come first: the first element then stands for it.
    const inside = binary('max', at, number(0));
    position = binary('add', binary('mul', position, number(lengths[i]!)), inside);
  });
  return { values, indices: x.derive(position) };
}

/**
 * Largest element of each window over the last axis of [N, C, L] or [C, L]; f32, the padding never wins, and of equal elements the first has
 * the gradient. With `{ returnIndices: true }` also where it is.
 * Throws ShapeError where the window does not fit, ArgumentError for options out of range.
 */
export const maxPool1d: MaxPool = ((x: Tensor, kernelSize: PerAxis, options?: MaxPoolOptions) =>
  maxPool(1, x, kernelSize, options)) as MaxPool;

/** As `maxPool1d`, over the last two axes of [N, C, H, W] or [C, H, W]. */
export const maxPool2d: MaxPool = ((x: Tensor, kernelSize: PerAxis, options?: MaxPoolOptions) =>
  maxPool(2, x, kernelSize, options)) as MaxPool;

/** As `maxPool1d`, over the last three axes of [N, C, D, H, W] or [C, D, H, W]. */
export const maxPool3d: MaxPool = ((x: Tensor, kernelSize: PerAxis, options?: MaxPoolOptions) =>
  maxPool(3, x, kernelSize, options)) as MaxPool;

/** How many elements the windows at the places of one axis have: f32. */
function countsAlong(length: number, i: number, geometry: Geometry, withPadding: boolean): Node {
  const count = geometry.places[i]!;
  const number = (n: number): Node => full([count], n, 'i32');
  const pad = geometry.padding[i]!;
  const start = binary('sub', binary('mul', iota([count], 0), number(geometry.stride[i]!)), number(pad));
  const end = binary('min', binary('add', start, number(geometry.size[i]!)), number(length + (withPadding ? pad : 0)));
  return cast(binary('sub', end, withPadding ? start : binary('max', start, number(0))), 'f32');
}

function avgPool(op: string, spatial: number, x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions = {}): Tensor {
  const node = spatialInput(op, spatial, x);
  const lengths = node.shape.slice(-spatial);
  const geometry = geometryOf(op, node.shape, spatial, kernelSize, options);
  const windows = windowsOf(node, geometry, 0);
  const rank = node.shape.length;
  const total = reduce(
    'sum',
    windows,
    geometry.size.map((_, i) => rank + i),
  );
  const sums = reshape(total, windows.shape.slice(0, -spatial));
  const { divisorOverride } = options;
  if (divisorOverride !== undefined) {
    if (!Number.isFinite(divisorOverride) || divisorOverride === 0) {
      throw new ArgumentError(`[${op}] divisorOverride is ${divisorOverride} (expected a number that is not 0)`);
    }
    return x.derive(binary('div', sums, full(sums.shape, divisorOverride, 'f32')));
  }
  const padded = geometry.padding.some((p) => p > 0);
  let divisor = full(sums.shape, sizeOf(geometry.size), 'f32');
  if (options.ceilMode || (padded && options.countIncludePad === false)) {
    divisor = lengths
      .map((length, i) => {
        const counts = countsAlong(length, i, geometry, options.countIncludePad ?? true);
        return alongAxis(counts, sums.shape, rank - spatial + i);
      })
      .reduce((a, b) => binary('mul', a, b));
  }
  return floatLike(x, binary('div', sums, divisor));
}

/**
 * Mean of each window over the last axis of [N, C, L] or [C, L]; f32.
 * Throws ShapeError where the window does not fit, ArgumentError for options out of range.
 */
export function avgPool1d(x: Tensor, kernelSize: PerAxis, options?: AvgPoolOptions): Tensor {
  return avgPool('avgPool1d', 1, x, kernelSize, options);
}

/** As `avgPool1d`, over the last two axes of [N, C, H, W] or [C, H, W]. */
export function avgPool2d(x: Tensor, kernelSize: PerAxis, options?: AvgPoolOptions): Tensor {
  return avgPool('avgPool2d', 2, x, kernelSize, options);
}

/** As `avgPool1d`, over the last three axes of [N, C, D, H, W] or [C, D, H, W]. */
export function avgPool3d(x: Tensor, kernelSize: PerAxis, options?: AvgPoolOptions): Tensor {
  return avgPool('avgPool3d', 3, x, kernelSize, options);
}

function lpPool(spatial: number, x: Tensor, p: number, kernelSize: PerAxis, options: LpPoolOptions = {}): Tensor {
  const op = `lpPool${spatial}d`;
  if (!(Number.isFinite(p) && p > 0)) throw new ArgumentError(`[${op}] p is ${String(p)} (expected a positive number)`);
  spatialInput(op, spatial, x);
  const mean = avgPool(op, spatial, pow(x, p), kernelSize, { ...options, padding: 0 });
  return pow(mul(mean, sizeOf(perAxis(op, 'kernelSize', kernelSize, spatial, 1))), 1 / p);
}

/** (sum of x^p)^(1/p) of each window over the last axis of [N, C, L] or [C, L]; f32. */
export function lpPool1d(x: Tensor, p: number, kernelSize: PerAxis, options?: LpPoolOptions): Tensor {
  return lpPool(1, x, p, kernelSize, options);
}

/** (sum of x^p)^(1/p) of each window over the last two axes of [N, C, H, W] or [C, H, W]; f32. */
export function lpPool2d(x: Tensor, p: number, kernelSize: PerAxis, options?: LpPoolOptions): Tensor {
  return lpPool(2, x, p, kernelSize, options);
}

/** (sum of x^p)^(1/p) of each window over the last three axes of [N, C, D, H, W] or [C, D, H, W]; f32. */
export function lpPool3d(x: Tensor, p: number, kernelSize: PerAxis, options?: LpPoolOptions): Tensor {
  return lpPool(3, x, p, kernelSize, options);
}

export interface MaxUnpoolOptions {
  /** Steps between the windows (their size). */
  stride?: PerAxis;
  /** Elements that the pooling had added around its input (0). */
  padding?: PerAxis;
  /** The spatial lengths of the result, where several would pool to the same. */
  outputSize?: Shape;
}

function maxUnpool(
  spatial: number,
  x: Tensor,
  indices: Tensor,
  kernelSize: PerAxis,
  options: MaxUnpoolOptions = {},
): Tensor {
  const op = `maxUnpool${spatial}d`;
  const node = spatialInput(op, spatial, x);
  const positions = asIndex(op, indices);
  if (showShape(positions.shape) !== showShape(node.shape)) {
    throw new ShapeError(`[${op}] indices are ${showShape(positions.shape)} (expected ${showShape(node.shape)})`);
  }
  const size = perAxis(op, 'kernelSize', kernelSize, spatial, 1);
  const stride = perAxis(op, 'stride', options.stride ?? size, spatial, 1);
  const padding = perAxis(op, 'padding', options.padding ?? 0, spatial, 0);
  const lead = node.shape.slice(0, -spatial);
  const usual = size.map((k, i) => (node.shape[lead.length + i]! - 1) * stride[i]! - 2 * padding[i]! + k);
  const wanted = options.outputSize?.slice(-spatial) ?? usual;
  if (wanted.length !== spatial || wanted.some((d, i) => Math.abs(d - usual[i]!) >= stride[i]!)) {
    throw new ShapeError(`[${op}] outputSize is ${showShape(wanted)} (expected about ${showShape(usual)})`);
  }
  const flat = [...lead, sizeOf(node.shape.slice(-spatial))];
  const zeros = full([...lead, sizeOf(wanted)], 0, node.dtype);
  const spread = scatter('set', zeros, reshape(positions, flat), reshape(node, flat), lead.length);
  return x.derive(reshape(spread, [...lead, ...wanted]));
}

/** Puts each element of [N, C, L] or [C, L] back to where `maxPool1d` took it from, by its indices; zeros elsewhere. */
export function maxUnpool1d(x: Tensor, indices: Tensor, kernelSize: PerAxis, options?: MaxUnpoolOptions): Tensor {
  return maxUnpool(1, x, indices, kernelSize, options);
}

/** Puts each element of [N, C, H, W] or [C, H, W] back to where `maxPool2d` took it from, by its indices; zeros elsewhere. */
export function maxUnpool2d(x: Tensor, indices: Tensor, kernelSize: PerAxis, options?: MaxUnpoolOptions): Tensor {
  return maxUnpool(2, x, indices, kernelSize, options);
}

/** Puts each element of [N, C, D, H, W] or [C, D, H, W] back to where `maxPool3d` took it from, by its indices; zeros elsewhere. */
export function maxUnpool3d(x: Tensor, indices: Tensor, kernelSize: PerAxis, options?: MaxUnpoolOptions): Tensor {
  return maxUnpool(3, x, indices, kernelSize, options);
}

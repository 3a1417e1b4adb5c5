import {
  ArgumentError,
  binary,
  conv,
  DTypeError,
  full,
  type Node,
  pad,
  reduce,
  reshape,
  ShapeError,
  showShape,
  window,
} from '../graph/index.js';
import { add, div } from './elementwise.js';
import { checkInteger, nodeOf } from './operands.js';
import type { Tensor } from './tensor.js';

/** One value for every spatial axis, or one each. */
export type PerAxis = number | readonly number[];

export interface ConvOptions {
  /** Steps between outputs (1). */
  stride?: PerAxis;
  /** Zeros around the input (0), on both sides of an axis; 'same' keeps the lengths (stride 1 only), 'valid' is 0. */
  padding?: PerAxis | 'same' | 'valid';
  /** Distance between the kernel's elements (1). */
  dilation?: PerAxis;
  /** Groups of channels that do not see each other (1). */
  groups?: number;
}

export interface PoolOptions {
  /** Steps between windows (the size of the window). */
  stride?: PerAxis;
  /** Elements around the input (0), at most half a window. */
  padding?: PerAxis;
}

export interface MaxPoolOptions extends PoolOptions {
  /** Distance between the window's elements (1). */
  dilation?: PerAxis;
}

export interface AvgPoolOptions extends PoolOptions {
  /** Whether the padding counts in the divisor (true). */
  countIncludePad?: boolean;
}

function perAxis(op: string, name: string, value: PerAxis, axes: number, least: number): number[] {
  const list = typeof value === 'number' ? new Array<number>(axes).fill(value) : [...value];
  if (list.length !== axes) {
    throw new ArgumentError(`[${op}] ${name} has ${list.length} values: ${showShape(list)} (expected 1 or ${axes})`);
  }
  for (const v of list) checkInteger(op, name, v, least);
  return list;
}

function convolve(
  spatial: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  options: ConvOptions = {},
): Tensor {
  const op = `conv${spatial}d`;
  let input = nodeOf(op, x);
  const kernel = nodeOf(op, weight);
  const both = `input ${showShape(input.shape)}, weight ${showShape(kernel.shape)}`;
  if (input.dtype !== 'f32' || kernel.dtype !== 'f32') {
    throw new DTypeError(`[${op}] dtypes ${input.dtype} and ${kernel.dtype} (expected f32)`);
  }
  const single = input.shape.length === spatial + 1;
  if ((!single && input.shape.length !== spatial + 2) || kernel.shape.length !== spatial + 2) {
    throw new ShapeError(
      `[${op}] ranks do not fit: ${both} (expected ${spatial + 2} axes, or an input of ${spatial + 1})`,
    );
  }
  if (single) input = reshape(input, [1, ...input.shape]);

  const groups = checkInteger(op, 'groups', options.groups ?? 1, 1);
  const [outputs, perGroup] = kernel.shape as [number, number, ...number[]];
  if (input.shape[1] !== perGroup * groups || outputs % groups !== 0) {
    throw new ShapeError(
      `[${op}] channels do not fit: ${both}, groups ${groups} (input channels = weight[1] * groups, weight[0] divisible by groups)`,
    );
  }
  if (bias && (nodeOf(op, bias).shape.length !== 1 || bias.shape[0] !== outputs)) {
    throw new ShapeError(`[${op}] bias is ${showShape(bias.shape)} (expected [${outputs}])`);
  }

  const sizes = kernel.shape.slice(2);
  const stride = perAxis(op, 'stride', options.stride ?? 1, spatial, 1);
  const kernelDilation = perAxis(op, 'dilation', options.dilation ?? 1, spatial, 1);
  const span = sizes.map((k, i) => Math.max(0, k - 1) * kernelDilation[i]! + 1);
  const [padLow, padHigh] = paddingOf(op, options.padding ?? 0, stride, span);
  span.forEach((s, i) => {
    const room = input.shape[i + 2]! + padLow[i]! + padHigh[i]!;
    if (s > room) {
      throw new ShapeError(`[${op}] kernel does not fit: ${both} (it spans ${s} of ${room} on spatial axis ${i})`);
    }
  });
  const inputDilation = sizes.map(() => 1);
  const node = conv(input, kernel, { stride, padLow, padHigh, inputDilation, kernelDilation, groups });
  const out = x.derive(single ? reshape(node, node.shape.slice(1)) : node);
  return bias ? add(out, bias.derive(reshape(bias.node, [outputs, ...sizes.map(() => 1)]))) : out;
}

function paddingOf(
  op: string,
  padding: PerAxis | 'same' | 'valid',
  stride: number[],
  span: number[],
): [number[], number[]] {
  if (padding === 'same') {
    if (stride.some((s) => s !== 1)) {
      throw new ArgumentError(`[${op}] padding 'same' needs stride 1: stride ${showShape(stride)}`);
    }
    const low = span.map((s) => Math.floor((s - 1) / 2));
    return [low, span.map((s, i) => s - 1 - low[i]!)];
  }
  if (typeof padding === 'string' && padding !== 'valid') {
    throw new ArgumentError(`[${op}] padding is '${String(padding)}' (expected a number, numbers, 'same' or 'valid')`);
  }
  const both = perAxis(op, 'padding', padding === 'valid' ? 0 : padding, stride.length, 0);
  return [both, both];
}

/**
 * Cross-correlation over one axis: input [N, C, L] or [C, L], weight [O, C / groups, K], bias [O]; f32.
 * Throws ShapeError where they do not fit, ArgumentError for options out of range.
 */
export function conv1d(x: Tensor, weight: Tensor, bias?: Tensor | null, options?: ConvOptions): Tensor {
  return convolve(1, x, weight, bias, options);
}

/**
 * Cross-correlation over images: input [N, C, H, W] or [C, H, W], weight [O, C / groups, KH, KW], bias [O]; f32.
 * Throws ShapeError where they do not fit, ArgumentError for options out of range.
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor | null, options?: ConvOptions): Tensor {
  return convolve(2, x, weight, bias, options);
}

/**
 * Cross-correlation over volumes: input [N, C, D, H, W] or [C, D, H, W], weight [O, C / groups, KD, KH, KW], bias [O]; f32.
 * Throws ShapeError where they do not fit, ArgumentError for options out of range.
 */
export function conv3d(x: Tensor, weight: Tensor, bias?: Tensor | null, options?: ConvOptions): Tensor {
  return convolve(3, x, weight, bias, options);
}

interface Windows {
  /** [..., OH, OW, KH, KW] */
  node: Node;
  size: number[];
}

function windowsOf(op: string, x: Node, size: PerAxis, options: MaxPoolOptions, fill: number): Windows {
  const rank = x.shape.length;
  if (rank !== 3 && rank !== 4) {
    throw new ShapeError(`[${op}] rank is ${rank}: ${showShape(x.shape)} (expected [N, C, H, W] or [C, H, W])`);
  }
  const sizes = perAxis(op, 'kernelSize', size, 2, 1);
  const stride = perAxis(op, 'stride', options.stride ?? sizes, 2, 1);
  const padding = perAxis(op, 'padding', options.padding ?? 0, 2, 0);
  const dilation = perAxis(op, 'dilation', options.dilation ?? 1, 2, 1);
  padding.forEach((p, i) => {
    if (p > sizes[i]! / 2) {
      throw new ArgumentError(`[${op}] padding is more than half the window: ${p} of ${sizes[i]} on spatial axis ${i}`);
    }
    const room = x.shape[rank - 2 + i]! + 2 * p;
    const span = (sizes[i]! - 1) * dilation[i]! + 1;
    if (span > room) {
      throw new ShapeError(
        `[${op}] window does not fit: ${showShape(x.shape)} (it spans ${span} of ${room} on spatial axis ${i})`,
      );
    }
  });
  const around = [...new Array<number>(rank - 2).fill(0), ...padding];
  const padded = pad(x, { low: around, high: around, value: fill });
  return { node: window(padded, { axes: [rank - 2, rank - 1], size: sizes, stride, dilation }), size: sizes };
}

function reduceWindows(fn: 'max' | 'sum', windows: Windows): Node {
  const rank = windows.node.shape.length;
  return reshape(reduce(fn, windows.node, [rank - 2, rank - 1]), windows.node.shape.slice(0, -2));
}

/**
 * Largest element of each window over the last two axes of [N, C, H, W] or [C, H, W]; f32, the padding never wins.
 * Throws ShapeError where the window does not fit, ArgumentError for options out of range.
 */
export function maxPool2d(x: Tensor, kernelSize: PerAxis, options: MaxPoolOptions = {}): Tensor {
  const node = floatInput('maxPool2d', x);
  return x.derive(reduceWindows('max', windowsOf('maxPool2d', node, kernelSize, options, -Infinity)));
}

/**
 * Mean of each window over the last two axes of [N, C, H, W] or [C, H, W]; f32.
 * Throws ShapeError where the window does not fit, ArgumentError for options out of range.
 */
export function avgPool2d(x: Tensor, kernelSize: PerAxis, options: AvgPoolOptions = {}): Tensor {
  const node = floatInput('avgPool2d', x);
  const windows = windowsOf('avgPool2d', node, kernelSize, options, 0);
  const sums = reduceWindows('sum', windows);
  const padded = typeof options.padding === 'number' ? options.padding > 0 : options.padding?.some((p) => p > 0);
  if (!padded || options.countIncludePad !== false) {
    return x.derive(binary('div', sums, full(sums.shape, windows.size[0]! * windows.size[1]!, 'f32')));
  }
  const ones = full([...node.shape.slice(0, -2).map(() => 1), ...node.shape.slice(-2)], 1, 'f32');
  const counts = x.derive(reduceWindows('sum', windowsOf('avgPool2d', ones, kernelSize, options, 0)));
  return div(x.derive(sums), counts);
}

function floatInput(op: string, x: Tensor): Node {
  const node = nodeOf(op, x);
  if (node.dtype !== 'f32') throw new DTypeError(`[${op}] input is ${node.dtype} (expected f32)`);
  return node;
}

import {
  ArgumentError,
  conv,
  DTypeError,
  flip,
  isFloat,
  type Node,
  permute,
  reshape,
  ShapeError,
  showShape,
} from '../graph/index.js';
import { add } from './elementwise.js';
import { checkInteger, nodeOf } from './operands.js';
import { type PerAxis, perAxis } from './spatial.js';
import type { Tensor } from './tensor.js';

export type { PerAxis } from './spatial.js';

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

function convolve(
  spatial: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  options: ConvOptions = {},
): Tensor {
  const op = `conv${spatial}d`;
  const { input, kernel, single, both } = operandsOf(op, spatial, x, weight);
  const groups = checkInteger(op, 'groups', options.groups ?? 1, 1);
  const [outputs, perGroup] = kernel.shape as [number, number, ...number[]];
  if (input.shape[1] !== perGroup * groups || outputs % groups !== 0) {
    throw new ShapeError(
      `[${op}] channels do not fit: ${both}, groups ${groups} (input channels = weight[1] * groups, weight[0] divisible by groups)`,
    );
  }
  checkBias(op, bias, outputs);
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
  return finished(x, node, single, bias);
}

interface ConvOperands {
  /** With a batch. */
  input: Node;
  kernel: Node;
  /** Whether the batch was missing. */
  single: boolean;
  /** Both shapes, for messages. */
  both: string;
}

function operandsOf(op: string, spatial: number, x: Tensor, weight: Tensor): ConvOperands {
  const input = nodeOf(op, x);
  const kernel = nodeOf(op, weight);
  const both = `input ${showShape(input.shape)}, weight ${showShape(kernel.shape)}`;
  if (!isFloat(input.dtype) || !isFloat(kernel.dtype)) {
    throw new DTypeError(`[${op}] dtypes ${input.dtype} and ${kernel.dtype} (expected f32)`);
  }
  const single = input.shape.length === spatial + 1;
  if ((!single && input.shape.length !== spatial + 2) || kernel.shape.length !== spatial + 2) {
    throw new ShapeError(
      `[${op}] ranks do not fit: ${both} (expected ${spatial + 2} axes, or an input of ${spatial + 1})`,
    );
  }
  return { input: single ? reshape(input, [1, ...input.shape]) : input, kernel, single, both };
}

function checkBias(op: string, bias: Tensor | null | undefined, outputs: number): void {
  if (bias && (nodeOf(op, bias).shape.length !== 1 || bias.shape[0] !== outputs)) {
    throw new ShapeError(`[${op}] bias is ${showShape(bias.shape)} (expected [${outputs}])`);
  }
}

function finished(x: Tensor, node: Node, single: boolean, bias: Tensor | null | undefined): Tensor {
  const out = x.derive(single ? reshape(node, node.shape.slice(1)) : node);
  const ones = node.shape.slice(2).map(() => 1);
  return bias ? add(out, bias.derive(reshape(bias.node, [node.shape[1]!, ...ones]))) : out;
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

export interface ConvTransposeOptions {
  /** Distance between outputs of neighbouring inputs (1). */
  stride?: PerAxis;
  /** How much is cut off the output, on both sides of an axis (0). */
  padding?: PerAxis;
  /** What the output is longer by at its end (0): less than the stride or the dilation. */
  outputPadding?: PerAxis;
  /** Groups of channels that do not see each other (1). */
  groups?: number;
  /** Distance between the kernel's elements (1). */
  dilation?: PerAxis;
}

function convolveTransposed(
  spatial: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  options: ConvTransposeOptions = {},
): Tensor {
  const op = `convTranspose${spatial}d`;
  const { input, kernel, single, both } = operandsOf(op, spatial, x, weight);
  const groups = checkInteger(op, 'groups', options.groups ?? 1, 1);
  const [inputs, perGroup, ...sizes] = kernel.shape as [number, number, ...number[]];
  if (input.shape[1] !== inputs || inputs % groups !== 0) {
    throw new ShapeError(
      `[${op}] channels do not fit: ${both}, groups ${groups} (input channels = weight[0], divisible by groups)`,
    );
  }
  const outputs = perGroup * groups;
  checkBias(op, bias, outputs);
  const stride = perAxis(op, 'stride', options.stride ?? 1, spatial, 1);
  const padding = perAxis(op, 'padding', options.padding ?? 0, spatial, 0);
  const more = perAxis(op, 'outputPadding', options.outputPadding ?? 0, spatial, 0);
  const dilation = perAxis(op, 'dilation', options.dilation ?? 1, spatial, 1);
  more.forEach((extra, i) => {
    if (extra >= Math.max(stride[i]!, dilation[i]!)) {
      throw new ArgumentError(
        `[${op}] outputPadding is ${extra} (expected less than stride ${stride[i]} or dilation ${dilation[i]})`,
      );
    }
    const length =
      (input.shape[i + 2]! - 1) * stride[i]! - 2 * padding[i]! + dilation[i]! * (sizes[i]! - 1) + extra + 1;
    if (length < 1) throw new ShapeError(`[${op}] nothing is left: ${both} (length ${length} on spatial axis ${i})`);
  });
  // The convolution whose gradient this is, written out: kernels turned round, channels swapped, zeros between inputs.
  const axes = sizes.map((_, i) => i);
  const swapped = permute(reshape(kernel, [groups, inputs / groups, perGroup, ...sizes]), [
    0,
    2,
    1,
    ...axes.map((i) => i + 3),
  ]);
  const turned = flip(
    reshape(swapped, [outputs, inputs / groups, ...sizes]),
    axes.map((i) => i + 2),
  );
  const padLow = axes.map((i) => dilation[i]! * (sizes[i]! - 1) - padding[i]!);
  const node = conv(input, turned, {
    stride: axes.map(() => 1),
    padLow,
    padHigh: padLow.map((low, i) => low + more[i]!),
    inputDilation: stride,
    kernelDilation: dilation,
    groups,
  });
  return finished(x, node, single, bias);
}

/**
 * Transposed convolution over one axis, the gradient of `conv1d`: input [N, C, L] or [C, L], weight [C, O / groups, K], bias [O]; f32.
 * Throws ShapeError where they do not fit, ArgumentError for options out of range.
 */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options?: ConvTransposeOptions,
): Tensor {
  return convolveTransposed(1, x, weight, bias, options);
}

/**
 * Transposed convolution over images, the gradient of `conv2d`: input [N, C, H, W] or [C, H, W], weight [C, O / groups, KH, KW],
 * bias [O]; f32. Throws ShapeError where they do not fit, ArgumentError for options out of range.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options?: ConvTransposeOptions,
): Tensor {
  return convolveTransposed(2, x, weight, bias, options);
}

/**
 * Transposed convolution over volumes, the gradient of `conv3d`: input [N, C, D, H, W] or [C, D, H, W], weight
 * [C, O / groups, KD, KH, KW], bias [O]; f32. Throws ShapeError where they do not fit, ArgumentError for options out of range.
 */
export function convTranspose3d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options?: ConvTransposeOptions,
): Tensor {
  return convolveTransposed(3, x, weight, bias, options);
}

import { foldWindows } from '../autograd/index.js';
import {
  DTypeError,
  isFloat,
  type Node,
  pad,
  permute,
  reshape,
  type Shape,
  ShapeError,
  showShape,
  sizeOf,
  slice,
  window,
} from '../graph/index.js';
import { withAxis } from './axis.js';
import { checkInteger, nodeOf } from './operands.js';
import { type PerAxis, perAxis, spatialInput } from './spatial.js';
import type { Tensor } from './tensor.js';

const shuffled = (x: Tensor, split: Node, order: readonly number[], shape: Shape): Tensor =>
  x.derive(reshape(permute(split, order), shape));

/** Moves channels into space: [..., C * r^2, H, W] to [..., C, H * r, W * r]. Throws ShapeError where r^2 does not divide the channels. */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  const op = 'pixelShuffle';
  const { shape } = nodeOf(op, x);
  const r = checkInteger(op, 'upscaleFactor', upscaleFactor, 1);
  const channels = shape[shape.length - 3];
  if (channels === undefined || channels % (r * r) !== 0) {
    throw new ShapeError(`[${op}] ${showShape(shape)} by ${r} (expected [..., C * ${r * r}, H, W])`);
  }
  const [h, w] = shape.slice(-2) as [number, number];
  const lead = shape.slice(0, -3);
  const n = lead.length;
  const split = reshape(x.node, [...lead, channels / (r * r), r, r, h, w]);
  const order = [...lead.map((_, i) => i), n, n + 3, n + 1, n + 4, n + 2];
  return shuffled(x, split, order, [...lead, channels / (r * r), h * r, w * r]);
}

/** Moves space into channels: [..., C, H * r, W * r] to [..., C * r^2, H, W]. Throws ShapeError where r does not divide the lengths. */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number): Tensor {
  const op = 'pixelUnshuffle';
  const { shape } = nodeOf(op, x);
  const r = checkInteger(op, 'downscaleFactor', downscaleFactor, 1);
  const [channels, h, w] = shape.slice(-3) as [number, number, number];
  if (shape.length < 3 || h % r !== 0 || w % r !== 0) {
    throw new ShapeError(`[${op}] ${showShape(shape)} by ${r} (expected [..., C, H * ${r}, W * ${r}])`);
  }
  const lead = shape.slice(0, -3);
  const n = lead.length;
  const split = reshape(x.node, [...lead, channels, h / r, r, w / r, r]);
  const order = [...lead.map((_, i) => i), n, n + 2, n + 4, n + 1, n + 3];
  return shuffled(x, split, order, [...lead, channels * r * r, h / r, w / r]);
}

/** Deals the channels of [N, C, ...] out among groups: channel g * (C / groups) + i becomes i * groups + g. */
export function channelShuffle(x: Tensor, groups: number): Tensor {
  const op = 'channelShuffle';
  const { shape } = nodeOf(op, x);
  checkInteger(op, 'groups', groups, 1);
  if (shape.length < 3 || shape[1]! % groups !== 0) {
    throw new ShapeError(
      `[${op}] ${showShape(shape)} in ${groups} groups (expected [N, C, ...], divisible by the groups)`,
    );
  }
  const split = reshape(x.node, withAxis(shape, 1, groups, shape[1]! / groups));
  return shuffled(x, split, [0, 2, 1, ...shape.slice(2).map((_, i) => i + 3)], shape);
}

export interface PatchOptions {
  /** Distance between the patch's elements (1). */
  dilation?: PerAxis;
  /** Zeros around the image (0). */
  padding?: PerAxis;
  /** Steps between patches (1). */
  stride?: PerAxis;
}

interface Patches {
  readonly size: number[];
  readonly dilation: number[];
  readonly padding: number[];
  readonly stride: number[];
  /** Lengths with the padding, and how many patches there are along each. */
  readonly padded: number[];
  readonly places: number[];
}

function patchesOf(op: string, lengths: Shape, kernelSize: PerAxis, options: PatchOptions = {}): Patches {
  const size = perAxis(op, 'kernelSize', kernelSize, 2, 1);
  const dilation = perAxis(op, 'dilation', options.dilation ?? 1, 2, 1);
  const padding = perAxis(op, 'padding', options.padding ?? 0, 2, 0);
  const stride = perAxis(op, 'stride', options.stride ?? 1, 2, 1);
  const padded = lengths.map((d, i) => d + 2 * padding[i]!);
  const places = padded.map((d, i) => Math.floor((d - (size[i]! - 1) * dilation[i]! - 1) / stride[i]!) + 1);
  if (places.some((count) => count < 1)) {
    throw new ShapeError(`[${op}] patches of ${showShape(size)} do not fit: ${showShape(padded)} with the padding`);
  }
  return { size, dilation, padding, stride, padded, places };
}

/**
 * The patches of images as columns (PyTorch's nn.functional.unfold): [N, C, H, W] or [C, H, W] to [N, C * KH * KW, patches]. A view but for
 * the padding. Throws ShapeError where no patch fits.
 */
export function im2col(x: Tensor, kernelSize: PerAxis, options?: PatchOptions): Tensor {
  const node = spatialInput('im2col', 2, x);
  const lead = node.shape.slice(0, -3);
  const n = lead.length;
  const channels = node.shape[n]!;
  const { size, dilation, padding, stride, places } = patchesOf('im2col', node.shape.slice(-2), kernelSize, options);
  const around = [...lead.map(() => 0), 0, ...padding];
  const padded = pad(node, { low: around, high: around });
  const windows = window(padded, { axes: [n + 1, n + 2], size, stride, dilation });
  const order = [...lead.map((_, i) => i), n, n + 3, n + 4, n + 1, n + 2];
  return shuffled(x, windows, order, [...lead, channels * sizeOf(size), sizeOf(places)]);
}

/**
 * Adds patches up to images, the transpose of `im2col`: [N, C * KH * KW, patches] or without the batch to [N, C, H, W], where [H, W] is
 * `outputSize`. Throws ShapeError where the channels or the number of patches do not fit.
 */
export function fold(x: Tensor, outputSize: PerAxis, kernelSize: PerAxis, options?: PatchOptions): Tensor {
  const op = 'fold';
  const node = nodeOf(op, x);
  const rank = node.shape.length;
  if (!isFloat(node.dtype)) throw new DTypeError(`[${op}] input is ${node.dtype} (expected f32)`);
  const lengths = perAxis(op, 'outputSize', outputSize, 2, 1);
  const { size, dilation, padding, stride, padded, places } = patchesOf(op, lengths, kernelSize, options);
  const [rows, columns] = node.shape.slice(-2) as [number, number];
  if ((rank !== 2 && rank !== 3) || rows % sizeOf(size) !== 0 || columns !== sizeOf(places)) {
    throw new ShapeError(
      `[${op}] input is ${showShape(node.shape)} (expected [N, C * ${sizeOf(size)}, ${sizeOf(places)}], or without N)`,
    );
  }
  const lead = node.shape.slice(0, -2);
  const n = lead.length;
  const channels = rows / sizeOf(size);
  const split = reshape(node, [...lead, channels, ...size, ...places]);
  const windows = permute(split, [...lead.map((_, i) => i), n, n + 3, n + 4, n + 1, n + 2]);
  const folded = foldWindows(windows, [...lead, channels, ...padded], { axes: [n + 1, n + 2], size, stride, dilation });
  return x.derive(slice(folded, [...lead.map(() => 0), 0, ...padding], [...lead, channels, ...lengths]));
}

/** Another name of `fold`. */
export const col2im: typeof fold = fold;

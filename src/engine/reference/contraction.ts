import { type ConvAttrs, rowMajorStrides, type Shape, sizeOf, type TypedArray } from '../../graph/index.js';
import { zeros } from './arrays.js';
import type { Evaluators } from './evaluator.js';
import { multiplyFloats, multiplyIntegers } from './matrix.js';
import { copyView, dense } from './strided.js';

interface Padded {
  readonly data: TypedArray;
  readonly shape: Shape;
}

/** The input with zeros between (input dilation) and around its elements; negative padding crops. */
function surround(x: TypedArray, shape: Shape, attrs: ConvAttrs): Padded {
  const outer = [...shape];
  const inside = [...shape];
  const from = rowMajorStrides(shape);
  const first = shape.map(() => 0);
  const place = shape.map(() => 0);
  const spread = shape.map(() => 1);
  for (let axis = 2; axis < shape.length; axis++) {
    const low = attrs.padLow[axis - 2]!;
    const dilation = attrs.inputDilation[axis - 2]!;
    const dilated = shape[axis] === 0 ? 0 : (shape[axis]! - 1) * dilation + 1;
    const size = dilated + low + attrs.padHigh[axis - 2]!;
    outer[axis] = size;
    first[axis] = Math.max(0, Math.ceil(-low / dilation));
    inside[axis] = Math.max(0, Math.min(shape[axis]!, Math.floor((size - 1 - low) / dilation) + 1) - first[axis]!);
    place[axis] = first[axis]! * dilation + low;
    spread[axis] = dilation;
  }
  const data = zeros(outer, 'f32');
  const to = rowMajorStrides(outer);
  const dot = (index: number[], strides: number[]): number => index.reduce((sum, v, i) => sum + v * strides[i]!, 0);
  copyView(
    inside,
    { data: x, offset: dot(first, from), strides: from },
    { data, offset: dot(place, to), strides: to.map((stride, axis) => stride * spread[axis]!) },
  );
  return { data, shape: outer };
}

export const contraction: Pick<Evaluators, 'dot' | 'conv'> = {
  dot: (node, [a, b]) => {
    const out = zeros(node.shape, node.dtype);
    const [M, K] = node.inputs[0]!.shape.slice(-2) as [number, number];
    const N = node.shape[node.shape.length - 1]!;
    const multiply = node.dtype === 'f32' ? multiplyFloats : multiplyIntegers;
    for (let i = sizeOf(node.shape.slice(0, -2)) - 1; i >= 0; i--) {
      const matrix = (data: TypedArray, size: number) => ({ data, offset: i * size });
      multiply(matrix(a!, M * K), matrix(b!, K * N), matrix(out, M * N), M, K, N);
    }
    return out;
  },
  /** A matrix product of the kernel with all the windows it sees; zeros of the padding count as zeros (infinity times them is NaN). */
  conv: (node, [x, weight]) => {
    const out = zeros(node.shape, 'f32');
    if (out.length === 0) return out;
    const { stride, kernelDilation, groups } = node.attrs;
    const padded = surround(x!, node.inputs[0]!.shape, node.attrs);
    const [batch, channels] = padded.shape as [number, number];
    const kernel = node.inputs[1]!.shape.slice(2);
    const positions = node.shape.slice(2);
    const [channelsIn, channelsOut] = [channels / groups, node.shape[1]! / groups];

    const strides = rowMajorStrides(padded.shape);
    const windows = {
      shape: [channelsIn, ...kernel, ...positions],
      strides: [
        strides[1]!,
        ...kernel.map((_, i) => strides[i + 2]! * kernelDilation[i]!),
        ...positions.map((_, i) => strides[i + 2]! * stride[i]!),
      ],
    };
    const [K, N] = [channelsIn * sizeOf(kernel), sizeOf(positions)];
    const columns = zeros(windows.shape, 'f32');
    for (let n = 0; n < batch; n++) {
      for (let group = 0; group < groups; group++) {
        const offset = n * strides[0]! + group * channelsIn * strides[1]!;
        copyView(windows.shape, { data: padded.data, offset, strides: windows.strides }, dense(columns, windows.shape));
        multiplyFloats(
          { data: weight!, offset: group * channelsOut * K },
          { data: columns, offset: 0 },
          { data: out, offset: (n * groups + group) * channelsOut * N },
          channelsOut,
          K,
          N,
        );
      }
    }
    return out;
  },
};

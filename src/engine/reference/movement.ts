import { type Node, rowMajorStrides, type TypedArray } from '../../graph/index.js';
import { zeros } from './arrays.js';
import type { Evaluators } from './evaluator.js';
import { copyView, dense, type View } from './strided.js';

/** A new array with the elements of a view over the node's shape. */
function read(node: Node, view: View): TypedArray {
  const out = zeros(node.shape, node.dtype);
  copyView(node.shape, view, dense(out, node.shape));
  return out;
}

/** Row-major strides of the first input. */
const inputStrides = (node: Node): number[] => rowMajorStrides(node.inputs[0]!.shape);

const dotProduct = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);

type Movement = 'reshape' | 'permute' | 'expand' | 'slice' | 'pad' | 'flip' | 'concat' | 'window';

export const movement: Pick<Evaluators, Movement> = {
  reshape: (_, [x]) => x!,
  permute: (node, [x]) => {
    const strides = inputStrides(node);
    return read(node, { data: x!, offset: 0, strides: node.attrs.order.map((axis) => strides[axis]!) });
  },
  expand: (node, [x]) => {
    const from = node.inputs[0]!.shape;
    const strides = inputStrides(node).map((stride, axis) => (from[axis] === node.shape[axis] ? stride : 0));
    return read(node, { data: x!, offset: 0, strides });
  },
  slice: (node, [x]) => {
    const strides = inputStrides(node);
    const { start, step } = node.attrs;
    return read(node, {
      data: x!,
      offset: dotProduct(start, strides),
      strides: strides.map((stride, axis) => stride * step[axis]!),
    });
  },
  pad: (node, [x]) => {
    const { low, interior, value } = node.attrs;
    const out = zeros(node.shape, node.dtype).fill(value);
    const strides = rowMajorStrides(node.shape);
    const inside = strides.map((stride, axis) => stride * (interior[axis]! + 1));
    const shape = node.inputs[0]!.shape;
    copyView(shape, dense(x!, shape), { data: out, offset: dotProduct(low, strides), strides: inside });
    return out;
  },
  flip: (node, [x]) => {
    const strides = inputStrides(node);
    const turned = (axis: number): boolean => node.attrs.axes.includes(axis);
    const ends = node.shape.map((d, axis) => (turned(axis) ? d - 1 : 0));
    return read(node, {
      data: x!,
      offset: dotProduct(ends, strides),
      strides: strides.map((stride, axis) => (turned(axis) ? -stride : stride)),
    });
  },
  concat: (node, parts) => {
    const out = zeros(node.shape, node.dtype);
    const strides = rowMajorStrides(node.shape);
    let start = 0;
    parts.forEach((part, i) => {
      const { shape } = node.inputs[i]!;
      copyView(shape, dense(part, shape), { data: out, offset: start * strides[node.attrs.axis]!, strides });
      start += shape[node.attrs.axis]!;
    });
    return out;
  },
  window: (node, [x]) => {
    const { axes, stride, dilation } = node.attrs;
    const strides = inputStrides(node);
    const between = [...strides];
    axes.forEach((axis, i) => {
      between[axis] = strides[axis]! * stride[i]!;
    });
    const within = axes.map((axis, i) => strides[axis]! * dilation[i]!);
    return read(node, { data: x!, offset: 0, strides: [...between, ...within] });
  },
};

import {
  type CumulativeFn,
  type Node,
  rowMajorStrides,
  type Shape,
  sizeOf,
  type TypedArray,
} from '../../graph/index.js';
import { zeros } from './arrays.js';
import type { Evaluators } from './evaluator.js';

const STEP: Record<CumulativeFn, (sum: number, x: number) => number> = {
  sum: (a, b) => a + b,
  prod: (a, b) => a * b,
  max: Math.max,
  min: Math.min,
};

/** Where each line along an axis starts, its length and the distance between its elements. */
function lines(shape: Shape, axis: number): { starts: number[]; length: number; stride: number } {
  const stride = rowMajorStrides(shape)[axis]!;
  const length = shape[axis]!;
  const starts: number[] = [];
  for (let outer = 0; outer < sizeOf(shape.slice(0, axis)); outer++) {
    for (let inner = 0; inner < stride; inner++) starts.push(outer * length * stride + inner);
  }
  return { starts: length === 0 ? [] : starts, length, stride };
}

function accumulate(node: Node<'cumulative'>, x: TypedArray): TypedArray {
  const { fn, axis } = node.attrs;
  const out = zeros(node.shape, node.dtype);
  const { starts, length, stride } = lines(node.shape, axis);
  const step = fn === 'prod' && node.dtype !== 'f32' ? Math.imul : STEP[fn];
  for (const start of starts) {
    // In float64 for floats; integers wrap at every step.
    let sum = x[start]!;
    out[start] = sum;
    for (let i = 1, at = start + stride; i < length; i++, at += stride) {
      sum = step(sum, x[at]!);
      out[at] = sum;
      if (node.dtype !== 'f32') sum = out[at]!;
    }
  }
  return out;
}

function order(node: Node<'argsort'>, x: TypedArray): TypedArray {
  const { axis, descending } = node.attrs;
  const out = zeros(node.shape, 'i32');
  const { starts, length, stride } = lines(node.shape, axis);
  const sign = descending ? -1 : 1;
  const positions = new Uint32Array(length);
  for (const start of starts) {
    for (let i = 0; i < length; i++) positions[i] = i;
    positions.sort((i, j) => {
      const [a, b] = [x[start + i * stride]!, x[start + j * stride]!];
      const [nanA, nanB] = [Number.isNaN(a), Number.isNaN(b)];
      if (nanA || nanB) return sign * (Number(nanA) - Number(nanB)) || i - j;
      return (a < b ? -sign : a > b ? sign : 0) || i - j;
    });
    for (let i = 0; i < length; i++) out[start + i * stride] = positions[i]!;
  }
  return out;
}

export const scans: Pick<Evaluators, 'cumulative' | 'argsort'> = {
  cumulative: (node, [x]) => accumulate(node, x!),
  argsort: (node, [x]) => order(node, x!),
};

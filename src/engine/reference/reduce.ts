import {
  type DType,
  type Node,
  type ReduceFn,
  reduceIdentity,
  rowMajorStrides,
  sizeOf,
  type TypedArray,
} from '../../graph/index.js';
import { zeros } from './arrays.js';
import type { Evaluators } from './evaluator.js';
import { copyView, dense } from './strided.js';

/** Reduces each row of n elements to one, in float64 (integers wrap). */
type ReduceRows = (x: TypedArray, n: number, out: TypedArray, dtype: DType) => void;

const sum: ReduceRows = (x, n, out, dtype) => {
  for (let row = 0, at = 0; row < out.length; row++) {
    let total = 0;
    if (dtype === 'f32') for (let i = 0; i < n; i++) total += x[at++]!;
    else for (let i = 0; i < n; i++) total = (total + x[at++]!) | 0;
    out[row] = total;
  }
};

const prod: ReduceRows = (x, n, out, dtype) => {
  for (let row = 0, at = 0; row < out.length; row++) {
    let product = 1;
    if (dtype === 'f32') for (let i = 0; i < n; i++) product *= x[at++]!;
    else for (let i = 0; i < n; i++) product = Math.imul(product, x[at++]!);
    out[row] = product;
  }
};

/** NaN wins; of the two zeros the maximum is +0. */
const max: ReduceRows = (x, n, out, dtype) => {
  for (let row = 0, at = 0; row < out.length; row++) {
    let best = reduceIdentity('max', dtype);
    for (let i = 0; i < n; i++) best = Math.max(best, x[at++]!);
    out[row] = best;
  }
};

/** NaN wins; of the two zeros the minimum is -0. */
const min: ReduceRows = (x, n, out, dtype) => {
  for (let row = 0, at = 0; row < out.length; row++) {
    let best = reduceIdentity('min', dtype);
    for (let i = 0; i < n; i++) best = Math.min(best, x[at++]!);
    out[row] = best;
  }
};

/** Index of the first element that no other beats; the first NaN beats all. The two zeros are equal. */
const firstBest =
  (beats: (x: number, best: number) => boolean): ReduceRows =>
  (x, n, out) => {
    for (let row = 0; row < out.length; row++) {
      let index = 0;
      let best = x[row * n]!;
      for (let i = 1; i < n; i++) {
        const value = x[row * n + i]!;
        if (beats(value, best) || (Number.isNaN(value) && !Number.isNaN(best))) {
          index = i;
          best = value;
        }
      }
      out[row] = index;
    }
  };

const REDUCE: Record<ReduceFn, ReduceRows> = {
  sum,
  prod,
  max,
  min,
  argmax: firstBest((x, best) => x > best),
  argmin: firstBest((x, best) => x < best),
};

/** The elements with the reduced axes moved to the end. */
function rowsOf(x: Node, data: TypedArray, axes: readonly number[]): TypedArray {
  const reduced = axes.filter((axis) => x.shape[axis] !== 1).sort((a, b) => a - b);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => x.shape[axis] !== 1 && !reduced.includes(axis));
  const order = [...kept, ...reduced];
  if (order.every((axis, i) => i === 0 || order[i - 1]! < axis)) return data;
  const strides = rowMajorStrides(x.shape);
  const shape = order.map((axis) => x.shape[axis]!);
  const out = zeros(shape, x.dtype);
  copyView(shape, { data, offset: 0, strides: order.map((axis) => strides[axis]!) }, dense(out, shape));
  return out;
}

export const reductions: Pick<Evaluators, 'reduce'> = {
  reduce: (node, [data]) => {
    const { fn, axes } = node.attrs;
    const x = node.inputs[0]!;
    const out = zeros(node.shape, node.dtype);
    REDUCE[fn](rowsOf(x, data!, axes), sizeOf(axes.map((axis) => x.shape[axis]!)), out, x.dtype);
    return out;
  },
};

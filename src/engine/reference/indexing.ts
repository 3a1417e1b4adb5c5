import { isFloat, rowMajorStrides, type ScatterFn, type TypedArray } from '../../graph/index.js';
import { zeros } from './arrays.js';
import type { Evaluators } from './evaluator.js';
import { offsetsOf } from './strided.js';

/** Meets two numbers; the array that the result is stored in rounds or wraps. */
const MEET: Record<ScatterFn, (old: number, update: number) => number> = {
  set: (_, update) => update,
  add: (old, update) => old + update,
  max: Math.max,
  min: Math.min,
};

export const indexing: Pick<Evaluators, 'gather' | 'scatter'> = {
  scatter: (node, [x, index, updates]) => {
    const { axis, fn } = node.attrs;
    // Sums of floats are kept in float64 and rounded once.
    const sums = fn === 'add' && node.dtype === 'f32';
    const out: TypedArray | Float64Array = sums ? Float64Array.from(x!) : x!.slice();
    const strides = rowMajorStrides(node.shape);
    const [size, stride] = [node.shape[axis]!, strides[axis]!];
    const offsets = offsetsOf(
      node.inputs[1]!.shape,
      strides.map((s, i) => (i === axis ? 0 : s)),
    );
    for (let i = 0; i < offsets.length; i++) {
      const at = index![i]!;
      if (at < 0 || at >= size) continue;
      const place = offsets[i]! + at * stride;
      out[place] = MEET[fn](out[place]!, updates![i]!);
    }
    return out instanceof Float64Array ? Float32Array.from(out) : out;
  },
  gather: (node, [x, index]) => {
    const out = zeros(node.shape, node.dtype);
    const { axis } = node.attrs;
    const { shape } = node.inputs[0]!;
    const strides = rowMajorStrides(shape);
    const [size, stride] = [shape[axis]!, strides[axis]!];
    const offsets = offsetsOf(
      node.shape,
      strides.map((s, i) => (i === axis ? 0 : s)),
    );
    const fill = isFloat(node.dtype) ? Number.NaN : 0;
    for (let i = 0; i < out.length; i++) {
      const at = index![i]!;
      out[i] = at >= 0 && at < size ? x![offsets[i]! + at * stride]! : fill;
    }
    return out;
  },
};

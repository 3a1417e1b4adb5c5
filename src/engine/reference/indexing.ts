import { rowMajorStrides } from '../../graph/index.js';
import { zeros } from './arrays.js';
import type { Evaluators } from './evaluator.js';
import { offsetsOf } from './strided.js';

export const indexing: Pick<Evaluators, 'gather'> = {
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
    const fill = node.dtype === 'f32' ? Number.NaN : 0;
    for (let i = 0; i < out.length; i++) {
      const at = index![i]!;
      out[i] = at >= 0 && at < size ? x![offsets[i]! + at * stride]! : fill;
    }
    return out;
  },
};

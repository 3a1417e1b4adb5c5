import { concat, expand, flip, pad, permute, reshape, slice, window } from '../../graph/movement.js';
import { type BatchRules, behind, spreadAll } from './rule.js';

type MovementBatch = Pick<
  BatchRules,
  'reshape' | 'permute' | 'expand' | 'slice' | 'pad' | 'flip' | 'concat' | 'window'
>;

export const movementBatch: MovementBatch = {
  reshape: (node, [x], { size }) => reshape(x!.node, [size, ...node.shape]),
  permute: (node, [x]) => permute(x!.node, [0, ...behind(node.attrs.order)]),
  expand: (node, [x], { size }) => expand(x!.node, [size, ...node.shape]),
  slice: (node, [x], { size }) =>
    slice(x!.node, [0, ...node.attrs.start], [size, ...node.shape], [1, ...node.attrs.step]),
  pad: (node, [x]) => {
    const { low, high, interior, value } = node.attrs;
    return pad(x!.node, { low: [0, ...low], high: [0, ...high], interior: [0, ...interior], value });
  },
  flip: (node, [x]) => flip(x!.node, behind(node.attrs.axes)),
  concat: (node, parts, lifting) => concat(spreadAll(parts, lifting), node.attrs.axis + 1),
  window: (node, [x]) => window(x!.node, { ...node.attrs, axes: behind(node.attrs.axes) }),
};

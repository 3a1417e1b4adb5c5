import { concat, pad } from '../../graph/movement.js';
import { like } from '../arithmetic.js';
import { linear } from './linear.js';
import type { JvpRules } from './rule.js';

type MovementJvp = Pick<JvpRules, 'reshape' | 'permute' | 'expand' | 'slice' | 'pad' | 'flip' | 'concat' | 'window'>;

export const movementJvp: MovementJvp = {
  reshape: linear,
  permute: linear,
  expand: linear,
  slice: linear,
  // What is put around does not change.
  pad: (node, [t]) => pad(t!, { ...node.attrs, value: 0 }),
  flip: linear,
  concat: (node, tangents) =>
    concat(
      tangents.map((t, i) => t ?? like(node.inputs[i]!, 0)),
      node.attrs.axis,
    ),
  window: linear,
};

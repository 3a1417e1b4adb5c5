import { barrier, custom } from '../../graph/markers.js';
import { reshape } from '../../graph/movement.js';
import { reduce } from '../../graph/reduce.js';
import { leaf } from '../../graph/sources.js';
import { pointwise } from './elementwise.js';
import { type BatchRules, spread } from './rule.js';

export const markerBatch: Pick<BatchRules, 'alias' | 'stopGradient' | 'custom' | 'barrier'> = {
  alias: pointwise,
  stopGradient: pointwise,
  // An input that is the same for all examples is left so: see Examples.lift.
  barrier: (_, [x, after], { size }) => barrier(spread(x!, size), after!.node),
  custom: (node, inputs, lifting) => {
    const { rule } = node.attrs;
    const [value, ...rest] = inputs;
    return custom(
      spread(value!, lifting.size),
      rest.map((x) => x.node),
      {
        ...rule,
        // The rule for one example, with a stand-in for its cotangent; what comes of it is batched.
        backward(_, g, needs) {
          const one = leaf({ shape: node.shape, dtype: node.dtype }, g.requiresGrad);
          lifting.put(one, g);
          return rule.backward(node, one, needs).map((gradient, i) => {
            if (gradient === null) return null;
            const all = spread(lifting.lift([gradient])[0]!, lifting.size);
            return inputs[i]!.batched ? all : reshape(reduce('sum', all, [0]), gradient.shape);
          });
        },
      },
    );
  },
};

import { type CustomRule, custom, withoutGrad } from '../graph/index.js';
import type { Tensor } from '../tensor/index.js';
import { fromNode } from '../tensor/internal.js';

/**
 * The gradients of a result `y`, from its gradient `g`: one for each input, null where none flows. They are built of `y` and of the inputs as
 * given here, not of tensors from outside, so that transforms can put others in their place; `needs` says which are wanted.
 */
export type Gradient = (y: Tensor, g: Tensor, inputs: Tensor[], needs: readonly boolean[]) => (Tensor | null)[];

/** What `compute` makes of the inputs, with a gradient in closed form in place of that of the computation. */
export function withRule(name: string, inputs: readonly Tensor[], compute: () => Tensor, gradient: Gradient): Tensor {
  const value = withoutGrad(compute);
  if (!inputs.some((x) => x.requiresGrad)) return value;
  const rule: CustomRule = {
    name,
    transparent: false,
    backward(node, g, needs) {
      const given = node.inputs.slice(1).map(fromNode);
      const found = gradient(fromNode(node), fromNode(g), given, needs.slice(1));
      return [null, ...found.map((x) => x?.node ?? null)];
    },
  };
  return value.derive(
    custom(
      value.node,
      inputs.map((x) => x.node),
      rule,
    ),
  );
}

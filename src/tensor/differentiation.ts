import { backward as gradientsOf } from '../autograd/index.js';
import { inPhase } from '../compile/index.js';
import {
  ArgumentError,
  binary,
  cast,
  DTypeError,
  full,
  isFloat,
  type Node,
  ShapeError,
  sameShape,
  showShape,
  sizeOf,
  stopGradient,
  topologicalOrder,
  UnsupportedError,
  withoutGrad,
} from '../graph/index.js';
import { addBackwardRoot } from './backwardRoots.js';
import { ownerOf } from './handle.js';
import { nodeOf } from './operands.js';
import { keep } from './scope.js';
import type { Tensor } from './tensor.js';
import { activeTrace } from './trace.js';
import { insideVmap } from './tracing.js';

export interface BackwardOptions {
  /** Whether the gradients can be differentiated again (false). */
  createGraph?: boolean;
}

/** The leaves that require grad and that a node was computed from. */
function leavesOf(root: Node): { node: Node; owner: Tensor }[] {
  const leaves: { node: Node; owner: Tensor }[] = [];
  for (const node of topologicalOrder([root], (n) => !n.requiresGrad)) {
    const owner = node.requiresGrad ? ownerOf(node) : undefined;
    if (owner !== undefined) leaves.push({ node, owner });
  }
  return leaves;
}

/**
 * Adds the gradient of this tensor to `.grad` of every leaf that requires grad and that it was computed from. A tensor of more than one
 * element needs `gradient`, one weight for each. Throws ShapeError or DTypeError where that does not fit, ArgumentError when nothing
 * requires grad.
 */
export function backward(x: Tensor, gradient?: Tensor | null, options?: BackwardOptions): void {
  if (insideVmap()) {
    throw new UnsupportedError(
      '[backward] called inside vmap, where .grad has no value of its own (use tl.grad or tl.vjp)',
    );
  }
  const root = nodeOf('backward', x);
  if (!root.requiresGrad) {
    throw new ArgumentError(
      '[backward] nothing here requires grad (set requiresGrad on the leaves; not inside noGrad)',
    );
  }
  const weight = gradient ? nodeOf('backward', gradient) : null;
  if (weight === null && sizeOf(root.shape) !== 1) {
    throw new ShapeError(
      `[backward] not a single number: ${showShape(root.shape)} (expected one element, or a gradient)`,
    );
  }
  if (weight !== null && !sameShape(weight.shape, root.shape)) {
    throw new ShapeError(`[backward] gradient is ${showShape(weight.shape)} (expected ${showShape(root.shape)})`);
  }
  if (weight !== null && !isFloat(weight.dtype)) {
    throw new DTypeError(`[backward] gradient is ${weight.dtype} (expected a float)`);
  }

  const accumulate = () => {
    const leaves = leavesOf(root);
    const gradients = gradientsOf(
      [root],
      [weight ? cast(weight, root.dtype) : full(root.shape, 1, root.dtype)],
      leaves.map(({ node }) => node),
    );
    leaves.forEach(({ owner }, i) => {
      const g = gradients[i]!;
      if (g === null) return;
      activeTrace()?.refuseOuterGradient(owner);
      owner.grad = keep(owner.derive(owner.grad === null ? g : binary('add', owner.grad.node, g)));
    });
  };
  inPhase('trace', () => (options?.createGraph ? accumulate() : withoutGrad(accumulate)));
  addBackwardRoot(x);
}

/** The same value, through which no gradient flows. */
export function detach(x: Tensor): Tensor {
  return x.derive(stopGradient(nodeOf('detach', x)));
}

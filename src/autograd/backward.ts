import { isFloat } from '../graph/dtype.js';
import { cast } from '../graph/elementwise.js';
import { DTypeError, ShapeError } from '../graph/errors.js';
import { type Node, type Prim, topologicalOrder } from '../graph/node.js';
import { sameShape, showShape } from '../graph/shape.js';
import { add, like } from './arithmetic.js';
import { contractionRules } from './contraction.js';
import { elementwiseRules } from './elementwise.js';
import { indexingRules } from './indexing.js';
import { markerRules } from './markers.js';
import { movementRules } from './movement.js';
import { reduceRules } from './reduce.js';
import type { VjpRule, VjpRules } from './rule.js';
import { scanRules } from './scan.js';
import { sourceRules } from './sources.js';

export const vjpRules: VjpRules = {
  ...sourceRules,
  ...elementwiseRules,
  ...movementRules,
  ...reduceRules,
  ...contractionRules,
  ...indexingRules,
  ...scanRules,
  ...markerRules,
};

function checkCotangents(outputs: readonly Node[], cotangents: readonly Node[]): void {
  if (outputs.length !== cotangents.length) {
    throw new ShapeError(
      `[backward] ${cotangents.length} gradients for ${outputs.length} outputs (expected one for each)`,
    );
  }
  outputs.forEach((output, i) => {
    const given = cotangents[i]!;
    if (!sameShape(given.shape, output.shape)) {
      throw new ShapeError(
        `[backward] gradient of output ${i} has another shape: ${showShape(given.shape)} (expected ${showShape(output.shape)})`,
      );
    }
    if (!isFloat(given.dtype))
      throw new DTypeError(`[backward] gradient of output ${i} is ${given.dtype} (expected a float)`);
  });
}

/**
 * Reverse-mode differentiation, graph to graph: for each node of `wrt` the gradient of the sum of `outputs` weighted by
 * `cotangents` (one floating node of the output's shape each); gradients have the dtype of their node. null where no path of nodes that require grad leads from the outputs to
 * it; zeros where a path does but nothing flows (through `floor`, say).
 *
 * The gradients are ordinary nodes and can be differentiated again; build them inside `withoutGrad` where that is not wanted.
 * `stopAtWrt` ends the walk there: for nodes that do not lead to each other, where what is behind them is large.
 * Realised nodes are walked through as long as they have kept their inputs, and end the walk once they have dropped them.
 */
export function backward(
  outputs: readonly Node[],
  cotangents: readonly Node[],
  wrt: readonly Node[],
  stopAtWrt = false,
): (Node | null)[] {
  checkCotangents(outputs, cotangents);
  const wanted = new Set(wrt);
  const order = topologicalOrder(outputs, (node) => !node.requiresGrad || (stopAtWrt && wanted.has(node)));
  const leads = new Set<Node>();
  for (const node of order) {
    if (node.requiresGrad && (wanted.has(node) || node.inputs.some((input) => leads.has(input)))) leads.add(node);
  }

  const gradients = new Map<Node, Node>();
  const accumulate = (node: Node, g: Node): void => {
    const before = gradients.get(node);
    gradients.set(node, before === undefined ? g : add(before, g));
  };
  outputs.forEach((output, i) => {
    if (leads.has(output)) accumulate(output, cotangents[i]!);
  });
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!;
    const g = gradients.get(node);
    if (g === undefined) continue;
    if (!wanted.has(node)) gradients.delete(node);
    const needs = node.inputs.map((input) => leads.has(input));
    if (!needs.includes(true)) continue;
    const rule = vjpRules[node.prim] as VjpRule<Prim>;
    rule(node, g, needs).forEach((gradient, j) => {
      if (needs[j] && gradient !== null) accumulate(node.inputs[j]!, gradient);
    });
  }
  return wrt.map((node) => (leads.has(node) ? cast(gradients.get(node) ?? like(node, 0), node.dtype, true) : null));
}

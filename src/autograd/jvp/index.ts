import { type Node, type Prim, topologicalOrder } from '../../graph/node.js';
import { contractionJvp } from './contraction.js';
import { elementwiseJvp } from './elementwise.js';
import { indexingJvp } from './indexing.js';
import { constant } from './linear.js';
import { markerJvp } from './markers.js';
import { movementJvp } from './movement.js';
import { reduceJvp } from './reduce.js';
import type { JvpRule, JvpRules } from './rule.js';
import { scanJvp } from './scan.js';

export const jvpRules: JvpRules = {
  leaf: constant,
  const: constant,
  scalar: constant,
  iota: constant,
  randomBits: constant,
  ...elementwiseJvp,
  ...movementJvp,
  ...reduceJvp,
  ...contractionJvp,
  ...indexingJvp,
  ...scanJvp,
  ...markerJvp,
};

/**
 * Forward-mode differentiation, graph to graph: how `outputs` change when `inputs` change by `tangents` (one f32 node of the input's shape
 * each). null for an output that does not depend on the inputs by nodes that require grad. The tangents can be differentiated again.
 */
export function pushForward(
  outputs: readonly Node[],
  inputs: readonly Node[],
  tangents: readonly Node[],
): (Node | null)[] {
  const known = new Map<Node, Node>(inputs.map((input, i) => [input, tangents[i]!]));
  for (const node of topologicalOrder(outputs, (n) => !n.requiresGrad || known.has(n))) {
    if (!node.requiresGrad || known.has(node)) continue;
    const given = node.inputs.map((input) => known.get(input) ?? null);
    if (given.every((t) => t === null)) continue;
    const tangent = (jvpRules[node.prim] as JvpRule<Prim>)(node, given);
    if (tangent !== null) known.set(node, tangent);
  }
  return outputs.map((output) => known.get(output) ?? null);
}

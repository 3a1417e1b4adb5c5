import {
  cast,
  composedArgsort,
  composedCumulative,
  composedScatter,
  iota,
  isPrim,
  type Node,
  rebuild,
  topologicalOrder,
} from '../../graph/index.js';

/** The definition of a primitive that kernels do not compute as such; null for the others. */
function definitionOf(node: Node): Node | null {
  if (isPrim(node, 'cumulative')) return composedCumulative(node);
  if (isPrim(node, 'argsort')) return composedArgsort(node);
  if (isPrim(node, 'routine')) return node.attrs.fn === 'lu' && node.shape.at(-1) === 1 ? ownRows(node) : null;
  return isPrim(node, 'scatter') ? composedScatter(node) : null;
}

/** The factorisation of matrices without columns: nothing but a list of pivots. */
const ownRows = (node: Node): Node => cast(iota(node.shape, node.shape.length - 2), 'f32');

/** Replaces the primitives that no kernel family computes by what they are composed of. */
export function decompose(roots: readonly Node[]): Node[] {
  const order = topologicalOrder(roots, (n) => n.realized !== null);
  if (!order.some((n) => n.realized === null && ['cumulative', 'argsort', 'scatter', 'routine'].includes(n.prim)))
    return [...roots];
  const replaced = new Map<Node, Node>();
  for (const node of order) {
    if (node.realized !== null || node.inputs.length === 0) {
      replaced.set(node, node);
      continue;
    }
    const inputs = node.inputs.map((i) => replaced.get(i)!);
    const current = inputs.every((x, i) => x === node.inputs[i]) ? node : rebuild(node, inputs);
    replaced.set(node, definitionOf(current) ?? current);
  }
  return roots.map((r) => replaced.get(r)!);
}

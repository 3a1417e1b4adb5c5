import { barrier, custom } from '../graph/markers.js';
import { asTracked, isPrim, type Node, topologicalOrder, withGrad } from '../graph/node.js';
import { rebuild } from '../graph/rebuild.js';
import { backward } from './backward.js';

/** Where a copy of a graph ends: what was made up to a node's id, or has forgotten how it was made. */
const endsAt = (since: number) => (node: Node) =>
  node.id <= since || (node.realized !== null && node.inputs.length === 0);

/** The same computations on other inputs: nodes made after the one numbered `since`, with `replaced` in place of its keys. */
export function copyOnto(outputs: readonly Node[], replaced: ReadonlyMap<Node, Node>, since: number): Node[] {
  const copies = new Map(replaced);
  const ends = endsAt(since);
  for (const node of topologicalOrder(outputs, (n) => copies.has(n) || ends(n))) {
    if (copies.has(node)) continue;
    const inputs = node.inputs.map((input) => copies.get(input)!);
    const same = ends(node) || inputs.every((input, i) => input === node.inputs[i]);
    copies.set(node, same ? node : asTracked(node, () => rebuild(node, inputs)));
  }
  return outputs.map((output) => copies.get(output)!);
}

/** What the nodes made after the one numbered `since` read from before: stored, or still to be computed. */
function readFromBefore(output: Node, since: number): Node[] {
  return topologicalOrder([output], endsAt(since)).filter(
    (n) => (n.id <= since || isPrim(n, 'leaf') || isPrim(n, 'scalar')) && !isPrim(n, 'const') && !isPrim(n, 'iota'),
  );
}

/**
 * A value whose gradient is taken through a copy of its computation, so that the planner need not keep what lies inside: everything made after
 * the node numbered `since` is computed again, from what it read, once the gradient of the value is there.
 */
export function recomputed(value: Node, since: number): Node {
  const read = readFromBefore(value, since);
  if (!value.requiresGrad || read.length === 0 || value.id <= since) return value;
  return custom(value, read, {
    name: 'checkpoint',
    transparent: true,
    backward(node, g, needs) {
      const inputs = node.inputs.slice(1);
      const { again, copies } = withGrad(() => {
        const copies = inputs.map((x) => barrier(x, g));
        const [again] = copyOnto([value], new Map(read.map((x, i) => [x, copies[i]!])), since);
        return { again: again!, copies };
      });
      const wanted = copies.filter((_, i) => needs[i + 1]);
      const gradients = backward([again], [g], wanted, true);
      let next = 0;
      return [null, ...inputs.map((_, i) => (needs[i + 1] ? gradients[next++]! : null))];
    },
  });
}

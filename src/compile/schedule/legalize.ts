import { isRoutine } from '../../../kernels/routines/operands.js';
import {
  barrier,
  concat,
  full,
  isFloat,
  isPrim,
  makeNode,
  type Node,
  rebuild,
  reduceIdentity,
  sizeOf,
  topologicalOrder,
} from '../../graph/index.js';
import { baseOf, isSource, isStoredSource } from './cost.js';

/** What one kernel can read: leaves room for its output and a companion. */
const partsOf = (maxBindings: number): number => Math.max(2, maxBindings - 2);

/**
 * Rewrites a graph so that every node fits one kernel: concatenations of many parts become trees whose inner nodes are stored, and
 * what is computed from empty tensors becomes its constant, so that no kernel binds an empty buffer; what a barrier waits for is stored,
 * so that kernels can be put in order by it. Returns the new roots and the nodes that have to be stored.
 */
export function legalize(roots: readonly Node[], maxBindings: number): { roots: Node[]; stored: Set<Node> } {
  const stored = new Set<Node>();
  const limit = partsOf(maxBindings);
  const replaced = new Map<Node, Node>();
  for (const node of topologicalOrder(roots, (n) => n.realized !== null)) {
    if (node.realized !== null || node.inputs.length === 0) {
      replaced.set(node, node);
      continue;
    }
    const fill = valueFromEmpty(node);
    if (fill !== null) {
      replaced.set(node, full(node.shape, fill, node.dtype));
      continue;
    }
    const inputs = node.inputs.map((i) => replaced.get(i)!);
    if (isPrim(node, 'barrier')) {
      const awaited = baseOf(inputs[1]!);
      if (!isSource(awaited)) stored.add(awaited);
      replaced.set(node, barrier(inputs[0]!, awaited));
    } else if (isPrim(node, 'concat') && inputs.length > limit) {
      replaced.set(node, concatTree(inputs, node.attrs.axis, limit, stored));
    } else {
      // A routine reads memory.
      const read = isRoutine(node) ? inputs.map((x) => (isSource(x) && !isStoredSource(x) ? copyOf(x) : x)) : inputs;
      replaced.set(node, read.every((x, i) => x === node.inputs[i]) ? node : rebuild(node, read));
    }
  }
  return { roots: roots.map((r) => replaced.get(r)!), stored };
}

const copyOf = (x: Node): Node => makeNode('alias', [x], {}, x.shape, x.dtype);

/** The number that every element of a node has because an input of it is empty; null where none is. */
function valueFromEmpty(node: Node): number | null {
  if (sizeOf(node.shape) === 0 || !node.inputs.some((i) => sizeOf(i.shape) === 0)) return null;
  if (isPrim(node, 'reduce')) return reduceIdentity(node.attrs.fn, node.dtype);
  if (isPrim(node, 'pad')) return node.attrs.value;
  if (isPrim(node, 'gather')) return isFloat(node.dtype) ? Number.NaN : 0;
  return node.prim === 'dot' || node.prim === 'conv' ? 0 : null;
}

function concatTree(inputs: readonly Node[], axis: number, limit: number, stored: Set<Node>): Node {
  let parts = inputs;
  while (parts.length > limit) {
    const next: Node[] = [];
    for (let i = 0; i < parts.length; i += limit) {
      const piece = parts.slice(i, i + limit);
      const joined = concat(piece, axis);
      if (piece.length > 1) stored.add(joined);
      next.push(joined);
    }
    parts = next;
  }
  return concat(parts, axis);
}

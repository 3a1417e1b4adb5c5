import { InternalError } from '../errors.js';
import { type Node, type Prim, topologicalOrder, withoutGrad } from '../node.js';
import { rebuild } from '../rebuild.js';
import { sameShape, showShape } from '../shape.js';
import { full } from '../sources.js';
import { foldedValue, isCanonicalFull } from './constant.js';
import { elementwiseRewrites } from './elementwise.js';
import { movementRewrites } from './movement.js';
import { reduceRewrites } from './reduce.js';
import { keep, type Rewrite, type Rewrites } from './rewrite.js';
import { StructuralKeys } from './structuralKey.js';

const rewrites: Rewrites = {
  leaf: keep,
  const: keep,
  scalar: keep,
  iota: keep,
  randomBits: keep,
  ...elementwiseRewrites,
  ...movementRewrites,
  ...reduceRewrites,
  dot: keep,
  conv: keep,
  gather: keep,
  scatter: keep,
  cumulative: keep,
  argsort: keep,
  routine: keep,
  alias: (node) => node.inputs[0]!,
  stopGradient: (node) => node.inputs[0]!,
  custom: (node) => node.inputs[0]!,
  barrier: keep,
};

/**
 * Rewrites a graph into a smaller one with the same values, and gives the new roots by position: folds constants, merges equal
 * nodes, removes identities, composes movement, merges nested reductions. Gradient markers go, so gradients are taken before.
 *
 * Values keep their bits, NaN and -0 included, but in two cases: nested sums and products are merged, which changes the order of
 * addition, and pow(x, 3) becomes x * x * x, which rounds twice. Realised nodes are leaves. The same graph always gives the same result.
 */
export function simplify(roots: readonly Node[]): Node[] {
  return withoutGrad(() => new Simplifier().run(roots));
}

class Simplifier {
  /** Every node seen, to its simplest form; simplest forms to themselves. */
  private readonly settled = new Map<Node, Node>();
  private readonly byKey = new Map<string, Node>();
  private readonly numbers = new Map<Node, number>();
  private readonly keys = new StructuralKeys((node) => this.numbers.get(node)!);
  private readonly useCounts = new Map<Node, number>();

  run(roots: readonly Node[]): Node[] {
    const order = topologicalOrder(roots, (node) => node.realized !== null);
    const readers = new Map<Node, number>();
    const read = (node: Node): void => {
      readers.set(node, (readers.get(node) ?? 0) + 1);
    };
    roots.forEach(read);
    for (const node of order) if (node.realized === null) node.inputs.forEach(read);

    for (const node of order) {
      const result = this.settle(node);
      // Where a node gave way to one of its inputs, its own reading of that input is gone.
      const replaced = node.realized === null && node.inputs.some((input) => this.settled.get(input) === result);
      const count = readers.get(node)! - (replaced ? 1 : 0);
      this.useCounts.set(result, (this.useCounts.get(result) ?? 0) + count);
    }
    return roots.map((root) => this.settled.get(root)!);
  }

  /** Recursive, but only into nodes that a rule has just made: `run` goes inputs first. */
  private settle(node: Node): Node {
    const known = this.settled.get(node);
    if (known !== undefined) return known;
    const result = this.simplest(node);
    this.settled.set(node, result);
    return result;
  }

  private simplest(node: Node): Node {
    if (node.realized !== null) return this.unique(node);
    const inputs = node.inputs.map((input) => this.settle(input));
    const current = inputs.every((input, i) => input === node.inputs[i]) ? node : rebuild(node, inputs);
    const known = this.settled.get(current);
    if (known !== undefined) return known;
    const better = this.rewrite(current);
    if (better === null) return this.unique(current);
    if (!sameShape(better.shape, node.shape) || better.dtype !== node.dtype) {
      throw new InternalError(
        `[simplify] ${node.prim} became ${better.prim}: ${node.dtype}${showShape(node.shape)} and ${better.dtype}${showShape(better.shape)} (expected the same)`,
      );
    }
    return this.settle(better);
  }

  private rewrite(node: Node): Node | null {
    if (isCanonicalFull(node)) return null;
    const value = foldedValue(node);
    if (value !== null) return full(node.shape, value, node.dtype);
    return (rewrites[node.prim] as Rewrite<Prim>)(node, (of) => this.useCounts.get(of) ?? 0);
  }

  /** The first node of this structure. */
  private unique(node: Node): Node {
    const key = this.keys.keyOf(node);
    const first = this.byKey.get(key);
    if (first !== undefined) return first;
    this.byKey.set(key, node);
    this.numbers.set(node, this.numbers.size);
    this.settled.set(node, node);
    return node;
  }
}

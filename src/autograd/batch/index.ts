import { barrier } from '../../graph/markers.js';
import { asTracked, isPrim, type Node, type Prim, topologicalOrder } from '../../graph/node.js';
import { rebuild } from '../../graph/rebuild.js';
import { contractionBatch } from './contraction.js';
import { elementwiseBatch } from './elementwise.js';
import { indexingBatch } from './indexing.js';
import { markerBatch } from './markers.js';
import { movementBatch } from './movement.js';
import { reduceBatch } from './reduce.js';
import { type BatchRule, type BatchRules, type Lifted, type Lifting, spread } from './rule.js';
import { sourceBatch } from './sources.js';

export type { Lifted } from './rule.js';

export const batchRules: BatchRules = {
  ...sourceBatch,
  ...elementwiseBatch,
  ...movementBatch,
  ...reduceBatch,
  ...contractionBatch,
  ...indexingBatch,
  ...markerBatch,
};

/**
 * Turns the graph of one example into that of all of them. `put` says what the stand-ins of one example are for all; what does not depend
 * on them stays as it is, random draws made after the node numbered `since` excepted: every example has its own.
 */
export class Examples implements Lifting {
  private readonly lifted = new Map<Node, Lifted>();

  constructor(
    readonly size: number,
    private readonly since: number,
  ) {}

  put(one: Node, all: Node): void {
    this.lifted.set(one, { node: all, batched: true });
  }

  lift(outputs: readonly Node[]): Lifted[] {
    const ends = (n: Node) => n.id <= this.since || n.realized !== null || this.lifted.has(n);
    for (const node of topologicalOrder(outputs, ends)) {
      if (!this.lifted.has(node)) this.lifted.set(node, ends(node) ? { node, batched: false } : this.liftOne(node));
    }
    return outputs.map((output) => this.lifted.get(output)!);
  }

  /** With the examples along axis 0 in any case. */
  spread(x: Lifted): Node {
    return spread(x, this.size);
  }

  private liftOne(node: Node): Lifted {
    const inputs = node.inputs.map((input) => this.lifted.get(input)!);
    const x = inputs[0];
    if (isPrim(node, 'barrier') && !x!.batched) return { node: barrier(x!.node, inputs[1]!.node), batched: false };
    if (inputs.some((input) => input.batched) || isPrim(node, 'randomBits')) {
      const all = asTracked(node, () => (batchRules[node.prim] as BatchRule<Prim>)(node, inputs, this));
      return { node: all, batched: true };
    }
    if (inputs.every((input, i) => input.node === node.inputs[i])) return { node, batched: false };
    const rebuilt = asTracked(node, () =>
      rebuild(
        node,
        inputs.map((input) => input.node),
      ),
    );
    return { node: rebuilt, batched: false };
  }
}

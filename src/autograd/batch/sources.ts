import { composedRandomBits } from '../../graph/composedThreefry.js';
import type { Node, Prim } from '../../graph/node.js';
import { randomBits } from '../../graph/sources.js';
import { type BatchRule, type BatchRules, spread, spreadAll } from './rule.js';

/** Read from nothing, so the same for all examples. */
const same: BatchRule<Prim> = (node, _, { size }) => spread({ node, batched: false }, size);

export const sourceBatch: Pick<BatchRules, 'leaf' | 'const' | 'scalar' | 'iota' | 'randomBits'> = {
  leaf: same,
  const: same,
  scalar: same,
  iota: same,
  // One key: one larger draw, so that every example has numbers of its own. A key for each example: its own draw.
  randomBits: (node, keys, lifting) => {
    if (keys.some((key) => key.batched)) {
      return composedRandomBits(...(spreadAll(keys, lifting) as [Node, Node]), node.shape);
    }
    return randomBits(keys[0]!.node, keys[1]!.node, [lifting.size, ...node.shape]);
  },
};

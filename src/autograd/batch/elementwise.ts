import type { Prim } from '../../graph/node.js';
import { rebuild } from '../../graph/rebuild.js';
import { type BatchRule, type BatchRules, spreadAll } from './rule.js';

/** Of what does the same to every element: itself. */
export const pointwise: BatchRule<Prim> = (node, inputs, lifting) => rebuild(node, spreadAll(inputs, lifting));

export const elementwiseBatch: Pick<BatchRules, 'unary' | 'binary' | 'where' | 'cast'> = {
  unary: pointwise,
  binary: pointwise,
  where: pointwise,
  cast: pointwise,
};

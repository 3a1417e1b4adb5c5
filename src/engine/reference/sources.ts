import { InternalError, sizeOf } from '../../graph/index.js';
import { zeros } from './arrays.js';
import type { Evaluators } from './evaluator.js';
import { threefry2x32 } from './threefry.js';

const notGiven = (node: { prim: string; id: number }): never => {
  throw new InternalError(`[reference] ${node.prim} node ${node.id} has no value (the caller gives it)`);
};

export const sources: Pick<Evaluators, 'leaf' | 'const' | 'scalar' | 'iota' | 'randomBits'> = {
  leaf: notGiven,
  scalar: notGiven,
  const: (node) => zeros(node.shape, node.dtype).fill(node.attrs.value),
  iota: (node) => {
    const out = zeros(node.shape, node.dtype);
    const { axis } = node.attrs;
    const inner = sizeOf(node.shape.slice(axis + 1));
    for (let i = 0; i < out.length; i++) out[i] = Math.floor(i / inner) % node.shape[axis]!;
    return out;
  },
  randomBits: (node, [key0, key1]) => {
    const out = zeros(node.shape, node.dtype);
    for (let i = 0; i < out.length; i++) out[i] = threefry2x32(key0![0]!, key1![0]!, i, 0)[0];
    return out;
  },
};

import { binary, cast } from './elementwise.js';
import { broadcastTo, reshape } from './movement.js';
import type { BinaryFn, Node } from './node.js';
import { type Shape, sizeOf } from './shape.js';
import { full, iota } from './sources.js';

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/**
 * What `randomBits` draws, from other operations: for keys of a leading shape (u32, equal shapes) an array of draws of `shape` for each key.
 * Threefry-2x32 with 20 rounds (Salmon et al., 2011) of the counters 0, 1, 2, …
 */
export function composedRandomBits(key0: Node, key1: Node, shape: Shape): Node {
  const out = [...key0.shape, ...shape];
  const op = (fn: BinaryFn, a: Node, b: Node): Node => binary(fn, a, b);
  const constant = (value: number): Node => full(out, value, 'u32');
  const keyed = (key: Node): Node => broadcastTo(reshape(key, [...key.shape, ...shape.map(() => 1)]), out);
  const keys = [keyed(key0), keyed(key1)] as [Node, Node];
  const schedule = [...keys, op('xor', op('xor', ...keys), constant(0x1bd11bda))];
  const counter = cast(reshape(iota([sizeOf(shape)], 0), shape), 'u32');
  let x0 = op('add', broadcastTo(counter, out), schedule[0]!);
  let x1 = schedule[1]!;
  for (let group = 0; group < 5; group++) {
    for (const by of ROTATIONS[group % 2]!) {
      x0 = op('add', x0, x1);
      const rotated = op('or', op('shiftLeft', x1, constant(by)), op('shiftRight', x1, constant(32 - by)));
      x1 = op('xor', rotated, x0);
    }
    x0 = op('add', x0, schedule[(group + 1) % 3]!);
    x1 = op('add', op('add', x1, schedule[(group + 2) % 3]!), constant(group + 1));
  }
  return x0;
}

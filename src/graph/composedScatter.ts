import { MEET } from './composedScan.js';
import { binary, where } from './elementwise.js';
import { gather } from './indexing.js';
import { broadcastTo, pad, reshape } from './movement.js';
import type { Node } from './node.js';
import { reduce, reduceIdentity } from './reduce.js';
import { full, iota } from './sources.js';

/**
 * Scattering as comparisons and a reduction: every place meets the updates whose index names it. No atomics, so the order is
 * fixed; the work is places x updates.
 */
export function composedScatter(node: Node<'scatter'>): Node {
  const { fn, axis } = node.attrs;
  const [x, index, updates] = node.inputs as [Node, Node, Node];
  if (index.shape.some((d) => d === 0)) return x;
  const n = x.shape[axis]!;
  const picks = index.shape[axis]!;
  const [head, tail] = [index.shape.slice(0, axis), index.shape.slice(axis + 1)];
  // [...head, place in x, update, ...tail]
  const pairs = [...head, n, picks, ...tail];
  const spread = (v: Node): Node => broadcastTo(reshape(v, [...head, 1, picks, ...tail]), pairs);
  const named = binary('eq', spread(index), iota(pairs, axis));
  const collapse = (v: Node, how: 'sum' | 'max' | 'min'): Node =>
    reshape(reduce(how, v, [axis + 1]), [...head, n, ...tail]);
  const widen = (v: Node, value: number): Node =>
    pad(v, { low: x.shape.map(() => 0), high: x.shape.map((d, i) => d - v.shape[i]!), value });
  if (fn !== 'set') {
    const how = fn === 'add' ? 'sum' : fn;
    const identity = reduceIdentity(how, x.dtype);
    const met = collapse(where(named, spread(updates), full(pairs, identity, x.dtype)), how);
    return MEET[how](x, widen(met, identity));
  }
  // The last update for a place: the largest number among those that name it, -1 where none does.
  const last = collapse(where(named, iota(pairs, axis + 1), full(pairs, -1, 'i32')), 'max');
  const found = binary('le', full(last.shape, 0, 'i32'), last);
  return where(widen(found, 0), widen(gather(updates, last, axis), 0), x);
}

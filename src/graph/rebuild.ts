import { conv, dot } from './contraction.js';
import { binary, cast, unary, where } from './elementwise.js';
import { gather, scatter } from './indexing.js';
import { alias, barrier, custom, stopGradient } from './markers.js';
import { concat, expand, flip, pad, permute, reshape, slice, window } from './movement.js';
import type { Node, Prim } from './node.js';
import { reduce } from './reduce.js';
import { routine } from './routine.js';
import { argsort, cumulative } from './scan.js';
import { constant, iota, leaf, randomBits, scalarNode } from './sources.js';

type Rebuild<P extends Prim> = (node: Node<P>, inputs: readonly Node[]) => Node;

const REBUILD: { readonly [P in Prim]: Rebuild<P> } = {
  leaf: (node) => leaf(node.attrs.source, node.requiresGrad),
  const: (node) => constant(node.attrs.value, node.dtype),
  scalar: (node) => scalarNode(node.attrs.source),
  iota: (node) => iota(node.shape, node.attrs.axis),
  randomBits: (node, [key0, key1]) => randomBits(key0!, key1!, node.shape),
  unary: (node, [x]) => unary(node.attrs.fn, x!),
  binary: (node, [a, b]) => binary(node.attrs.fn, a!, b!),
  where: (_, [condition, a, b]) => where(condition!, a!, b!),
  cast: (node, [x]) => cast(x!, node.dtype, node.attrs.loose),
  reshape: (node, [x]) => reshape(x!, node.shape),
  permute: (node, [x]) => permute(x!, node.attrs.order),
  expand: (node, [x]) => expand(x!, node.shape),
  slice: (node, [x]) => slice(x!, node.attrs.start, node.shape, node.attrs.step),
  pad: (node, [x]) => pad(x!, node.attrs),
  flip: (node, [x]) => flip(x!, node.attrs.axes),
  concat: (node, parts) => concat(parts, node.attrs.axis),
  window: (node, [x]) => window(x!, node.attrs),
  reduce: (node, [x]) => reduce(node.attrs.fn, x!, node.attrs.axes),
  dot: (_, [a, b]) => dot(a!, b!),
  conv: (node, [x, w]) => conv(x!, w!, node.attrs),
  gather: (node, [x, index]) => gather(x!, index!, node.attrs.axis),
  scatter: (node, [x, index, updates]) => scatter(node.attrs.fn, x!, index!, updates!, node.attrs.axis),
  cumulative: (node, [x]) => cumulative(node.attrs.fn, x!, node.attrs.axis),
  routine: (node, inputs) => routine(node.attrs, inputs),
  argsort: (node, [x]) => argsort(x!, node.attrs.axis, node.attrs.descending),
  alias: (_, [x]) => alias(x!),
  stopGradient: (_, [x]) => stopGradient(x!),
  custom: (node, [value, ...inputs]) => custom(value!, inputs, node.attrs.rule),
  barrier: (_, [x, after]) => barrier(x!, after!),
};

/** The same operation on other inputs, through its builder, which checks them; a builder may return an input that it leaves as it is. */
export function rebuild(node: Node, inputs: readonly Node[]): Node {
  return (REBUILD[node.prim] as Rebuild<Prim>)(node, inputs);
}

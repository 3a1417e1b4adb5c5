import { binary } from '../elementwise.js';
import { reshape } from '../movement.js';
import { isPrim, type Node, type ReduceFn } from '../node.js';
import { reduce } from '../reduce.js';
import { type Shape, sizeOf } from '../shape.js';
import { full } from '../sources.js';
import type { Rewrites } from './rewrite.js';

const isIndex = (fn: ReduceFn): boolean => fn === 'argmax' || fn === 'argmin';

/** Whether a sum made this, which is then never -0: sums start from 0. */
function comesFromSum(node: Node): boolean {
  let at = node;
  while (at.realized === null && (at.prim === 'reshape' || at.prim === 'permute' || at.prim === 'expand'))
    at = at.inputs[0]!;
  return at.realized === null && isPrim(at, 'reduce') && at.attrs.fn === 'sum';
}

/** Of a reshape that only adds or drops axes of size 1: for each axis of `to` that is not of size 1 its axis in `from`. */
function keptAxes(from: Shape, to: Shape): Map<number, number> | null {
  const large = (shape: Shape): number[] => shape.flatMap((d, i) => (d === 1 ? [] : [i]));
  const [before, after] = [large(from), large(to)];
  if (before.length !== after.length || before.some((axis, i) => from[axis] !== to[after[i]!])) return null;
  return new Map(after.map((axis, i) => [axis, before[i]!]));
}

/** Above this many elements the inner reduction is work for many threads, which the outer one alone would not give. */
const MAX_MERGED = 512;

/** A reduction of a reduction, perhaps with axes of size 1 dropped or added between, as one; only where nothing else reads the inner one. */
function mergeNested(node: Node<'reduce'>, axes: readonly number[], uses: (of: Node) => number): Node | null {
  const { fn } = node.attrs;
  const x = node.inputs[0]!;
  const between = x.realized === null && x.prim === 'reshape' ? x : null;
  const inner = between === null ? x : between.inputs[0]!;
  if (inner.realized !== null || !isPrim(inner, 'reduce') || inner.attrs.fn !== fn) return null;
  if (uses(x) > 1 || uses(inner) > 1 || sizeOf(inner.inputs[0]!.shape) > MAX_MERGED) return null;
  const kept = keptAxes(inner.shape, x.shape);
  if (kept === null) return null;
  const all = [...inner.attrs.axes, ...axes.map((axis) => kept.get(axis)!)];
  const unique = [...new Set(all)].sort((a, b) => a - b);
  return reshape(reduce(fn, inner.inputs[0]!, unique), node.shape);
}

export const reduceRewrites: Pick<Rewrites, 'reduce'> = {
  reduce: (node, uses) => {
    const { fn } = node.attrs;
    const x = node.inputs[0]!;
    // One element has index 0.
    if (isIndex(fn)) return x.shape[node.attrs.axes[0]!] === 1 ? full(node.shape, 0, 'i32') : null;
    const axes = node.attrs.axes.filter((axis) => x.shape[axis] !== 1);
    if (axes.length === 0) {
      // The sum of -0 is 0.
      return fn !== 'sum' || x.dtype !== 'f32' || comesFromSum(x) ? x : binary('add', x, full(x.shape, 0, 'f32'));
    }
    const merged = mergeNested(node, axes, uses);
    if (merged !== null) return merged;
    const sorted = [...axes].sort((a, b) => a - b);
    return sorted.length === node.attrs.axes.length && sorted.every((axis, i) => axis === node.attrs.axes[i])
      ? null
      : reduce(fn, x, sorted);
  },
};

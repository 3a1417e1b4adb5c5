import { binary, cast } from '../graph/elementwise.js';
import { expand, pad, permute, reshape, slice } from '../graph/movement.js';
import type { Node, ReduceFn } from '../graph/node.js';
import { reduce } from '../graph/reduce.js';
import { sizeOf } from '../graph/shape.js';
import { div, mul } from './arithmetic.js';
import type { VjpRules } from './rule.js';

type ReduceGradient = (g: Node, x: Node, y: Node, axes: readonly number[]) => Node;

/** Shared evenly among the elements that attain the extreme, as PyTorch's amax and amin do; NaN where the extreme is NaN, which none attains. */
const extremeGradient: ReduceGradient = (g, x, y, axes) => {
  const attained = cast(binary('eq', x, expand(y, x.shape)), 'f32');
  const count = reduce('sum', attained, axes);
  return mul(attained, expand(div(g, count), x.shape));
};

/**
 * Each element's gradient is the product of all others, built from the products before and after it, so that zeros need no
 * case of their own (dividing the whole product by the element would give NaN) and second derivatives are right.
 */
const prodGradient: ReduceGradient = (g, x, _, axes) => {
  const rank = x.shape.length;
  const kept = Array.from({ length: rank }, (_, i) => i).filter((i) => !axes.includes(i));
  const order = [...kept, ...axes];
  const rows = sizeOf(kept.map((i) => x.shape[i]!));
  const n = sizeOf(axes.map((i) => x.shape[i]!));
  const moved = permute(x, order);
  const flat = reshape(moved, [rows, n]);
  const others = mul(exclusiveProducts(flat, 1), exclusiveProducts(flat, -1));
  const back = permute(
    reshape(others, moved.shape),
    order.map((_, i) => order.indexOf(i)),
  );
  return mul(expand(g, x.shape), back);
};

/** Along the rows of [rows, n]: at each place, the product of all elements before it (direction 1) or after it (-1). */
function exclusiveProducts(x: Node, direction: 1 | -1): Node {
  const n = x.shape[1]!;
  let products = shift(x, direction, 1);
  // After the pass with `reach`, each place has the product of 2 * reach elements.
  for (let reach = 1; reach < n - 1; reach *= 2) products = mul(products, shift(products, direction, reach));
  return products;
}

/** Moves the elements of each row by `by` places; ones come in. */
function shift(x: Node, direction: 1 | -1, by: number): Node {
  const [rows, n] = x.shape as [number, number];
  const shifted = Math.min(by, n);
  const kept = slice(x, [0, direction === 1 ? 0 : shifted], [rows, n - shifted]);
  const low = direction === 1 ? shifted : 0;
  return pad(kept, { low: [0, low], high: [0, shifted - low], value: 1 });
}

/** null: the result is an index. */
export const reduceGradients: Record<ReduceFn, ReduceGradient | null> = {
  sum: (g, x) => expand(g, x.shape),
  prod: prodGradient,
  max: extremeGradient,
  min: extremeGradient,
  argmax: null,
  argmin: null,
};

export const reduceRules: Pick<VjpRules, 'reduce'> = {
  reduce: (node, g) => {
    const gradient = reduceGradients[node.attrs.fn];
    return [gradient === null ? null : gradient(g, node.inputs[0]!, node, node.attrs.axes)];
  },
};

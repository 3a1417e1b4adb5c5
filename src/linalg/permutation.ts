import { broadcastTo } from '../graph/index.js';
import {
  arange,
  cast,
  concat,
  eq,
  flip,
  gather,
  narrow,
  ne,
  remainder,
  reshape,
  select,
  sub,
  sum,
  type Tensor,
  unsqueeze,
  where,
} from '../tensor/index.js';

/** What is at which place after a list of exchanges, step i of row i with row pivots[..., i] (i32): [..., m], or what undoes it. */
export function permutationOf(pivots: Tensor, m: number, inverse = false): Tensor {
  const batch = pivots.shape.slice(0, -1);
  const steps = pivots.shape.at(-1)!;
  const places = arange(m);
  const over = (x: Tensor, count: number): Tensor => x.derive(broadcastTo(x.node, [...batch, count, m]));
  if (steps === 0) return reshape(over(places, 1), [...batch, m]);
  // Each exchange as a permutation of its own; pairs of neighbours become one until one is left.
  const own = unsqueeze(arange(steps), -1);
  const taken = unsqueeze(pivots, -1);
  let all = over(where(eq(places, own), taken, where(eq(places, taken), own, places)), steps);
  if (inverse) all = flip(all, -2);
  for (let count = steps; count > 1; count = Math.ceil(count / 2)) {
    if (count % 2 === 1) all = concat([all, over(places, 1)], -2);
    const pairs = reshape(all, [...batch, Math.ceil(count / 2), 2, m]);
    all = gather(select(pairs, -2, 0), -1, select(pairs, -2, 1));
  }
  return select(all, -2, 0);
}

/** 1 where exchanges are even in number, -1 where odd: f32 [...]. */
export function signOf(pivots: Tensor): Tensor {
  const moved = cast(ne(pivots, arange(pivots.shape.at(-1)!)), 'f32');
  return sub(1, remainder(sum(moved, -1), 2).mul(2));
}

/** Row i is row order[..., i] of the matrices. */
export function permuteRows(x: Tensor, order: Tensor): Tensor {
  const index = unsqueeze(order, -1);
  return gather(x, -2, index.derive(broadcastTo(index.node, x.shape)));
}

/** The pivots of a packed factorisation of [..., m, n]: i32 [..., k]. */
export const pivotsOf = (packed: Tensor): Tensor => {
  const [m, columns] = packed.shape.slice(-2) as [number, number];
  return cast(narrow(select(packed.detach(), -1, columns - 1), -1, 0, Math.min(m, columns - 1)), 'i32');
};

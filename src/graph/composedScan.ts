import { binary, unary, where } from './elementwise.js';
import { broadcastTo, flip, pad, permute, reshape, slice } from './movement.js';
import type { CumulativeFn, Node } from './node.js';
import { reduce, reduceIdentity } from './reduce.js';
import { full, iota } from './sources.js';

/** The elements `by` places earlier along an axis, the identity where there are none. */
export function shifted(x: Node, axis: number, by: number, fill: number): Node {
  const n = x.shape[axis]!;
  if (by >= n) return full(x.shape, fill, x.dtype);
  const kept = slice(
    x,
    x.shape.map(() => 0),
    x.shape.map((d, i) => (i === axis ? d - by : d)),
  );
  return pad(kept, { low: x.shape.map((_, i) => (i === axis ? by : 0)), high: x.shape.map(() => 0), value: fill });
}

/** How two values of a running reduction meet. */
export const MEET: Record<CumulativeFn, (a: Node, b: Node) => Node> = {
  sum: (a, b) => binary('add', a, b),
  prod: (a, b) => binary('mul', a, b),
  max: (a, b) => binary('max', a, b),
  min: (a, b) => binary('min', a, b),
};

/** A running reduction in log2(n) steps, each adding what lies 1, 2, 4, … places before (Hillis and Steele, 1986). */
export function composedCumulative(node: Node<'cumulative'>): Node {
  const { fn, axis } = node.attrs;
  let x = node.inputs[0]!;
  const identity = reduceIdentity(fn, x.dtype);
  for (let by = 1; by < x.shape[axis]!; by *= 2) x = MEET[fn](x, shifted(x, axis, by, identity));
  return x;
}

/** Whether a comes before b, ascending; equal values in the order of their positions; NaN is the largest. */
function before(a: Node, b: Node, descending: boolean, positionA: Node, positionB: Node): Node {
  const and = (p: Node, q: Node): Node => binary('and', p, q);
  const or = (p: Node, q: Node): Node => binary('or', p, q);
  const not = (p: Node): Node => unary('logicalNot', p);
  const [low, high] = descending ? [b, a] : [a, b];
  let less: Node = binary('lt', low, high);
  let same: Node = binary('eq', a, b);
  if (a.dtype === 'f32') {
    const [nanLow, nanHigh] = [unary('isnan', low), unary('isnan', high)];
    less = or(less, and(nanHigh, not(nanLow)));
    same = or(same, and(nanLow, nanHigh));
  }
  return or(less, and(same, binary('lt', positionA, positionB)));
}

/** Up to this length, counting smaller elements (n^2 comparisons in one kernel) beats log2(n)^2 / 2 passes. */
const MAX_COUNTED = 1024;

/** Positions in order, from comparisons alone. */
export function composedArgsort(node: Node<'argsort'>): Node {
  const { axis, descending } = node.attrs;
  const rank = node.shape.length;
  // The sorted axis goes last.
  const order = [...Array(rank).keys()].filter((a) => a !== axis).concat(axis);
  const back = order.map((_, i) => order.indexOf(i));
  const x = permute(node.inputs[0]!, order);
  const n = x.shape[rank - 1]!;
  const lines = reshape(x, [x.shape.slice(0, -1).reduce((a, b) => a * b, 1), n]);
  if (n === 0 || lines.shape[0] === 0) return full(node.shape, 0, 'i32');
  const sorted = n <= MAX_COUNTED ? byCounting(lines, descending) : byMerging(lines, descending);
  return permute(reshape(sorted, x.shape), back);
}

/** An element's place is the number of elements before it; inverting that permutation gives the order. */
function byCounting(x: Node, descending: boolean): Node {
  const [lines, n] = x.shape as [number, number];
  const cube = [lines, n, n];
  const rows = (v: Node): Node => broadcastTo(reshape(v, [lines, n, 1]), cube);
  const columns = (v: Node): Node => broadcastTo(reshape(v, [lines, 1, n]), cube);
  // Axis 1: the element that is placed; axis 2: the others.
  const earlier = before(columns(x), rows(x), descending, iota(cube, 2), iota(cube, 1));
  const one = full(cube, 1, 'i32');
  const zero = full(cube, 0, 'i32');
  const place = reduce('sum', where(earlier, one, zero), [2]);
  // Axis 1: the place; axis 2: which element it holds.
  const holds = binary('eq', broadcastTo(reshape(place, [lines, 1, n]), cube), iota(cube, 1));
  return reshape(reduce('sum', where(holds, iota(cube, 2), zero), [2]), [lines, n]);
}

/** Batcher's bitonic network: stages of compare-and-exchange between elements d apart, on (value, position) pairs. */
function byMerging(x: Node, descending: boolean): Node {
  const [lines, n] = x.shape as [number, number];
  const size = 2 ** Math.ceil(Math.log2(n));
  const padding = { low: [0, 0], high: [0, size - n] };
  const shape = [lines, size];
  let value = pad(x, padding);
  // Padding comes after everything: its positions are the last, and it is told apart by them.
  let position: Node = iota(shape, 1);
  for (let block = 2; block <= size; block *= 2) {
    for (let d = block / 2; d >= 1; d /= 2) {
      const pairs = [lines, size / (2 * d), 2, d];
      const partner = (v: Node): Node => reshape(flip(reshape(v, pairs), [2]), shape);
      const [otherValue, otherPosition] = [partner(value), partner(position)];
      const index = iota(shape, 1);
      const bit = (b: number): Node => binary('eq', binary('and', index, full(shape, b, 'i32')), full(shape, 0, 'i32'));
      // The lower of a pair takes the earlier element in ascending blocks, the later one in the others.
      const wantsEarlier = binary('eq', bit(d), bit(block));
      const limit = full(shape, n, 'i32');
      const [real, otherReal] = [binary('lt', position, limit), binary('lt', otherPosition, limit)];
      const both = binary('and', real, otherReal);
      const isEarlier = where(
        both,
        before(value, otherValue, descending, position, otherPosition),
        binary('lt', position, otherPosition),
      );
      const keep = binary('eq', isEarlier, wantsEarlier);
      [value, position] = [where(keep, value, otherValue), where(keep, position, otherPosition)];
    }
  }
  return slice(position, [0, 0], [lines, n]);
}

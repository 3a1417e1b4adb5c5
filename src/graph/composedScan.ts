import { type DType, rangeOf } from './dtype.js';
import { binary, unary, where } from './elementwise.js';
import { gather } from './indexing.js';
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

/** Up to this length the place of an element is found by comparing it with all others: n^2 comparisons in one kernel. */
const MAX_COUNTED = 1024;
/** Longer lines are sorted in pieces, in which each element then finds its place by bisection. Longer pieces cost comparisons, more of them bisections. */
const pieceFor = (n: number): number => (n <= 8192 ? 256 : 1024);
/** Elements of the space in which they are compared. */
const MAX_CUBE = 2 ** 31;

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
  const piece = pieceFor(n);
  const fits = lines.shape[0]! * (n + piece) * Math.max(piece, n / piece) <= MAX_CUBE;
  const sorted =
    n <= MAX_COUNTED && lines.shape[0]! * n * n <= MAX_CUBE
      ? byCounting(lines, descending)
      : fits
        ? byPieces(lines, piece, descending)
        : byMerging(lines, descending);
  return permute(reshape(sorted, x.shape), back);
}

/** Comes after everything else in the order. */
function lastValue(dtype: DType, descending: boolean): number {
  if (dtype === 'bool') return descending ? 0 : 1;
  const [low, high] = rangeOf(dtype);
  return descending ? low : dtype === 'f32' ? Number.NaN : high;
}

/**
 * Sorts pieces by counting; an element's place is the number of elements before it in each piece, found by bisection, and which element a
 * place holds is found by bisection among the places of each piece: n * pieces * log2(piece) steps, twice.
 */
function byPieces(x: Node, piece: number, descending: boolean): Node {
  const [lines, n] = x.shape as [number, number];
  const pieces = Math.ceil(n / piece);
  const size = pieces * piece;
  const padded = pad(x, { low: [0, 0], high: [0, size - n], value: lastValue(x.dtype, descending) });
  const rows = reshape(padded, [lines * pieces, piece]);
  const order = byCounting(rows, descending);
  const values = reshape(gather(rows, order, 1), [lines, size]);
  const start = (shape: readonly number[], axis: number): Node =>
    binary('mul', iota(shape, axis), full(shape, piece, 'i32'));
  const inPiece = [lines, pieces, piece];
  const positions = reshape(binary('add', reshape(order, inPiece), start(inPiece, 1)), [lines, size]);

  // Axes: line, the element by its piece and place in it, the piece that it is compared with.
  const cube = [lines, pieces, piece, pieces];
  const flat = [lines, size * pieces];
  const v = reshape(broadcastTo(reshape(values, [...inPiece, 1]), cube), flat);
  const own = reshape(iota(cube, 1), flat);
  const other = reshape(iota(cube, 3), flat);
  const earlier = binary('lt', other, own);
  const count = bisect(piece, reshape(start(cube, 3), flat), (at) =>
    comesBefore(gather(values, at, 1), v, earlier, descending),
  );
  const ranks = where(binary('eq', own, other), reshape(iota(cube, 2), flat), count);
  const places = reshape(reduce('sum', reshape(ranks, [lines, size, pieces]), [2]), [lines, size]);

  const wanted = [lines, n, pieces];
  const asked = [lines, n * pieces];
  const place = reshape(iota(wanted, 1), asked);
  const from = reshape(start(wanted, 2), asked);
  const found = bisect(piece, from, (at) => binary('lt', gather(places, at, 1), place));
  const at = binary('add', from, binary('min', found, full(asked, piece - 1, 'i32')));
  const holds = binary('eq', gather(places, at, 1), place);
  const held = where(holds, gather(positions, at, 1), full(asked, 0, 'i32'));
  return reshape(reduce('sum', reshape(held, wanted), [2]), [lines, n]);
}

/** How many elements of a sorted piece, which begins at `start`, `isBefore` holds for; it holds for the first ones. */
function bisect(piece: number, start: Node, isBefore: (at: Node) => Node): Node {
  const number = (value: number): Node => full(start.shape, value, 'i32');
  let count: Node = number(0);
  for (const step of [...Array(Math.log2(piece)).keys()].map((i) => piece / 2 ** (i + 1)).concat(1)) {
    const more = binary('add', count, number(step));
    const last = binary('add', binary('add', start, count), number(step - 1));
    count = where(isBefore(last), more, count);
  }
  return count;
}

/** Whether `a` comes before `v`: equal ones do where `earlier` holds. NaN is the largest. */
function comesBefore(a: Node, v: Node, earlier: Node, descending: boolean): Node {
  const [strictly, orEqual] = descending
    ? [binary('lt', v, a), binary('le', v, a)]
    : [binary('lt', a, v), binary('le', a, v)];
  const numbers = where(earlier, orEqual, strictly);
  if (a.dtype !== 'f32') return numbers;
  const [first, second] = descending ? [unary('isnan', a), unary('isnan', v)] : [unary('isnan', v), unary('isnan', a)];
  return binary('or', numbers, binary('and', first, binary('or', earlier, unary('logicalNot', second))));
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

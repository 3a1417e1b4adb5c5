import {
  broadcastTo,
  cast,
  composedArgsort,
  composedCumulative,
  composedScatter,
  cumulative,
  full,
  iota,
  isPrim,
  MEET,
  type Node,
  pad,
  rebuild,
  reduceIdentity,
  reshape,
  sameShape,
  scatter,
  shifted,
  sizeOf,
  slice,
  topologicalOrder,
  where,
} from '../../graph/index.js';

/** Up to this length a CPU sorts by comparing all elements with all others. GPUs, which one line at a time leaves idle, always compare. */
const MAX_COUNTED = 64;
/** Up to so many updates are compared with every place: that needs no kernel of its own. */
const MAX_COMPARED = 4;

/** The definition of a primitive where kernels do not compute it as such; null for the others. */
function definitionOf(node: Node, software: boolean): Node | null {
  if (isPrim(node, 'cumulative')) return cumulativeDefinition(node, software);
  if (isPrim(node, 'argsort')) {
    const n = node.shape[node.attrs.axis]!;
    return software && n > MAX_COUNTED && sizeOf(node.shape) > 0 ? null : composedArgsort(node);
  }
  if (isPrim(node, 'routine')) return node.attrs.fn === 'lu' && node.shape.at(-1) === 1 ? ownRows(node) : null;
  return isPrim(node, 'scatter') ? scatterDefinition(node) : null;
}

/** Up to this length running reductions are a few operations in the kernel of their users. */
const MAX_COMPOSED_RUN = 16;
/** Lines that run at the same time, where there are so many elements, and the length of the shortest pieces that lines are cut into. */
const LINES = { cpu: 16, gpu: 16_384 };
const MIN_PIECE = 64;

function cumulativeDefinition(node: Node<'cumulative'>, software: boolean): Node | null {
  const n = node.shape[node.attrs.axis]!;
  if (n <= MAX_COMPOSED_RUN || sizeOf(node.shape) === 0) return composedCumulative(node);
  return inPieces(node, software);
}

/** Null where there are enough lines. */
function inPieces(node: Node<'cumulative'>, software: boolean): Node | null {
  const n = node.shape[node.attrs.axis]!;
  const most = Math.min(n / MIN_PIECE, (software ? LINES.cpu : LINES.gpu) / (sizeOf(node.shape) / n));
  const length = pieceLength(n, Math.floor(most));
  return length < n ? cumulativeByPieces(node, length, software) : null;
}

/** The length of equal pieces, where not many fewer do than there may be; else the last one is to be filled up. */
function pieceLength(n: number, most: number): number {
  for (let count = most; count > most / 2; count--) if (n % count === 0) return n / count;
  return most < 2 ? n : Math.ceil(n / most);
}

/** Runs over pieces, and adds to each what all pieces before it come to. */
function cumulativeByPieces(node: Node<'cumulative'>, length: number, software: boolean): Node {
  const { fn, axis } = node.attrs;
  const x = node.inputs[0]!;
  const n = x.shape[axis]!;
  const [head, tail] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const count = Math.ceil(n / length);
  const identity = reduceIdentity(fn, x.dtype);
  const none = x.shape.map(() => 0);
  const missing = x.shape.map((_, i) => (i === axis ? count * length - n : 0));
  const padded = count * length === n ? x : pad(x, { low: none, high: missing, value: identity });
  const runs = cumulative(fn, reshape(padded, [...head, count, length, ...tail]), axis + 1);
  const last = runs.shape.map((_, i) => (i === axis + 1 ? length - 1 : 0));
  const one = [...head, count, 1, ...tail];
  const totals = cumulative(fn, reshape(slice(runs, last, one), [...head, count, ...tail]), axis);
  // Stored, however few they are: all elements of a piece read them.
  const running = isPrim(totals, 'cumulative') ? (inPieces(totals, software) ?? totals) : totals;
  const before = reshape(shifted(running, axis, 1, identity), one);
  const met = reshape(MEET[fn](broadcastTo(before, runs.shape), runs), padded.shape);
  return slice(met, none, x.shape);
}

function scatterDefinition(node: Node<'scatter'>): Node | null {
  const { fn, axis } = node.attrs;
  const [x, index, updates] = node.inputs as [Node, Node, Node];
  if (index.shape[axis]! <= MAX_COMPARED || sizeOf(node.shape) === 0 || sizeOf(index.shape) === 0)
    return composedScatter(node);
  const covered = index.shape.map((d, i) => (i === axis ? x.shape[i]! : d));
  if (sameShape(covered, x.shape)) return null;
  // What the index does not reach stays.
  const start = covered.map(() => 0);
  const inner = scatter(fn, slice(x, start, covered), index, updates, axis);
  const high = x.shape.map((d, i) => d - covered[i]!);
  const reached = pad(full(covered, 1, 'bool'), { low: start, high });
  return where(reached, pad(inner, { low: start, high }), x);
}

/** The factorisation of matrices without columns: nothing but a list of pivots. */
const ownRows = (node: Node): Node => cast(iota(node.shape, node.shape.length - 2), 'f32');

/** Replaces the primitives that no kernel family computes by what they are composed of. */
export function decompose(roots: readonly Node[], software: boolean): Node[] {
  const order = topologicalOrder(roots, (n) => n.realized !== null);
  if (!order.some((n) => n.realized === null && ['cumulative', 'argsort', 'scatter', 'routine'].includes(n.prim)))
    return [...roots];
  const replaced = new Map<Node, Node>();
  for (const node of order) {
    if (node.realized !== null || node.inputs.length === 0) {
      replaced.set(node, node);
      continue;
    }
    const inputs = node.inputs.map((i) => replaced.get(i)!);
    const current = inputs.every((x, i) => x === node.inputs[i]) ? node : rebuild(node, inputs);
    replaced.set(node, definitionOf(current, software) ?? current);
  }
  return roots.map((r) => replaced.get(r)!);
}

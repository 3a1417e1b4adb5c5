import { binary, broadcastTo, dot, expand, flip, type Node, pad, permute, reshape, slice } from '../graph/index.js';
import { rootOfUnity } from './roots.js';
import { factors, hostTransform, pairs, type Transform, transformMatrix } from './tables.js';

/** Up to this length one product with a matrix may be the whole transform. */
const MAX_MATRIX = 128;
/** The longest step of a transform that is taken apart: its sums are then too short to lose accuracy. */
const MAX_STEP = 64;
/** What one more pass costs, in products for each element: what is saved by it must be worth its kernel. */
const PASS = 48;

interface Way {
  readonly cost: number;
  /** n for one matrix, a divisor to take the transform apart by, 0 for Bluestein's way. */
  readonly step: number;
}

const ways = new Map<number, Way>();

/** The cheapest way to transform n numbers. */
function wayOf(n: number): Way {
  const known = ways.get(n);
  if (known !== undefined) return known;
  let best: Way = { cost: Infinity, step: 0 };
  if (n <= MAX_MATRIX) best = { cost: n, step: n };
  for (let step = 2; step <= Math.min(MAX_STEP, n / 2); step++) {
    if (n % step !== 0) continue;
    const cost = step + PASS + wayOf(n / step).cost;
    if (cost < best.cost) best = { cost, step };
  }
  if (best.cost === Infinity) {
    const padded = paddedLength(n);
    best = { cost: ((2 * padded) / n) * wayOf(padded).cost + 3 * PASS, step: 0 };
  }
  ways.set(n, best);
  return best;
}

/** The power of two that holds a convolution of n numbers with 2n - 1. */
const paddedLength = (n: number): number => 2 ** Math.ceil(Math.log2(2 * n - 1));

/** Multiplies complex numbers [..., 2] by factors that broadcast to them. */
export function multiplied(x: Node, [straight, crossed]: readonly [Node, Node]): Node {
  const swapped = flip(x, [x.shape.length - 1]);
  return binary(
    'add',
    binary('mul', x, broadcastTo(straight, x.shape)),
    binary('mul', swapped, broadcastTo(crossed, x.shape)),
  );
}

const realPart = (x: Node): Node => reshape(slice(x, [0, 0, 0], [...x.shape.slice(0, -1), 1]), x.shape.slice(0, -1));

/**
 * The sums over j of x_j e^(sign 2 pi i j k / n) for k below `keep`, unscaled: [rows, n, 2], or [rows, n] where `realIn`, to [rows, keep, 2],
 * or [rows, keep] where `realOut`.
 */
export function transform(x: Node, what: Transform): Node {
  const { step } = wayOf(what.n);
  if (step === 0) return byConvolution(x, what);
  return step === what.n ? byMatrix(x, what) : inSteps(x, what, step);
}

function byMatrix(x: Node, what: Transform): Node {
  const rows = x.shape[0]!;
  const matrix = transformMatrix(what);
  const product = dot(reshape(x, [rows, matrix.shape[0]!]), matrix);
  return reshape(product, what.realOut ? [rows, what.keep] : [rows, what.keep, 2]);
}

/**
 * Cooley and Tukey's way: with j = b j1 + j2 and k = k1 + a k2 for n = a b, transforms of length a over j1, factors of e^(2 pi i j2 k1 / n), and
 * transforms of length b over j2.
 */
function inSteps(x: Node, what: Transform, a: number): Node {
  const { n, sign, keep, realIn, realOut } = what;
  const b = n / a;
  const rows = x.shape[0]!;
  const parts = realIn ? [] : [2];
  const columns = reshape(x, [rows, a, b, ...parts]);
  const byColumn = reshape(permute(columns, realIn ? [0, 2, 1] : [0, 2, 1, 3]), [rows * b, a, ...parts]);
  const first = reshape(byMatrix(byColumn, { n: a, sign, keep: a, realIn, realOut: false }), [rows, b, a, 2]);
  const turned = multiplied(
    first,
    factors(`steps ${[n, sign, a]}`, [b, a], (at) => rootOfUnity(sign * Math.floor(at / a) * (at % a), n)),
  );
  const remaining = reshape(permute(turned, [0, 2, 1, 3]), [rows * a, b, 2]);
  const keptHere = Math.ceil(keep / a);
  const last = transform(remaining, { n: b, sign, keep: keptHere, realIn: false, realOut });
  const outParts = realOut ? [] : [2];
  const inOrder = permute(reshape(last, [rows, a, keptHere, ...outParts]), realOut ? [0, 2, 1] : [0, 2, 1, 3]);
  const all = reshape(inOrder, [rows, keptHere * a, ...outParts]);
  return slice(
    all,
    all.shape.map(() => 0),
    [rows, keep, ...outParts],
  );
}

/**
 * Bluestein's way, for lengths without small factors: 2 j k = j^2 + k^2 - (k - j)^2 makes the transform a convolution, which transforms
 * of a power of two compute.
 */
function byConvolution(x: Node, what: Transform): Node {
  const { n, sign, keep, realIn, realOut } = what;
  const rows = x.shape[0]!;
  const padded = paddedLength(n);
  const chirp = (j: number): [number, number] => rootOfUnity(sign * ((j * j) % (2 * n)), 2 * n);
  const values = realIn ? expand(reshape(x, [rows, n, 1]), [rows, n, 2]) : x;
  const [straight, crossed] = factors(`chirp ${[n, sign]}`, [n], chirp);
  // A real number times (cos, sin) is what its pair with 0 would give.
  const own = realIn
    ? binary('mul', values, broadcastTo(pairs(`chirp ${[n, sign]}`, n, chirp), values.shape))
    : multiplied(values, [straight, crossed]);
  const long = pad(own, { low: [0, 0, 0], high: [0, padded - n, 0] });
  const whole = { n: padded, keep: padded, realIn: false, realOut: false };
  const spectrum = transform(long, { ...whole, sign: -1 });
  let response: readonly [Float64Array, Float64Array] | null = null;
  const convolved = multiplied(
    spectrum,
    factors(`response ${[n, sign]}`, [padded], (at) => {
      response ??= responseOf(n, padded, chirp);
      return [response[0][at]! / padded, response[1][at]! / padded];
    }),
  );
  const back = transform(convolved, { ...whole, sign: 1, keep });
  const crop = (f: Node): Node => slice(f, [0, 0], [keep, 2]);
  const result = multiplied(back, [crop(straight), crop(crossed)]);
  return realOut ? realPart(result) : result;
}

/** The transform of the conjugated chirp, which repeats around 0. */
function responseOf(
  n: number,
  padded: number,
  chirp: (j: number) => readonly [number, number],
): [Float64Array, Float64Array] {
  const re = new Float64Array(padded);
  const im = new Float64Array(padded);
  for (let j = 0; j < n; j++) {
    const [cos, sin] = chirp(j);
    for (const at of [j, (padded - j) % padded]) [re[at], im[at]] = [cos, -sin];
  }
  hostTransform(re, im);
  return [re, im];
}

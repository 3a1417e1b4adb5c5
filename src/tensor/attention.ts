import { ArgumentError, binary, broadcastShapes, iota, ShapeError, showShape } from '../graph/index.js';
import { dropout, softmax } from './activations.js';
import { where } from './choosing.js';
import { add, mul } from './elementwise.js';
import { matmul } from './linalg.js';
import { expand, reshape, transpose } from './movement.js';
import { floatOf, nodeOf } from './operands.js';
import type { Tensor } from './tensor.js';

export interface AttentionOptions {
  /** Which keys each query may see (bool), or what is added to the scores (f32); broadcasts to [..., L, S]. */
  attnMask?: Tensor | null;
  /** Probability with which weights are dropped (0). */
  dropoutP?: number;
  /** Query i sees keys 0..i only (false). */
  isCausal?: boolean;
  /** What the scores are multiplied by (1 / sqrt(E)). */
  scale?: number | null;
  /** Fewer heads (axis -3) of keys and values than of queries: each serves several in a row (false). */
  enableGqa?: boolean;
}

/** Each head of keys or values as often as queries need it. */
function repeatedHeads(op: string, x: Tensor, heads: number): Tensor {
  const { shape } = x;
  const own = shape[shape.length - 3]!;
  if (heads % own !== 0) throw new ShapeError(`[${op}] ${heads} heads of queries for ${own} (expected a multiple)`);
  if (heads === own) return x;
  const outer = shape.slice(0, -3);
  const inner = shape.slice(-2);
  const grouped = reshape(x, [...outer, own, 1, ...inner]);
  return reshape(expand(grouped, [...outer, own, heads / own, ...inner]), [...outer, heads, ...inner]);
}

/**
 * softmax(query keyᵀ scale + mask) value: [..., L, E], [..., S, E] and [..., S, Ev] to [..., L, Ev]; the axes in front broadcast. A query that may
 * see nothing gets NaN, as in PyTorch. In f32. Throws ShapeError where shapes do not fit, ArgumentError for a mask beside isCausal.
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  const op = 'scaledDotProductAttention';
  const { attnMask = null, dropoutP = 0, isCausal = false, enableGqa = false } = options;
  const q = floatOf(op, query);
  let [k, v] = [floatOf(op, key), floatOf(op, value)];
  const shapes = [q, k, v].map((x) => showShape(x.shape)).join(', ');
  const least = enableGqa ? 3 : 2;
  if ([q, k, v].some((x) => x.ndim < least)) {
    throw new ShapeError(`[${op}] shapes are ${shapes} (expected rank ${least} or more)`);
  }
  const [length, size] = q.shape.slice(-2) as [number, number];
  const keys = k.shape[k.ndim - 2]!;
  if (k.shape.at(-1) !== size || v.shape[v.ndim - 2] !== keys) {
    throw new ShapeError(`[${op}] shapes do not fit: ${shapes} (expected [..., L, E], [..., S, E], [..., S, Ev])`);
  }
  if (enableGqa) {
    const heads = q.shape[q.ndim - 3]!;
    [k, v] = [repeatedHeads(op, k, heads), repeatedHeads(op, v, heads)];
  }
  broadcastShapes(op, broadcastShapes(op, q.shape.slice(0, -2), k.shape.slice(0, -2)), v.shape.slice(0, -2));
  const scale = options.scale ?? 1 / Math.sqrt(size);
  let scores = mul(matmul(q, transpose(k, -1, -2)), scale);
  const masked = (seen: Tensor): Tensor => where(seen, scores, -Infinity);
  if (attnMask) {
    if (isCausal) throw new ArgumentError(`[${op}] both attnMask and isCausal given (expected one)`);
    const mask = nodeOf(op, attnMask);
    if (showShape(broadcastShapes(op, mask.shape, scores.shape)) !== showShape(scores.shape)) {
      throw new ShapeError(`[${op}] attnMask is ${showShape(mask.shape)} beside scores ${showShape(scores.shape)}`);
    }
    scores = mask.dtype === 'bool' ? masked(attnMask) : add(scores, floatOf(op, attnMask));
  } else if (isCausal) {
    const square = [length, keys];
    scores = masked(q.derive(binary('le', iota(square, 1), iota(square, 0))));
  }
  return matmul(dropout(softmax(scores, -1), dropoutP), v);
}

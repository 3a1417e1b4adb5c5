import { binary, broadcastTo, full, iota, type Node, reduce, reshape, where } from '../graph/index.js';

/**
 * The largest element along the last axis, which goes away, and (when asked for) its i32 place. Of equal ones the first has the gradient, as
 * in PyTorch's pooling; the gradient of a maximum itself is shared.
 */
export function largest(x: Node): { value: Node; place: () => Node } {
  const last = x.shape.length - 1;
  const shape = x.shape.slice(0, -1);
  let best: Node | null = null;
  const kept = (): Node => (best ??= reduce('argmax', x, [last]));
  const place = (): Node => reshape(kept(), shape);
  if (!x.requiresGrad) return { value: reshape(reduce('max', x, [last]), shape), place };
  const chosen = binary('eq', iota(x.shape, last), broadcastTo(kept(), x.shape));
  const value = reduce('sum', where(chosen, x, full(x.shape, 0, 'f32')), [last]);
  return { value: reshape(value, shape), place };
}

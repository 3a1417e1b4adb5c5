import type { Tensor } from './tensor.js';

/** Losses that may still have to be computed: the next optimizer step does it in its own plan, before the parameters change. */
let pending: Tensor[] = [];
/** A program that never steps must not collect every loss it ever made. */
const MOST = 64;

const toCompute = (x: Tensor): boolean => !x.disposed && x.node.realized === null;

/** Notes a tensor on which `backward` was called. */
export function addBackwardRoot(x: Tensor): void {
  if (!pending.includes(x)) pending.push(x);
  if (pending.length > MOST) pending = pending.filter(toCompute).slice(-MOST);
}

/** Hands over (and forgets) the tensors on which `backward` was called since the last time and which are not computed yet. */
export function takeBackwardRoots(): Tensor[] {
  const roots = pending.filter(toCompute);
  pending = [];
  return roots;
}

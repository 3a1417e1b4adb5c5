import { realize } from '../compile/index.js';
import { binary, broadcastScalar, isFloat, type Node, scalarNode, withoutGrad } from '../graph/index.js';
import { ownerOf } from '../tensor/handle.js';
import { keep, type Tensor } from '../tensor/index.js';
import { rebind } from '../tensor/internal.js';

const marked = new WeakSet<Tensor>();

/** Makes a tensor a parameter, that is, a leaf that requires grad. It stays one, and is saved, when it is frozen later. */
export function parameter(tensor: Tensor): Tensor {
  tensor.requiresGrad = true;
  marked.add(tensor);
  // Parameters outlive the scope in which a network is built.
  return keep(tensor);
}

/** Whether a tensor is trained: it was made a parameter, or is a leaf that requires grad. */
export function isParameter(tensor: Tensor): boolean {
  if (!marked.has(tensor) && tensor.requiresGrad && ownerOf(tensor.node) === tensor) marked.add(tensor);
  return marked.has(tensor);
}

/** Gives tensors copies of other tensors' values. */
export function copyInto(pairs: readonly (readonly [target: Tensor, value: Tensor])[]): void {
  const copies = pairs.map(([, value]) => copyOf(value.node));
  // Now, because the values may be parameters that a step replaces. An error sticks to the copies and is thrown where they are read.
  realize(copies).catch(() => {});
  pairs.forEach(([target], i) => {
    rebind(target, copies[i]!);
  });
}

/** The same value in storage of its own: an optimizer overwrites that of its parameters, whoever else reads it. */
function copyOf(x: Node): Node {
  const neutral = (value: number) => broadcastScalar(scalarNode({ dtype: x.dtype, value }), x.shape);
  // A runtime scalar, so that nothing simplifies the copy away.
  return withoutGrad(() =>
    isFloat(x.dtype)
      ? binary('mul', x, neutral(1))
      : x.dtype === 'bool'
        ? binary('or', x, neutral(0))
        : binary('add', x, neutral(0)),
  );
}

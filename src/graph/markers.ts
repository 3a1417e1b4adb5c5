import { makeNode, type Node } from './node.js';

/** The same value as a new node that requires grad: what a transform differentiates with respect to. */
export function alias(x: Node): Node<'alias'> {
  return makeNode('alias', [x], {}, x.shape, x.dtype, x.dtype === 'f32');
}

/** The same value, through which no gradient flows. */
export function stopGradient(x: Node): Node {
  return x.requiresGrad ? makeNode('stopGradient', [x], {}, x.shape, x.dtype) : x;
}

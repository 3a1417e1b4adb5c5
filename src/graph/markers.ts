import { isFloat } from './dtype.js';
import { type CustomRule, makeNode, type Node } from './node.js';

/** The same value as a new node that requires grad: what a transform differentiates with respect to. */
export function alias(x: Node): Node<'alias'> {
  return makeNode('alias', [x], {}, x.shape, x.dtype, isFloat(x.dtype));
}

/** The same value, through which no gradient flows. */
export function stopGradient(x: Node): Node {
  return x.requiresGrad ? makeNode('stopGradient', [x], {}, x.shape, x.dtype) : x;
}

/** A value whose gradient goes to `inputs` by a rule of its own. */
export function custom(value: Node, inputs: readonly Node[], rule: CustomRule): Node<'custom'> {
  return makeNode('custom', [value, ...inputs], { rule }, value.shape, value.dtype);
}

/** The same value, for use only after another node is computed; it is not merged with what it is equal to. */
export function barrier(x: Node, after: Node): Node<'barrier'> {
  return makeNode('barrier', [x, stopGradient(after)], {}, x.shape, x.dtype);
}

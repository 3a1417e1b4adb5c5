import { constantValue } from './constants.js';
import { binary, narrowed, where, widened } from './elementwise.js';
import { isPrim, type Node } from './node.js';
import { full } from './sources.js';

/** max(x, 0) with PyTorch's value and gradient: NaN stays NaN, and the gradient at 0 is 0. Any numeric dtype. */
export function reluNode(x: Node): Node {
  // One node, so that `isReluNode` knows it again.
  const wide = widened(x);
  const zero = full(x.shape, 0, wide.dtype);
  return narrowed(where(binary('le', wide, zero), zero, wide), x.dtype);
}

/** Whether a node is what `reluNode` builds: its gradient can then be told from its own value. */
export function isReluNode(node: Node<'where'>): boolean {
  const [condition, then, otherwise] = node.inputs as [Node, Node, Node];
  return (
    isPrim(condition, 'binary') &&
    condition.attrs.fn === 'le' &&
    condition.inputs[0] === otherwise &&
    constantValue(condition.inputs[1]!) === 0 &&
    constantValue(then) === 0
  );
}

/**
 * min(max(x, low), high) with PyTorch's value and gradient: NaN stays NaN, the gradient passes at the bounds themselves, and
 * `high` wins where it is below `low`. A bound of null is none. Operands have one shape and dtype.
 */
export function clampNode(x: Node, low: Node | null, high: Node | null): Node {
  const raised = low === null ? x : where(binary('lt', x, low), low, x);
  return high === null ? raised : where(binary('lt', high, raised), high, raised);
}

import { backward } from '../autograd/index.js';
import {
  ArgumentError,
  alias,
  DTypeError,
  full,
  gradEnabled,
  type Node,
  ShapeError,
  showShape,
  stopGradient,
  topologicalOrder,
  withoutGrad,
} from '../graph/index.js';
import { isTensor } from './operands.js';
import { mapTensors, type TensorStructure, tensorsOf } from './structure.js';
import type { Tensor } from './tensor.js';
import { tracing } from './tracing.js';

/**
 * The gradient of a function by its first argument, which may be a tensor or a structure of tensors (f32); the other arguments are passed
 * on. The function must return one number (shape []). The result has the structure of the argument, and can be differentiated again.
 *
 *     const slope = tl.grad((x: tl.Tensor) => x.mul(x).sum());
 *     await slope(tl.tensor([1, 2])).data(); // [2, 4]
 *
 * Throws, when called, ShapeError for a function that returns more than one number, DTypeError for inputs that are not f32.
 */
export function grad<X extends TensorStructure, Rest extends unknown[]>(
  f: (x: X, ...rest: Rest) => Tensor,
): (x: X, ...rest: Rest) => X {
  return (x, ...rest) => differentiate('grad', f, x, rest)[1];
}

/** As `grad`, and gives the function's value too: `[value, gradient]`. */
export function valueAndGrad<X extends TensorStructure, Rest extends unknown[]>(
  f: (x: X, ...rest: Rest) => Tensor,
): (x: X, ...rest: Rest) => [value: Tensor, gradient: X] {
  return (x, ...rest) => differentiate('valueAndGrad', f, x, rest);
}

function differentiate<X, Rest extends unknown[]>(
  op: string,
  f: (x: X, ...rest: Rest) => Tensor,
  x: X,
  rest: Rest,
): [Tensor, X] {
  if (!gradEnabled()) throw new ArgumentError(`[${op}] called inside noGrad (gradients are off there)`);
  const markers = new Map<Node, Node>();
  const marked = mapTensors(op, x, (input) => {
    if (input.dtype !== 'f32') {
      throw new DTypeError(`[${op}] input is ${input.dtype} (only f32 has gradients; pass it as a later argument)`);
    }
    const marker = alias(input.node);
    markers.set(marker, input.node);
    return input.derive(marker);
  });
  const value = tracing(op, () => f(marked, ...rest));
  if (!isTensor(value)) throw new ArgumentError(`[${op}] the function returned no tensor (expected one of shape [])`);
  if (value.ndim !== 0) {
    throw new ShapeError(`[${op}] the function returned ${showShape(value.shape)} (expected one number of shape [])`);
  }
  if (value.dtype !== 'f32') throw new DTypeError(`[${op}] the function returned ${value.dtype} (expected f32)`);

  const inputs = tensorsOf(op, marked).map((input) => input.node);
  const gradients = backward([value.node], [full([], 1, 'f32')], inputs);
  const outside = (node: Node) => withoutMarkers(node, markers);
  let next = 0;
  const result = mapTensors(op, x, (input) => input.derive(outside(gradients[next++] ?? full(input.shape, 0, 'f32'))));
  return [value.derive(outside(value.node)), result];
}

/**
 * A result as seen from outside the transform: it requires grad only where something beyond the transform's own markers does. Otherwise a loop
 * that feeds results back as inputs would keep its whole history.
 */
function withoutMarkers(node: Node, markers: ReadonlyMap<Node, Node>): Node {
  if (!node.requiresGrad) return node;
  const isOutside = (n: Node) => n.requiresGrad && !markers.has(n) && !n.inputs.some((input) => input.requiresGrad);
  const beyond = topologicalOrder([node], (n) => !n.requiresGrad).some(
    (n) => isOutside(n) || (markers.get(n)?.requiresGrad ?? false),
  );
  return beyond ? node : stopGradient(node);
}

/**
 * Runs a function with gradients off: what is computed inside requires no grad. It must be synchronous: of an `async` function only the part
 * before the first `await` would run so, which throws ArgumentError.
 */
export function noGrad<T>(f: () => T): T {
  const result = withoutGrad(f);
  if (result instanceof Promise) {
    throw new ArgumentError('[noGrad] the function is asynchronous (wrap only the model call, and await outside)');
  }
  return result;
}

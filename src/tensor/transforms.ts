import { backward, pushForward } from '../autograd/index.js';
import {
  ArgumentError,
  alias,
  DTypeError,
  full,
  gradEnabled,
  isFloat,
  type Node,
  ShapeError,
  showShape,
  stopGradient,
  topologicalOrder,
  withoutGrad,
} from '../graph/index.js';
import { isTensor } from './operands.js';
import { mapTensors, type TensorStructure, tensorsLike, tensorsOf } from './structure.js';
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

/**
 * A function's value and its pullback, which takes weights of the outputs (f32, in the structure of the value) to the gradient by the first
 * argument: vᵀJ. The pullback may be called several times, and its results can be differentiated again. Inputs and outputs are
 * tensors or structures of them, f32.
 *
 *     const [y, pullback] = tl.vjp((x: tl.Tensor) => x.mul(x), tl.tensor([1, 2]));
 *     await pullback(tl.tensor([1, 10])).data(); // [2, 40]
 */
export function vjp<X extends TensorStructure, Y extends TensorStructure, Rest extends unknown[]>(
  f: (x: X, ...rest: Rest) => Y,
  x: X,
  ...rest: Rest
): [value: Y, pullback: (weights: Y) => X] {
  const call = new MarkedCall('vjp', (marked: X) => f(marked, ...rest), x);
  return [call.value(), (weights) => call.pullBack(tensorsLike('vjp', 'weight', weights, call.result).map(nodeOf))];
}

/**
 * A function's value, and how it changes when the first argument changes in the direction of `tangent` (f32, in the structure of the
 * argument): `[f(x), J tangent]`, in one pass forward. Inputs and outputs are tensors or structures of them, f32.
 *
 *     const [y, dy] = tl.jvp((x: tl.Tensor) => x.mul(x), tl.tensor([1, 2]), tl.tensor([1, 10]));
 *     await dy.data(); // [2, 40]
 */
export function jvp<X extends TensorStructure, Y extends TensorStructure, Rest extends unknown[]>(
  f: (x: X, ...rest: Rest) => Y,
  x: X,
  tangent: X,
  ...rest: Rest
): [value: Y, tangent: Y] {
  const tangents = tensorsLike('jvp', 'tangent', tangent, x);
  const call = new MarkedCall('jvp', (marked: X) => f(marked, ...rest), x);
  return [call.value(), call.pushForward(tangents.map(nodeOf))];
}

/** A function's value, and the function that takes tangents of its first argument to tangents of the value: `jvp` for many tangents. */
export function linearize<X extends TensorStructure, Y extends TensorStructure, Rest extends unknown[]>(
  f: (x: X, ...rest: Rest) => Y,
  x: X,
  ...rest: Rest
): [value: Y, push: (tangent: X) => Y] {
  const call = new MarkedCall('linearize', (marked: X) => f(marked, ...rest), x);
  return [call.value(), (tangent) => call.pushForward(tensorsLike('linearize', 'tangent', tangent, x).map(nodeOf))];
}

const nodeOf = (x: Tensor): Node => x.node;

/** Markers of calls that are over: they require grad only for what is still inside. */
const finished = new WeakSet<Node>();

const zerosLike = ({ shape, dtype }: Node): Node => full(shape, 0, dtype);

/** A function called on marked inputs, to be differentiated by them. */
class MarkedCall<X extends TensorStructure, Y extends TensorStructure> {
  readonly result: Y;
  private readonly inputs: readonly Node[];
  private readonly outputs: readonly Node[];

  constructor(
    op: string,
    f: (x: X) => Y,
    private readonly x: X,
  ) {
    if (!gradEnabled()) throw new ArgumentError(`[${op}] called inside noGrad (gradients are off there)`);
    const marked = mapTensors(op, x, (input, path) => {
      if (!isFloat(input.dtype)) {
        throw new DTypeError(
          `[${op}] input${path} is ${input.dtype} (only floats have gradients; pass it as a later argument)`,
        );
      }
      return input.derive(alias(input.node));
    });
    this.inputs = tensorsOf(op, marked).map(nodeOf);
    this.result = tracing(op, () => f(marked));
    this.outputs = tensorsOf(op, this.result).map((output) => {
      if (isFloat(output.dtype)) return output.node;
      throw new DTypeError(`[${op}] the function returned ${output.dtype} (expected a float)`);
    });
    for (const marker of this.inputs) finished.add(marker);
  }

  value(): Y {
    return filled(this.result, fromOutside(this.outputs));
  }

  pullBack(weights: readonly Node[]): X {
    const gradients = backward(this.outputs, weights, this.inputs);
    return filled(this.x, fromOutside(gradients.map((g, i) => g ?? zerosLike(this.inputs[i]!))));
  }

  pushForward(tangents: readonly Node[]): Y {
    const found = pushForward(this.outputs, this.inputs, tangents);
    return filled(this.result, fromOutside(found.map((t, i) => t ?? zerosLike(this.outputs[i]!))));
  }
}

/** A structure with other tensors in it. */
function filled<S>(structure: S, nodes: readonly Node[]): S {
  let next = 0;
  return mapTensors('transform', structure, (x) => x.derive(nodes[next++]!));
}

function differentiate<X extends TensorStructure, Rest extends unknown[]>(
  op: string,
  f: (x: X, ...rest: Rest) => Tensor,
  x: X,
  rest: Rest,
): [Tensor, X] {
  const number = (marked: X): Tensor => {
    const value = f(marked, ...rest);
    if (!isTensor(value)) throw new ArgumentError(`[${op}] the function returned no tensor (expected one of shape [])`);
    if (value.ndim === 0) return value;
    throw new ShapeError(`[${op}] the function returned ${showShape(value.shape)} (expected one number of shape [])`);
  };
  const call = new MarkedCall(op, number, x);
  return [call.value(), call.pullBack([full([], 1, 'f32')])];
}

/**
 * Results as seen from outside of the transform: they require grad only where something beyond finished transforms' markers does. Otherwise
 * a loop that feeds results back as inputs would keep its whole history.
 */
function fromOutside(nodes: readonly Node[]): Node[] {
  const beyond = new Set<Node>();
  for (const node of topologicalOrder(nodes, (n) => !n.requiresGrad)) {
    if (!node.requiresGrad) continue;
    const inputs = node.inputs.filter((input) => input.requiresGrad);
    if (inputs.length === 0 ? !finished.has(node) : inputs.some((input) => beyond.has(input))) beyond.add(node);
  }
  return nodes.map((node) => (beyond.has(node) ? node : stopGradient(node)));
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

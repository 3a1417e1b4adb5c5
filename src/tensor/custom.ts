import { copyOnto, recomputed } from '../autograd/index.js';
import {
  ArgumentError,
  type CustomRule,
  concat,
  constant,
  custom,
  gradEnabled,
  isFloat,
  leaf,
  type Node,
  reshape,
  ShapeError,
  sameShape,
  showShape,
  sizeOf,
  slice,
  topologicalOrder,
} from '../graph/index.js';
import { mapTensors, type TensorStructure, tensorsOf, tensorsWithin } from './structure.js';
import { tracing } from './tracing.js';

/** Some nodes as one, so that one rule can have all of their gradients: side by side, if there are several. */
const packed = (nodes: readonly Node[]): Node =>
  nodes.length === 1
    ? nodes[0]!
    : concat(
        nodes.map((n) => reshape(n, [sizeOf(n.shape)])),
        0,
      );

/** The nodes in what `packed` made of them. */
function unpacked(all: Node, nodes: readonly Node[]): Node[] {
  if (nodes.length === 1) return [all];
  let at = 0;
  return nodes.map((n) => {
    const size = sizeOf(n.shape);
    const part = reshape(slice(all, [at], [size]), n.shape);
    at += size;
    return part;
  });
}

/** A structure in which `change` has replaced the tensors that require grad, all at once. */
function withGradients<R>(op: string, result: R, change: (all: Node) => Node): R {
  const nodes = tensorsOf(op, result).map((x) => x.node);
  const tracked = nodes.filter((n) => n.requiresGrad);
  if (tracked.length === 0) return result;
  const changed = unpacked(change(packed(tracked)), tracked);
  return mapTensors(op, result, (x) => {
    const at = tracked.indexOf(x.node);
    return at < 0 ? x : x.derive(changed[at]!);
  });
}

/**
 * The same function, whose inside is computed again for the gradient instead of being kept from the forward pass: memory for time. What it
 * reads from outside, arguments and parameters alike, is kept. Values and gradients are the same, random draws included. Returns
 * a tensor or a structure of tensors.
 *
 *     for (const block of blocks) x = tl.checkpoint(() => block.forward(x))();
 */
export function checkpoint<A extends unknown[], R extends TensorStructure>(f: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    if (!gradEnabled()) return f(...args);
    const since = constant(0, 'f32').id;
    const result = tracing('checkpoint', () => f(...args));
    return withGradients('checkpoint', result, (all) => recomputed(all, since));
  };
}

/** Gradients by argument: in the argument's structure, or null where none flows. */
export type ArgumentGradients = readonly (TensorStructure | null)[];

/**
 * A function with a gradient of your own. `forward` computes, from its arguments, the result and anything that the gradient needs (which costs
 * nothing where there is no gradient); `backward` gets that, and the gradient of the result in the result's structure, and returns
 * the gradients of the arguments, one for each, null where there is none. It must be linear in the gradient of the result.
 *
 *     // Passes the gradient through a rounding.
 *     const roundStraight = tl.customVjp(
 *       (x: tl.Tensor) => [x.round(), null],
 *       (_, g) => [g],
 *     );
 *
 * Works under grad, vjp, vmap, jvp (by transposing the rule) and compile. Tensors that require grad must come in as arguments: using one from
 * outside throws ArgumentError. Gradients of the wrong number or shape throw when they are taken.
 */
export function customVjp<A extends unknown[], R extends TensorStructure, Saved>(
  forward: (...args: A) => readonly [result: R, saved: Saved],
  backward: (saved: Saved, gradient: R) => ArgumentGradients,
): (...args: A) => R {
  return (...args) => {
    const since = constant(0, 'f32').id;
    const [result, saved] = tracing('customVjp', () => forward(...args));
    const inputs = tensorsWithin(args).map((x) => x.node);
    checkInputs(
      tensorsOf('customVjp', result).map((x) => x.node),
      inputs,
      since,
    );
    return withGradients('customVjp', result, (all) => {
      const tracked = tensorsOf('customVjp', result)
        .map((x) => x.node)
        .filter((n) => n.requiresGrad);
      const rule: CustomRule = {
        name: 'customVjp',
        transparent: false,
        backward(node, g) {
          // Written for the original arguments, and moved to those of this node (which a transform may have replaced).
          const standIn = leaf({ shape: g.shape, dtype: g.dtype }, g.requiresGrad);
          const parts = unpacked(standIn, tracked);
          const weights = mapTensors('customVjp', result, (x) => {
            const at = tracked.indexOf(x.node);
            return x.derive(at < 0 ? x.node : parts[at]!);
          });
          const gradients = gradientNodes(
            tracing('customVjp', () => backward(saved, weights)),
            args,
          );
          const moved = new Map<Node, Node>([[standIn, g]]);
          inputs.forEach((input, i) => {
            moved.set(input, node.inputs[i + 1]!);
          });
          const found = copyOnto(
            gradients.filter((x) => x !== null),
            moved,
            since,
          );
          let next = 0;
          return [null, ...gradients.map((x) => (x === null ? null : found[next++]!))];
        },
      };
      return custom(all, inputs, rule);
    });
  };
}

function checkInputs(outputs: readonly Node[], inputs: readonly Node[], since: number): void {
  const known = new Set(inputs);
  for (const node of topologicalOrder(outputs, (n) => n.id <= since || known.has(n))) {
    if (node.id > since || !node.requiresGrad || known.has(node)) continue;
    throw new ArgumentError(
      `[customVjp] forward uses a tensor from outside that requires grad: f32${showShape(node.shape)} (pass it as an argument, or detach it)`,
    );
  }
}

/** A node or null for every tensor of the arguments. */
function gradientNodes(given: ArgumentGradients, args: readonly unknown[]): (Node | null)[] {
  if (!Array.isArray(given) || given.length !== args.length) {
    const found = Array.isArray(given) ? `${given.length} gradients` : typeof given;
    throw new ArgumentError(
      `[customVjp] backward returned ${found} (expected a list of ${args.length}, one for each argument)`,
    );
  }
  return args.flatMap((arg, i) => {
    const tensors = tensorsWithin(arg);
    const gradient = given[i] as TensorStructure | null;
    if (gradient === null) return tensors.map(() => null);
    const found = tensorsWithin(gradient);
    if (found.length !== tensors.length) {
      throw new ArgumentError(
        `[customVjp] gradient of argument ${i} has ${found.length} tensors (expected ${tensors.length}, as the argument)`,
      );
    }
    return found.map((g, j) => {
      const { shape } = tensors[j]!;
      if (isFloat(g.dtype) && sameShape(g.shape, shape)) return g.node;
      throw new ShapeError(
        `[customVjp] gradient of argument ${i} is ${g.dtype}${showShape(g.shape)} (expected f32${showShape(shape)})`,
      );
    });
  });
}

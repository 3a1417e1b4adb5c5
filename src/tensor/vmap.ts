import { Examples } from '../autograd/index.js';
import { Placeholder } from '../compile/index.js';
import { ArgumentError, constant, leaf, type Node, permute, ShapeError, showShape } from '../graph/index.js';
import { isTensor } from './operands.js';
import { isPlainObject, type TensorStructure } from './structure.js';
import { Tensor } from './tensor.js';
import { tracing } from './tracing.js';

/** Which axis holds the examples: one for all tensors of a structure (null: none does), or one for each of its parts. */
export type MappedAxes = number | null | readonly MappedAxes[] | { readonly [field: string]: MappedAxes };

type Visit = (x: Tensor, axis: number | null, path: string) => Tensor;

/** Replaces the tensors of a value, each with the axis that `axes` has for it; passes other things on where `loose`. */
function visit(value: unknown, axes: MappedAxes, path: string, replace: Visit, loose: boolean): unknown {
  const below = (key: string | number): MappedAxes => {
    if (typeof axes === 'number' || axes === null) return axes;
    const part = (axes as Record<string, MappedAxes | undefined>)[key];
    if (part !== undefined) return part;
    throw new ArgumentError(`[vmap] ${path} has no axis for ${key} (expected a number or null for each of its parts)`);
  };
  if (isTensor(value)) {
    if (typeof axes === 'number' || axes === null) return replace(value, axes, path);
    throw new ArgumentError(`[vmap] ${path} is one tensor with several axes given (expected a number or null)`);
  }
  if (Array.isArray(value)) return value.map((v, i) => visit(v, below(i), `${path}[${i}]`, replace, loose));
  if (isPlainObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, v]) => [key, visit(v, below(key), `${path}.${key}`, replace, loose)]),
    );
  }
  if (loose) return value;
  throw new ArgumentError(`[vmap] ${path} is no tensor (expected tensors, or arrays and objects of them)`);
}

/** An axis of a tensor from 0 up. */
function axisOf(axis: number, rank: number, path: string): number {
  const at = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && at >= 0 && at < rank) return at;
  const hint =
    rank === 0 ? 'one number has no axis; null passes it on as it is' : `expected -${rank}..${rank - 1}, or null`;
  throw new ShapeError(`[vmap] axis of ${path} out of range: ${axis} (${hint})`);
}

const moved = (rank: number, from: number, to: number): number[] => {
  const order = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== from);
  order.splice(to, 0, from);
  return order;
};

/**
 * A function of one example as a function of many: its arguments have one axis more, where the examples lie, and so have its results. The
 * function runs once; its operations become operations on all examples.
 *
 * `inAxes` says which axis of the arguments that is: a number for all of them (0), or a list with a number for each, null for those that
 * are the same for all examples, or a structure of these where an argument is a structure. `outAxes` says where it goes in the results (0);
 * null for a result that does not depend on the examples. Arguments that are no tensors are passed on, and what the function uses from
 * outside is the same for all. Random numbers drawn inside are different for each example.
 *
 *     const perExample = tl.vmap(tl.grad(loss), [null, 0, 0]); // parameters, inputs, labels
 *
 * Nests, and goes with grad, vjp, jvp and compile in any order. Throws, when called, ShapeError for arguments with different numbers of
 * examples; UnsupportedError where the function reads a value, changes a tensor from outside or calls backward().
 */
export function vmap<A extends unknown[], R extends TensorStructure>(
  f: (...args: A) => R,
  inAxes: number | null | readonly MappedAxes[] = 0,
  outAxes: MappedAxes = 0,
): (...args: A) => R {
  return (...args) => {
    const size = sizeOfExamples(args, inAxes);
    const examples = new Examples(size, constant(0, 'f32').id);
    const standIns: Placeholder[] = [];
    const ones = visitArguments(args, inAxes, (x, axis, path) => {
      if (axis === null) return x;
      const { node } = x;
      const at = axisOf(axis, node.shape.length, path);
      const standIn = new Placeholder(
        node.shape.filter((_, i) => i !== at),
        node.dtype,
        'a function under vmap',
      );
      standIns.push(standIn);
      const one = leaf(standIn, node.requiresGrad);
      examples.put(one, permute(node, moved(node.shape.length, at, 0)));
      return new Tensor(one);
    }) as A;
    try {
      const result = tracing('vmap', () => f(...ones));
      if ((result as unknown) instanceof Promise) {
        throw new ArgumentError('[vmap] the function returned a promise (expected a synchronous function)');
      }
      const place: Visit = (x, axis, path) => x.derive(placed(examples, x.node, axis, path));
      return visit(result, outAxes, 'the result', place, false) as R;
    } finally {
      for (const standIn of standIns) standIn.close();
    }
  };
}

/** A result for all examples, with them along an axis. */
function placed(examples: Examples, one: Node, axis: number | null, path: string): Node {
  const lifted = examples.lift([one])[0]!;
  if (axis === null) {
    if (!lifted.batched) return lifted.node;
    throw new ArgumentError(
      `[vmap] ${path} differs between the examples (expected an axis for it in outAxes, not null)`,
    );
  }
  const all = examples.spread(lifted);
  return permute(all, moved(all.shape.length, 0, axisOf(axis, all.shape.length, path)));
}

function visitArguments(
  args: readonly unknown[],
  inAxes: number | null | readonly MappedAxes[],
  replace: Visit,
): unknown[] {
  if (Array.isArray(inAxes) && inAxes.length !== args.length) {
    throw new ArgumentError(`[vmap] ${inAxes.length} inAxes for ${args.length} arguments (expected one for each)`);
  }
  return args.map((arg, i) => {
    const axes = Array.isArray(inAxes) ? (inAxes[i] as MappedAxes) : (inAxes as number | null);
    return visit(arg, axes, `argument ${i}`, replace, true);
  });
}

function sizeOfExamples(args: readonly unknown[], inAxes: number | null | readonly MappedAxes[]): number {
  let first: { size: number; path: string } | null = null;
  visitArguments(args, inAxes, (x, axis, path) => {
    if (axis === null) return x;
    const at = axisOf(axis, x.ndim, path);
    const size = x.shape[at]!;
    first ??= { size, path };
    if (size !== first.size) {
      throw new ShapeError(
        `[vmap] numbers of examples differ: ${first.size} in ${first.path} and ${size} along axis ${axis} of ${path}, ${showShape(x.shape)} (expected one number)`,
      );
    }
    return x;
  });
  if (first !== null) return (first as { size: number }).size;
  throw new ArgumentError('[vmap] no argument has an axis of examples (expected at least one tensor that inAxes maps)');
}

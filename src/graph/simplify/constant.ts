import { constantValue, sameNumber } from '../constants.js';
import { isFloat, roundToDType } from '../dtype.js';
import type { Node, Prim } from '../node.js';
import { reduceIdentity } from '../reduce.js';
import { sizeOf } from '../shape.js';
import { BINARY_VALUES, castValue, UNARY_VALUES } from './scalarMath.js';

/** Whether a node is what `full` builds: a const, that with axes of size 1, or that expanded. */
export function isCanonicalFull(node: Node): boolean {
  if (node.realized !== null) return false;
  if (node.prim === 'const') return true;
  if (node.prim === 'reshape') {
    return node.inputs[0]!.realized === null && node.inputs[0]!.prim === 'const' && node.shape.every((d) => d === 1);
  }
  return node.prim === 'expand' && node.inputs[0]!.prim === 'reshape' && isCanonicalFull(node.inputs[0]!);
}

type Fold<P extends Prim> = (node: Node<P>, values: readonly (number | null)[]) => number | null;

const never = (): null => null;
const first = (_: Node, [value]: readonly (number | null)[]): number | null => value!;

/** The number that every element has, given the numbers that every element of each input has. */
const FOLDS: { readonly [P in Prim]: Fold<P> } = {
  leaf: never,
  const: never,
  scalar: never,
  iota: (node) => (node.shape[node.attrs.axis] === 1 ? 0 : null),
  randomBits: never,
  unary: (node, [x]) => {
    const fn = UNARY_VALUES[node.attrs.fn];
    return x === null || fn === null ? null : fn(x!);
  },
  binary: (node, [a, b]) => {
    const fn = BINARY_VALUES[node.attrs.fn];
    return a === null || b === null || fn === null ? null : fn(a!, b!, node.inputs[0]!.dtype);
  },
  where: (_, [condition, a, b]) => (condition === null ? null : condition ? a! : b!),
  cast: (node, [x]) => (x === null ? null : castValue(x!, node.inputs[0]!.dtype, node.dtype)),
  reshape: first,
  permute: first,
  expand: first,
  slice: first,
  flip: first,
  window: first,
  pad: (node, [x]) => {
    const value = roundToDType(node.attrs.value, node.dtype);
    if (sizeOf(node.inputs[0]!.shape) === 0) return value;
    return x !== null && sameNumber(x!, value) ? value : null;
  },
  concat: (_, values) => (values.every((v) => v !== null && sameNumber(v, values[0]!)) ? values[0]! : null),
  reduce: (node, [x]) => {
    const { fn, axes } = node.attrs;
    const from = node.inputs[0]!;
    const count = sizeOf(axes.map((axis) => from.shape[axis]!));
    if (count === 0) return reduceIdentity(fn, node.dtype);
    if ((fn === 'argmax' || fn === 'argmin') && count === 1) return 0;
    if (x === null) return null;
    switch (fn) {
      case 'argmax':
      case 'argmin':
        return 0;
      case 'max':
      case 'min':
        return x!;
      case 'sum':
        // Exact before the one rounding, as adding in float64 is: 24 bits times a count of at most 31. Sums start from 0, which swallows -0.
        return node.dtype === 'f32' ? 0 + x! * count : Math.imul(x!, count);
      case 'prod':
        return null;
    }
  },
  dot: (node) => (node.inputs[0]!.shape.at(-1) === 0 ? 0 : null),
  conv: (node) => (node.inputs.some((input) => sizeOf(input.shape) === 0) ? 0 : null),
  gather: (node) => (sizeOf(node.inputs[0]!.shape) === 0 ? (isFloat(node.dtype) ? Number.NaN : 0) : null),
  scatter: never,
  cumulative: never,
  argsort: never,
  routine: never,
  alias: never,
  stopGradient: never,
  custom: never,
  barrier: never,
};

/** The number that every element of a node has where it can be told without running anything; null otherwise. Any, where there are none. */
export function foldedValue(node: Node): number | null {
  if (node.prim === 'leaf' || node.prim === 'scalar') return null;
  if (sizeOf(node.shape) === 0) return 0;
  const value = (FOLDS[node.prim] as Fold<Prim>)(node, node.inputs.map(constantValue));
  return value === null ? null : roundToDType(value, node.dtype);
}

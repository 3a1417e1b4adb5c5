import { ArgumentError, DTypeError, isFloat, ShapeError, sameShape, showShape } from '../graph/index.js';
import { isTensor } from './operands.js';
import type { Tensor } from './tensor.js';

/** A tensor, or arrays and plain objects of tensors, nested as deep as one likes; anything else in it throws ArgumentError. */
export type TensorStructure = object;

export const isPlainObject = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** The tensors of a structure, in order. Throws ArgumentError for anything else in it. */
export function tensorsOf(op: string, structure: unknown): Tensor[] {
  const found: Tensor[] = [];
  mapTensors(op, structure, (x) => {
    found.push(x);
    return x;
  });
  return found;
}

/** The tensors of a structure by where they are in it, such as `.weight` or `[1].bias`; '' where the structure is a tensor. */
export function tensorPaths(op: string, structure: unknown): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  mapTensors(op, structure, (x, path) => {
    found.set(path, x);
    return x;
  });
  return found;
}

/**
 * The tensors of a structure that has to be like another one: the same fields, shapes and, f32, dtypes. In the order of the other one.
 * `what` says what they are, for the message.
 */
export function tensorsLike(op: string, what: string, given: unknown, like: unknown): Tensor[] {
  const all = tensorPaths(op, given);
  const wanted = tensorPaths(op, like);
  const extra = [...all.keys()].find((path) => !wanted.has(path));
  if (extra !== undefined)
    throw new ArgumentError(
      `[${op}] ${what}${extra} stands for nothing (expected the structure of what it belongs to)`,
    );
  return [...wanted].map(([path, x]) => {
    const found = all.get(path);
    if (found === undefined)
      throw new ArgumentError(`[${op}] ${what}${path} is missing (expected f32${showShape(x.shape)})`);
    if (!sameShape(found.shape, x.shape)) {
      throw new ShapeError(
        `[${op}] ${what}${path} has another shape: ${showShape(found.shape)} (expected ${showShape(x.shape)})`,
      );
    }
    if (!isFloat(found.dtype)) throw new DTypeError(`[${op}] ${what}${path} is ${found.dtype} (expected f32)`);
    return found;
  });
}

/** The same structure with every tensor replaced. Throws ArgumentError for anything but tensors, arrays and plain objects. */
export function mapTensors<S>(op: string, structure: S, replace: (x: Tensor, path: string) => Tensor): S {
  const map = (value: unknown, path: string): unknown => {
    if (isTensor(value)) return replace(value, path);
    if (Array.isArray(value)) return value.map((part, i) => map(part, `${path}[${i}]`));
    if (isPlainObject(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, map(part, `${path}.${key}`)]));
    }
    throw new ArgumentError(
      `[${op}] not a tensor: ${value === null ? 'null' : typeof value} (expected tensors, or arrays and objects of them)`,
    );
  };
  return map(structure, '') as S;
}

/** The tensors in any value: looks into arrays and plain objects, and passes over everything else. */
export function tensorsWithin(value: unknown): Tensor[] {
  if (isTensor(value)) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsWithin);
  return isPlainObject(value) ? Object.values(value).flatMap(tensorsWithin) : [];
}

import { ArgumentError } from '../graph/index.js';
import { isTensor } from './operands.js';
import type { Tensor } from './tensor.js';

/** A tensor, or arrays and plain objects of tensors, nested as deep as one likes; anything else in it throws ArgumentError. */
export type TensorStructure = object;

const isPlainObject = (value: unknown): value is Record<string, unknown> => {
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

/** The same structure with every tensor replaced. Throws ArgumentError for anything but tensors, arrays and plain objects. */
export function mapTensors<S>(op: string, structure: S, replace: (x: Tensor) => Tensor): S {
  const map = (value: unknown): unknown => {
    if (isTensor(value)) return replace(value);
    if (Array.isArray(value)) return value.map(map);
    if (isPlainObject(value)) return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, map(part)]));
    throw new ArgumentError(
      `[${op}] not a tensor: ${value === null ? 'null' : typeof value} (expected tensors, or arrays and objects of them)`,
    );
  };
  return map(structure) as S;
}

/** The tensors in any value: looks into arrays and plain objects, and passes over everything else. */
export function tensorsWithin(value: unknown): Tensor[] {
  if (isTensor(value)) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsWithin);
  return isPlainObject(value) ? Object.values(value).flatMap(tensorsWithin) : [];
}

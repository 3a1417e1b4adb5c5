import { ArgumentError, type Node, normalizeAxes, reshape, slice } from '../graph/index.js';

/** One axis or several, negative ones from the back; undefined or null means all. An empty list reduces nothing. */
export type Dims = number | readonly number[] | null;

export interface ReduceOptions {
  /** Keep the reduced axes with length 1 (false). */
  keepDim?: boolean;
}

/** The axes that a reduction of a node is over, ascending. */
export function axesOf(op: string, x: Node, dim: Dims | undefined): number[] {
  if (dim !== undefined && dim !== null && typeof dim !== 'number' && !Array.isArray(dim)) {
    throw new ArgumentError(`[${op}] dim is not a number or a list of numbers (options come after dim)`);
  }
  return normalizeAxes(op, dim ?? undefined, x.shape.length);
}

/** Takes reduced axes (of length 1) away, unless they are to be kept. */
export function dropAxes(x: Node, axes: readonly number[], options: ReduceOptions | undefined): Node {
  return options?.keepDim
    ? x
    : reshape(
        x,
        x.shape.filter((_, i) => !axes.includes(i)),
      );
}

/** `length` elements from `start` along an axis. */
export const part = (x: Node, axis: number, start: number, length: number): Node =>
  slice(
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((d, i) => (i === axis ? length : d)),
  );

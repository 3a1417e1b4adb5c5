import { ArgumentError, type Node, normalizeAxes, reshape } from '../graph/index.js';

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

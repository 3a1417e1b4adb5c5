import { ArgumentError, ShapeError, sameShape, showShape } from '../graph/index.js';
import { nodeOf } from './operands.js';
import { mean, sum } from './reductions.js';
import type { Tensor } from './tensor.js';

export interface LossOptions {
  /** How the losses of the elements (or rows) become one number: 'mean' (default), 'sum', or 'none' to keep them. */
  reduction?: 'mean' | 'sum' | 'none';
}

/** The losses of elements or rows, made one number as the options say. */
export function reduced(op: string, losses: Tensor, options: LossOptions | undefined): Tensor {
  const reduction = options?.reduction ?? 'mean';
  switch (reduction) {
    case 'mean':
      return mean(losses);
    case 'sum':
      return sum(losses);
    case 'none':
      return losses;
    default:
      throw new ArgumentError(`[${op}] reduction is ${String(reduction)} (expected 'mean', 'sum' or 'none')`);
  }
}

/** Throws ShapeError unless a target has the shape of the input. */
export function requireSameShape(op: string, input: Tensor, target: Tensor): void {
  const shape = nodeOf(op, input).shape;
  if (!sameShape(shape, nodeOf(op, target).shape)) {
    throw new ShapeError(`[${op}] shapes differ: input ${showShape(shape)}, target ${showShape(target.shape)}`);
  }
}

import { ArgumentError, concat, normalizeAxis, ShapeError, showShape } from '../graph/index.js';
import { sliceAxis } from './axis.js';
import { div, mul, sub } from './elementwise.js';
import { asFloat } from './operands.js';
import type { Tensor } from './tensor.js';

export interface GradientOptions {
  /** Distance of neighbours along every axis, or one for each (1). */
  spacing?: number | readonly number[];
  /** Axes to differentiate along (all). */
  dim?: number | readonly number[];
  /** Order of the estimate at the ends: 1 (default) or 2. */
  edgeOrder?: 1 | 2;
}

/**
 * Estimated derivatives along axes, from differences of the elements around; one tensor an axis, in f32.
 * Throws ShapeError where an axis has edgeOrder elements or less, ArgumentError for a spacing that does not fit.
 */
export function gradient(x: Tensor, options?: GradientOptions): Tensor[] {
  const node = asFloat('gradient', x);
  const dims = options?.dim ?? node.shape.map((_, i) => i);
  const axes = (typeof dims === 'number' ? [dims] : dims).map((d) => normalizeAxis('gradient', d, node.shape.length));
  const spacing = options?.spacing ?? 1;
  const steps = typeof spacing === 'number' ? axes.map(() => spacing) : spacing;
  const order = options?.edgeOrder ?? 1;
  if (steps.length !== axes.length) {
    throw new ArgumentError(`[gradient] spacing has ${steps.length} values (expected ${axes.length})`);
  }
  if (order !== 1 && order !== 2) throw new ArgumentError(`[gradient] edgeOrder is ${String(order)} (expected 1 or 2)`);
  return axes.map((axis, i) => {
    const n = node.shape[axis]!;
    if (n <= order) {
      throw new ShapeError(`[gradient] axis ${axis} of ${showShape(node.shape)} is too short (expected ${order + 1})`);
    }
    const at = (start: number, length: number): Tensor => x.derive(sliceAxis(node, axis, start, length));
    const inner = mul(sub(at(2, n - 2), at(0, n - 2)), 0.5);
    // Towards the inside from an end: its own element and the next ones.
    const edge = (end: number, inward: number): Tensor => {
      const first = sub(at(end + inward, 1), at(end, 1));
      const slope = order === 1 ? first : sub(mul(first, 2), mul(sub(at(end + 2 * inward, 1), at(end, 1)), 0.5));
      return mul(slope, inward);
    };
    const all = concat([edge(0, 1).node, inner.node, edge(n - 1, -1).node], axis);
    return div(x.derive(all), steps[i]!);
  });
}

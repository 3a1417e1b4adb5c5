import {
  ArgumentError,
  binary,
  broadcastTo,
  DTypeError,
  full,
  iota,
  type Node,
  reshape,
  type Shape,
  ShapeError,
  sameShape,
  showShape,
  where as whereNode,
} from '../graph/index.js';
import { logSoftmax, softplus } from './activations.js';
import { where } from './choosing.js';
import { abs, add, cast, div, lt, mul, neg, sub } from './elementwise.js';
import { asIndex, nodeOf } from './operands.js';
import { mean, sum } from './reductions.js';
import type { Tensor } from './tensor.js';

export interface LossOptions {
  /** How the losses of the elements (or rows) become one number: 'mean' (default), 'sum', or 'none' to keep them. */
  reduction?: 'mean' | 'sum' | 'none';
}

export interface ClassLossOptions extends LossOptions {
  /** Label of rows that do not count, neither in the sum nor in the divisor of the mean. */
  ignoreIndex?: number;
}

export interface CrossEntropyOptions extends ClassLossOptions {
  /** How much of the target is spread over all classes (0). */
  labelSmoothing?: number;
}

function reduced(op: string, losses: Tensor, options: LossOptions | undefined): Tensor {
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

function requireSameShape(op: string, input: Tensor, target: Tensor): void {
  const shape = nodeOf(op, input).shape;
  if (!sameShape(shape, nodeOf(op, target).shape)) {
    throw new ShapeError(`[${op}] shapes differ: input ${showShape(shape)}, target ${showShape(target.shape)}`);
  }
}

/** Squared difference. Throws ShapeError unless the shapes are the same. */
export function mseLoss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  requireSameShape('mseLoss', input, target);
  const difference = sub(input, target);
  return reduced('mseLoss', mul(difference, difference), options);
}

/** Absolute difference. Throws ShapeError unless the shapes are the same. */
export function l1Loss(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  requireSameShape('l1Loss', input, target);
  return reduced('l1Loss', abs(sub(input, target)), options);
}

/** Half the squared difference up to `delta`, linear beyond. Throws ShapeError unless the shapes are the same. */
export function huberLoss(input: Tensor, target: Tensor, options?: LossOptions & { delta?: number }): Tensor {
  requireSameShape('huberLoss', input, target);
  const delta = options?.delta ?? 1;
  const size = abs(sub(input, target));
  const losses = where(lt(size, delta), mul(mul(size, size), 0.5), mul(sub(size, 0.5 * delta), delta));
  return reduced('huberLoss', losses, options);
}

/**
 * Binary cross-entropy of logits and targets in 0..1, without overflow. Throws ShapeError unless the shapes are the same.
 */
export function binaryCrossEntropyWithLogits(input: Tensor, target: Tensor, options?: LossOptions): Tensor {
  const op = 'binaryCrossEntropyWithLogits';
  requireSameShape(op, input, target);
  // -t log(s(x)) - (1 - t) log(1 - s(x)), with log(s(x)) = -softplus(-x) and log(1 - s(x)) = -x - softplus(-x).
  const losses = add(mul(sub(1, cast(target, 'f32')), input), softplus(neg(input)));
  return reduced(op, losses, options);
}

/** Short for `binaryCrossEntropyWithLogits`. */
export const bceWithLogits: typeof binaryCrossEntropyWithLogits = binaryCrossEntropyWithLogits;

/** Shape [N, C, d1, ...] or [C]: which axis has the classes, and the shape of a label for each row. */
function classAxis(op: string, input: Node): { axis: number; rows: Shape } {
  if (input.shape.length === 0)
    throw new ShapeError(`[${op}] input is a single number (expected [classes] or [N, classes, ...])`);
  const axis = input.shape.length === 1 ? 0 : 1;
  return { axis, rows: input.shape.filter((_, i) => i !== axis) };
}

function labelNode(op: string, target: Tensor, rows: Shape, input: Shape): Node {
  const labels = asIndex(op, target);
  if (!sameShape(labels.shape, rows)) {
    throw new ShapeError(
      `[${op}] labels do not fit: input ${showShape(input)}, labels ${showShape(labels.shape)} (expected ${showShape(rows)})`,
    );
  }
  return labels;
}

/** For each row, minus the value at its label; 0 for labels out of range. */
function pick(logProbabilities: Tensor, labels: Node, axis: number): Tensor {
  const { node } = logProbabilities;
  const column = reshape(
    labels,
    node.shape.map((d, i) => (i === axis ? 1 : d)),
  );
  const hit = binary('eq', iota(node.shape, axis), broadcastTo(column, node.shape));
  // A sum over the classes and not a gather: it fuses with the softmax, and its gradient needs no scatter.
  return neg(sum(logProbabilities.derive(whereNode(hit, node, full(node.shape, 0, 'f32'))), axis));
}

/** Reduces the losses of rows, leaving out those with the label `ignoreIndex`. */
function reduceRows(op: string, losses: Tensor, labels: Node, options: ClassLossOptions | undefined): Tensor {
  if (options?.ignoreIndex === undefined) return reduced(op, losses, options);
  const counted = losses.derive(binary('ne', labels, full(labels.shape, options.ignoreIndex, 'i32')));
  const kept = where(counted, losses, 0);
  if (options.reduction !== undefined && options.reduction !== 'mean') return reduced(op, kept, options);
  return div(sum(kept), sum(counted));
}

/**
 * Minus the log-probability of each row's label. input: f32 log-probabilities [N, C, ...] or [C]; target: i32 labels [N, ...] or [].
 * A label outside 0..C-1 contributes 0 (but counts in the mean unless it is `ignoreIndex`).
 * Throws ShapeError where the shapes do not fit, DTypeError for labels that are not integers.
 */
export function nllLoss(input: Tensor, target: Tensor, options?: ClassLossOptions): Tensor {
  const node = nodeOf('nllLoss', input);
  if (node.dtype !== 'f32') throw new DTypeError(`[nllLoss] input is ${node.dtype} (expected f32)`);
  const { axis, rows } = classAxis('nllLoss', node);
  const labels = labelNode('nllLoss', target, rows, node.shape);
  return reduceRows('nllLoss', pick(input, labels, axis), labels, options);
}

/**
 * Cross-entropy of logits [N, C, ...] or [C] with i32 labels ([N, ...] or []) or with f32 probabilities (the shape of the logits).
 * A label outside 0..C-1 contributes 0 (but counts in the mean unless it is `ignoreIndex`).
 * Throws ShapeError where the shapes do not fit, DTypeError for bool targets.
 */
export function crossEntropy(input: Tensor, target: Tensor, options?: CrossEntropyOptions): Tensor {
  const op = 'crossEntropy';
  const node = nodeOf(op, input);
  const { axis, rows } = classAxis(op, node);
  const smoothing = options?.labelSmoothing ?? 0;
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new ArgumentError(`[${op}] labelSmoothing is ${String(smoothing)} (expected 0..1)`);
  }
  const logs = logSoftmax(input, axis);
  const smooth = (losses: Tensor) =>
    smoothing === 0 ? losses : add(mul(losses, 1 - smoothing), mul(mean(logs, axis), -smoothing));
  if (nodeOf(op, target).dtype === 'f32') {
    requireSameShape(op, input, target);
    return reduced(op, smooth(neg(sum(mul(logs, target), axis))), options);
  }
  const labels = labelNode(op, target, rows, node.shape);
  return reduceRows(op, smooth(pick(logs, labels, axis)), labels, options);
}

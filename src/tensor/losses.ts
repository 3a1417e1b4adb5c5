import {
  ArgumentError,
  binary,
  broadcastTo,
  DTypeError,
  full,
  iota,
  isFloat,
  type Node,
  reshape,
  type Shape,
  ShapeError,
  sameShape,
  showShape,
  where as whereNode,
} from '../graph/index.js';
import { logSoftmax } from './activations.js';
import { where } from './choosing.js';
import { add, div, mul, neg } from './elementwise.js';
import { type LossOptions, reduced, requireSameShape } from './lossOptions.js';
import { asFloat, asIndex, nodeOf } from './operands.js';
import { mean, sum } from './reductions.js';
import type { Tensor } from './tensor.js';

export type { LossOptions } from './lossOptions.js';

export interface ClassLossOptions extends LossOptions {
  /** How much each class counts: [C]; the mean is divided by the weights of the labels. */
  weight?: Tensor | null;
  /** Label of rows that do not count, neither in the sum nor in the divisor of the mean (-100). */
  ignoreIndex?: number;
}

export interface CrossEntropyOptions extends ClassLossOptions {
  /** How much of the target is spread over all classes (0). */
  labelSmoothing?: number;
}

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
  return neg(sum(logProbabilities.derive(whereNode(hit, node, full(node.shape, 0, node.dtype))), axis));
}

/** The weights of classes along their axis of the input; null for none. */
function classWeights(op: string, weight: Tensor | null | undefined, input: Shape, axis: number): Tensor | null {
  if (!weight) return null;
  const { shape } = nodeOf(op, weight);
  if (shape.length !== 1 || shape[0] !== input[axis]) {
    throw new ShapeError(`[${op}] weight is ${showShape(shape)} (expected [${input[axis]}])`);
  }
  const along = input.map((d, i) => (i === axis ? d : 1));
  return weight.derive(broadcastTo(reshape(asFloat(op, weight), along), input));
}

/** Reduces the losses of rows, leaving out those with the label `ignoreIndex`. */
function reduceRows(
  op: string,
  losses: Tensor,
  labels: Node,
  weights: Tensor | null,
  axis: number,
  options: ClassLossOptions | undefined,
): Tensor {
  const counted = losses.derive(binary('ne', labels, full(labels.shape, options?.ignoreIndex ?? -100, 'i32')));
  const kept = where(counted, losses, 0);
  if (options?.reduction !== undefined && options.reduction !== 'mean') return reduced(op, kept, options);
  return div(sum(kept), sum(weights ? where(counted, neg(pick(weights, labels, axis)), 0) : counted));
}

/**
 * Minus the log-probability of each row's label. input: f32 log-probabilities [N, C, ...] or [C]; target: i32 labels [N, ...] or [].
 * A label outside 0..C-1 contributes 0 (but counts in the mean unless it is `ignoreIndex`).
 * Throws ShapeError where the shapes do not fit, DTypeError for labels that are not integers.
 */
export function nllLoss(input: Tensor, target: Tensor, options?: ClassLossOptions): Tensor {
  const op = 'nllLoss';
  const node = nodeOf(op, input);
  if (!isFloat(node.dtype)) throw new DTypeError(`[${op}] input is ${node.dtype} (expected f32)`);
  const { axis, rows } = classAxis(op, node);
  const labels = labelNode(op, target, rows, node.shape);
  const weights = classWeights(op, options?.weight, node.shape, axis);
  return reduceRows(op, pick(weights ? mul(input, weights) : input, labels, axis), labels, weights, axis, options);
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
  const weights = classWeights(op, options?.weight, node.shape, axis);
  const logs = logSoftmax(input, axis);
  const weighted = weights ? mul(logs, weights) : logs;
  const smooth = (losses: Tensor) =>
    smoothing === 0 ? losses : add(mul(losses, 1 - smoothing), mul(mean(weighted, axis), -smoothing));
  if (isFloat(nodeOf(op, target).dtype)) {
    requireSameShape(op, input, target);
    return reduced(op, smooth(neg(sum(mul(weighted, target), axis))), options);
  }
  const labels = labelNode(op, target, rows, node.shape);
  return reduceRows(op, smooth(pick(weighted, labels, axis)), labels, weights, axis, options);
}

import { hostStorage } from '../compile/index.js';
import {
  ArgumentError,
  binary,
  broadcastTo,
  concat,
  full,
  gather,
  iota,
  leaf,
  type Node,
  pad,
  reshape,
  ShapeError,
  shifted,
  showShape,
  slice,
  where as whereNode,
} from '../graph/index.js';
import { sliceAxis } from './axis.js';
import { where } from './choosing.js';
import { add, cast, div, gt, lt, maximum, neg } from './elementwise.js';
import { reduced } from './lossOptions.js';
import { asIndex, checkInteger, floatLike, floatOf, isTensor } from './operands.js';
import { logsumexp, mean } from './reductions.js';
import type { Tensor } from './tensor.js';

export interface CtcOptions {
  /** The class that stands for nothing (0). */
  blank?: number;
  /** 'mean' divides each loss by its target's length first (default); 'sum'; 'none'. */
  reduction?: 'mean' | 'sum' | 'none';
  /** Whether an impossible alignment costs 0 instead of infinity (false). */
  zeroInfinity?: boolean;
}

/** Lengths for each example of a batch: numbers, or an integer tensor. */
export type CtcLengths = readonly number[] | number | Tensor;

/** Minus infinity, but its differences are numbers. */
const IMPOSSIBLE = -1e30;

function lengthsOf(op: string, name: string, lengths: CtcLengths, batch: number, most: number): Node {
  if (isTensor(lengths)) {
    const node = asIndex(op, lengths);
    const count = node.shape.reduce((n, d) => n * d, 1);
    if (count !== batch) throw new ShapeError(`[${op}] ${name} has ${count} values (expected ${batch})`);
    return reshape(node, [batch]);
  }
  const list = typeof lengths === 'number' ? [lengths] : lengths;
  if (list.length !== batch) throw new ShapeError(`[${op}] ${name} has ${list.length} values (expected ${batch})`);
  for (const value of list) {
    if (checkInteger(op, name, value, 0) > most) {
      throw new ArgumentError(`[${op}] ${name} is ${value} (expected at most ${most})`);
    }
  }
  return leaf(hostStorage(Int32Array.from(list), [batch], 'i32'));
}

/** Targets [N, S], also where they are given one after another. */
function paddedTargets(op: string, targets: Node, batch: number, lengths: CtcLengths): Node {
  if (targets.shape.length === 2 && targets.shape[0] === batch) return targets;
  const list = typeof lengths === 'number' ? [lengths] : lengths;
  if (targets.shape.length !== 1 || isTensor(list)) {
    throw new ShapeError(`[${op}] targets are ${showShape(targets.shape)} (expected [${batch}, S])`);
  }
  const total = list.reduce((sum, length) => sum + length, 0);
  if (total !== targets.shape[0]) {
    throw new ShapeError(`[${op}] targetLengths add up to ${total} (expected ${targets.shape[0]})`);
  }
  const most = Math.max(1, ...list);
  let start = 0;
  const rows = list.map((length) => {
    const row = pad(sliceAxis(targets, 0, start, length), { low: [0], high: [most - length], value: 0 });
    start += length;
    return reshape(row, [1, most]);
  });
  return concat(rows, 0);
}

/**
 * Connectionist temporal classification: minus the log-probability that the classes of T steps, repeats joined and blanks dropped, spell the
 * target. logProbs: f32 [T, N, C], or [T, C] for one example; targets: integers [N, S], or one after another [sum of lengths] with lengths given
 * as numbers. Composed of T steps: large T make large plans. Throws ShapeError where shapes do not fit.
 */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: CtcLengths,
  targetLengths: CtcLengths,
  options?: CtcOptions,
): Tensor {
  const op = 'ctcLoss';
  // f16 has no number for what is next to impossible.
  const logs = cast(floatOf(op, logProbs), 'f32');
  if (logs.ndim !== 2 && logs.ndim !== 3) {
    throw new ShapeError(`[${op}] logProbs are ${showShape(logs.shape)} (expected [T, N, C] or [T, C])`);
  }
  const single = logs.ndim === 2;
  const [steps, batch, classes] = (single ? [logs.shape[0], 1, logs.shape[1]] : logs.shape) as [number, number, number];
  if (steps === 0) throw new ShapeError(`[${op}] no steps in logProbs ${showShape(logs.shape)}`);
  const blank = checkInteger(op, 'blank', options?.blank ?? 0, 0);
  if (blank >= classes) throw new ArgumentError(`[${op}] blank is ${blank} (expected a class of 0..${classes - 1})`);
  const given = asIndex(op, targets);
  const alone = single && given.shape.length === 1 ? reshape(given, [1, given.shape[0]!]) : given;
  const labels = paddedTargets(op, alone, batch, targetLengths);
  const size = labels.shape[1]!;
  const times = lengthsOf(op, 'inputLengths', inputLengths, batch, steps);
  const sizes = lengthsOf(op, 'targetLengths', targetLengths, batch, size);

  // Blanks around and between the labels: places 0, 2, … are blanks.
  const places = 2 * size + 1;
  const shape = [batch, places];
  const number = (value: number): Node => full(shape, value, 'i32');
  const place = iota(shape, 1);
  const spread = pad(labels, { low: [0, 1], high: [0, 1], interior: [0, 1], value: 0 });
  const odd = binary('eq', binary('and', place, number(1)), number(1));
  const expected = whereNode(odd, size === 0 ? number(blank) : slice(spread, [0, 0], shape), number(blank));
  // From a label the one before may be reached without a blank between, unless they are the same.
  const other = binary('ne', expected, shifted(expected, 1, Math.min(2, places), blank));
  const skips = logs.derive(binary('and', odd, other));
  const emitted = gather(
    reshape(logs.node, [steps, batch, classes]),
    broadcastTo(reshape(expected, [1, ...shape]), [steps, ...shape]),
    2,
  );
  const emittedAt = (t: number): Tensor => logs.derive(reshape(sliceAxis(emitted, 0, t, 1), shape));
  const column = (values: Node): Tensor => logs.derive(broadcastTo(reshape(values, [batch, 1]), shape));

  let paths = where(lt(logs.derive(place), 2), emittedAt(0), IMPOSSIBLE);
  const lasting = column(times);
  for (let t = 1; t < steps; t++) {
    const from = (by: number): Tensor => logs.derive(shifted(paths.node, 1, Math.min(by, places), IMPOSSIBLE));
    const ways = [paths, from(1), where(skips, from(2), IMPOSSIBLE)].map((way) => reshape(way.node, [...shape, 1]));
    const next = maximum(add(logsumexp(logs.derive(concat(ways, 2)), 2), emittedAt(t)), IMPOSSIBLE);
    paths = where(gt(lasting, t), next, paths);
  }

  const end = column(binary('mul', sizes, full([batch], 2, 'i32'))).node;
  const ends = binary('or', binary('eq', place, end), binary('eq', place, binary('sub', end, number(1))));
  const losses = neg(logsumexp(where(logs.derive(ends), paths, IMPOSSIBLE), 1));
  const impossible = gt(losses, -IMPOSSIBLE / 10);
  const finite = where(impossible, options?.zeroInfinity ? 0 : Infinity, losses);
  const result = single ? logs.derive(reshape(finite.node, [])) : finite;
  if ((options?.reduction ?? 'mean') !== 'mean') return floatLike(logProbs, reduced(op, result, options).node);
  const counts = maximum(cast(logs.derive(reshape(sizes, result.shape)), 'f32'), 1);
  return floatLike(logProbs, mean(div(result, counts)).node);
}

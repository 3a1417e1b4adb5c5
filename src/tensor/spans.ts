import { ArgumentError, flip, full, type Node, pad, type Shape, showShape, slice, where } from '../graph/index.js';
import { checkInteger } from './operands.js';

/** Part of an axis: `[start, end, step]` as in `start:end:step`; null or missing means from (to) the end of the axis, and step 1. */
export type Range = readonly [start?: number | null, end?: number | null, step?: number | null];

/** A Range over an axis of known length, ascending. */
export interface Span {
  readonly start: number;
  readonly length: number;
  readonly step: number;
  readonly reversed: boolean;
}

export const span = (start: number, length: number): Span => ({ start, length, step: 1, reversed: false });

/** Python's rules for start:end:step over an axis. */
export function spanOf(op: string, range: Range, length: number): Span {
  const step = range[2] ?? 1;
  if (!Number.isInteger(step) || step === 0) {
    throw new ArgumentError(`[${op}] step is ${String(step)} (expected an integer that is not 0)`);
  }
  const bound = (value: number, low: number, high: number) => {
    checkInteger(op, 'bound', value);
    return Math.min(Math.max(value < 0 ? value + length : value, low), high);
  };
  if (step > 0) {
    const start = bound(range[0] ?? 0, 0, length);
    const end = bound(range[1] ?? length, 0, length);
    return { start, length: Math.max(0, Math.ceil((end - start) / step)), step, reversed: false };
  }
  const start = bound(range[0] ?? length - 1, -1, length - 1);
  const end = range[1] === undefined || range[1] === null ? -1 : bound(range[1], -1, length - 1);
  const count = Math.max(0, Math.ceil((start - end) / -step));
  return { start: count === 0 ? 0 : start + (count - 1) * step, length: count, step: -step, reversed: true };
}

/** A position of an axis, counted from the back where it is negative. */
export function positionOf(op: string, index: number, axis: number, shape: Shape): number {
  const length = shape[axis]!;
  const at = checkInteger(op, 'index', index) < 0 ? index + length : index;
  if (at < 0 || at >= length) {
    throw new ArgumentError(`[${op}] index out of range: ${index} on axis ${axis} of ${showShape(shape)}`);
  }
  return at;
}

/** Spans by axis; axes without one are taken whole. */
export type Spans = ReadonlyMap<number, Span>;

const reversedAxes = (spans: Spans): number[] => [...spans].filter(([, s]) => s.reversed).map(([axis]) => axis);

export function readSpans(node: Node, spans: Spans): Node {
  const of = <K extends keyof Span>(i: number, key: K, otherwise: Span[K]) => spans.get(i)?.[key] ?? otherwise;
  const sliced = slice(
    node,
    node.shape.map((_, i) => of(i, 'start', 0)),
    node.shape.map((d, i) => of(i, 'length', d)),
    node.shape.map((_, i) => of(i, 'step', 1)),
  );
  return flip(sliced, reversedAxes(spans));
}

/** `node` with other values where its spans lie: movement and one choice, so that it fuses and differentiates like them. */
export function writeSpans(node: Node, spans: Spans, values: Node): Node {
  if (values.shape.some((d) => d === 0)) return node;
  const low = node.shape.map((_, i) => spans.get(i)?.start ?? 0);
  const interior = node.shape.map((_, i) => (spans.get(i)?.step ?? 1) - 1);
  const high = node.shape.map((d, i) => d - low[i]! - ((values.shape[i]! - 1) * (interior[i]! + 1) + 1));
  const placed = (part: Node): Node => pad(part, { low, high, interior });
  return where(placed(full(values.shape, 1, 'bool')), placed(flip(values, reversedAxes(spans))), node);
}

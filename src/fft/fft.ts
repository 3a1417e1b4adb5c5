import {
  ArgumentError,
  binary,
  broadcastScalar,
  cast,
  concat,
  constant,
  flip,
  full,
  iota,
  type Node,
  normalizeAxis,
  pad,
  permute,
  reshape,
  ShapeError,
  showShape,
  sizeOf,
  slice,
  where,
} from '../graph/index.js';
import type { Tensor } from '../tensor/index.js';
import { nodeOf } from '../tensor/internal.js';
import { transform } from './transform.js';

/** Which direction is divided: the inverse by n ('backward'), the forward one by n ('forward'), both by sqrt(n) ('ortho'). */
export type FftNorm = 'backward' | 'ortho' | 'forward';

export interface FftOptions {
  /** Length of the transform: what is shorter gets zeros at its end, what is longer is cropped. That of the axis unless given. */
  n?: number | null;
  /** The axis (-1); the pair of a complex number's parts is not counted. */
  dim?: number;
  /** 'backward' unless given. */
  norm?: FftNorm | null;
}

const NORMS: readonly unknown[] = ['backward', 'ortho', 'forward'];

/** What the result of a transform of n numbers is multiplied by. */
function scaleOf(op: string, norm: FftNorm | null | undefined, forward: boolean, n: number): number {
  const name = norm ?? 'backward';
  if (!NORMS.includes(name)) {
    throw new ArgumentError(`[${op}] norm is ${String(name)} (expected 'backward', 'ortho' or 'forward')`);
  }
  return name === 'ortho' ? 1 / Math.sqrt(n) : (name === 'forward') === forward ? 1 / n : 1;
}

/** The axis of a transform at the end: [rows, n], with the pair behind it for complex numbers. */
interface Rows {
  readonly node: Node;
  /** Of the axes before the pair, the transformed one last. */
  readonly lengths: readonly number[];
  readonly axis: number;
}

/** f32 nodes only; complex ones have their parts as a last axis of 2. */
function rowsOf(op: string, x: Tensor, complex: boolean, dim = -1): Rows {
  const node = cast(nodeOf(op, x), 'f32');
  const rank = node.shape.length - (complex ? 1 : 0);
  if (complex && (rank < 1 || node.shape[rank] !== 2)) {
    throw new ShapeError(`[${op}] input is ${showShape(node.shape)} (expected complex numbers as pairs: [..., n, 2])`);
  }
  if (rank < 1) throw new ShapeError(`[${op}] input is ${showShape(node.shape)} (expected rank 1 or more)`);
  const axis = normalizeAxis(op, dim, rank);
  const order = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis);
  const moved = permute(node, [...order, axis, ...(complex ? [rank] : [])]);
  const lengths = moved.shape.slice(0, rank);
  const parts = complex ? [2] : [];
  return { node: reshape(moved, [sizeOf(lengths.slice(0, -1)), lengths[rank - 1]!, ...parts]), lengths, axis };
}

/** Puts the axis back where it was. */
function restored(result: Node, { lengths, axis }: Rows): Node {
  const parts = result.shape.slice(2);
  const all = reshape(result, [...lengths.slice(0, -1), ...result.shape.slice(1)]);
  const rank = lengths.length;
  const order = Array.from({ length: rank - 1 }, (_, i) => i);
  order.splice(axis, 0, rank - 1);
  return permute(all, parts.length > 0 ? [...order, rank] : order);
}

function lengthOf(op: string, n: number | null | undefined, own: number): number {
  const length = n ?? own;
  if (!Number.isInteger(length) || length < 1) {
    throw new ArgumentError(`[${op}] n is ${String(length)} (expected an integer of at least 1)`);
  }
  return length;
}

/** Crops axis 1 or fills it up with zeros. */
function resized(x: Node, n: number): Node {
  const [rows, own, ...parts] = x.shape as [number, number];
  if (own === n) return x;
  const none = x.shape.map(() => 0);
  if (own > n) return slice(x, none, [rows, n, ...parts]);
  return pad(x, { low: none, high: none.map((_, i) => (i === 1 ? n - own : 0)) });
}

const scaled = (x: Node, by: number): Node =>
  by === 1 ? x : binary('mul', x, broadcastScalar(constant(by, 'f32'), x.shape));

function complexTransform(op: string, x: Tensor, options: FftOptions | undefined, forward: boolean): Tensor {
  const rows = rowsOf(op, x, true, options?.dim);
  const n = lengthOf(op, options?.n, rows.node.shape[1]!);
  const scale = scaleOf(op, options?.norm, forward, n);
  const sign = forward ? -1 : 1;
  const result = transform(resized(rows.node, n), { n, sign, keep: n, realIn: false, realOut: false });
  return x.derive(restored(scaled(result, scale), rows));
}

/**
 * The discrete Fourier transform of complex numbers, whose parts are the last axis: [..., n, 2] to the same shape, in f32. Any n.
 * Throws ShapeError where the last axis is not 2 or `dim` is out of range, ArgumentError for an n below 1.
 */
export function fft(x: Tensor, options?: FftOptions): Tensor {
  return complexTransform('fft', x, options, true);
}

/** The inverse of `fft`: [..., n, 2] to the same shape, in f32. */
export function ifft(x: Tensor, options?: FftOptions): Tensor {
  return complexTransform('ifft', x, options, false);
}

function fromReal(op: string, x: Tensor, options: FftOptions | undefined, forward: boolean): Tensor {
  const rows = rowsOf(op, x, false, options?.dim);
  const n = lengthOf(op, options?.n, rows.node.shape[1]!);
  const scale = scaleOf(op, options?.norm, forward, n);
  const keep = Math.floor(n / 2) + 1;
  const sign = forward ? -1 : 1;
  const result = transform(resized(rows.node, n), { n, sign, keep, realIn: true, realOut: false });
  return x.derive(restored(scaled(result, scale), rows));
}

/**
 * The discrete Fourier transform of real numbers: the first half, which the other mirrors. [..., n] to [..., floor(n / 2) + 1, 2], in f32.
 * Throws ShapeError for a single number or a `dim` out of range, ArgumentError for an n below 1.
 */
export function rfft(x: Tensor, options?: FftOptions): Tensor {
  return fromReal('rfft', x, options, true);
}

/** The inverse of `hfft`: real [..., n] to the first half of a spectrum, [..., floor(n / 2) + 1, 2], in f32. */
export function ihfft(x: Tensor, options?: FftOptions): Tensor {
  return fromReal('ihfft', x, options, false);
}

/** The whole spectrum of n real numbers from its first half. The imaginary parts that are 0 for real numbers are taken as 0. */
function mirrored(half: Node, n: number): Node {
  const [rows, length] = half.shape as [number, number];
  const shape = [rows, length, 2];
  const [bin, part] = [iota(shape, 1), iota(shape, 2)];
  const at = (value: number): Node => full(shape, value, 'i32');
  let own = binary('eq', bin, at(0));
  if (n % 2 === 0) own = binary('or', own, binary('eq', bin, at(n / 2)));
  const first = where(binary('and', own, binary('eq', part, at(1))), full(shape, 0, 'f32'), half);
  const others = n - length;
  if (others === 0) return first;
  const rest = flip(slice(first, [0, 1, 0], [rows, others, 2]), [1]);
  const conjugated = where(
    binary('eq', iota(rest.shape, 2), full(rest.shape, 1, 'i32')),
    binary('mul', rest, full(rest.shape, -1, 'f32')),
    rest,
  );
  return concat([first, conjugated], 1);
}

function toReal(op: string, x: Tensor, options: FftOptions | undefined, forward: boolean): Tensor {
  const rows = rowsOf(op, x, true, options?.dim);
  const n = lengthOf(op, options?.n, 2 * (rows.node.shape[1]! - 1));
  const scale = scaleOf(op, options?.norm, forward, n);
  const whole = mirrored(resized(rows.node, Math.floor(n / 2) + 1), n);
  const sign = forward ? -1 : 1;
  const result = transform(whole, { n, sign, keep: n, realIn: false, realOut: true });
  return x.derive(restored(scaled(result, scale), rows));
}

/**
 * The inverse of `rfft`: the first half of a spectrum, [..., m, 2], to n real numbers [..., n], 2 (m - 1) unless n is given, in f32. Imaginary
 * parts that real numbers do not have (of bin 0, and of bin n / 2 for an even n) are ignored.
 */
export function irfft(x: Tensor, options?: FftOptions): Tensor {
  return toReal('irfft', x, options, false);
}

/** The transform of complex numbers with x_(n-j) the conjugate of x_j, of which the first half is given: [..., m, 2] to real [..., n]. */
export function hfft(x: Tensor, options?: FftOptions): Tensor {
  return toReal('hfft', x, options, true);
}

import { ArgumentError, normalizeAxes } from '../graph/index.js';
import { roll, type Tensor, tensor } from '../tensor/index.js';
import { nodeOf } from '../tensor/internal.js';

export interface ShiftOptions {
  /** The axes; all unless given. */
  dim?: number | readonly number[];
  /** Whether the last axis holds the parts of complex numbers: then it is no axis to shift. */
  pairs?: boolean;
}

function shifted(op: string, x: Tensor, options: ShiftOptions | undefined, by: (length: number) => number): Tensor {
  const { shape } = nodeOf(op, x);
  const axes = normalizeAxes(op, options?.dim, shape.length - (options?.pairs ? 1 : 0));
  if (axes.length === 0) return x;
  return roll(
    x,
    axes.map((axis) => by(shape[axis]!)),
    axes,
  );
}

/** Takes the zero frequency to the middle of each axis. `{ pairs: true }` for spectra: [..., 2]. */
export function fftshift(x: Tensor, options?: ShiftOptions): Tensor {
  return shifted('fftshift', x, options, (length) => Math.floor(length / 2));
}

/** The inverse of `fftshift`. */
export function ifftshift(x: Tensor, options?: ShiftOptions): Tensor {
  return shifted('ifftshift', x, options, (length) => Math.ceil(length / 2));
}

function checkFrequencies(op: string, n: number, d: number): void {
  if (!Number.isInteger(n) || n < 1)
    throw new ArgumentError(`[${op}] n is ${String(n)} (expected an integer of at least 1)`);
  if (!(d !== 0 && Number.isFinite(d)))
    throw new ArgumentError(`[${op}] d is ${String(d)} (expected a finite number, not 0)`);
}

/** The frequencies of the bins of `fft` for a sampling distance d: [n], f32; the second half is negative. */
export function fftfreq(n: number, d = 1): Tensor {
  checkFrequencies('fftfreq', n, d);
  const positive = Math.ceil(n / 2);
  return tensor(Float32Array.from({ length: n }, (_, i) => (i < positive ? i : i - n) / (n * d)));
}

/** The frequencies of the bins of `rfft` for a sampling distance d: [floor(n / 2) + 1], f32. */
export function rfftfreq(n: number, d = 1): Tensor {
  checkFrequencies('rfftfreq', n, d);
  return tensor(Float32Array.from({ length: Math.floor(n / 2) + 1 }, (_, i) => i / (n * d)));
}

export interface WindowOptions {
  /** Whether the window is one period, as spectra want it (true), or symmetric. */
  periodic?: boolean;
}

/** A sum of cosines over the window, in float64. */
function cosines(op: string, length: number, options: WindowOptions | undefined, weights: readonly number[]): Tensor {
  if (!Number.isInteger(length) || length < 0) {
    throw new ArgumentError(`[${op}] length is ${String(length)} (expected an integer of at least 0)`);
  }
  const period = options?.periodic === false ? length - 1 : length;
  const at = (i: number): number =>
    weights.reduce((sum, w, k) => sum + (k % 2 === 0 ? w : -w) * Math.cos((2 * Math.PI * k * i) / period), 0);
  return tensor(Float32Array.from({ length }, (_, i) => (length === 1 ? 1 : at(i))));
}

/** Hann's window, sin^2: [length], f32. */
export const hannWindow = (length: number, options?: WindowOptions): Tensor =>
  cosines('hannWindow', length, options, [0.5, 0.5]);

/** Hamming's window, 0.54 - 0.46 cos: [length], f32. */
export const hammingWindow = (length: number, options?: WindowOptions): Tensor =>
  cosines('hammingWindow', length, options, [0.54, 0.46]);

/** Blackman's window, 0.42 - 0.5 cos + 0.08 cos of the double: [length], f32. */
export const blackmanWindow = (length: number, options?: WindowOptions): Tensor =>
  cosines('blackmanWindow', length, options, [0.42, 0.5, 0.08]);

import { ArgumentError, normalizeAxis, ShapeError, showShape } from '../graph/index.js';
import type { Tensor } from '../tensor/index.js';
import { nodeOf } from '../tensor/internal.js';
import { type FftNorm, type FftOptions, fft, ifft, irfft, rfft } from './fft.js';

export interface FftnOptions {
  /** Length along each axis of `dim`, or along the last axes. Those of the tensor unless given. */
  s?: readonly number[] | null;
  /** The axes, without the pair of complex numbers; the last two for the functions on planes, all (or as many as `s` has) for the others. */
  dim?: readonly number[] | null;
  /** 'backward' unless given. */
  norm?: FftNorm | null;
}

/** The axis and length of each transform, in the order of `dim`. */
function stepsOf(
  op: string,
  x: Tensor,
  complex: boolean,
  options: FftnOptions | undefined,
  planes: boolean,
): FftOptions[] {
  const { shape } = nodeOf(op, x);
  const rank = shape.length - (complex ? 1 : 0);
  if (rank < 0 || (complex && shape[rank] !== 2)) {
    throw new ShapeError(`[${op}] input is ${showShape(shape)} (expected complex numbers as pairs: [..., n, 2])`);
  }
  const { s, norm } = options ?? {};
  const count = s ? s.length : rank;
  const dim = options?.dim ?? (planes ? [-2, -1] : Array.from({ length: count }, (_, i) => i - count));
  const axes = dim.map((d) => normalizeAxis(op, d, rank));
  if (axes.length === 0) throw new ArgumentError(`[${op}] no axes (expected at least one)`);
  if (new Set(axes).size !== axes.length) {
    throw new ArgumentError(`[${op}] dim is [${dim.join(', ')}] (expected each axis at most once)`);
  }
  if (s && s.length !== axes.length) {
    throw new ArgumentError(`[${op}] ${s.length} lengths for ${axes.length} axes (expected one for each)`);
  }
  return axes.map((axis, i) => ({ dim: axis, n: s?.[i] ?? null, norm: norm ?? null }));
}

type Along = (x: Tensor, options?: FftOptions) => Tensor;
type AlongMany = (x: Tensor, options?: FftnOptions) => Tensor;

const complexToComplex =
  (op: string, one: Along, planes: boolean): AlongMany =>
  (x, options) =>
    stepsOf(op, x, true, options, planes).reduceRight(one, x);

const realToComplex =
  (op: string, planes: boolean): AlongMany =>
  (x, options) => {
    const steps = stepsOf(op, x, false, options, planes);
    return steps.slice(0, -1).reduceRight(fft, rfft(x, steps[steps.length - 1]));
  };

const complexToReal =
  (op: string, planes: boolean): AlongMany =>
  (x, options) => {
    const steps = stepsOf(op, x, true, options, planes);
    return irfft(steps.slice(0, -1).reduce(ifft, x), steps[steps.length - 1]);
  };

/** `fft` along several axes: complex numbers [..., 2]. Throws ArgumentError for axes that repeat or do not fit `s`. */
export const fftn: AlongMany = complexToComplex('fftn', fft, false);
/** `ifft` along several axes. */
export const ifftn: AlongMany = complexToComplex('ifftn', ifft, false);
/** `fft` along the last two axes: [..., height, width, 2]. */
export const fft2: AlongMany = complexToComplex('fft2', fft, true);
/** `ifft` along the last two axes. */
export const ifft2: AlongMany = complexToComplex('ifft2', ifft, true);
/** `rfft` along the last of several axes, `fft` along the others: real numbers to half a spectrum. */
export const rfftn: AlongMany = realToComplex('rfftn', false);
/** `rfftn` along the last two axes: [..., height, width] to [..., height, floor(width / 2) + 1, 2]. */
export const rfft2: AlongMany = realToComplex('rfft2', true);
/** The inverse of `rfftn`: half a spectrum to real numbers. */
export const irfftn: AlongMany = complexToReal('irfftn', false);
/** The inverse of `rfft2`. */
export const irfft2: AlongMany = complexToReal('irfft2', true);

import { ArgumentError, ShapeError, showShape } from '../graph/index.js';
import { div, fold, full, mul, pad, permute, reshape, slice, type Tensor, unfold } from '../tensor/index.js';
import { nodeOf } from '../tensor/internal.js';
import { complex } from './complex.js';
import { fft, irfft, rfft } from './fft.js';

export interface StftOptions {
  /** Samples from one frame to the next (a quarter of nFft, rounded down). */
  hopLength?: number;
  /** Weights of a frame, [up to nFft], centred in it: ones unless given. */
  window?: Tensor | null;
  /** Whether frame t is centred at t * hopLength, the signal mirrored at its ends (true), or begins there. */
  center?: boolean;
  /** Divides by sqrt(nFft) (false). */
  normalized?: boolean;
  /** Whether only the half of the spectrum that real signals need is there (true). */
  onesided?: boolean;
}

export interface IstftOptions extends StftOptions {
  /** Samples of the result; as many as the frames cover unless given. */
  length?: number;
}

interface Frames {
  readonly hop: number;
  readonly window: Tensor;
  readonly center: boolean;
  readonly onesided: boolean;
  readonly norm: 'ortho' | 'backward';
}

function framesOf(op: string, x: Tensor, nFft: number, options: StftOptions): Frames {
  const hop = options.hopLength ?? Math.floor(nFft / 4);
  for (const [name, value] of [
    ['nFft', nFft],
    ['hopLength', hop],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ArgumentError(`[${op}] ${name} is ${String(value)} (expected an integer of at least 1)`);
    }
  }
  const given = options.window ?? x.derive(full([nFft], 1).node);
  const length = given.shape[0] ?? 0;
  if (given.ndim !== 1 || length > nFft) {
    throw new ShapeError(`[${op}] window is ${showShape(given.shape)} (expected [${nFft}] or shorter)`);
  }
  const before = Math.floor((nFft - length) / 2);
  return {
    hop,
    window: pad(given, [before, nFft - length - before]),
    center: options.center ?? true,
    onesided: options.onesided ?? true,
    norm: options.normalized ? 'ortho' : 'backward',
  };
}

/**
 * Spectra of windows that slide along a signal: [samples] or [batch, samples] to [..., nFft / 2 + 1, frames, 2] (nFft bins where not
 * `onesided`), in f32. Throws ShapeError for other ranks and signals shorter than a frame, ArgumentError for lengths below 1.
 */
export function stft(x: Tensor, nFft: number, options: StftOptions = {}): Tensor {
  const { shape } = nodeOf('stft', x);
  if (shape.length !== 1 && shape.length !== 2) {
    throw new ShapeError(`[stft] input is ${showShape(shape)} (expected [samples] or [batch, samples])`);
  }
  const { hop, window, center, onesided, norm } = framesOf('stft', x, nFft, options);
  const half = center ? Math.floor(nFft / 2) : 0;
  const samples = shape[shape.length - 1]!;
  if (center ? samples <= half : samples < nFft) {
    throw new ShapeError(
      `[stft] input is ${showShape(shape)} (expected more than ${center ? half : nFft - 1} samples)`,
    );
  }
  const signal = center ? pad(x, [half, half], { mode: 'reflect' }) : x;
  const frames = mul(unfold(signal, -1, nFft, hop), window);
  const spectra = onesided ? rfft(frames, { norm }) : fft(complex(frames), { norm });
  const rank = shape.length;
  return permute(spectra, ...(rank === 1 ? [1, 0, 2] : [0, 2, 1, 3]));
}

/**
 * The signal whose `stft` is given, in the sense of least squares: [..., bins, frames, 2] to [..., samples], in f32; with the same options. Where no
 * window reaches, the result is no number. Throws ShapeError for another rank or number of bins.
 */
export function istft(x: Tensor, nFft: number, options: IstftOptions = {}): Tensor {
  const { shape } = nodeOf('istft', x);
  const { hop, window, center, onesided, norm } = framesOf('istft', x, nFft, options);
  const bins = onesided ? Math.floor(nFft / 2) + 1 : nFft;
  const rank = shape.length;
  if ((rank !== 3 && rank !== 4) || shape[rank - 3] !== bins || shape[rank - 1] !== 2) {
    throw new ShapeError(
      `[istft] input is ${showShape(shape)} (expected [${bins}, frames, 2], or with a batch in front)`,
    );
  }
  const batched = rank === 4 ? x : reshape(x, [1, ...shape]);
  const spectra = permute(batched, 0, 2, 1, 3);
  // As PyTorch's: a signal is real, so that half of its spectrum says all.
  const half = onesided ? spectra : slice(spectra, -2, 0, Math.floor(nFft / 2) + 1);
  const frames = irfft(half, { n: nFft, norm });
  const count = shape[rank - 2]!;
  const covered = nFft + hop * (count - 1);
  // Overlapping frames add up as patches of one row do.
  const added = (parts: Tensor): Tensor =>
    reshape(fold(permute(parts, 0, 2, 1), [1, covered], [1, nFft], { stride: [1, hop] }), [parts.shape[0]!, covered]);
  const weights = mul(mul(window, window), full([1, count, nFft], 1));
  const start = center ? Math.floor(nFft / 2) : 0;
  const end = options.length === undefined ? covered - start : start + options.length;
  // Cut before the division: outside may be 0 / 0, whose gradient would be no number.
  const cut = (sums: Tensor): Tensor => slice(sums, 1, start, Math.min(end, covered));
  const signal = div(cut(added(mul(frames, window))), cut(added(weights)));
  const long = end > covered ? pad(signal, [0, end - covered]) : signal;
  return rank === 4 ? long : reshape(long, [long.shape[1]!]);
}

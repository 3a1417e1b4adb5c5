import * as tl from 'tiller';
import * as fft from 'tiller/fft';
import { describe } from 'vitest';
import { bools, js, type Mistake, throwsEach, z } from './mistakes.js';

/** Called as from JavaScript. */
const functions = fft as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>;

describe('Fourier transforms name themselves in errors', () => {
  const complexOnes = ['fft', 'ifft', 'irfft', 'hfft'] as const;
  const realOnes = ['rfft', 'ihfft'] as const;
  throwsEach(
    [...complexOnes, ...realOnes].flatMap((op): Mistake[] => [
      [`${op} of a number`, () => functions[op]!(js(1)), tl.ArgumentError, `[${op}] not a tensor: number`],
      [`${op} dim`, () => functions[op]!(z(3, 2), { dim: 2 }), tl.ShapeError, `[${op}] axis out of range: 2`],
      [
        `${op} n`,
        () => functions[op]!(z(3, 2), { n: 0 }),
        tl.ArgumentError,
        `[${op}] n is 0 (expected an integer of at least 1)`,
      ],
      [`${op} half an n`, () => functions[op]!(z(3, 2), { n: 2.5 }), tl.ArgumentError, `[${op}] n is 2.5`],
      [`${op} of nothing`, () => functions[op]!(z(3, 0, 2), { dim: 1 }), tl.ArgumentError, `[${op}] n is `],
      [
        `${op} norm`,
        () => functions[op]!(z(3, 2), { norm: js('both') }),
        tl.ArgumentError,
        `[${op}] norm is both (expected`,
      ],
    ]),
  );
  throwsEach(
    complexOnes.flatMap((op): Mistake[] => [
      [
        `${op} of real numbers`,
        () => functions[op]!(z(2, 3)),
        tl.ShapeError,
        `[${op}] input is [2, 3] (expected complex numbers`,
      ],
      [`${op} of one number`, () => functions[op]!(z(2)), tl.ShapeError, `[${op}] input is [2] (expected complex`],
    ]),
  );
  throwsEach(
    realOnes.map(
      (op): Mistake => [`${op} of one number`, () => functions[op]!(z()), tl.ShapeError, `[${op}] input is []`],
    ),
  );
  throwsEach([
    [
      'fftn lengths',
      () => fft.fftn(z(3, 4, 2), { s: [2], dim: [0, 1] }),
      tl.ArgumentError,
      '[fftn] 1 lengths for 2 axes',
    ],
    ['fft2 dim', () => fft.fft2(z(3, 4, 2), { dim: [0, 2] }), tl.ShapeError, '[fft2] axis out of range: 2'],
    ['fft2 rank', () => fft.fft2(z(3, 2)), tl.ShapeError, '[fft2] axis out of range: -2 (rank 1'],
    [
      'rfftn repeated',
      () => fft.rfftn(z(3, 4), { dim: [1, -1] }),
      tl.ArgumentError,
      '[rfftn] dim is [1, -1] (expected each',
    ],
    ['irfft2 of real numbers', () => fft.irfft2(z(3, 4)), tl.ShapeError, '[irfft2] input is [3, 4]'],
    ['ifftn of no axis', () => fft.ifftn(z(2)), tl.ArgumentError, '[ifftn] no axes (expected at least one)'],
    ['fftshift dim', () => fft.fftshift(z(3), { dim: 1 }), tl.ShapeError, '[fftshift] axis out of range: 1'],
    ['ifftshift pair', () => fft.ifftshift(z(3, 2), { dim: 1, pairs: true }), tl.ShapeError, '[ifftshift] axis out of'],
    ['fftfreq n', () => fft.fftfreq(0), tl.ArgumentError, '[fftfreq] n is 0'],
    ['rfftfreq d', () => fft.rfftfreq(4, 0), tl.ArgumentError, '[rfftfreq] d is 0'],
    ['hannWindow', () => fft.hannWindow(-1), tl.ArgumentError, '[hannWindow] length is -1'],
    ['hammingWindow', () => fft.hammingWindow(1.5), tl.ArgumentError, '[hammingWindow] length is 1.5'],
    ['blackmanWindow', () => fft.blackmanWindow(-1), tl.ArgumentError, '[blackmanWindow] length is -1'],
    ['stft rank', () => fft.stft(z(1, 2, 3), 2), tl.ShapeError, '[stft] input is [1, 2, 3]'],
    [
      'stft of too little',
      () => fft.stft(z(4), 8),
      tl.ShapeError,
      '[stft] input is [4] (expected more than 4 samples)',
    ],
    ['stft hop', () => fft.stft(z(9), 8, { hopLength: 0 }), tl.ArgumentError, '[stft] hopLength is 0'],
    ['stft nFft', () => fft.stft(z(9), 0), tl.ArgumentError, '[stft] nFft is 0'],
    ['stft window', () => fft.stft(z(9), 8, { window: z(9) }), tl.ShapeError, '[stft] window is [9] (expected [8]'],
    [
      'istft bins',
      () => fft.istft(z(4, 3, 2), 8),
      tl.ShapeError,
      '[istft] input is [4, 3, 2] (expected [5, frames, 2]',
    ],
    ['real', () => fft.real(z(3)), tl.ShapeError, '[real] input is [3] (expected complex numbers as pairs'],
    ['imag', () => fft.imag(z(3)), tl.ShapeError, '[imag] input is [3]'],
    ['conj', () => fft.conj(z()), tl.ShapeError, '[conj] input is []'],
    ['complexAbs', () => fft.complexAbs(z(3)), tl.ShapeError, '[complexAbs] input is [3]'],
    ['complexMul', () => fft.complexMul(z(3, 2), z(3)), tl.ShapeError, '[complexMul] input is [3]'],
    ['complex', () => fft.complex(z(3), bools(2)), tl.ShapeError, 'shapes do not broadcast'],
  ]);
});

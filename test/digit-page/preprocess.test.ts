import { describe, expect, it } from 'vitest';
import { likeMnist, SIDE } from '../../examples/digits/preprocess.js';

/** A drawing with ink in a rectangle. */
function rectangle(size: number, left: number, top: number, width: number, height: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, i) => {
    const [x, y] = [i % size, Math.floor(i / size)];
    return x >= left && x < left + width && y >= top && y < top + height ? 1 : 0;
  });
}

const sum = (image: Float32Array) => image.reduce((total, v) => total + v, 0);

function centre(image: Float32Array): [x: number, y: number] {
  let [x, y] = [0, 0];
  image.forEach((v, i) => {
    x += v * (i % SIDE);
    y += v * Math.floor(i / SIDE);
  });
  return [x / sum(image), y / sum(image)];
}

describe('likeMnist', () => {
  it('gives nothing for an empty drawing', () => {
    expect(likeMnist(new Float32Array(100), 10, 10)).toBeNull();
    expect(likeMnist(new Float32Array(100).fill(0.05), 10, 10)).toBeNull();
  });

  it.each([
    [280, 100, 40, 50, 200],
    [280, 3, 270, 260, 7],
    [100, 0, 0, 100, 100],
    [28, 5, 5, 10, 10],
    [28, 27, 27, 1, 1],
  ])(
    'fits ink of any size and place into the middle 20 x 20 (%i: %i, %i, %i x %i)',
    (size, left, top, width, height) => {
      const image = likeMnist(rectangle(size, left, top, width, height), size, size)!;
      const long = Math.max(width, height);
      const [columns, rows] = [
        Math.max(1, Math.round((20 * width) / long)),
        Math.max(1, Math.round((20 * height) / long)),
      ];
      // A rectangle stays one: its area is the number of full pixels.
      expect(sum(image)).toBeCloseTo(columns * rows, 2);
      expect(image.filter((v) => v > 0)).toHaveLength(columns * rows);
      const [x, y] = centre(image);
      expect(Math.abs(x - 13.5)).toBeLessThanOrEqual(0.5);
      expect(Math.abs(y - 13.5)).toBeLessThanOrEqual(0.5);
    },
  );

  it('averages: the mean of the crop stays', () => {
    const size = 97;
    const ink = Float32Array.from({ length: size * size }, (_, i) => 0.2 + 0.8 * Math.abs(Math.sin(i)));
    const image = likeMnist(ink, size, size)!;
    expect(sum(image) / 400).toBeCloseTo(sum(ink) / ink.length, 5);
  });

  it('centres by mass, not by the box', () => {
    // An L: a thin column with a foot.
    const column = rectangle(200, 50, 20, 10, 160);
    const foot = rectangle(200, 50, 168, 60, 12);
    const image = likeMnist(
      column.map((v, i) => Math.max(v, foot[i]!)),
      200,
      200,
    )!;
    const [x, y] = centre(image);
    expect(Math.abs(x - 13.5)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(y - 13.5)).toBeLessThanOrEqual(0.5);
    const rows = Array.from({ length: SIDE }, (_, row) => sum(image.subarray(row * SIDE, (row + 1) * SIDE)));
    const first = rows.findIndex((v) => v > 0);
    const last = rows.length - 1 - [...rows].reverse().findIndex((v) => v > 0);
    // The foot pulls the centre down, so the box moves up.
    expect(first).toBeLessThan(27 - last);
  });
});

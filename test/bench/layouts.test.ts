import { describe, expect, it } from 'vitest';
import { fromNHWC, permuted, toHWIO, toNHWC } from '../../bench/cases/layouts.js';

const counting = (shape: number[]) => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  shape,
});

describe('layouts of the peers', () => {
  it('transposes', () => {
    expect(permuted(counting([2, 3]), [1, 0])).toEqual({ data: Float32Array.of(0, 3, 1, 4, 2, 5), shape: [3, 2] });
  });

  it('puts channels last, and back', () => {
    const image = counting([2, 3, 4, 5]);
    const [n, c, h, w] = [1, 2, 3, 1];
    const nhwc = toNHWC(image);
    expect(nhwc.shape).toEqual([2, 4, 5, 3]);
    expect(nhwc.data[((n * 4 + h) * 5 + w) * 3 + c]).toBe(((n * 3 + c) * 4 + h) * 5 + w);
    expect(fromNHWC(nhwc)).toEqual(image);
  });

  it('turns filters around', () => {
    const filters = counting([2, 3, 4, 5]);
    const hwio = toHWIO(filters);
    expect(hwio.shape).toEqual([4, 5, 3, 2]);
    expect(hwio.data[((3 * 5 + 1) * 3 + 2) * 2 + 1]).toBe(((1 * 3 + 2) * 4 + 3) * 5 + 1);
  });
});

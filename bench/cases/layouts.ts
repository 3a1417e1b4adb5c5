import type { HostArray } from './case.js';

/** A copy with its axes in another order: `axes[i]` is the axis of `x` that becomes axis i. */
export function permuted({ data, shape }: HostArray, axes: readonly number[]): HostArray {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const newShape = axes.map((axis) => shape[axis]!);
  const steps = axes.map((axis) => strides[axis]!);
  const index = new Array<number>(axes.length).fill(0);
  const result = new Float32Array(data.length);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = data[from]!;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++index[axis]! < newShape[axis]!) break;
      from -= steps[axis]! * newShape[axis]!;
      index[axis] = 0;
    }
  }
  return { data: result, shape: newShape };
}

/** tfjs computes convolutions on images [N, H, W, C]. */
export const toNHWC = (x: HostArray): HostArray => permuted(x, [0, 2, 3, 1]);
export const fromNHWC = (x: HostArray): HostArray => permuted(x, [0, 3, 1, 2]);
/** Filters [out, in, H, W] as tfjs has them: [H, W, in, out]. */
export const toHWIO = (x: HostArray): HostArray => permuted(x, [2, 3, 1, 0]);
/** Depthwise filters [channels, 1, H, W] as tfjs has them: [H, W, channels, 1]. */
export const toHWC1 = (x: HostArray): HostArray => permuted(x, [2, 3, 0, 1]);

import { ArgumentError } from '../graph/index.js';
import {
  type ConvOptions,
  conv2d,
  type MaxPoolOptions,
  maxPool2d,
  type PerAxis,
  type Tensor,
} from '../tensor/index.js';
import { checkSize, uniformParameter } from './linear.js';
import { Module } from './module.js';

export interface Conv2dOptions extends ConvOptions {
  /** Whether there is a bias (true). */
  bias?: boolean;
}

/** Cross-correlation over images: [N, inChannels, H, W] to [N, outChannels, H', W']. */
export class Conv2d extends Module {
  /** [outChannels, inChannels / groups, kernel height, kernel width] */
  weight: Tensor;
  /** [outChannels] */
  bias: Tensor | null;
  private readonly options: ConvOptions;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: number | readonly [number, number],
    { bias = true, ...options }: Conv2dOptions = {},
  ) {
    super();
    checkSize('Conv2d', 'inChannels', inChannels);
    checkSize('Conv2d', 'outChannels', outChannels);
    const [height, width] = typeof kernelSize === 'number' ? [kernelSize, kernelSize] : kernelSize;
    checkSize('Conv2d', 'kernelSize', height);
    checkSize('Conv2d', 'kernelSize', width);
    const groups = checkSize('Conv2d', 'groups', options.groups ?? 1);
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new ArgumentError(
        `[Conv2d] channels are not divisible by groups: ${inChannels} in, ${outChannels} out, ${groups} groups`,
      );
    }
    this.options = options;
    const perGroup = inChannels / groups;
    const bound = 1 / Math.sqrt(perGroup * height * width);
    this.weight = uniformParameter([outChannels, perGroup, height, width], bound);
    this.bias = bias ? uniformParameter([outChannels], bound) : null;
  }

  /** Throws ShapeError unless x is [N, inChannels, H, W] or [inChannels, H, W]. */
  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.options);
  }
}

/** Largest element of each window of images [N, C, H, W]. */
export class MaxPool2d extends Module {
  constructor(
    readonly kernelSize: PerAxis,
    private readonly options: MaxPoolOptions = {},
  ) {
    super();
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }
}

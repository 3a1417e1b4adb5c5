import { ArgumentError, type Shape } from '../graph/index.js';
import { batchNorm, groupNorm, instanceNorm, layerNorm, ones, rmsNorm, type Tensor, zeros } from '../tensor/index.js';
import { checkSize } from './linear.js';
import { Module } from './module.js';
import { parameter } from './parameter.js';

export interface NormOptions {
  /** Under the root (1e-5). */
  eps?: number;
  /** Whether there are a weight and a bias (true). */
  affine?: boolean;
}

const shapeOf = (op: string, size: number | Shape): number[] =>
  (typeof size === 'number' ? [size] : [...size]).map((d) => checkSize(op, 'normalizedShape', d));

/** `layerNorm` over the last axes, which have the lengths `normalizedShape`. */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  /** Of the shape `normalizedShape`. */
  weight: Tensor | null;
  bias: Tensor | null;

  constructor(normalizedShape: number | Shape, options: NormOptions & { bias?: boolean } = {}) {
    super();
    this.normalizedShape = shapeOf('LayerNorm', normalizedShape);
    this.eps = options.eps ?? 1e-5;
    const affine = options.affine ?? true;
    this.weight = affine ? parameter(ones(this.normalizedShape)) : null;
    this.bias = affine && (options.bias ?? true) ? parameter(zeros(this.normalizedShape)) : null;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, this.weight, this.bias, this.eps);
  }
}

/** `rmsNorm` over the last axes, which have the lengths `normalizedShape`. */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number | null;
  /** Of the shape `normalizedShape`. */
  weight: Tensor | null;

  constructor(normalizedShape: number | Shape, options: NormOptions = {}) {
    super();
    this.normalizedShape = shapeOf('RMSNorm', normalizedShape);
    this.eps = options.eps ?? null;
    this.weight = (options.affine ?? true) ? parameter(ones(this.normalizedShape)) : null;
  }

  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.normalizedShape, this.weight, this.eps);
  }
}

/** `groupNorm` of [N, numChannels, ...] in equal groups of channels. */
export class GroupNorm extends Module {
  readonly eps: number;
  /** [numChannels] */
  weight: Tensor | null;
  bias: Tensor | null;

  constructor(
    readonly numGroups: number,
    readonly numChannels: number,
    options: NormOptions = {},
  ) {
    super();
    checkSize('GroupNorm', 'numGroups', numGroups);
    checkSize('GroupNorm', 'numChannels', numChannels);
    if (numChannels % numGroups !== 0) {
      throw new ArgumentError(`[GroupNorm] ${numChannels} channels are not divisible by ${numGroups} groups`);
    }
    this.eps = options.eps ?? 1e-5;
    const affine = options.affine ?? true;
    this.weight = affine ? parameter(ones([numChannels])) : null;
    this.bias = affine ? parameter(zeros([numChannels])) : null;
  }

  forward(x: Tensor): Tensor {
    return groupNorm(x, this.numGroups, this.weight, this.bias, this.eps);
  }
}

export interface RunningNormOptions extends NormOptions {
  /** How far running statistics move towards those of a batch (0.1). */
  momentum?: number;
  /** Whether there are running statistics. */
  trackRunningStats?: boolean;
}

/** What batch and instance normalisation have in common: parameters and running statistics by channel. */
class ChannelNorm extends Module {
  readonly eps: number;
  readonly momentum: number;
  /** [numFeatures] */
  weight: Tensor | null;
  bias: Tensor | null;
  /** [numFeatures], saved but not trained; null where nothing is tracked. */
  runningMean: Tensor | null = null;
  runningVar: Tensor | null = null;

  constructor(op: string, numFeatures: number, options: RunningNormOptions, affine: boolean, track: boolean) {
    super();
    checkSize(op, 'numFeatures', numFeatures);
    this.eps = options.eps ?? 1e-5;
    this.momentum = options.momentum ?? 0.1;
    this.weight = (options.affine ?? affine) ? parameter(ones([numFeatures])) : null;
    this.bias = (options.affine ?? affine) ? parameter(zeros([numFeatures])) : null;
    if (options.trackRunningStats ?? track) {
      this.runningMean = this.registerBuffer('runningMean', zeros([numFeatures]));
      this.runningVar = this.registerBuffer('runningVar', ones([numFeatures]));
    }
  }
}

/**
 * `batchNorm` of [N, numFeatures, ...]: by the batch's statistics while training, by the running ones under `eval()` (by the batch's
 * where nothing is tracked).
 */
export class BatchNorm extends ChannelNorm {
  constructor(
    readonly numFeatures: number,
    options: RunningNormOptions = {},
  ) {
    super('BatchNorm', numFeatures, options, true, true);
  }

  forward(x: Tensor): Tensor {
    const ofBatch = this.training || this.runningMean === null;
    return batchNorm(x, this.runningMean, this.runningVar, this.weight, this.bias, ofBatch, this.momentum, this.eps);
  }
}

/** `BatchNorm` of [N, numFeatures] and [N, numFeatures, L]. */
export class BatchNorm1d extends BatchNorm {}
/** `BatchNorm` of images [N, numFeatures, H, W]. */
export class BatchNorm2d extends BatchNorm {}
/** `BatchNorm` of volumes [N, numFeatures, D, H, W]. */
export class BatchNorm3d extends BatchNorm {}

/** `instanceNorm` of [N, numFeatures, ...]; without parameters and running statistics unless the options ask for them. */
export class InstanceNorm extends ChannelNorm {
  constructor(
    readonly numFeatures: number,
    options: RunningNormOptions = {},
  ) {
    super('InstanceNorm', numFeatures, options, false, false);
  }

  forward(x: Tensor): Tensor {
    const ofInput = this.training || this.runningMean === null;
    return instanceNorm(x, this.runningMean, this.runningVar, this.weight, this.bias, ofInput, this.momentum, this.eps);
  }
}

/** `InstanceNorm` of [N, numFeatures, L]. */
export class InstanceNorm1d extends InstanceNorm {}
/** `InstanceNorm` of images [N, numFeatures, H, W]. */
export class InstanceNorm2d extends InstanceNorm {}
/** `InstanceNorm` of volumes [N, numFeatures, D, H, W]. */
export class InstanceNorm3d extends InstanceNorm {}

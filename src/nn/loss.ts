import { type CrossEntropyOptions, crossEntropy, type LossOptions, mseLoss, type Tensor } from '../tensor/index.js';
import { Module } from './module.js';

/** Cross-entropy of scores [N, classes, ...] with i32 labels [N, ...] or f32 probabilities. */
export class CrossEntropyLoss extends Module {
  constructor(private readonly options: CrossEntropyOptions = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return crossEntropy(input, target, this.options);
  }
}

/** Mean squared difference of two tensors of one shape. */
export class MSELoss extends Module {
  constructor(private readonly options: LossOptions = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, this.options);
  }
}

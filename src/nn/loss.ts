import {
  type BinaryLossOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type ClassLossOptions,
  type CrossEntropyOptions,
  type CtcLengths,
  type CtcOptions,
  cosineEmbeddingLoss,
  crossEntropy,
  ctcLoss,
  type DivergenceOptions,
  type GaussianLossOptions,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  huberLoss,
  klDiv,
  type LogitsLossOptions,
  type LossOptions,
  l1Loss,
  type MarginOptions,
  type MultiMarginOptions,
  marginRankingLoss,
  mseLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  nllLoss,
  type PoissonLossOptions,
  poissonNllLoss,
  smoothL1Loss,
  softMarginLoss,
  type Tensor,
  type TripletOptions,
  tripletMarginLoss,
} from '../tensor/index.js';
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

/** Minus the log-probability of i32 labels. See `nllLoss`. */
export class NLLLoss extends Module {
  constructor(private readonly options: ClassLossOptions = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return nllLoss(input, target, this.options);
  }
}

/** Mean absolute difference. See `l1Loss`. */
export class L1Loss extends Module {
  constructor(private readonly options: LossOptions = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss(input, target, this.options);
  }
}

/** Half the squared difference over beta up to beta, linear beyond. See `smoothL1Loss`. */
export class SmoothL1Loss extends Module {
  constructor(private readonly options: LossOptions & { beta?: number } = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return smoothL1Loss(input, target, this.options);
  }
}

/** Half the squared difference up to delta, linear beyond. See `huberLoss`. */
export class HuberLoss extends Module {
  constructor(private readonly options: LossOptions & { delta?: number } = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return huberLoss(input, target, this.options);
  }
}

/** Binary cross-entropy of probabilities. See `binaryCrossEntropy`. */
export class BCELoss extends Module {
  constructor(private readonly options: BinaryLossOptions = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropy(input, target, this.options);
  }
}

/** Binary cross-entropy of logits. See `binaryCrossEntropyWithLogits`. */
export class BCEWithLogitsLoss extends Module {
  constructor(private readonly options: LogitsLossOptions = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropyWithLogits(input, target, this.options);
  }
}

/** Kullback-Leibler divergence of log-probabilities. See `klDiv`. */
export class KLDivLoss extends Module {
  constructor(private readonly options: DivergenceOptions = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return klDiv(input, target, this.options);
  }
}

/** Minus the log-probability of counts. See `poissonNllLoss`. */
export class PoissonNLLLoss extends Module {
  constructor(private readonly options: PoissonLossOptions = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return poissonNllLoss(input, target, this.options);
  }
}

/** log(1 + e^(-target x)). See `softMarginLoss`. */
export class SoftMarginLoss extends Module {
  constructor(private readonly options: LossOptions = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return softMarginLoss(input, target, this.options);
  }
}

/** x where the target is 1, max(0, margin - x) where it is -1. See `hingeEmbeddingLoss`. */
export class HingeEmbeddingLoss extends Module {
  constructor(private readonly options: MarginOptions = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return hingeEmbeddingLoss(input, target, this.options);
  }
}

/** What is missing to a margin between the score of the label and others. See `multiMarginLoss`. */
export class MultiMarginLoss extends Module {
  constructor(private readonly options: MultiMarginOptions = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return multiMarginLoss(input, target, this.options);
  }
}

/** The mean of binary cross-entropies over classes. See `multilabelSoftMarginLoss`. */
export class MultiLabelSoftMarginLoss extends Module {
  constructor(private readonly options: LossOptions & { weight?: Tensor | null } = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return multilabelSoftMarginLoss(input, target, this.options);
  }
}

/** Minus the log-probability under normal distributions. See `gaussianNllLoss`. */
export class GaussianNLLLoss extends Module {
  constructor(private readonly options: GaussianLossOptions = {}) {
    super();
  }

  forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    return gaussianNllLoss(input, target, variance, this.options);
  }
}

/** max(0, margin - target (a - b)). See `marginRankingLoss`. */
export class MarginRankingLoss extends Module {
  constructor(private readonly options: MarginOptions = {}) {
    super();
  }

  forward(a: Tensor, b: Tensor, target: Tensor): Tensor {
    return marginRankingLoss(a, b, target, this.options);
  }
}

/** By the cosine of vectors that belong together (1) or not (-1). See `cosineEmbeddingLoss`. */
export class CosineEmbeddingLoss extends Module {
  constructor(private readonly options: MarginOptions = {}) {
    super();
  }

  forward(a: Tensor, b: Tensor, target: Tensor): Tensor {
    return cosineEmbeddingLoss(a, b, target, this.options);
  }
}

/** By the distances of an anchor to what belongs to it and what does not. See `tripletMarginLoss`. */
export class TripletMarginLoss extends Module {
  constructor(private readonly options: TripletOptions = {}) {
    super();
  }

  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return tripletMarginLoss(anchor, positive, negative, this.options);
  }
}

/** Connectionist temporal classification. See `ctcLoss`. */
export class CTCLoss extends Module {
  constructor(private readonly options: CtcOptions = {}) {
    super();
  }

  forward(logProbs: Tensor, targets: Tensor, inputLengths: CtcLengths, targetLengths: CtcLengths): Tensor {
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, this.options);
  }
}

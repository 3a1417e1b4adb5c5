import { ArgumentError } from '../graph/index.js';
import {
  celu,
  dropout,
  elu,
  full,
  type GeluOptions,
  gelu,
  glu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  mish,
  prelu,
  relu,
  relu6,
  type SoftplusOptions,
  selu,
  sigmoid,
  silu,
  softmax,
  softmin,
  softplus,
  softshrink,
  softsign,
  type Tensor,
  tanh,
  tanhshrink,
  threshold,
} from '../tensor/index.js';
import { checkSize } from './linear.js';
import { Module } from './module.js';
import { parameter } from './parameter.js';

/** max(x, 0). */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

export class GELU extends Module {
  constructor(private readonly options?: GeluOptions) {
    super();
  }

  forward(x: Tensor): Tensor {
    return gelu(x, this.options);
  }
}

/** relu that stops at 6. */
export class ReLU6 extends Module {
  forward(x: Tensor): Tensor {
    return relu6(x);
  }
}

/** `elu` with the alpha and the scale that keep mean and variance. */
export class SELU extends Module {
  forward(x: Tensor): Tensor {
    return selu(x);
  }
}

/** x sigmoid(x). */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** x tanh(softplus(x)). */
export class Mish extends Module {
  forward(x: Tensor): Tensor {
    return mish(x);
  }
}

/** x / (1 + |x|). */
export class Softsign extends Module {
  forward(x: Tensor): Tensor {
    return softsign(x);
  }
}

/** x `hardsigmoid`(x). */
export class Hardswish extends Module {
  forward(x: Tensor): Tensor {
    return hardswish(x);
  }
}

/** A straight line from 0 at -3 to 1 at 3. */
export class Hardsigmoid extends Module {
  forward(x: Tensor): Tensor {
    return hardsigmoid(x);
  }
}

/** log(sigmoid(x)). */
export class LogSigmoid extends Module {
  forward(x: Tensor): Tensor {
    return logSigmoid(x);
  }
}

/** x - tanh(x). */
export class Tanhshrink extends Module {
  forward(x: Tensor): Tensor {
    return tanhshrink(x);
  }
}

/** x where positive, `negativeSlope` times x elsewhere. */
export class LeakyReLU extends Module {
  constructor(readonly negativeSlope = 0.01) {
    super();
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, this.negativeSlope);
  }
}

/** x where positive, alpha (e^x - 1) elsewhere. */
export class ELU extends Module {
  constructor(readonly alpha = 1) {
    super();
  }

  forward(x: Tensor): Tensor {
    return elu(x, this.alpha);
  }
}

/** x where positive, alpha (e^(x / alpha) - 1) elsewhere. */
export class CELU extends Module {
  constructor(readonly alpha = 1) {
    super();
  }

  forward(x: Tensor): Tensor {
    return celu(x, this.alpha);
  }
}

/** x moved towards 0 by `lambd`. */
export class Softshrink extends Module {
  constructor(readonly lambd = 0.5) {
    super();
  }

  forward(x: Tensor): Tensor {
    return softshrink(x, this.lambd);
  }
}

/** x, or 0 where |x| <= lambd. */
export class Hardshrink extends Module {
  constructor(readonly lambd = 0.5) {
    super();
  }

  forward(x: Tensor): Tensor {
    return hardshrink(x, this.lambd);
  }
}

/** The first half of an axis times the sigmoid of the second. */
export class GLU extends Module {
  constructor(readonly dim = -1) {
    super();
  }

  forward(x: Tensor): Tensor {
    return glu(x, this.dim);
  }
}

/** Logarithms of `Softmax`. */
export class LogSoftmax extends Module {
  constructor(readonly dim = -1) {
    super();
  }

  forward(x: Tensor): Tensor {
    return logSoftmax(x, this.dim);
  }
}

/** `Softmax` of -x. */
export class Softmin extends Module {
  constructor(readonly dim = -1) {
    super();
  }

  forward(x: Tensor): Tensor {
    return softmin(x, this.dim);
  }
}

/** Limits every element to min..max. */
export class Hardtanh extends Module {
  constructor(
    readonly min = -1,
    readonly max = 1,
  ) {
    super();
  }

  forward(x: Tensor): Tensor {
    return hardtanh(x, this.min, this.max);
  }
}

/** x where it is above `threshold`, `value` elsewhere. */
export class Threshold extends Module {
  constructor(
    readonly threshold: number,
    readonly value: number,
  ) {
    super();
  }

  forward(x: Tensor): Tensor {
    return threshold(x, this.threshold, this.value);
  }
}

/** log(1 + e^(beta x)) / beta. */
export class Softplus extends Module {
  constructor(private readonly options?: SoftplusOptions) {
    super();
  }

  forward(x: Tensor): Tensor {
    return softplus(x, this.options);
  }
}

/** x where positive, a trained slope times x elsewhere: one for all, or one for each channel (axis 1). */
export class PReLU extends Module {
  /** [numParameters] */
  weight: Tensor;

  constructor(
    readonly numParameters = 1,
    init = 0.25,
  ) {
    super();
    this.weight = parameter(full([checkSize('PReLU', 'numParameters', numParameters)], init));
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}

/** Exponentials that add up to 1 along an axis, the last by default. */
export class Softmax extends Module {
  constructor(readonly dim = -1) {
    super();
  }

  forward(x: Tensor): Tensor {
    return softmax(x, this.dim);
  }
}

/** While training, zeroes each element with probability p and divides the others by 1 - p; the identity under `eval()`. */
export class Dropout extends Module {
  constructor(readonly p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) throw new ArgumentError(`[Dropout] p is ${String(p)} (expected 0..1)`);
  }

  forward(x: Tensor): Tensor {
    return dropout(x, this.p, this.training);
  }
}

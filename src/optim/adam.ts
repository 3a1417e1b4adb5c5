import { ArgumentError } from '../graph/index.js';
import { scalar, type Tensor } from '../tensor/index.js';
import { checkOption } from './checks.js';
import { Optimizer, type ParamGroupInput, type StateTensors, type Update } from './optimizer.js';

export interface AdamOptions {
  /** Learning rate (0.001). */
  lr: number;
  /** How much of the running means of the gradient and of its square is kept ([0.9, 0.999]). */
  betas: readonly [number, number];
  /** Added to the divisor (1e-8). */
  eps: number;
  /** Adam: factor of the parameters that is added to their gradients (0). AdamW: share of them, times lr, that is taken off (0.01). */
  weightDecay: number;
}

type Params = readonly Tensor[] | readonly ParamGroupInput<AdamOptions>[];
type Rule = (p: Tensor, grad: Tensor, state: StateTensors) => Update;

const DEFAULTS: AdamOptions = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 };

function checkAdam(op: string, { lr, betas, eps, weightDecay }: AdamOptions): void {
  checkOption(op, 'lr', lr, 0);
  if (!Array.isArray(betas) || betas.length !== 2) {
    throw new ArgumentError(`[${op}] betas are ${String(betas)} (expected two numbers)`);
  }
  checkOption(op, 'betas[0]', betas[0], 0, 1);
  checkOption(op, 'betas[1]', betas[1], 0, 1);
  checkOption(op, 'eps', eps, 0);
  checkOption(op, 'weightDecay', weightDecay, 0);
}

/** Adam's update of a parameter by a gradient, weight decay aside. */
function adamRule({ lr, betas: [beta1, beta2], eps }: AdamOptions, step: number): Rule {
  const stepSize = scalar(lr / (1 - beta1 ** step));
  const rootCorrection = scalar(Math.sqrt(1 - beta2 ** step));
  return (p, grad, { expAvg, expAvgSq }) => {
    const mean = expAvg!.mul(beta1).add(grad.mul(1 - beta1));
    const square = expAvgSq!.mul(beta2).add(grad.mul(grad).mul(1 - beta2));
    const divisor = square.sqrt().div(rootCorrection).add(eps);
    return {
      parameter: p.sub(mean.div(divisor).mul(stepSize)),
      state: { expAvg: mean, expAvgSq: square },
    };
  };
}

/** Adam with PyTorch's formulas; weight decay is added to the gradient. */
export class Adam extends Optimizer<AdamOptions> {
  constructor(params: Params, options: Partial<AdamOptions> = {}) {
    super('Adam', params, options, DEFAULTS);
  }

  protected check(options: AdamOptions): void {
    checkAdam('Adam', options);
  }

  protected stateNames(): readonly string[] {
    return ['expAvg', 'expAvgSq'];
  }

  protected rule(options: AdamOptions, step: number): Rule {
    const adam = adamRule(options, step);
    const { weightDecay } = options;
    return weightDecay === 0 ? adam : (p, grad, state) => adam(p, grad.add(p.mul(weightDecay)), state);
  }
}

/** Adam whose weight decay shrinks the parameters themselves, apart from the gradient. */
export class AdamW extends Optimizer<AdamOptions> {
  constructor(params: Params, options: Partial<AdamOptions> = {}) {
    super('AdamW', params, options, { ...DEFAULTS, weightDecay: 0.01 });
  }

  protected check(options: AdamOptions): void {
    checkAdam('AdamW', options);
  }

  protected stateNames(): readonly string[] {
    return ['expAvg', 'expAvgSq'];
  }

  protected rule(options: AdamOptions, step: number): Rule {
    const adam = adamRule(options, step);
    if (options.weightDecay === 0) return adam;
    const kept = scalar(1 - options.lr * options.weightDecay);
    return (p, grad, state) => adam(p.mul(kept), grad, state);
  }
}

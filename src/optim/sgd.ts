import { ArgumentError } from '../graph/index.js';
import { scalar, type Tensor } from '../tensor/index.js';
import { checkOption } from './checks.js';
import { Optimizer, type ParamGroupInput, type StateTensors, type Update } from './optimizer.js';

export interface SGDOptions {
  /** Learning rate. */
  lr: number;
  /** Share of the last update that is kept (0). */
  momentum: number;
  /** Share of the gradient that does not enter the momentum (0). */
  dampening: number;
  /** Factor of the parameters that is added to their gradients (0). */
  weightDecay: number;
  /** Nesterov's momentum, which looks one update ahead (false). */
  nesterov: boolean;
}

/** Without a learning rate: it has to be given. */
const DEFAULTS: SGDOptions = { lr: Number.NaN, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false };

/** Stochastic gradient descent, with PyTorch's formulas: momentum b = momentum b + (1 - dampening) g, then p = p - lr b. */
export class SGD extends Optimizer<SGDOptions> {
  constructor(
    params: readonly Tensor[] | readonly ParamGroupInput<SGDOptions>[],
    options: Partial<SGDOptions> & Pick<SGDOptions, 'lr'>,
  ) {
    super('SGD', params, options, DEFAULTS);
  }

  protected check({ lr, momentum, dampening, weightDecay, nesterov }: SGDOptions): void {
    checkOption('SGD', 'lr', lr, 0);
    checkOption('SGD', 'momentum', momentum, 0);
    checkOption('SGD', 'dampening', dampening, Number.NEGATIVE_INFINITY);
    checkOption('SGD', 'weightDecay', weightDecay, 0);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ArgumentError(`[SGD] nesterov with momentum ${momentum}, dampening ${dampening} (expected > 0 and 0)`);
    }
  }

  protected stateNames({ momentum }: SGDOptions): readonly string[] {
    return momentum === 0 ? [] : ['momentumBuffer'];
  }

  protected rule(options: SGDOptions, step: number): (p: Tensor, grad: Tensor, state: StateTensors) => Update {
    const { momentum, dampening, weightDecay, nesterov } = options;
    const lr = scalar(options.lr);
    // The first gradient enters the momentum undampened.
    const share = dampening === 0 ? null : scalar(step === 1 ? 1 : 1 - dampening);
    return (p, grad, { momentumBuffer }): Update => {
      const g = weightDecay === 0 ? grad : grad.add(p.mul(weightDecay));
      if (momentumBuffer === undefined) return { parameter: p.sub(g.mul(lr)), state: {} };
      const buffer = momentumBuffer.mul(momentum).add(share === null ? g : g.mul(share));
      const direction = nesterov ? g.add(buffer.mul(momentum)) : buffer;
      return { parameter: p.sub(direction.mul(lr)), state: { momentumBuffer: buffer } };
    };
  }
}

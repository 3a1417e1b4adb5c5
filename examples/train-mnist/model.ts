import type { Tensor } from 'tiller';
import * as nn from 'tiller/nn';

/** A multi-layer perceptron: images [n, 784] in 0..1 to scores [n, 10], with ReLU between its layers. */
export class DigitClassifier extends nn.Module {
  readonly layers: nn.Linear[];

  constructor(readonly hidden: readonly number[]) {
    super();
    const sizes = [784, ...hidden, 10];
    this.layers = sizes.slice(1).map((size, i) => new nn.Linear(sizes[i]!, size));
  }

  forward(x: Tensor): Tensor {
    let h = x;
    this.layers.forEach((layer, i) => {
      h = layer.forward(i === 0 ? h : h.relu());
    });
    return h;
  }

  /** The network that weights were saved from, whatever its hidden layers. */
  static fromWeights(weights: Record<string, Tensor>): DigitClassifier {
    const hidden: number[] = [];
    for (let i = 0; weights[`layers.${i + 1}.weight`] !== undefined; i++) {
      hidden.push(weights[`layers.${i}.weight`]?.shape[0] ?? 0);
    }
    const net = new DigitClassifier(hidden);
    net.loadStateDict(weights);
    net.eval();
    return net;
  }
}

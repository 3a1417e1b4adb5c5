import { compile, crossEntropy, type Tensor, tensor } from 'tiller';
import * as nn from 'tiller/nn';
import * as optim from 'tiller/optim';
import { Random } from '../random.js';
import type { HostArray, TrainCase } from './case.js';
import { permuted } from './layouts.js';
import { tfjsTraining } from './tfjsTraining.js';
import {
  ADAM,
  type Batch,
  batchAt,
  initialWeight,
  jaxCrossEntropy,
  jaxTraining,
  makeBatches,
  tillerTraining,
} from './training.js';

const WIDTHS = [784, 256, 128, 10] as const;
const BATCH = 128;

const batches = () => makeBatches(9, [WIDTHS[0]], BATCH);

/** Weight [out, in] and bias of each layer, in turn. */
function initial(): HostArray[] {
  const random = new Random(10);
  return WIDTHS.slice(1).flatMap((outputs, i) => {
    const inputs = WIDTHS[i]!;
    return [initialWeight(random, [outputs, inputs], inputs), initialWeight(random, [outputs], inputs)];
  });
}

/** The peers multiply by [in, out]. */
const inFirst = (weights: HostArray[]) => weights.map((w) => (w.shape.length === 2 ? permuted(w, [1, 0]) : w));

/** tiller's perceptron, and its optimizer. */
function perceptron(): { net: nn.Sequential; adam: optim.Adam } {
  const net = new nn.Sequential(
    new nn.Linear(WIDTHS[0], WIDTHS[1]),
    new nn.ReLU(),
    new nn.Linear(WIDTHS[1], WIDTHS[2]),
    new nn.ReLU(),
    new nn.Linear(WIDTHS[2], WIDTHS[3]),
  );
  const weights = initial();
  const names = Object.keys(net.stateDict());
  net.loadStateDict(Object.fromEntries(names.map((name, i) => [name, tensor(weights[i]!.data, weights[i]!)])));
  const adam = new optim.Adam(net.parameters(), { lr: ADAM.lr, betas: [ADAM.beta1, ADAM.beta2], eps: ADAM.epsilon });
  return { net, adam };
}

/** The whole step under `compile`: of images and labels to the loss. */
export function compiledPerceptron(): {
  step: (images: Tensor, labels: Tensor) => Tensor;
  batches: Batch[];
  dispose(): void;
} {
  const { net, adam } = perceptron();
  const step = compile((images: Tensor, labels: Tensor) => {
    adam.zeroGrad();
    const loss = crossEntropy(net.forward(images), labels);
    loss.backward();
    void adam.step();
    return loss;
  });
  return {
    step,
    batches: batches(),
    dispose() {
      for (const parameter of net.parameters()) parameter.dispose();
    },
  };
}

export const mlpStep: TrainCase = {
  name: 'mlpStep',
  what: 'training step of a 784-256-128-10 perceptron: upload of 128 images, loss, gradients, Adam, loss read back',
  kind: 'train',
  flops: 3 * 2 * BATCH * (784 * 256 + 256 * 128 + 128 * 10),
  tolerance: 1e-3,

  async tiller() {
    const { net, adam } = perceptron();
    return tillerTraining(
      ({ images, labels }) => crossEntropy(net.forward(tensor(images.data, images)), tensor(labels)),
      adam,
      net.parameters(),
      batches(),
    );
  },

  async jaxjs(jax) {
    const { numpy: np, nn } = jax;
    return jaxTraining(
      jax,
      ([w1, b1, w2, b2, w3, b3], x, labels) => {
        const h1 = nn.relu(np.matmul(x, w1!).add(b1!));
        const h2 = nn.relu(np.matmul(h1, w2!).add(b2!));
        return jaxCrossEntropy(jax, np.matmul(h2, w3!).add(b3!), labels);
      },
      inFirst(initial()),
      batches(),
    );
  },

  async tfjs(tf) {
    return tfjsTraining(
      tf,
      ([w1, b1, w2, b2, w3, b3], x) => {
        const h1 = tf.relu(tf.add(tf.matMul(x, w1!), b1!));
        const h2 = tf.relu(tf.add(tf.matMul(h1, w2!), b2!));
        return tf.add(tf.matMul(h2, w3!), b3!);
      },
      inFirst(initial()),
      batches(),
    );
  },

  torch: () => ({ weights: initial(), batches: batches() }),
};

export const mlpStepCompiled: TrainCase = {
  ...mlpStep,
  name: 'mlpStepCompiled',
  what: 'the same training step, tiller under `compile`',
  async tiller() {
    const { step, batches, dispose } = compiledPerceptron();
    return {
      async step(i) {
        const { images, labels } = batchAt(batches, i);
        return Number(await step(tensor(images.data, images), tensor(labels)).item());
      },
      dispose,
    };
  },
};

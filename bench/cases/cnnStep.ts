import { crossEntropy, tensor } from 'tiller';
import * as nn from 'tiller/nn';
import * as optim from 'tiller/optim';
import { Random } from '../random.js';
import type { HostArray, TrainCase } from './case.js';
import { permuted, toHWIO, toNHWC } from './layouts.js';
import { tfjsTraining } from './tfjsTraining.js';
import { ADAM, CLASSES, initialWeight, jaxCrossEntropy, jaxTraining, makeBatches, tillerTraining } from './training.js';

const BATCH = 32;
const SIZE = 28;
const FILTERS = [8, 16] as const;
/** The side of the image after two halvings. */
const END = SIZE / 4;
const FEATURES = FILTERS[1] * END * END;
const PADDING: [number, number][] = [
  [1, 1],
  [1, 1],
];

const batches = () => makeBatches(11, [1, SIZE, SIZE], BATCH);

function initial(): HostArray[] {
  const random = new Random(12);
  const layer = (shape: number[], fanIn: number) => [
    initialWeight(random, shape, fanIn),
    initialWeight(random, [shape[0]!], fanIn),
  ];
  return [
    ...layer([FILTERS[0], 1, 3, 3], 9),
    ...layer([FILTERS[1], FILTERS[0], 3, 3], FILTERS[0] * 9),
    ...layer([CLASSES, FEATURES], FEATURES),
  ];
}

/** The peers multiply by [in, out]. */
function jaxInitial(): HostArray[] {
  const [w1, b1, w2, b2, w3, b3] = initial();
  return [w1!, b1!, w2!, b2!, permuted(w3!, [1, 0]), b3!];
}

/** In tfjs the features of an image lie in the order H, W, channel. */
function tfjsInitial(): HostArray[] {
  const [w1, b1, w2, b2, w3, b3] = initial();
  const features = permuted({ data: w3!.data, shape: [CLASSES, FILTERS[1], END, END] }, [2, 3, 1, 0]);
  return [toHWIO(w1!), b1!, toHWIO(w2!), b2!, { data: features.data, shape: [FEATURES, CLASSES] }, b3!];
}

export const cnnStep: TrainCase = {
  name: 'cnnStep',
  what:
    'training step of a small convolutional net on 32 images of 28 x 28: 3 x 3 to 8 channels, pool, 3 x 3 to 16, pool, linear; ' +
    'upload, loss, gradients, Adam, loss read back',
  kind: 'train',
  tolerance: 1e-3,
  cannot: { 'tfjs wasm': 'its WebAssembly backend has no gradient for filters' },

  async tiller() {
    const net = new nn.Sequential(
      new nn.Conv2d(1, FILTERS[0], 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Conv2d(FILTERS[0], FILTERS[1], 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(FEATURES, CLASSES),
    );
    const weights = initial();
    const names = Object.keys(net.stateDict());
    net.loadStateDict(Object.fromEntries(names.map((name, i) => [name, tensor(weights[i]!.data, weights[i]!)])));
    const adam = new optim.Adam(net.parameters(), { lr: ADAM.lr, betas: [ADAM.beta1, ADAM.beta2], eps: ADAM.epsilon });
    return tillerTraining(
      ({ images, labels }) => crossEntropy(net.forward(tensor(images.data, images)), tensor(labels)),
      adam,
      net.parameters(),
      batches(),
    );
  },

  async jaxjs(jax) {
    const { numpy: np, nn, lax } = jax;
    return jaxTraining(
      jax,
      ([w1, b1, w2, b2, w3, b3], x, labels) => {
        const layer = (input: typeof x, w: typeof x, b: typeof x, filters: number) => {
          const convolved = lax.convGeneralDilated(input, w, [1, 1], PADDING).add(b.reshape([filters, 1, 1]));
          return lax.reduceWindow(nn.relu(convolved), (window) => np.max(window), [2, 2], [2, 2]);
        };
        const features = layer(layer(x, w1!, b1!, FILTERS[0]), w2!, b2!, FILTERS[1]).reshape([BATCH, FEATURES]);
        return jaxCrossEntropy(jax, np.matmul(features, w3!).add(b3!), labels);
      },
      jaxInitial(),
      batches(),
    );
  },

  async tfjs(tf) {
    const nhwc = batches().map(({ images, labels }) => ({ images: toNHWC(images), labels }));
    return tfjsTraining(
      tf,
      ([w1, b1, w2, b2, w3, b3], x) => {
        const h1 = tf.maxPool(tf.relu(tf.add(tf.conv2d(x, w1!, 1, 'same'), b1!)), 2, 2, 'valid');
        const h2 = tf.maxPool(tf.relu(tf.add(tf.conv2d(h1, w2!, 1, 'same'), b2!)), 2, 2, 'valid');
        return tf.add(tf.matMul(tf.reshape(h2, [BATCH, FEATURES]), w3!), b3!);
      },
      tfjsInitial(),
      nhwc,
    );
  },
};

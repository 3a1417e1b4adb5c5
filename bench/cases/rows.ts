import { softmax } from 'tiller';
import { Random } from '../random.js';
import type { HostArray, OpCase } from './case.js';

const ROWS = 2048;
const COLUMNS = 1024;
const EPSILON = 1e-5;

function matrix(random: Random): HostArray {
  return { data: random.uniform(ROWS * COLUMNS, -4, 4), shape: [ROWS, COLUMNS] };
}

export const softmax2048x1024: OpCase = {
  name: 'softmax2048x1024',
  what: 'softmax over the rows of 2048 x 1024',
  kind: 'op',
  tolerance: 1e-4,
  inputs: () => [matrix(new Random(3))],
  tiller: (x) => softmax(x!, -1),
  jaxjs: ({ nn }, x) => nn.softmax(x!, -1),
  tfjs: (tf, x) => tf.softmax(x!, -1),
  ort: (graph, x) => graph.node('Softmax', [x!], { axis: -1 }),
  torch: true,
};

export const layerNorm2048x1024: OpCase = {
  name: 'layerNorm2048x1024',
  what: 'layer normalisation of the rows of 2048 x 1024, with weight and bias',
  kind: 'op',
  tolerance: 1e-4,
  inputs: () => {
    const random = new Random(4);
    return [
      matrix(random),
      { data: random.uniform(COLUMNS, 0.5, 1.5), shape: [COLUMNS] },
      { data: random.uniform(COLUMNS, -1, 1), shape: [COLUMNS] },
    ];
  },
  tiller: (x, weight, bias) => {
    const centred = x!.sub(x!.mean(-1, { keepDim: true }));
    const variance = centred.mul(centred).mean(-1, { keepDim: true });
    return centred.mul(variance.add(EPSILON).rsqrt()).mul(weight!).add(bias!);
  },
  jaxjs: ({ nn }, x, weight, bias) => nn.standardize(x!, -1, { epsilon: EPSILON }).mul(weight!).add(bias!),
  tfjs: (tf, x, weight, bias) => {
    const { mean, variance } = tf.moments(x!, -1, true);
    const normalised = tf.mul(tf.sub(x!, mean), tf.rsqrt(tf.add(variance, EPSILON)));
    return tf.add(tf.mul(normalised, weight!), bias!);
  },
  ort: (graph, x, weight, bias) =>
    graph.node('LayerNormalization', [x!, weight!, bias!], { axis: -1, epsilon: EPSILON }),
  torch: true,
};

export const sumRows: OpCase = {
  name: 'sumRows',
  what: 'sum of each row of 2048 x 1024',
  kind: 'op',
  tolerance: 1e-4,
  inputs: () => [matrix(new Random(5))],
  tiller: (x) => x!.sum(1),
  jaxjs: (_, x) => x!.sum(1),
  tfjs: (tf, x) => tf.sum(x!, 1),
  ort: (graph, x) => graph.node('ReduceSum', [x!, graph.integers([1])], { keepdims: 0 }),
  torch: true,
};

export const sumColumns: OpCase = {
  name: 'sumColumns',
  what: 'sum of each column of 2048 x 1024',
  kind: 'op',
  tolerance: 1e-4,
  inputs: () => [matrix(new Random(6))],
  tiller: (x) => x!.sum(0),
  jaxjs: (_, x) => x!.sum(0),
  tfjs: (tf, x) => tf.sum(x!, 0),
  ort: (graph, x) => graph.node('ReduceSum', [x!, graph.integers([0])], { keepdims: 0 }),
  torch: true,
};

import { mul, sigmoid } from 'tiller';
import { Random } from '../random.js';
import type { OpCase } from './case.js';

const N = 2 ** 21;

export const elementwise2M: OpCase = {
  name: 'elementwise2M',
  what: 'sigmoid(a * b + c) * a of three arrays of 2,097,152 numbers',
  kind: 'op',
  tolerance: 1e-5,
  inputs: () => {
    const random = new Random(2);
    return [0, 1, 2].map(() => ({ data: random.uniform(N, -3, 3), shape: [N] }));
  },
  tiller: (a, b, c) => mul(sigmoid(a!.mul(b!).add(c!)), a!),
  jaxjs: ({ nn }, a, b, c) => nn.sigmoid(a!.ref.mul(b!).add(c!)).mul(a!),
  tfjs: (tf, a, b, c) => tf.mul(tf.sigmoid(tf.add(tf.mul(a!, b!), c!)), a!),
  ort: (graph, a, b, c) => {
    const sum = graph.node('Add', [graph.node('Mul', [a!, b!]), c!]);
    return graph.node('Mul', [graph.node('Sigmoid', [sum]), a!]);
  },
  torch: true,
};

import { matmul } from 'tiller';
import { Random } from '../random.js';
import type { OpCase } from './case.js';

function square(n: number): OpCase {
  return {
    name: `matmul${n}`,
    what: `product of two ${n} x ${n} matrices`,
    kind: 'op',
    flops: 2 * n ** 3,
    tolerance: 1e-4,
    inputs: () => {
      const random = new Random(n);
      return [0, 1].map(() => ({ data: random.uniform(n * n, -1, 1), shape: [n, n] }));
    },
    tiller: (a, b) => matmul(a!, b!),
    jaxjs: ({ numpy }, a, b) => numpy.matmul(a!, b!),
    tfjs: (tf, a, b) => tf.matMul(a!, b!),
    ort: (graph, a, b) => graph.node('MatMul', [a!, b!]),
    torch: true,
  };
}

export const matmul512 = square(512);
export const matmul1024 = square(1024);

const N = 4096;

export const matvec4096: OpCase = {
  name: 'matvec4096',
  what: `a ${N} x ${N} matrix times a vector`,
  kind: 'op',
  flops: 2 * N * N,
  tolerance: 1e-4,
  inputs: () => {
    const random = new Random(N);
    return [
      { data: random.uniform(N * N, -1, 1), shape: [N, N] },
      { data: random.uniform(N, -1, 1), shape: [N] },
    ];
  },
  tiller: (a, x) => matmul(a!, x!),
  jaxjs: ({ numpy }, a, x) => numpy.matmul(a!, x!),
  tfjs: (tf, a, x) => tf.dot(a!, x!),
  ort: (graph, a, x) => graph.node('MatMul', [a!, x!]),
  torch: true,
};

import { cumsum, matmul, type Tensor } from 'tiller';
import { Random } from '../random.js';
import type { HostArray, OpCase } from './case.js';

/** Pairs of a product and a running sum. */
const PAIRS = 500;

/** A rotation Q, and what undoes a running sum after it, so that the numbers of a long chain stay as large as they are. */
function turning(n: number): Float32Array {
  const [a, b] = [0.7, 1.9];
  const q = [
    [Math.cos(a), -Math.sin(a), 0, 0],
    [Math.sin(a), Math.cos(a), 0, 0],
    [0, 0, Math.cos(b), -Math.sin(b)],
    [0, 0, Math.sin(b), Math.cos(b)],
  ];
  // More rows and columns turn nothing.
  const entry = (i: number, j: number) => (j < 0 ? 0 : (q[i]?.[j] ?? (i === j ? 1 : 0)));
  return Float32Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return entry(i, j) - entry(i, j - 1);
  });
}

/** The start and the factor of a chain of n x n matrices. */
export const chainInputs = (n: number): HostArray[] => [
  { data: new Random(26).uniform(n * n, -1, 1), shape: [n, n] },
  { data: turning(n), shape: [n, n] },
];

export function chain(x: Tensor, w: Tensor): Tensor {
  let y = x;
  for (let i = 0; i < PAIRS; i++) y = cumsum(matmul(y, w), 1);
  return y;
}

export const overheadChain: OpCase = {
  name: 'overheadChain',
  what: `${2 * PAIRS} dependent operations that cannot fuse, a 4 x 4 product and a running sum in turn; tiller under compile`,
  kind: 'op',
  compiled: true,
  operations: 2 * PAIRS,
  tolerance: 1e-2,
  inputs: () => chainInputs(4),
  tiller: (x, w) => chain(x!, w!),
  jaxjs: ({ numpy: np }, x, w) => {
    let y = x!;
    for (let i = 0; i < PAIRS; i++) y = np.cumsum(np.matmul(y, w!.ref), 1);
    w!.dispose();
    return y;
  },
  tfjs: (tf, x, w) => {
    let y = x!;
    for (let i = 0; i < PAIRS; i++) y = tf.cumsum(tf.matMul(y, w!), 1);
    return y;
  },
  ort: (graph, x, w) => {
    const axis = graph.integers([1]);
    let y = x!;
    for (let i = 0; i < PAIRS; i++) y = graph.node('CumSum', [graph.node('MatMul', [y, w!]), axis]);
    return y;
  },
  torch: true,
};

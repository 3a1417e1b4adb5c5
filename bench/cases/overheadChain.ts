import { cumsum, matmul } from 'tiller';
import { Random } from '../random.js';
import type { OpCase } from './case.js';

const N = 4;
/** Pairs of a product and a running sum. */
const PAIRS = 500;

/** A rotation Q, and what undoes a running sum after it, so that the numbers of a long chain stay as large as they are. */
function turning(): Float32Array {
  const [a, b] = [0.7, 1.9];
  const q = [
    [Math.cos(a), -Math.sin(a), 0, 0],
    [Math.sin(a), Math.cos(a), 0, 0],
    [0, 0, Math.cos(b), -Math.sin(b)],
    [0, 0, Math.sin(b), Math.cos(b)],
  ];
  return Float32Array.from(q.flatMap((row) => row.map((value, j) => value - (j > 0 ? row[j - 1]! : 0))));
}

export const overheadChain: OpCase = {
  name: 'overheadChain',
  what: `${2 * PAIRS} dependent operations that cannot fuse, a ${N} x ${N} product and a running sum in turn; tiller under compile`,
  kind: 'op',
  compiled: true,
  operations: 2 * PAIRS,
  tolerance: 1e-2,
  inputs: () => [
    { data: new Random(26).uniform(N * N, -1, 1), shape: [N, N] },
    { data: turning(), shape: [N, N] },
  ],
  tiller: (x, w) => {
    let y = x!;
    for (let i = 0; i < PAIRS; i++) y = cumsum(matmul(y, w!), 1);
    return y;
  },
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

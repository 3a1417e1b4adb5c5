import { scaledDotProductAttention, type Tensor, vjp } from 'tiller';
import { Random } from '../random.js';
import type { HostArray, JaxArray, JaxJs, OpCase, Tfjs, TfTensor } from './case.js';

const HEADS = 8;
const LENGTH = 512;
const SIZE = 64;
const SHAPE = [HEADS, LENGTH, SIZE];
const SCALE = 1 / Math.sqrt(SIZE);
/** Of one product: of queries with keys, or of weights with values. */
const PRODUCT_FLOPS = 2 * HEADS * LENGTH * LENGTH * SIZE;

function arrays(seed: number, count: number): HostArray[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => ({ data: random.uniform(HEADS * LENGTH * SIZE, -2, 2), shape: SHAPE }));
}

function jaxAttention({ numpy: np, nn }: JaxJs, q: JaxArray, k: JaxArray, v: JaxArray): JaxArray {
  const scores = np.matmul(q, k.transpose([0, 2, 1])).mul(SCALE);
  return np.matmul(nn.softmax(scores, -1), v);
}

function tfAttention(tf: Tfjs, q: TfTensor, k: TfTensor, v: TfTensor): TfTensor {
  return tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), SCALE), -1), v);
}

export const attention: OpCase = {
  name: 'attention',
  what: `attention of ${HEADS} heads over ${LENGTH} positions of ${SIZE} numbers, without a mask`,
  kind: 'op',
  flops: 2 * PRODUCT_FLOPS,
  tolerance: 1e-4,
  inputs: () => arrays(20, 3),
  tiller: (q, k, v) => scaledDotProductAttention(q!, k!, v!),
  jaxjs: (jax, q, k, v) => jaxAttention(jax, q!, k!, v!),
  tfjs: (tf, q, k, v) => tfAttention(tf, q!, k!, v!),
  ort: (graph, q, k, v) => {
    const product = graph.node('MatMul', [q!, graph.node('Transpose', [k!], { perm: [0, 2, 1] })]);
    const scores = graph.node('Mul', [product, graph.number(SCALE)]);
    return graph.node('MatMul', [graph.node('Softmax', [scores], { axis: -1 }), v!]);
  },
  torch: true,
};

export const attentionBackward: OpCase = {
  name: 'attentionBackward',
  what: 'gradients of that attention by queries, keys and values, for given gradients of its result',
  kind: 'op',
  // Products of queries with keys again, and two for each of the two products of attention.
  flops: 5 * PRODUCT_FLOPS,
  tolerance: 1e-3,
  inputs: () => arrays(21, 4),
  tiller: (q, k, v, dy) => {
    const [, pullback] = vjp(([q, k, v]: Tensor[]) => scaledDotProductAttention(q!, k!, v!), [q!, k!, v!]);
    return pullback(dy!);
  },
  jaxjs: (jax, q, k, v, dy) => {
    const [y, pullback] = jax.vjp((...qkv: JaxArray[]) => jaxAttention(jax, qkv[0]!, qkv[1]!, qkv[2]!), [q!, k!, v!]);
    y.dispose();
    const gradients = pullback(dy!);
    pullback.dispose();
    return gradients;
  },
  tfjs: (tf, q, k, v, dy) => tf.grads((q, k, v) => tfAttention(tf, q!, k!, v!))([q!, k!, v!], dy!),
  torch: true,
};

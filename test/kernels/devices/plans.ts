/** Plans of computations that between them have every family of kernels, made on the `plan-only` engine. */
import * as tl from 'tiller';
import * as nn from 'tiller/nn';
import { Adam } from 'tiller/optim';
import { currentEngine } from '../../../src/compile/index.js';
import type { Plan } from '../../../src/engine/plan.js';
import type { PlanOnlyEngine } from '../../../src/engine/plan-only/index.js';

const given = (shape: number[], dtype: tl.DType = 'f32'): tl.Tensor =>
  tl
    .tensor(
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0),
      { dtype },
    )
    .reshape(shape);

/** What is computed, by name; tensors are made in the call. */
export const COMPUTATIONS: Record<string, () => tl.Tensor[] | Promise<tl.Tensor[]>> = {
  product: () => [given([64, 48]).matmul(given([48, 80]))],
  'odd product': () => [given([37, 29]).matmul(given([29, 51]))],
  'transposed product': () => [
    given([48, 64])
      .transpose(0, 1)
      .matmul(given([80, 48]).transpose(0, 1)),
  ],
  'batched product with an epilogue': () => [
    given([3, 40, 33])
      .matmul(given([3, 33, 20]))
      .add(given([20]))
      .relu(),
  ],
  'deep product': () => [given([8, 4096]).matmul(given([4096, 8]))],
  'matrix times vector': () => [given([128, 512]).matmul(given([512]))],
  'product of i32': () => [given([16, 20], 'i32').matmul(given([20, 12], 'i32'))],
  'product of f16': () => [
    given([64, 48], 'f16')
      .matmul(given([48, 64], 'f16'))
      .float(),
  ],
  'odd product of f16': () => [given([37, 29], 'f16').matmul(given([29, 51], 'f16'))],
  'product of i8': () => [
    given([30, 64], 'i8')
      .int()
      .matmul(given([20, 64], 'i8').int().transpose(0, 1)),
  ],
  convolution: () => [tl.conv2d(given([2, 8, 14, 14]), given([16, 8, 3, 3]), null, { padding: 1 })],
  'depthwise convolution': () => [tl.conv2d(given([1, 16, 9, 9]), given([16, 1, 3, 3]), null, { groups: 16 })],
  softmax: () => [given([32, 500]).softmax(1), given([4096, 16]).softmax(1)],
  'layer norm': () => [tl.layerNorm(given([64, 768]), 768, given([768]), given([768]))],
  sums: () => [given([300, 200]).sum(0), given([20, 1024]).sum(1), given([33, 1000]).sum()],
  'largest, and where': () => [given([40, 700]).max(1), given([40, 700]).argmax(1), given([7, 300], 'i32').argmin(1)],
  'product of elements': () => [given([10, 256], 'i32').prod(1), given([10, 256], 'u32').sum(1)],
  'f16 elementwise': () => [
    given([1000], 'f16')
      .mul(3)
      .add(given([1000]))
      .exp()
      .half(),
  ],
  'i8 and u8': () => [given([64], 'i8').add(given([64], 'i8')), given([65], 'u8').float()],
  scan: () => [given([8, 1000]).cumsum(1)],
  sort: () => [given([4, 300]).sort(1).values],
  'scatter and gather': () => [
    given([10, 4]).indexAdd(0, given([20], 'i32'), given([20, 4])),
    given([30, 4]).indexSelect(0, given([12], 'i32')),
  ],
  attention: () => [tl.scaledDotProductAttention(given([2, 40, 16]), given([2, 40, 16]), given([2, 40, 16]))],
  'training step': () => {
    const net = new nn.Sequential(new nn.Linear(30, 20), new nn.ReLU(), new nn.Linear(20, 10));
    const optimizer = new Adam(net.parameters());
    const loss = tl.crossEntropy(net.forward(given([16, 30])), given([16], 'i32'));
    loss.backward();
    optimizer.step();
    return [loss, ...net.parameters()];
  },
};

/** The plans of the computations, by name. */
export async function allPlans(): Promise<Map<string, Plan[]>> {
  await tl.init({ engine: 'plan-only' });
  const engine = currentEngine() as PlanOnlyEngine;
  const plans = new Map<string, Plan[]>();
  for (const [name, compute] of Object.entries(COMPUTATIONS)) {
    const before = engine.programs.length;
    await tl.realize(...(await compute()));
    plans.set(
      name,
      engine.programs.slice(before).map(({ plan }) => plan as Plan),
    );
  }
  return plans;
}

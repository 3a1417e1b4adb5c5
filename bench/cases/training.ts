import type { Tensor } from 'tiller';
import type * as optim from 'tiller/optim';
import { Random } from '../random.js';
import type { HostArray, JaxArray, JaxJs, Training } from './case.js';

/** What all libraries train with. */
export const ADAM = { lr: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
export const CLASSES = 10;

export interface Batch {
  readonly images: HostArray;
  readonly labels: Int32Array;
}

const BATCHES = 8;

/** A few batches of digits-like noise with a learnable rule: the label is where a bright patch is. */
export function makeBatches(seed: number, imageShape: readonly number[], batchSize: number): Batch[] {
  const random = new Random(seed);
  const pixels = imageShape.reduce((a, b) => a * b, 1);
  return Array.from({ length: BATCHES }, () => {
    const data = random.uniform(batchSize * pixels, 0, 0.5);
    const labels = random.integers(batchSize, CLASSES);
    const patch = Math.floor(pixels / CLASSES);
    labels.forEach((label, i) => {
      for (let p = 0; p < patch; p++) data[i * pixels + label * patch + p]! += 0.5;
    });
    return { images: { data, shape: [batchSize, ...imageShape] }, labels };
  });
}

export const batchAt = <B>(batches: readonly B[], i: number): B => batches[i % batches.length]!;

/** Initial weights: uniform within 1 / sqrt(inputs of an output), PyTorch's rule. */
export function initialWeight(random: Random, shape: readonly number[], fanIn: number): HostArray {
  const size = shape.reduce((a, b) => a * b, 1);
  const bound = 1 / Math.sqrt(fanIn);
  return { data: random.uniform(size, -bound, bound), shape };
}

/** tiller's training step, as a user writes it. */
export function tillerTraining(
  lossOf: (batch: Batch) => Tensor,
  optimizer: optim.Adam,
  parameters: readonly Tensor[],
  batches: readonly Batch[],
): Training {
  return {
    async step(i) {
      optimizer.zeroGrad();
      const loss = lossOf(batchAt(batches, i));
      loss.backward();
      await optimizer.step();
      return Number(await loss.item());
    },
    dispose() {
      for (const parameter of parameters) parameter.dispose();
    },
  };
}

/** Mean cross-entropy of scores [batch, classes] and labels [batch]. */
export function jaxCrossEntropy({ nn }: JaxJs, scores: JaxArray, labels: JaxArray): JaxArray {
  return nn.logSoftmax(scores, -1).mul(nn.oneHot(labels, CLASSES)).sum(-1).mean().neg();
}

/**
 * jax-js's training step: gradient and Adam (the formulas of its optax package) under one `jit`, which is the fastest way it
 * offers. The bias corrections are inputs, so that nothing is traced again.
 */
export function jaxTraining(
  jax: JaxJs,
  loss: (parameters: JaxArray[], x: JaxArray, labels: JaxArray) => JaxArray,
  initial: readonly HostArray[],
  batches: readonly Batch[],
): Training {
  const { numpy: np } = jax;
  const { lr, beta1, beta2, epsilon } = ADAM;
  const step = jax.jit(
    (
      parameters: JaxArray[],
      means: JaxArray[],
      squares: JaxArray[],
      correction1: JaxArray,
      correction2: JaxArray,
      x: JaxArray,
      labels: JaxArray,
    ) => {
      const [value, gradients] = jax.valueAndGrad(loss)(jax.tree.ref(parameters), x, labels);
      const newMeans = means.map((m, i) => m.mul(beta1).add(gradients[i]!.ref.mul(1 - beta1)));
      const newSquares = squares.map((v, i) => v.mul(beta2).add(np.square(gradients[i]!).mul(1 - beta2)));
      const newParameters = parameters.map((p, i) => {
        const mean = newMeans[i]!.ref.div(correction1.ref);
        const divisor = np.sqrt(newSquares[i]!.ref.div(correction2.ref)).add(epsilon);
        return p.sub(mean.div(divisor).mul(lr));
      });
      correction1.dispose();
      correction2.dispose();
      return { value, parameters: newParameters, means: newMeans, squares: newSquares };
    },
  );
  const toArray = ({ data, shape }: HostArray) => np.array(data, { shape: [...shape] });
  let parameters = initial.map(toArray);
  let means = initial.map(({ shape }) => np.zeros([...shape]));
  let squares = initial.map(({ shape }) => np.zeros([...shape]));
  let count = 0;
  return {
    async step(i) {
      const { images, labels } = batchAt(batches, i);
      count++;
      const out = step(
        parameters,
        means,
        squares,
        np.array(1 - beta1 ** count),
        np.array(1 - beta2 ** count),
        toArray(images),
        np.array(labels, { dtype: np.int32 }),
      );
      ({ parameters, means, squares } = out);
      return (await out.value.data())[0]!;
    },
    dispose() {
      jax.tree.dispose([parameters, means, squares]);
      step.dispose();
    },
  };
}

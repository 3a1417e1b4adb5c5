import type { HostArray, Tfjs, TfTensor, Training } from './case.js';
import { ADAM, type Batch, batchAt, CLASSES } from './training.js';

/** tfjs's training step: its own Adam and `minimize`, everything else tidied away. */
export function tfjsTraining(
  tf: Tfjs,
  scoresOf: (parameters: readonly TfTensor[], x: TfTensor) => TfTensor,
  initial: readonly HostArray[],
  batches: readonly Batch[],
): Training {
  const parameters = initial.map(({ data, shape }) => tf.variable(tf.tensor(data, [...shape])));
  const adam = tf.train.adam(ADAM.lr, ADAM.beta1, ADAM.beta2, ADAM.epsilon);
  return {
    async step(i) {
      const { images, labels } = batchAt(batches, i);
      const loss = tf.tidy(() => {
        const x = tf.tensor(images.data, [...images.shape]);
        const targets = tf.oneHot(tf.tensor(labels, [labels.length], 'int32'), CLASSES);
        return adam.minimize(() => tf.losses.softmaxCrossEntropy(targets, scoresOf(parameters, x)), true, parameters)!;
      });
      const value = (await loss.data())[0]!;
      loss.dispose();
      return value;
    },
    dispose() {
      tf.dispose(parameters);
      adam.dispose();
    },
  };
}

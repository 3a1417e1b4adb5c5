import { crossEntropy, tensor } from 'tiller';
import * as nn from 'tiller/nn';
import * as optim from 'tiller/optim';

const [BATCH, PIXELS, CLASSES] = [128, 784, 10] as const;

/** One training step of the perceptron of mlpStep, as a script writes it; resolves to the loss. */
export async function perceptronStep(): Promise<number> {
  const net = new nn.Sequential(
    new nn.Linear(PIXELS, 256),
    new nn.ReLU(),
    new nn.Linear(256, 128),
    new nn.ReLU(),
    new nn.Linear(128, CLASSES),
  );
  const adam = new optim.Adam(net.parameters());
  const images = Float32Array.from({ length: BATCH * PIXELS }, (_, i) => (i % 251) / 251);
  const labels = Int32Array.from({ length: BATCH }, (_, i) => i % CLASSES);
  const loss = crossEntropy(net.forward(tensor(images, { shape: [BATCH, PIXELS] })), tensor(labels));
  adam.zeroGrad();
  loss.backward();
  await adam.step();
  return loss.item();
}

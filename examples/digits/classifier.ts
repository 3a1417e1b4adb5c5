import * as tl from 'tiller';
import { loadSafetensors, parseSafetensors } from 'tiller/formats';
import { DigitClassifier } from '../train-mnist/model.js';

export interface Classification {
  /** Of the digits 0 to 9. */
  readonly probabilities: readonly number[];
  /** From pixels to probabilities, in milliseconds. */
  readonly ms: number;
}

/** The trained network on an engine. */
export class Classifier {
  private constructor(
    private readonly net: DigitClassifier,
    readonly engine: tl.EngineInfo,
    /** What the file says about itself. */
    readonly metadata: Readonly<Record<string, string>>,
  ) {}

  /** Starts the engine and loads weights, as `npm run train` saves them. */
  static async load(engine: 'webgpu' | 'wasm', weights: URL): Promise<Classifier> {
    const [info, file] = await Promise.all([tl.init({ engine }), download(weights)]);
    const classifier = new Classifier(
      DigitClassifier.fromWeights(loadSafetensors(file)),
      info ?? tl.engineInfo(),
      parseSafetensors(file).metadata,
    );
    // Compiles the kernels now, so that the first stroke does not wait for them.
    await classifier.classify(new Float32Array(28 * 28));
    return classifier;
  }

  get layers(): string {
    return [784, ...this.net.hidden, 10].join('–');
  }

  /** @param image 28 x 28 values 0..1 */
  async classify(image: Float32Array): Promise<Classification> {
    const start = performance.now();
    const probabilities = await tl.scope(async () => {
      const scores = tl.noGrad(() => this.net.forward(tl.tensor(image, { shape: [1, 28 * 28] })).softmax(1));
      return [...(await scores.data())];
    });
    return { probabilities, ms: performance.now() - start };
  }
}

async function download(url: URL): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The weights did not load: ${url} answered ${response.status}`);
  return response.arrayBuffer();
}

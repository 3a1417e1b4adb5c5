import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { init, tensor } from 'tiller';
import { seededPermutation } from 'tiller/data';
import { loadSafetensors, parseSafetensors } from 'tiller/formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDigits } from '../../examples/train-mnist/digits.js';
import { DigitClassifier } from '../../examples/train-mnist/model.js';
import { describeWebGPU } from '../setup/environment.js';

const script = fileURLToPath(new URL('../../dist/examples/train-mnist.js', import.meta.url));
const TIME_LIMIT = 180_000;

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
  seconds: number;
}

/** Runs the built script as `npm run train` does. */
function runTraining(...args: string[]): Promise<Run> {
  if (!existsSync(script)) throw new Error('dist/ has no training script: npm run build comes first');
  const start = performance.now();
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIME_LIMIT });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...texts, seconds: (performance.now() - start) / 1000 }));
  });
}

let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tiller-train-'));
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

interface Result {
  engine: string;
  adapter: string;
  software: boolean;
  epochs: number;
  testAccuracy: number;
  seconds: number;
  weights: string;
  curve: string;
}

function resultOf({ code, stdout, stderr }: Run): Result {
  expect(code, stderr).toBe(0);
  // The JSON is the last line, and everything else went to stderr.
  expect(stdout).toMatch(/^\{.*\}\n$/);
  return JSON.parse(stdout) as Result;
}

/** The main job as it is promised: five epochs give at least 95 % within three minutes, and the process ends by itself. */
function mainJob(engine: 'reference' | 'webgpu') {
  it(
    'learns to read digits',
    async () => {
      const out = join(scratch, engine);
      const run = await runTraining('--engine', engine, '--epochs', '5', '--json', '--out', out);
      const result = resultOf(run);
      expect(result).toMatchObject({ engine, epochs: 5 });
      expect(result.testAccuracy).toBeGreaterThanOrEqual(0.95);
      expect(result.seconds).toBeLessThanOrEqual(run.seconds);
      expect(run.seconds).toBeLessThan(TIME_LIMIT / 1000);
      expect(run.stderr).toContain(`Executed by ${engine} on ${result.adapter}`);
      expect(run.stderr).toMatch(
        /epoch 5\/5 {2}loss [\d.]+ {2}test loss [\d.]+ {2}test accuracy 9\d\.\d\d % {2}[\d,]+ images\/s/,
      );

      expect(result.weights).toBe(join(out, 'mnist-mlp.safetensors'));
      expect(await accuracyOf(result.weights)).toBeCloseTo(result.testAccuracy, 6);
      const svg = readFileSync(result.curve, 'utf8');
      expect(svg).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
      expect(svg).toContain(`${(result.testAccuracy * 100).toFixed(2)} %`);
    },
    TIME_LIMIT,
  );
}

/** How many of the held-out digits saved weights get right, on the reference engine. */
async function accuracyOf(path: string): Promise<number> {
  await init({ engine: 'reference' });
  const { images, labels } = await loadDigits();
  const rows = seededPermutation(labels.length, 0).subarray(0, 2000);
  const net = DigitClassifier.fromWeights(loadSafetensors(readFileSync(path)));
  const pixels = new Float32Array(rows.length * 784);
  rows.forEach((row, i) => {
    pixels.set(images.subarray(row * 784, (row + 1) * 784), i * 784);
  });
  const best = await net
    .forward(tensor(pixels, { shape: [rows.length, 784] }))
    .argmax(1)
    .data();
  return Array.from(best).reduce((right, digit, i) => right + (digit === labels[rows[i]!] ? 1 : 0), 0) / rows.length;
}

describe('npm run train on the reference engine', () => {
  mainJob('reference');

  it(
    'gives the same network for the same seed, and another for another',
    async () => {
      const train = async (seed: string, name: string) => {
        const args = ['--engine', 'reference', '--epochs', '1', '--hidden', '16', '--seed', seed];
        const out = join(scratch, name);
        resultOf(await runTraining(...args, '--json', '--out', out));
        return parseSafetensors(readFileSync(join(out, 'mnist-mlp.safetensors'))).entries.map(({ bytes }) => [
          ...bytes.slice(0, 400),
        ]);
      };
      const first = await train('3', 'a');
      expect(await train('3', 'b')).toEqual(first);
      expect(await train('4', 'c')).not.toEqual(first);
    },
    TIME_LIMIT,
  );

  it('prints plain lines on stdout without --json', async () => {
    const run = await runTraining(
      '--engine',
      'reference',
      '--epochs',
      '1',
      '--hidden',
      '8',
      '--out',
      join(scratch, 'plain'),
    );
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toBe('');
    expect(run.stdout).toMatch(/^Training 784-8-10 on 8000 digits with reference on /);
    expect(run.stdout).toMatch(
      /\nepoch 1\/1 {2}step \d+\/125 {2}loss [\d.]+ {2}accuracy [\d.]+ % {2}[\d,]+ images\/s\n/,
    );
    expect(run.stdout).toMatch(/\nExecuted by reference on .* in [\d.]+ s\nWeights: .*\nLoss curve: .*\n$/);
    // No control characters where there is no terminal.
    expect([...run.stdout].filter((c) => c < ' ' && c !== '\n')).toEqual([]);
  });

  it.each([
    [['--engine', 'abacus'], /unknown engine: abacus/],
    [['--epochs', '0'], /--epochs is '0'/],
    [['--epochs', 'five'], /--epochs is 'five'/],
    [['--batch', '9000'], /--batch is 9000 \(expected at most 8000/],
    [['--lr', '-1'], /--lr|argument/],
    [['--speed', '3'], /--speed[\s\S]*Trains a digit classifier/],
  ])('ends with an error for %j', async (args, message) => {
    const run = await runTraining(...args, '--out', join(scratch, 'none'));
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(message);
    expect(existsSync(join(scratch, 'none'))).toBe(false);
  });
});

describeWebGPU('npm run train on WebGPU', () => mainJob('webgpu'));

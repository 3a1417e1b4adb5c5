// Writes samples.json: two digits of each kind from the 2,000 that `npm run train` (with its default seed) holds out.
//
//   npm run build && node examples/digits/makeSamples.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { seededPermutation } from 'tiller/data';

const PIXELS = 28 * 28;
const TEST_COUNT = 2000;
const PER_DIGIT = 2;

const { resolve } = createRequire(import.meta.url);
const digits = Array.from({ length: 10 }, (_, digit) => {
  /** @type {{ data: number[] }} */
  const { data } = JSON.parse(readFileSync(resolve(`mnist/src/digits/${digit}.json`), 'utf8'));
  return Array.from({ length: data.length / PIXELS }, (_, i) => ({
    digit,
    pixels: Buffer.from(data.slice(i * PIXELS, (i + 1) * PIXELS).map((v) => Math.round(v * 255))).toString('base64'),
  }));
}).flat();

const heldOut = [...seededPermutation(digits.length, 0).subarray(0, TEST_COUNT)].map((row) => digits[row]);
const samples = Array.from({ length: PER_DIGIT }, (_, round) =>
  Array.from({ length: 10 }, (_, digit) => heldOut.filter((sample) => sample.digit === digit)[round]),
).flat();
writeFileSync(new URL('samples.json', import.meta.url), `[\n${samples.map((s) => JSON.stringify(s)).join(',\n')}\n]\n`);

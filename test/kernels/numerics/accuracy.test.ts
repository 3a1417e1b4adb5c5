import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Expr } from '../../../kernels/ir.js';
import { binaryFns, unaryFns } from '../../../kernels/numerics/index.js';
import type { BinaryFn, UnaryFn } from '../../../src/graph/index.js';
import { describeWebGPU } from '../../setup/environment.js';
import { bin, un } from '../build.js';
import { type DawnDevice, openDawn } from '../dawn.js';
import { ulps } from './evaluate.js';
import { applyInScript, applyOnDevice, decode } from './evaluators.js';
import goldens from './goldens.json' with { type: 'json' };
import { binaryReferences, erf, isSubnormal, unaryReferences } from './references.js';

/** Bits spread evenly over all floats: every binade of both signs, with mantissas that do not repeat. */
function everyBinade(count: number, offset: number): Uint32Array {
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i++) words[i] = Math.floor((i * 2 ** 32) / count) + ((i * 7919 + offset) % 4093);
  return words;
}

/** Floats where functions bend: evenly spaced in value over [-limit, limit]. */
function evenly(count: number, limit: number): Uint32Array {
  return new Uint32Array(Float32Array.from({ length: count }, (_, i) => ((2 * i + 1) / count - 1) * limit).buffer);
}

/** Pairs with ordinary exponents. */
function pairs(count: number): [Uint32Array, Uint32Array] {
  let state = 12345;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
  const word = () => (next() & 0x80000000) | ((127 - 12 + ((next() >>> 8) % 24)) << 23) | (next() >>> 9);
  return [Uint32Array.from({ length: count }, word), Uint32Array.from({ length: count }, word)];
}

function worst(operands: readonly Uint32Array[], got: readonly number[], exact: (...x: number[]) => number) {
  const numbers = operands.map((words) => decode(words, 'f32'));
  let [most, where] = [0, ''];
  got.forEach((value, i) => {
    const args = numbers.map((values) => values[i]!);
    if (args.some(isSubnormal)) return;
    const want = exact(...args);
    // Results below the normal numbers may flush; the smallest normal number is the neighbour of zero then.
    if (isSubnormal(want) && Math.abs(value) <= 2 ** -126) return;
    const error = ulps(value, want);
    if (error > most) [most, where] = [error, `f(${args.join(', ')}) = ${value}, exactly ${want}`];
  });
  return { most, where };
}

const unaryInputs = (count: number): Uint32Array => {
  const parts = [everyBinade(count, 1), ...[1, 10, 100, 1e5].map((limit) => evenly(count / 4, limit))];
  const all = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

it('the reference erf agrees with PyTorch in float64', () => {
  for (const [i, x] of goldens.erf.x.entries()) expect(erf(x)).toBeCloseTo(goldens.erf.y[i]!, 14);
});

describe('errors of the numeric functions, every operation rounded to f32', () => {
  for (const [name, { exact, ulps: limit }] of Object.entries(unaryReferences)) {
    it(name, () => {
      const inputs = unaryInputs(1 << 18);
      const { most, where } = worst([inputs], applyInScript(unaryFns[name as UnaryFn].f32!, ['f32'], [inputs]), exact);
      expect(most, where).toBeLessThanOrEqual(limit);
    });
  }
  for (const [name, { exact, ulps: limit }] of Object.entries(binaryReferences)) {
    it(name, () => {
      const operands = pairs(1 << 18);
      const got = applyInScript(binaryFns[name as BinaryFn].f32!, ['f32', 'f32'], operands);
      const { most, where } = worst(operands, got, exact);
      expect(most, where).toBeLessThanOrEqual(limit);
    });
  }
});

describeWebGPU('errors of the numeric functions on the WebGPU adapter', () => {
  let device: DawnDevice;
  beforeAll(async () => {
    device = await openDawn();
  });
  afterAll(() => device.destroy());

  /** GPUs may divide with 2.5 ulp of error and take roots with as much: 4 in all is what the library promises. */
  const PROMISED = 4;

  for (const vectors of [false, true]) {
    const how = vectors ? ' of vectors' : '';
    for (const [name, { exact }] of Object.entries(unaryReferences)) {
      it(name + how, async () => {
        const inputs = unaryInputs(1 << 16);
        const got = await applyOnDevice(device, (x) => un(name as UnaryFn, x), ['f32'], [inputs], vectors);
        const { most, where } = worst([inputs], got, exact);
        expect(most, where).toBeLessThanOrEqual(PROMISED);
      });
    }
    for (const [name, { exact }] of Object.entries(binaryReferences)) {
      it(name + how, async () => {
        const operands = pairs(1 << 16);
        const build = (x: Expr, y: Expr) => bin(name as BinaryFn, x, y);
        const got = await applyOnDevice(device, build, ['f32', 'f32'], operands, vectors);
        const { most, where } = worst(operands, got, exact);
        expect(most, where).toBeLessThanOrEqual(PROMISED);
      });
    }
  }
});

import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Expr } from '../../../kernels/ir.js';
import { binaryFns, type NumericFn, unaryFns } from '../../../kernels/numerics/index.js';
import { BINARY_RULES, type BinaryFn, UNARY_RULES, type UnaryFn, type WordDType } from '../../../src/graph/index.js';
import { describeWebGPU } from '../../setup/environment.js';
import { bin, un } from '../build.js';
import { type DawnDevice, openDawn } from '../dawn.js';
import { ulps } from './evaluate.js';
import { applyInScript, applyOnDevice, decode } from './evaluators.js';
import goldens from './goldens.json' with { type: 'json' };

const unpack = (text: string): Uint32Array => new Uint32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);

const [x, a, b] = [goldens.x, goldens.a, goldens.b].map(unpack) as [Uint32Array, Uint32Array, Uint32Array];

interface Case {
  readonly name: string;
  readonly fn: NumericFn;
  readonly out: WordDType;
  readonly operands: readonly Uint32Array[];
  readonly golden: Uint32Array;
  readonly build: (...operands: Expr[]) => Expr;
}

const cases: Case[] = [
  ...Object.entries(goldens.unary).map(([key, golden]): Case => {
    const name = key as UnaryFn;
    const out = UNARY_RULES[name].gives ?? 'f32';
    const build = (operand: Expr) => un(name, operand, out);
    return { name, fn: unaryFns[name].f32!, out, operands: [x], golden: unpack(golden), build };
  }),
  ...Object.entries(goldens.binary).map(([key, golden]): Case => {
    const name = key as BinaryFn;
    const out = BINARY_RULES[name].gives ?? 'f32';
    const build = (p: Expr, q: Expr) => bin(name, p, q);
    return { name, fn: binaryFns[name].f32!, out, operands: [a, b], golden: unpack(golden), build };
  }),
];

const FLUSHES = 2 ** -126;

/** NaN, infinities, zeros and truth values exactly as PyTorch's; other values within 4 ulp; subnormal ones may be zero. */
function check({ operands, golden, out }: Case, got: readonly number[]): void {
  const numbers = operands.map((words) => decode(words, 'f32'));
  decode(golden, out).forEach((want, i) => {
    const value = got[i]!;
    const flushed = Math.abs(want) < FLUSHES && want !== 0 && Math.abs(value) <= FLUSHES;
    const exact = out !== 'f32' || want === 0 || !Number.isFinite(want);
    if (Object.is(value, want) || flushed || (!exact && ulps(value, want) <= 4)) return;
    const show = (n: number) => (Object.is(n, -0) ? '-0' : String(n));
    const args = numbers.map((values) => show(values[i]!)).join(', ');
    throw new Error(`f(${args}) = ${show(value)}, PyTorch has ${show(want)}`);
  });
}

describe('special values, as PyTorch has them', () => {
  for (const one of cases) {
    it(one.name, () => {
      const types = one.operands.map((): WordDType => 'f32');
      check(one, applyInScript(one.fn, types, one.operands));
    });
  }
});

describeWebGPU('special values on the WebGPU adapter, as PyTorch has them', () => {
  let device: DawnDevice;
  beforeAll(async () => {
    device = await openDawn();
  });
  afterAll(() => device.destroy());

  for (const vectors of [false, true]) {
    for (const one of cases) {
      it(`${one.name}${vectors ? ' of vectors' : ''}`, async () => {
        const types = one.operands.map((): WordDType => 'f32');
        check(one, await applyOnDevice(device, one.build, types, one.operands, vectors));
      });
    }
  }
});

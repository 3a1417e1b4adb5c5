import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Expr } from '../../../kernels/ir.js';
import { binaryFns, casts, type NumericFn, threefry, unaryFns } from '../../../kernels/numerics/index.js';
import { BINARY_RULES, type BinaryFn, UNARY_RULES, type UnaryFn, type WordDType } from '../../../src/graph/index.js';
import { describeWebGPU } from '../../setup/environment.js';
import { bin, castTo, un } from '../build.js';
import { type DawnDevice, openDawn } from '../dawn.js';
import { applyInScript, applyOnDevice, decode, encodeFloats } from './evaluators.js';

type Whole = 'i32' | 'u32' | 'bool';

const wrap = (value: bigint, type: Whole): bigint =>
  type === 'i32' ? BigInt.asIntN(32, value) : type === 'u32' ? BigInt.asUintN(32, value) : value === 0n ? 0n : 1n;

const floorDiv = (x: bigint, y: bigint): bigint =>
  y === 0n ? 0n : x / y - (x % y !== 0n && x < 0n !== y < 0n ? 1n : 0n);

function power(x: bigint, y: bigint): bigint {
  if (y < 0n) return x === 1n ? 1n : x === -1n ? (y % 2n === 0n ? 1n : -1n) : 0n;
  let result = 1n;
  for (let square = x, rest = y; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = BigInt.asIntN(64, result * square);
    square = BigInt.asIntN(64, square * square);
  }
  return result;
}

/** By subtraction, in the manner of Stein: not by division, as the kernels do. */
function commonDivisor(x: bigint, y: bigint): bigint {
  let [a, b] = [x < 0n ? -x : x, y < 0n ? -y : y];
  if (a === 0n || b === 0n) return a + b;
  let twos = 0n;
  for (; ((a | b) & 1n) === 0n; twos++) [a, b] = [a >> 1n, b >> 1n];
  while (a !== 0n) {
    while ((a & 1n) === 0n) a >>= 1n;
    while ((b & 1n) === 0n) b >>= 1n;
    if (a < b) [a, b] = [b, a];
    a = (a - b) >> 1n;
  }
  return b << twos;
}

const past = (y: bigint): boolean => y < 0n || y > 31n;

function larger(x: bigint, y: bigint): bigint {
  if (x < y) return y;
  return x;
}

/** What the doc comments of src/graph/node.ts say, in integers of any size. */
const expected: Partial<Record<BinaryFn, (x: bigint, y: bigint) => bigint>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  floorDiv,
  remainder: (x, y) => (y === 0n ? 0n : x - floorDiv(x, y) * y),
  fmod: (x, y) => (y === 0n ? 0n : x % y),
  pow: power,
  max: larger,
  min: (x, y) => -larger(-x, -y),
  eq: (x, y) => BigInt(x === y),
  ne: (x, y) => BigInt(x !== y),
  lt: (x, y) => BigInt(x < y),
  le: (x, y) => BigInt(x <= y),
  and: (x, y) => x & y,
  or: (x, y) => x | y,
  xor: (x, y) => x ^ y,
  shiftLeft: (x, y) => (past(y) ? 0n : x << y),
  shiftRight: (x, y) => (past(y) ? (x < 0n ? -1n : 0n) : x >> y),
  gcd: commonDivisor,
};

const expectedUnary: Partial<Record<UnaryFn, (x: bigint) => bigint>> = {
  neg: (x) => -x,
  abs: (x) => (x < 0n ? -x : x),
  sign: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
  logicalNot: (x) => 1n - x,
  bitwiseNot: (x) => ~x,
};

const WORDS = [0, 1, 2, 3, 5, 7, 10, 31, 32, 33, 100, 46341, 65536, 0x7ffffffe, 0x7fffffff];
const ALL = [...new Set([...WORDS, ...WORDS.map((word) => -word >>> 0), 0x80000000, 0x80000001])];
const operandsOf = (type: Whole): [Uint32Array, Uint32Array] => {
  const words = type === 'bool' ? [0, 1] : ALL;
  return [
    Uint32Array.from(words.flatMap((word) => words.map(() => word))),
    Uint32Array.from(words.flatMap(() => words)),
  ];
};

interface Case {
  readonly name: string;
  readonly fn: NumericFn;
  readonly types: readonly WordDType[];
  readonly operands: readonly Uint32Array[];
  readonly build: (...operands: Expr[]) => Expr;
  readonly want: readonly number[];
}

const cases: Case[] = [];
for (const type of ['i32', 'u32', 'bool'] as const) {
  const operands = operandsOf(type);
  const numbers = operands.map((words) => decode(words, type).map(BigInt));
  for (const [key, exact] of Object.entries(expected)) {
    const name = key as BinaryFn;
    const fn = binaryFns[name][type];
    if (!fn) continue;
    const out = (BINARY_RULES[name].gives ?? type) as Whole;
    const want = numbers[0]!.map((value, i) => Number(wrap(exact(value, numbers[1]![i]!), out)));
    cases.push({
      name: `${name} of ${type}`,
      fn,
      types: [type, type],
      operands,
      want,
      build: (p, q) => bin(name, p!, q!),
    });
  }
  for (const [key, exact] of Object.entries(expectedUnary)) {
    const name = key as UnaryFn;
    const fn = unaryFns[name][type];
    if (!fn) continue;
    const out = (UNARY_RULES[name].gives ?? type) as Whole;
    const want = numbers[0]!.map((value) => Number(wrap(exact(value), out)));
    cases.push({
      name: `${name} of ${type}`,
      fn,
      types: [type],
      operands: [operands[0]],
      want,
      build: (p) => un(name, p!, out),
    });
  }
}

const FLOATS = [
  0,
  -0,
  0.5,
  -0.5,
  0.99,
  -0.99,
  1,
  -1,
  1.5,
  -1.5,
  16777215,
  2147483520,
  2147483648,
  -2147483648,
  -2147483904,
  4294967040,
  4294967296,
  1e20,
  -1e20,
  Infinity,
  -Infinity,
  NaN,
  2 ** -126,
  123456.7,
];
const saturate = (x: number, low: number, high: number): number =>
  Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), low), high) + 0;
const conversions: Record<WordDType, (x: number) => number> = {
  f32: Math.fround,
  i32: (x) => saturate(x, -(2 ** 31), 2 ** 31 - 1),
  u32: (x) => saturate(x, 0, 2 ** 32 - 1),
  bool: (x) => (x !== 0 ? 1 : 0),
};
for (const from of ['f32', 'i32', 'u32', 'bool'] as const) {
  const words = from === 'f32' ? encodeFloats(FLOATS) : operandsOf(from)[1];
  for (const to of ['f32', 'i32', 'u32', 'bool'] as const) {
    if (from === to) continue;
    const reinterpret = (x: number) => (to === 'i32' ? x | 0 : x >>> 0);
    const whole = from !== 'f32' && (to === 'i32' || to === 'u32');
    const want = decode(words, from).map(whole ? reinterpret : conversions[to]);
    const fn = casts[from][to];
    cases.push({ name: `${from} to ${to}`, fn, types: [from], operands: [words], want, build: (p) => castTo(p!, to) });
  }
}

/** Threefry2x32 with 20 rounds after the paper, both words of the counter. */
function threefryBlock(key: readonly [number, number], counter: readonly [number, number]): [number, number] {
  const keys = [key[0], key[1], 0x1bd11bda ^ key[0] ^ key[1]];
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
  let [x0, x1] = [(counter[0] + key[0]) | 0, (counter[1] + key[1]) | 0];
  for (let round = 0; round < 20; round++) {
    x0 = (x0 + x1) | 0;
    const by = rotations[round % 8]!;
    x1 = ((x1 << by) | (x1 >>> (32 - by))) ^ x0;
    if (round % 4 === 3) {
      const n = (round + 1) / 4;
      x0 = (x0 + keys[n % 3]!) | 0;
      x1 = (x1 + keys[(n + 1) % 3]! + n) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}

describe('threefry', () => {
  it('the reference passes the known-answer tests of the Random123 library', () => {
    expect(threefryBlock([0, 0], [0, 0])).toEqual([0x6b200159, 0x99ba4efe]);
    expect(threefryBlock([-1, -1], [-1, -1])).toEqual([0x1cb996fc, 0xbb002be7]);
    expect(threefryBlock([0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3])).toEqual([0xc4923a9c, 0x483df7a0]);
  });
});

const keys = Uint32Array.from({ length: 64 }, (_, i) => Math.imul(i, 0x9e3779b9));
const counters = Uint32Array.from({ length: 64 }, (_, i) => Math.imul(i, 0x85ebca6b) ^ i);
cases.push({
  name: 'threefry',
  fn: threefry,
  types: ['u32', 'u32', 'u32'],
  operands: [keys, keys.slice().reverse(), counters],
  want: [...keys].map((key, i) => threefryBlock([key, keys[63 - i]!], [counters[i]!, 0])[0]),
  build: (key0, key1, counter) => ({
    kind: 'threefry',
    dtype: 'u32',
    key0: key0!,
    key1: key1!,
    counter: { kind: 'value', expr: counter! },
  }),
});

function check({ types, operands, want }: Case, got: readonly number[]): void {
  const numbers = operands.map((words, n) => decode(words, types[n]!));
  want.forEach((value, i) => {
    if (!Object.is(got[i], value)) {
      throw new Error(`f(${numbers.map((values) => values[i]).join(', ')}) = ${got[i]}, expected ${value}`);
    }
  });
}

describe('integers, casts and random bits', () => {
  for (const one of cases) {
    it(one.name, () => check(one, applyInScript(one.fn, one.types, one.operands)));
  }
});

describeWebGPU('integers, casts and random bits on the WebGPU adapter', () => {
  let device: DawnDevice;
  beforeAll(async () => {
    device = await openDawn();
  });
  afterAll(() => device.destroy());

  for (const vectors of [false, true]) {
    for (const one of cases) {
      it(`${one.name}${vectors ? ' of vectors' : ''}`, async () => {
        check(one, await applyOnDevice(device, one.build, one.types, one.operands, vectors));
      });
    }
  }
});

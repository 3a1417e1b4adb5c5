/** Every numeric function as vector code: bit for bit the definition, and with fused operations as exact. */
import { describe, expect, it } from 'vitest';
import { better, binaryFns, casts, type NumericFn, threefry, unaryFns } from '../../../kernels/numerics/index.js';
import { emitFunction } from '../../../kernels/render/wasm/bodies.js';
import { load, op, splatI32 } from '../../../kernels/render/wasm/encoder.js';
import { expNonPositive } from '../../../kernels/render/wasm/exponential.js';
import { WasmKernelModule } from '../../../kernels/render/wasm/kernel-module.js';
import type { WasmFeatures } from '../../../kernels/render/wasm/rendered.js';
import { variable } from '../build.js';
import { compile, ulps } from '../numerics/evaluate.js';
import { plain, RunningKernel, relaxed } from './run.js';

const all = new Map<string, NumericFn>();
for (const table of [...Object.values(unaryFns), ...Object.values(binaryFns), ...Object.values(casts)]) {
  for (const fn of Object.values(table)) all.set(fn.name, fn);
}
for (const type of ['f32', 'i32', 'u32', 'bool'] as const) {
  for (const fn of [better('argmax', type), better('argmin', type)]) all.set(fn.name, fn);
}
all.set(threefry.name, threefry);

const floatWords = new Float32Array(1);
const wordOf = new Uint32Array(floatWords.buffer);
const bits = (value: number): number => {
  floatWords[0] = value;
  return wordOf[0]!;
};

let seed = 1;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return (Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) >>> 0) / 2 ** 32;
};

const SPECIAL_FLOATS = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  3,
  1e-10,
  -1e-10,
  1e10,
  -1e10,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  3e9,
  88.7,
  88.8,
  -87.3,
  -87.4,
  89.5,
  103,
  -104,
  12800,
  12801,
  1e30,
  -1e30,
  3.4028234e38,
  -3.4028234e38,
  1.1754944e-38,
  -1.1754944e-38,
  Infinity,
  -Infinity,
  Number.NaN,
  8388607.5,
  16777217,
  0.999999,
  1.000001,
  0.25,
  Math.PI / 2,
  Math.PI,
  0.9277,
  4,
];
const SPECIAL_INTEGERS = [
  0,
  1,
  -1,
  2,
  -2,
  3,
  7,
  31,
  32,
  33,
  -31,
  65535,
  65536,
  2 ** 31 - 1,
  -(2 ** 31),
  12345,
  -12345,
  10,
];

/** Words of a type: special values first, then random ones of every size. */
function samples(type: NumericFn['type'], count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => {
    if (type === 'bool') return random() < 0.5 ? 1 : 0;
    if (type !== 'f32') {
      if (i < 3000) return SPECIAL_INTEGERS[Math.floor(random() * SPECIAL_INTEGERS.length)]!;
      return Math.floor(random() * 2 ** 32) >>> Math.floor(random() * 32);
    }
    if (i < 3000) return bits(SPECIAL_FLOATS[Math.floor(random() * SPECIAL_FLOATS.length)]!);
    // Definitions say that results below the smallest normal number may flush: no subnormal operands either.
    const word = Math.floor(random() * 2 ** 32);
    const near = i % 2 === 0 ? bits((random() - 0.5) * 2 ** (Math.floor(random() * 16) - 6)) : word;
    return (near & 0x7f800000) === 0 ? near & 0x80000000 : near;
  });
}

const COUNT = 24_000;

/** Values of a function at columns of arguments (bool as 0 and 1). */
function evaluate(fn: NumericFn, columns: readonly Uint32Array[], features: WasmFeatures): Uint32Array {
  const count = columns[0]!.length;
  const kernel = {
    kind: 'loop' as const,
    name: fn.name,
    buffers: [...fn.params, fn.type].map((dtype) => ({ dtype, length: count, access: 'readwrite' as const })),
    params: [],
    flops: 0,
    segments: [],
  };
  const module = new WasmKernelModule(kernel, features);
  const f = module.function('main');
  f.scope().vectorLoop(variable('i', count), 0, count, 1, ({ block, bindings }) => {
    const { first } = bindings.vector!;
    if (typeof first !== 'object' || !('times' in first)) throw new Error('no counter');
    const address = (buffer: number) => op('i32.add', f.buffer(buffer), first.times(4));
    const args = fn.params.map((type, i) => {
      const words = load('v128.load', address(i));
      return block.let(type === 'bool' ? op('i32x4.ne', words, splatI32(0)) : words);
    });
    const value = emitFunction(f, block, fn, args);
    const words = fn.type === 'bool' ? op('v128.and', value, splatI32(1)) : value;
    block.store(address(fn.params.length), words);
  });
  module.phase({ name: 'main', tasks: 1, taskCost: 0 }, f);
  const running = new RunningKernel(kernel, module.finish());
  columns.forEach((column, i) => void running.buffers[i]!.set(column));
  running.run();
  running.check();
  return running.buffers[fn.params.length]!.slice();
}

function decode(words: Uint32Array, type: NumericFn['type']): ArrayLike<number> {
  return type === 'f32' ? new Float32Array(words.buffer) : type === 'i32' ? new Int32Array(words.buffer) : words;
}

const isSubnormal = (x: number): boolean => x !== 0 && Math.abs(x) < 2 ** -126;

/** Functions that have a body of their own here, or use one: they need not round as the definition does. */
const OTHERWISE = new Set(['exp', 'sigmoid', 'tanh', 'erf', 'erfc']);

describe('numeric functions as vector code', () => {
  for (const fn of all.values()) {
    it(`${fn.name} is its definition`, () => {
      const columns = fn.params.map((type) => samples(type, COUNT));
      const got = decode(evaluate(fn, columns, plain), fn.type);
      const args = columns.map((column, i) => decode(column, fn.params[i]!));
      const oracle = compile(fn);
      for (let i = 0; i < COUNT; i++) {
        const point = args.map((column) => column[i]!);
        const want = Number(oracle(...point.map((x, n) => (fn.params[n] === 'bool' ? ((x !== 0) as never) : x))));
        const x = got[i]!;
        if (Object.is(x, want)) continue;
        // What is below the smallest normal number may flush.
        if (fn.type === 'f32' && Math.abs(x) < 2 ** -126 && Math.abs(want) < 2 ** -126) continue;
        if (!(OTHERWISE.has(fn.name) && ulps(x, want) <= 4)) {
          throw new Error(`${fn.name}(${point.join(', ')}): got ${x}, expected ${want}`);
        }
      }
    });
  }
});

const EXACT: Readonly<Record<string, (x: number, y: number) => number>> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  atan2: Math.atan2,
  // C's powf, unlike JavaScript's, is 1 for pow(1, y) and pow(-1, ±inf).
  pow_f32: (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y),
  reciprocal: (x) => 1 / x,
  rsqrt: (x) => 1 / Math.sqrt(x),
  exp_non_positive: Math.exp,
};

/** Largest errors in units of the last place, with fused operations and without (measured, and a little more). */
const BOUNDS: Readonly<Record<string, number>> = {
  exp: 1.1,
  expm1: 2,
  log: 0.9,
  log1p: 1.1,
  sin: 2,
  cos: 2,
  tan: 3.5,
  asin: 2,
  acos: 1.3,
  atan: 2,
  sinh: 1.8,
  cosh: 1.6,
  tanh: 1.4,
  sigmoid: 2.3,
  atan2: 2,
  pow_f32: 1.2,
  reciprocal: 0.51,
  rsqrt: 1.6,
  exp_non_positive: 2.3,
};

describe('accuracy with fused operations', () => {
  for (const [name, exact] of Object.entries(EXACT)) {
    it(name, () => {
      const fn = all.get(name) ?? expNonPositive;
      const columns = fn.params.map((type) => samples(type, COUNT));
      if (fn === expNonPositive) {
        columns[0] = columns[0]!.map((word) => ((word << 1) >>> 0 > 0xff000000 ? word : word | 0x80000000));
      }
      const args = columns.map((column, i) => decode(column, fn.params[i]!));
      for (const features of [plain, relaxed]) {
        const got = decode(evaluate(fn, columns, features), fn.type);
        let worst = 0;
        let at = '';
        for (let i = 0; i < COUNT; i++) {
          const want = exact(args[0]![i]!, args[1]?.[i] ?? 0);
          if (isSubnormal(want) || (want === 0 && got[i] === 0)) continue;
          const error = ulps(got[i]!, want);
          if (error > worst) [worst, at] = [error, `${args.map((column) => column[i])}: ${got[i]} for ${want}`];
        }
        expect(worst, at).toBeLessThan(BOUNDS[name]!);
      }
    });
  }
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkMatrixUnits } from '../../../kernels/checks/matrixUnits.js';
import {
  type MatrixSchedule,
  matrixSchedule,
  matrixSpace,
  renderMatrix,
} from '../../../kernels/families/contractionMatrix.js';
import type { MatrixConfig } from '../../../kernels/families/matrixUnits.js';
import type { ContractionKernel, Expr } from '../../../kernels/ir.js';
import { verifyKernel } from '../../../kernels/verify.js';
import { halfBits, halfValue } from '../../../src/graph/half.js';
import { describeWebGPU } from '../../setup/environment.js';
import { floatsOf, load, numbers, type Product, productKernel, variable, wordsOf } from '../contraction-harness.js';
import { type DawnDevice, openDawn } from '../dawn.js';
import { emulateMatrices } from './emulateMatrices.js';
import { type NullDevice, openNullDevice } from './nullDevice.js';

const half = (x: Expr): Expr => ({ kind: 'cast', dtype: 'f32', x, via: 'f16' });

/** A product of operands that are rounded to f16, with twice the sum and a bias by column added to it. */
function halfProduct(product: Product): ContractionKernel {
  return productKernel(product, {
    a: half,
    b: half,
    extra: [{ dtype: 'f32', length: product.n, access: 'read' }],
    epilogue: (acc, index, vars) => {
      const twice: Expr = {
        kind: 'binary',
        dtype: 'f32',
        fn: 'mul',
        a: acc,
        b: { kind: 'const', dtype: 'f32', value: 2 },
      };
      const value: Expr = { kind: 'binary', dtype: 'f32', fn: 'add', a: twice, b: load(2, variable(vars.n)) };
      return [{ kind: 'store', buffer: 3, index, value }];
    },
  });
}

const CONFIGS: MatrixConfig[] = [
  { component: 'f16', m: 16, n: 16, k: 16 },
  { component: 'f16', m: 8, n: 16, k: 16 },
  { component: 'f32', m: 8, n: 8, k: 8 },
];

/** Multiples of the tiles; odd; tall, wide and shallow; several in a batch; transposed. */
const PRODUCTS: Product[] = [
  { batch: 1, m: 64, n: 64, k: 64 },
  { batch: 1, m: 37, n: 51, k: 29 },
  { batch: 2, m: 100, n: 36, k: 17 },
  { batch: 3, m: 33, n: 132, k: 40, transA: true },
  { batch: 1, m: 65, n: 40, k: 33, transB: true },
  { batch: 2, m: 40, n: 34, k: 31, transA: true, transB: true },
];

/** Small matrices, whose emulation compiles fastest. */
const SMALL: MatrixConfig = { component: 'f16', m: 8, n: 8, k: 8 };

const caps = (config: MatrixConfig, size: number, pinned = false) => ({
  matrixUnits: { configs: [config], subgroups: { size, pinned } },
  maxInvocationsPerWorkgroup: 256,
  maxWorkgroupMemoryBytes: 16384,
});

describe('the choice of matrix units', () => {
  const both = {
    ...caps(CONFIGS[0]!, 32),
    matrixUnits: { configs: [CONFIGS[0]!, CONFIGS[2]!], subgroups: { size: 32, pinned: false } },
  };
  const product = { batch: 1, m: 64, n: 64, k: 64 };

  it('takes f16 where both operands are f16 numbers, else f32', () => {
    expect(matrixSchedule(halfProduct(product), both)!.config.component).toBe('f16');
    expect(matrixSchedule(productKernel(product, { a: half }), both)!.config.component).toBe('f32');
    expect(matrixSchedule(productKernel(product), caps(CONFIGS[0]!, 32))).toBe(null);
    const scaled = (x: Expr): Expr => ({ kind: 'binary', dtype: 'f32', fn: 'mul', a: half(x), b: half(x) });
    expect(matrixSchedule(productKernel(product, { a: scaled, b: half }), caps(CONFIGS[0]!, 32))).toBe(null);
  });

  it('leaves small products and integers to others', () => {
    expect(matrixSchedule(halfProduct({ ...product, m: 31 }), both)).toBe(null);
    expect(matrixSchedule(halfProduct({ ...product, k: 15 }), both)).toBe(null);
    expect(matrixSchedule(productKernel({ ...product, dtype: 'i32' }), both)).toBe(null);
    expect(matrixSchedule(halfProduct(product), { ...both, matrixUnits: undefined as never })).toBe(null);
  });

  it('takes large tiles for large products, small ones where those would leave most of a GPU idle', () => {
    const of = (size: number) => matrixSchedule(halfProduct({ batch: 1, m: size, n: size, k: 64 }), both)!;
    expect(of(4096)).toMatchObject({ down: 2, across: 2, tall: 2, wide: 2, depth: 32 });
    expect(of(33)).toMatchObject({ down: 1, across: 1, tall: 1, wide: 1 });
  });

  it('fits the memory and the invocations of a workgroup', () => {
    for (const config of CONFIGS) {
      const small = { ...caps(config, 64), maxInvocationsPerWorkgroup: 64, maxWorkgroupMemoryBytes: 8192 };
      expect(matrixSchedule(halfProduct(product), small)).toMatchObject({ down: 1, across: 1 });
      expect(matrixSchedule(halfProduct(product), { ...small, maxWorkgroupMemoryBytes: 512 })).toBe(null);
    }
  });
});

describe('on the Null backend', () => {
  let device: NullDevice;
  beforeAll(async () => {
    device = await openNullDevice();
  });
  afterAll(() => device.destroy());

  it.each(CONFIGS)('a GPU would compile products by %j', async (config) => {
    for (const product of PRODUCTS) {
      const kernel = halfProduct(product);
      // Subgroups without a size of their own must be as large as the device's may be.
      for (const available of [caps(config, 128), caps(config, 32, true), caps(config, 64, true)]) {
        for (const schedule of matrixSpace(kernel, available).filter((_, i) => i % 3 === 0)) {
          const { code, entryPoint } = renderMatrix(kernel, schedule);
          expect(await device.compile({ code, entryPoint }), code).toBe('');
        }
      }
    }
  });
});

describeWebGPU('with matrices emulated on SwiftShader', () => {
  let dawn: DawnDevice;
  beforeAll(async () => {
    dawn = await openDawn();
  });
  afterAll(() => dawn.destroy());

  async function results(kernel: ContractionKernel, schedule: MatrixSchedule, inputs: Float32Array[]) {
    verifyKernel(kernel);
    const rendered = renderMatrix(kernel, schedule);
    const code = emulateMatrices(rendered.code, schedule.subgroups.size, schedule.config);
    const words = kernel.buffers.map(({ length }, i) => (inputs[i] ? wordsOf(inputs[i]) : new Uint32Array(length)));
    const buffers = words.map((data, binding) => ({ binding, words: data }));
    return (await dawn.run({ code, workgroups: rendered.workgroups, buffers })).map(floatsOf);
  }

  const rounded = (x: number): number => halfValue(halfBits(x));

  // SwiftShader takes seconds to compile each.
  it.each([
    [CONFIGS[2]!, PRODUCTS[3]!],
    [CONFIGS[1]!, PRODUCTS[4]!],
    [CONFIGS[2]!, PRODUCTS[5]!],
  ])('%j multiplies %j', async (config, product) => {
    const kernel = halfProduct(product);
    const { batch, m, n, k, transA, transB } = product;
    const [a, b, bias] = [numbers(batch * m * k, 1), numbers(batch * k * n, 2), numbers(n, 3)];
    const schedule = matrixSpace(kernel, caps(config, 4))[0]!;
    expect(schedule).toMatchObject({ down: 2, across: 2, tall: 2, wide: 2 });
    const out = (await results(kernel, schedule, [a, b, bias]))[3]!;
    let worst = 0;
    for (let i = 0; i < batch * m * n; i++) {
      const [one, row, column] = [Math.floor(i / (m * n)), Math.floor(i / n) % m, i % n];
      let sum = 0;
      for (let j = 0; j < k; j++) {
        const left = a[one * m * k + (transA ? j * m + row : row * k + j)]!;
        const right = b[one * k * n + (transB ? column * k + j : j * n + column)]!;
        sum += rounded(left) * rounded(right);
      }
      worst = Math.max(worst, Math.abs(out[i]! - (2 * sum + bias[column]!)));
    }
    expect(worst).toBeLessThan(1e-5);
  });

  it.each([SMALL, CONFIGS[2]!])('the check of %j finds nothing wrong, and notices what is', async (config) => {
    const { matrixUnits, ...limits } = caps(config, 4);
    const check = checkMatrixUnits(matrixUnits, limits)!;
    const code = emulateMatrices(check.code, 4, config);
    const buffers = check.buffers.map((words, binding) => ({ binding, words }));
    const words = (await dawn.run({ code, workgroups: check.workgroups, buffers })).at(-1)!;
    expect(check.verdict(words)).toEqual({ fault: null });
    const faultOf = (change: (sums: Float32Array) => void) => {
      const sums = floatsOf(words.slice());
      change(sums);
      return check.verdict(wordsOf(sums)).fault;
    };
    const columns = 70;
    const rowOf = (sums: Float32Array, row: number) => sums.subarray(row * columns, (row + 1) * columns);
    expect(
      faultOf((sums) => rowOf(sums, 5).fill(0)),
      'subnormal numbers flushed',
    ).toMatch(/^70 of 5250 sums are wrong/);
    expect(
      faultOf((sums) => rowOf(sums, 7).fill(0)),
      'NaN lost',
    ).toMatch(/^70 of/);
    expect(
      faultOf((sums) => rowOf(sums, 8).fill(65504)),
      'infinity clamped',
    ).toMatch(/^70 of/);
    const half = (value: number) => halfValue(halfBits(value));
    expect(
      faultOf((sums) => sums.set(sums.map(half))),
      'sums in f16',
    ).toMatch(/^\d{4} of 5250/);
    expect(
      faultOf((sums) => (sums[5249]! += 1)),
      'the last corner',
    ).toMatch(/^1 of/);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import {
  type ContractionCaps,
  type ContractionSchedule,
  chooseContractionSchedule,
  contractionSpace,
  renderContraction,
  scheduleName,
} from '../../kernels/families/contraction.js';
import type { ContractionKernel, Expr } from '../../kernels/ir.js';
import { UnsupportedError } from '../../src/graph/index.js';
import { describeWebGPU } from '../setup/environment.js';
import {
  constant,
  floatsOf,
  GPU,
  type KernelParts,
  load,
  minus,
  modulo,
  numbers,
  openDevice,
  over,
  type Product,
  plus,
  prepare,
  productKernel,
  run,
  SOFTWARE,
  SOFTWARE_WITHOUT_SUBGROUPS,
  times,
  variable,
  wordsOf,
} from './contraction-harness.js';

/** Every schedule that any adapter would try. */
function allSchedules(kernel: ContractionKernel): ContractionSchedule[] {
  const found = new Map<string, ContractionSchedule>();
  for (const caps of [SOFTWARE, SOFTWARE_WITHOUT_SUBGROUPS, GPU]) {
    for (const s of contractionSpace(kernel, caps)) found.set(scheduleName(s), s);
  }
  return [...found.values()];
}

/** sum over k of a(batch, m, k) * b(batch, k, n), in float64, of functions of the stored elements' positions. */
function product(
  { batch, m, n, k, transA, transB }: Product,
  a: (at: number, row: number, step: number) => number,
  b: (at: number, column: number, step: number) => number,
): Float64Array {
  const out = new Float64Array(batch * m * n);
  for (let z = 0; z < batch; z++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let q = 0; q < k; q++) {
          const left = z * m * k + (transA ? q * m + i : i * k + q);
          const right = z * k * n + (transB ? j * k + q : q * n + j);
          sum += a(left, i, q) * b(right, j, q);
        }
        out[(z * m + i) * n + j] = sum;
      }
    }
  }
  return out;
}

/** Largest difference; NaN counts as infinite. */
function distance(got: ArrayLike<number>, want: ArrayLike<number>): number {
  expect(got.length).toBe(want.length);
  let worst = 0;
  for (let i = 0; i < got.length; i++) {
    const d = Math.abs(got[i]! - want[i]!);
    worst = Math.max(worst, Number.isNaN(d) ? Infinity : d);
  }
  return worst;
}

/** Factors lie within 0.5, so k products summed in f32 in any order stay this close to their exact sum. */
const bound = (k: number): number => (k + 4) * 1e-6;

const NOTHING_WRITTEN = 0x7fc00001;

describeWebGPU('contraction on Dawn', () => {
  let device: GPUDevice;
  beforeAll(async () => {
    // SwiftShader compiles the zeroing of workgroup memory word by word, for seconds; the kernels must not count on it anyway.
    device = await openDevice(['enable-dawn-features=disable_workgroup_init']);
  });

  /** Runs a kernel under schedules; `check` gets the buffers after each run. */
  async function runAll(
    kernel: ContractionKernel,
    schedules: readonly ContractionSchedule[],
    inputs: readonly Uint32Array[],
    check: (buffers: Uint32Array[], schedule: string) => void,
    params: Uint32Array = new Uint32Array(0),
  ): Promise<void> {
    const given = kernel.buffers.map(({ length }, i) => inputs[i] ?? new Uint32Array(length).fill(NOTHING_WRITTEN));
    for (let i = 0; i < schedules.length; i += 8) {
      const some = schedules.slice(i, i + 8);
      const prepared = await Promise.all(some.map((s) => prepare(device, kernel, s)));
      for (const [at, p] of prepared.entries()) check(await run(device, p, given, params), scheduleName(some[at]!));
    }
  }

  async function checkProduct(shape: Product, schedules?: readonly ContractionSchedule[]): Promise<void> {
    const { batch, m, n, k } = shape;
    const kernel = productKernel(shape);
    const a = numbers(batch * m * k, 1);
    const b = numbers(batch * k * n, 2);
    const want = product(
      shape,
      (at) => a[at]!,
      (at) => b[at]!,
    );
    await runAll(kernel, schedules ?? allSchedules(kernel), [wordsOf(a), wordsOf(b)], (out, schedule) => {
      expect(distance(floatsOf(out[2]!), want), schedule).toBeLessThanOrEqual(bound(k));
    });
  }

  const layouts = [
    { transA: false, transB: false },
    { transA: false, transB: true },
    { transA: true, transB: false },
    { transA: true, transB: true },
  ];

  describe('every schedule', () => {
    it.each(layouts)('reads wide and stages in workgroup memory: %o', async (layout) => {
      const shape = { batch: 1, m: 40, n: 36, k: 44, ...layout };
      const schedules = allSchedules(productKernel(shape)).filter((s) => s.share === 'none');
      expect(schedules.some((s) => s.loadA !== 'scalar' && s.loadB !== 'scalar')).toBe(true);
      await checkProduct(shape, schedules);
    });

    it.each([
      [1, 38, layouts[0]!],
      [3, 38, layouts[3]!],
      [38, 1, layouts[1]!],
      [38, 2, layouts[2]!],
    ])('stages thin products: %i x %i, %o', async (m, n, layout) => {
      const shape = { batch: 2, m, n, k: 70, ...layout };
      await checkProduct(
        shape,
        allSchedules(productKernel(shape)).filter((s) => s.splitK > 1),
      );
    });

    it.each([
      [1, 70, 3],
      [70, 1, 17],
      [2, 33, 0],
    ])('lays the quads of thin products along their long side: %i x %i, k = %i', async (m, n, k) => {
      const shape = { batch: 3, m, n, k, transA: false, transB: true };
      const thin = allSchedules(productKernel(shape)).filter(
        (s) => s.kind === 'register' && [s.wgX, s.wgY].includes(1),
      );
      expect(new Set(thin.map((s) => s.splitK))).toEqual(new Set([1, 4]));
      await checkProduct(shape, thin);
    });

    it.each(layouts)('writes out few steps of k: %o', async (layout) => {
      for (const [m, n, k] of [
        [1, 42, 9],
        [3, 35, 4],
        [4, 13, 1],
      ] as const) {
        const shape = { batch: 2, m, n, k, ...layout };
        const unrolled = allSchedules(productKernel(shape)).filter((s) => s.kind === 'unrolled');
        expect(unrolled.length).toBeGreaterThan(0);
        await checkProduct(shape, unrolled);
      }
    });

    it('multiplies odd extents in a batch', async () => {
      await checkProduct({ batch: 2, m: 35, n: 13, k: 7, transA: true, transB: true });
    });

    it('multiplies extents that fit, and wraps integer sums', async () => {
      const shape = { batch: 2, m: 16, n: 48, k: 20, dtype: 'i32' } as const;
      const kernel = productKernel(shape);
      const { batch, m, n, k } = shape;
      const a = Int32Array.from(numbers(batch * m * k, 3), (x) => x * 2 ** 31);
      const b = Int32Array.from(numbers(batch * k * n, 4), (x) => x * 2 ** 31);
      const want = new Int32Array(batch * m * n);
      for (let z = 0; z < batch; z++) {
        for (let i = 0; i < m; i++) {
          for (let j = 0; j < n; j++) {
            let sum = 0;
            for (let q = 0; q < k; q++) sum = (sum + Math.imul(a[(z * m + i) * k + q]!, b[(z * k + q) * n + j]!)) | 0;
            want[(z * m + i) * n + j] = sum;
          }
        }
      }
      await runAll(kernel, allSchedules(kernel), [wordsOf(a), wordsOf(b)], (out, schedule) => {
        expect(out[2], schedule).toEqual(wordsOf(want));
      });
    });

    it('takes scales and casts before and several outputs after, one of them updated in place', async () => {
      const shape = { batch: 2, m: 10, n: 20, k: 12, transB: true };
      const count = shape.batch * shape.m * shape.n;
      // a * rowScale[m] * stepScale[k]; b is stored as i32; bias[n]; state = 0.9 state + sum, in place.
      const parts: KernelParts = {
        params: ['f32'],
        extra: [
          { dtype: 'f32', length: shape.m, access: 'read' },
          { dtype: 'f32', length: shape.k, access: 'read' },
          { dtype: 'f32', length: shape.n, access: 'read' },
          { dtype: 'f32', length: count, access: 'readwrite' },
        ],
        outputs: 2,
      };
      const base = productKernel(shape, parts);
      const multiply = (a: Expr, b: Expr): Expr => ({ kind: 'binary', dtype: 'f32', fn: 'mul', a, b });
      const addUp = (a: Expr, b: Expr): Expr => ({ kind: 'binary', dtype: 'f32', fn: 'add', a, b });
      const number = (value: number): Expr => ({ kind: 'const', dtype: 'f32', value });
      const acc: Expr = { kind: 'result', dtype: 'f32', of: base.acc };
      const stored = base.b as Extract<Expr, { kind: 'load' }>;
      const outIndex = base.epilogue[0]!.index;
      const scaled = addUp(multiply(acc, { kind: 'param', dtype: 'f32', slot: 0 }), load(4, variable(base.n)));
      const kernel: ContractionKernel = {
        ...base,
        buffers: base.buffers.map((buffer, i) => (i === 1 ? { ...buffer, dtype: 'i32' } : buffer)),
        a: multiply(multiply(base.a, load(2, variable(base.m))), load(3, variable(base.k))),
        b: { kind: 'cast', dtype: 'f32', x: { ...stored, dtype: 'i32' } },
        epilogue: [
          { kind: 'store', buffer: 6, index: outIndex, value: scaled },
          {
            kind: 'store',
            buffer: 7,
            index: outIndex,
            value: { kind: 'binary', dtype: 'f32', fn: 'max', a: scaled, b: number(0) },
          },
          { kind: 'store', buffer: 5, index: outIndex, value: addUp(multiply(number(0.5), load(5, outIndex)), acc) },
        ],
      };
      const a = numbers(shape.batch * shape.m * shape.k, 5);
      const b = Int32Array.from(numbers(shape.batch * shape.k * shape.n, 6), (x) => Math.round(x * 8));
      const [rows, steps, bias, state] = [shape.m, shape.k, shape.n, count].map((length, i) => numbers(length, 7 + i));
      const sums = product(
        shape,
        (at, row, step) => a[at]! * rows![row]! * steps![step]!,
        (at) => b[at]!,
      );
      const factor = Math.fround(0.3);
      const linear = sums.map((x, i) => x * factor + bias![i % shape.n]!);
      const inputs = [a, b, rows!, steps!, bias!, state!].map(wordsOf);
      const check = (out: Uint32Array[], schedule: string): void => {
        const within = bound(shape.k) * 4;
        expect(distance(floatsOf(out[6]!), linear), schedule).toBeLessThanOrEqual(within);
        expect(
          distance(
            floatsOf(out[7]!),
            linear.map((x) => Math.max(x, 0)),
          ),
          schedule,
        ).toBeLessThanOrEqual(within);
        expect(
          distance(
            floatsOf(out[5]!),
            sums.map((x, i) => x + 0.5 * state![i]!),
          ),
          schedule,
        ).toBeLessThanOrEqual(within);
      };
      await runAll(kernel, allSchedules(kernel), inputs, check, wordsOf(new Float32Array([factor])));
    });

    it('convolves: an implicit GEMM with padding, stride and division by kernel sizes', async () => {
      const { kernel, want, inputs } = convolution({
        channels: 3,
        height: 7,
        width: 9,
        filters: 5,
        kernel: 3,
        stride: 2,
        pad: 1,
      });
      await runAll(kernel, allSchedules(kernel), inputs, (out, schedule) => {
        expect(distance(floatsOf(out[2]!), want), schedule).toBeLessThanOrEqual(bound(kernel.k.extent));
      });
    });
  });

  describe('the chosen schedules', () => {
    const chosen = (shape: Product): ContractionSchedule[] => {
      const kernel = productKernel(shape);
      return [SOFTWARE, SOFTWARE_WITHOUT_SUBGROUPS, GPU].map((caps) => chooseContractionSchedule(kernel, caps));
    };

    it.each([
      [1, 1, 1],
      [1, 3, 65],
      [3, 1, 7],
      [7, 65, 3],
      [65, 7, 1],
      [65, 65, 65],
      [1, 300, 64],
      [300, 1, 64],
      [128, 10, 256],
      [10, 10, 2000],
      [64, 10, 0],
    ])('multiply %i x %i over %i', async (m, n, k) => {
      const shape = { batch: 1, m, n, k, ...layouts[(m + n) % 4] };
      await checkProduct(shape, chosen(shape));
    });

    it('give zeros through the epilogue when k is empty, and nothing when an output extent is', async () => {
      for (const shape of [
        { batch: 2, m: 5, n: 6, k: 0 },
        { batch: 0, m: 5, n: 6, k: 3 },
        { batch: 2, m: 0, n: 6, k: 3 },
        { batch: 2, m: 5, n: 0, k: 3 },
      ]) {
        const kernel = productKernel(shape);
        const length = shape.batch * shape.m * shape.n;
        await runAll(kernel, allSchedules(kernel), [], (out, schedule) => {
          expect(out[2], schedule).toEqual(new Uint32Array(length));
        });
      }
    });

    it('fold more matrices than one dimension of a dispatch may have', async () => {
      const shape = { batch: 65537, m: 1, n: 2, k: 3 };
      await checkProduct(shape, [chosen(shape)[0]!]);
    });

    it('fold more tiles than one dimension of a dispatch may have', async () => {
      const shape = { batch: 1, m: 1, n: 300_001, k: 1 };
      const small = contractionSpace(productKernel(shape), SOFTWARE).find((s) => s.share === 'a' && s.tn === 1);
      await checkProduct(shape, [small!]);
    });

    it('let NaN and infinities through', async () => {
      const shape = { batch: 1, m: 8, n: 8, k: 10 };
      const kernel = productKernel(shape);
      const a = numbers(80, 1);
      const b = numbers(80, 2);
      a[3] = NaN;
      a[10 + 4] = Infinity;
      await runAll(kernel, chosen(shape), [wordsOf(a), wordsOf(b)], (out, schedule) => {
        const got = floatsOf(out[2]!);
        for (let j = 0; j < 8; j++) {
          // By their bits: adapters may compare NaN as they like.
          expect((out[2]![j]! & 0x7fffffff) > 0x7f800000, schedule).toBe(true);
          expect(got[8 + j], schedule).toBe(b[32 + j]! > 0 ? Infinity : -Infinity);
          expect(Number.isFinite(got[16 + j]), schedule).toBe(true);
        }
      });
    });

    it('give the same bits every time', async () => {
      const shape = { batch: 1, m: 40, n: 33, k: 129 };
      const kernel = productKernel(shape);
      const inputs = [wordsOf(numbers(40 * 129, 1)), wordsOf(numbers(33 * 129, 2))];
      const seen = new Map<string, Uint32Array<ArrayBufferLike>>();
      for (let i = 0; i < 3; i++) {
        await runAll(kernel, chosen(shape), inputs, (out, schedule) => {
          expect(out[2], schedule).toEqual(seen.get(schedule) ?? out[2]);
          seen.set(schedule, out[2]!);
        });
      }
    });

    it('convolve', async () => {
      for (const dims of [
        { channels: 2, height: 6, width: 6, filters: 4, kernel: 1, stride: 1, pad: 0 },
        { channels: 5, height: 11, width: 8, filters: 12, kernel: 5, stride: 1, pad: 2 },
      ]) {
        const { kernel, want, inputs } = convolution(dims);
        const schedules = [SOFTWARE, SOFTWARE_WITHOUT_SUBGROUPS, GPU].map((caps) =>
          chooseContractionSchedule(kernel, caps),
        );
        await runAll(kernel, schedules, inputs, (out, schedule) => {
          expect(distance(floatsOf(out[2]!), want), schedule).toBeLessThanOrEqual(bound(kernel.k.extent));
        });
      }
    });
  });
});

/** A convolution as implicit GEMM, and what it gives. */
function convolution(d: {
  channels: number;
  height: number;
  width: number;
  filters: number;
  kernel: number;
  stride: number;
  pad: number;
}) {
  const out = (size: number): number => Math.floor((size + 2 * d.pad - d.kernel) / d.stride) + 1;
  const [oh, ow] = [out(d.height), out(d.width)];
  const taps = d.kernel ** 2;
  const base = productKernel({ batch: 1, m: d.filters, n: oh * ow, k: d.channels * taps });
  const [k, n] = [variable(base.k), variable(base.n)];
  const along = (position: ReturnType<typeof over>, tap: ReturnType<typeof over>) =>
    minus(plus(times(position, d.stride), tap), constant(d.pad));
  const y = along(over(n, ow), modulo(over(k, d.kernel), d.kernel));
  const x = along(modulo(n, ow), modulo(k, d.kernel));
  const index = plus(times(over(k, taps), d.height * d.width), times(y, d.width), x);
  const kernel: ContractionKernel = {
    ...base,
    buffers: base.buffers.map((b, i) => (i === 1 ? { ...b, length: d.channels * d.height * d.width } : b)),
    b: {
      kind: 'guard',
      dtype: 'f32',
      conds: [
        { kind: 'lt', a: y, b: constant(d.height) },
        { kind: 'lt', a: x, b: constant(d.width) },
      ],
      value: load(1, index, 'f32', true),
      otherwise: 0,
    },
  };
  const weights = numbers(d.filters * d.channels * taps, 1);
  const image = numbers(d.channels * d.height * d.width, 2);
  const want = new Float64Array(d.filters * oh * ow);
  for (let f = 0; f < d.filters; f++) {
    for (let i = 0; i < oh; i++) {
      for (let j = 0; j < ow; j++) {
        for (let c = 0; c < d.channels; c++) {
          for (let u = 0; u < d.kernel; u++) {
            for (let v = 0; v < d.kernel; v++) {
              const [yy, xx] = [i * d.stride + u - d.pad, j * d.stride + v - d.pad];
              if (yy < 0 || xx < 0 || yy >= d.height || xx >= d.width) continue;
              want[(f * oh + i) * ow + j]! +=
                weights[((f * d.channels + c) * d.kernel + u) * d.kernel + v]! *
                image[(c * d.height + yy) * d.width + xx]!;
            }
          }
        }
      }
    }
  }
  return { kernel, want, inputs: [wordsOf(weights), wordsOf(image)] };
}

describe('the schedule space', () => {
  const kernel = productKernel({ batch: 1, m: 512, n: 512, k: 512 });

  it('respects the limits of the adapter', () => {
    const small: ContractionCaps = { ...GPU, maxInvocationsPerWorkgroup: 64, maxWorkgroupMemoryBytes: 4096 };
    const space = contractionSpace(kernel, small);
    expect(space.length).toBeGreaterThan(0);
    for (const s of space) expect(s.wgX * s.wgY * s.splitK).toBeLessThanOrEqual(64);
    expect(space.length).toBeLessThan(contractionSpace(kernel, GPU).length);
  });

  it('names every schedule differently', () => {
    for (const caps of [SOFTWARE, SOFTWARE_WITHOUT_SUBGROUPS, GPU]) {
      const names = contractionSpace(kernel, caps).map(scheduleName);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it('keeps barriers and workgroup memory from software adapters', () => {
    for (const s of contractionSpace(kernel, SOFTWARE)) {
      expect(renderContraction(kernel, s).code).not.toMatch(/workgroupBarrier|var<workgroup>/);
    }
    expect(chooseContractionSchedule(kernel, GPU).kind).toBe('shared');
  });

  it('uses quads only where subgroups are', () => {
    expect(contractionSpace(kernel, SOFTWARE_WITHOUT_SUBGROUPS).every((s) => s.share === 'none')).toBe(true);
    expect(chooseContractionSchedule(kernel, SOFTWARE).share).not.toBe('none');
  });

  it('cuts tiles to fit small extents', () => {
    const narrow = chooseContractionSchedule(productKernel({ batch: 1, m: 128, n: 10, k: 256 }), SOFTWARE);
    expect(
      10 % (narrow.tn * narrow.wgX) === 0 || narrow.tn * narrow.wgX === 10 || narrow.tn === 5,
      scheduleName(narrow),
    ).toBe(true);
  });

  it('refuses sums of bool', () => {
    expect(() => renderContraction({ ...kernel, dtype: 'bool' }, chooseContractionSchedule(kernel, SOFTWARE))).toThrow(
      UnsupportedError,
    );
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ContractionSchedule,
  contractionSpace,
  renderContraction,
  scheduleName,
} from '../../../kernels/families/contraction.js';
import { byWords } from '../../../kernels/families/packedDot.js';
import type { ContractionKernel } from '../../../kernels/ir.js';
import { buildPlan } from '../../../src/compile/plan/build.js';
import type { KernelEngine } from '../../../src/engine/engine.js';
import { createPlanOnlyEngine } from '../../../src/engine/plan-only/index.js';
import { createWebGPUEngine } from '../../../src/engine/webgpu/index.js';
import { renderKernel } from '../../../src/engine/webgpu/rendering.js';
import { binary, cast, dot, full, type LeafSource, leaf, type Node, permute } from '../../../src/graph/index.js';
import { describeWebGPU } from '../../setup/environment.js';
import { GPU, openDevice, prepare, run as runKernel } from '../contraction-harness.js';

type Bytes = 'i8' | 'u8';
interface Form {
  readonly shape: readonly [m: number, n: number, k: number];
  readonly dtypes?: readonly [Bytes, Bytes];
  /** Weights are [n, k], as those of a linear layer, or [k, n]. */
  readonly transB?: boolean;
}

/** x wᵀ + 3 of packed bytes, with sums in i32. */
function build({ shape: [m, n, k], dtypes = ['i8', 'i8'], transB = true }: Form) {
  const inputs: LeafSource[] = [
    { shape: [m, k], dtype: dtypes[0] },
    { shape: transB ? [n, k] : [k, n], dtype: dtypes[1] },
  ];
  const [x, w] = inputs.map((source) => cast(leaf(source), 'i32')) as [Node, Node];
  const product = dot(x, transB ? permute(w, [1, 0]) : w);
  return { roots: [binary('add', product, full([m, n], 3, 'i32'))], inputs, donated: [false, false], scalars: [] };
}

const kernelOf = (form: Form): ContractionKernel => {
  const { kernels } = buildPlan(build(form), createPlanOnlyEngine().capabilities);
  return kernels[0]!.kernel as ContractionKernel;
};

/** All bytes there are, in some order. */
const bytesOf = (count: number, seed: number) =>
  Uint8Array.from({ length: count }, (_, i) => (i * 167 + seed * 31) & 255);
const wordsOf = (bytes: Uint8Array): Uint32Array => {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
};

function expected({ shape: [m, n, k], dtypes = ['i8', 'i8'], transB = true }: Form, a: Uint8Array, b: Uint8Array) {
  const [left, right] = [a, b].map((bytes, i) => (dtypes[i] === 'i8' ? new Int8Array(bytes.buffer) : bytes));
  return Int32Array.from({ length: m * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    let sum = 3;
    for (let j = 0; j < k; j++) sum += left![row * k + j]! * right![transB ? column * k + j : j * n + column]!;
    return sum;
  });
}

describe('products of packed bytes', () => {
  it('are taken word by word where both operands lie along k in whole words', () => {
    const words = byWords(kernelOf({ shape: [5, 6, 24] }))!;
    expect(words).toMatchObject({
      meet: 'dot4I8',
      k: { extent: 6 },
      dtype: 'i32',
      a: { kind: 'load' },
      b: { kind: 'load' },
    });
    expect(byWords(kernelOf({ shape: [5, 6, 24], dtypes: ['u8', 'u8'] }))!.meet).toBe('dot4U8');
  });

  it('stay as they are elsewhere', () => {
    expect(byWords(kernelOf({ shape: [5, 6, 22] }))).toBe(null);
    expect(byWords(kernelOf({ shape: [5, 8, 24], transB: false }))).toBe(null);
    expect(byWords(kernelOf({ shape: [5, 6, 24], dtypes: ['i8', 'u8'] }))).toBe(null);
  });
});

describeWebGPU('products of packed bytes on SwiftShader', () => {
  let device: GPUDevice;
  let engine: KernelEngine;
  beforeAll(async () => {
    device = await openDevice();
    engine = await createWebGPUEngine({
      render: (kernel, capabilities) => renderKernel(kernel, { ...capabilities, packedDot: true }),
    });
  });
  afterAll(() => {
    device.destroy();
    engine.destroy();
  });

  it.each([{ shape: [13, 18, 52] }, { shape: [13, 18, 52], dtypes: ['u8', 'u8'] }, { shape: [3, 40, 64] }] as Form[])(
    'come out right under the schedules of a GPU and of a CPU: %j',
    async (form) => {
      const kernel = byWords(kernelOf(form))!;
      const [m, n, k] = form.shape;
      const [a, b] = [bytesOf(m * k, 1), bytesOf(n * k, 2)];
      const want = expected(form, a, b);
      const space = [...contractionSpace(kernel, GPU), ...contractionSpace(kernel, { ...GPU, software: true })];
      // The smallest of each kind: SwiftShader emulates the function, and takes its time to compile many of it.
      const sizeOf = ({ tm, tn, ku }: ContractionSchedule) => tm * tn * ku;
      const smallest = new Map<string, ContractionSchedule>();
      for (const schedule of [...space].sort((x, y) => sizeOf(y) - sizeOf(x))) {
        smallest.set(`${schedule.kind} ${schedule.share}`, schedule);
      }
      for (const schedule of smallest.values()) {
        const name = scheduleName(schedule);
        expect(renderContraction(kernel, schedule).code).toContain(form.dtypes ? 'dot4U8Packed' : 'dot4I8Packed');
        const prepared = await prepare(device, kernel, schedule);
        const buffers = [wordsOf(a), wordsOf(b), new Uint32Array(m * n)];
        const [, , out] = await runKernel(device, prepared, buffers, new Uint32Array(0));
        expect(new Int32Array(out!.buffer), name).toEqual(want);
      }
    },
  );

  it.each([{ shape: [13, 18, 52] }, { shape: [5, 6, 22] }, { shape: [5, 6, 24], dtypes: ['i8', 'u8'] }] as Form[])(
    'are used by an engine on a device that has them, where they fit: %j',
    async (form) => {
      const [m, n, k] = form.shape;
      const program = await engine.prepare(buildPlan(build(form), engine.capabilities));
      const code = engine.codeOf!(program.plan!.kernels[0]!).text;
      expect(code.includes('dot4I8Packed')).toBe(k % 4 === 0 && !form.dtypes);
      const [a, b] = [bytesOf(m * k, 3), bytesOf(n * k, 4)];
      const outputs = engine.run(program, [engine.upload(wordsOf(a)), engine.upload(wordsOf(b))], []);
      expect(new Int32Array((await engine.read(outputs))[0]!)).toEqual(expected(form, a, b));
    },
  );

  it('do not change what a device without them runs', () => {
    const kernel = kernelOf({ shape: [13, 18, 52] });
    const without = { ...engine.capabilities, packedDot: false };
    expect(renderKernel(kernel, without).code).not.toContain('dot4I8Packed');
    expect(renderKernel(kernel, { ...without, packedDot: true }).code).toContain('dot4I8Packed');
  });
});

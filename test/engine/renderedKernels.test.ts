import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Kernel } from '../../kernels/ir.js';
import type { KernelEngine } from '../../src/engine/engine.js';
import type { Plan } from '../../src/engine/plan.js';
import { createPlanOnlyEngine } from '../../src/engine/plan-only/index.js';
import { createWebGPUEngine } from '../../src/engine/webgpu/index.js';
import { describeWebGPU } from '../setup/environment.js';
import { plan } from './handmadePlans.js';
import { guardedNorm, negatedProduct, withEmptySegment } from './irKernels.js';

/** A plan of one kernel: its read buffers are the inputs, its written ones the outputs. */
function planOf(kernel: Kernel): Plan {
  let inputs = 0;
  let outputs = 0;
  const buffers = kernel.buffers.map(({ length, access }) => ({
    length,
    place:
      access === 'read'
        ? ({ kind: 'input', index: inputs++ } as const)
        : ({ kind: 'output', index: outputs++ } as const),
  }));
  return plan({
    inputs: buffers.filter(({ place }) => place.kind === 'input').map(({ length }) => ({ length })),
    buffers,
    kernels: [{ kernel, bindings: buffers.map((_, i) => i), params: kernel.params.map((_, i) => i) }],
    outputs: buffers.flatMap(({ place }, i) => (place.kind === 'output' ? [i] : [])),
    scalars: kernel.params,
  });
}

describeWebGPU('rendered kernels on the webgpu engine', () => {
  let engine: KernelEngine;
  beforeAll(async () => {
    engine = await createWebGPUEngine();
  });
  afterAll(() => engine.destroy());

  async function compute(kernel: Kernel, inputs: Float32Array[], scalars: number[] = []): Promise<Float32Array[]> {
    const program = await engine.prepare(planOf(kernel));
    expect(program).toMatchObject({ kernels: 1, submits: 1 });
    const uploaded = inputs.map((input) => engine.upload(input));
    const outputs = engine.run(program, uploaded, scalars);
    const values = (await engine.read(outputs)).map((bytes) => new Float32Array(bytes));
    for (const buffer of [...uploaded, ...outputs]) engine.free(buffer);
    return values;
  }

  it('reduce rows and store under guards', async () => {
    const [y] = await compute(guardedNorm(), [Float32Array.of(1, 2, 3, 4, 5, 6)], [0.5]);
    expect([...y]).toEqual([14 * 1.5, 14 * 1.5, 7, 77 * 1.5, 77 * 1.5, 7]);
  });

  it('multiply matrices with an epilogue', async () => {
    // Multiples of 1/64: every sum is exact.
    const a = Float32Array.from({ length: 24 }, (_, i) => (i % 5) / 8 - 0.25);
    const b = Float32Array.from({ length: 30 }, (_, i) => (i % 7) / 8 - 0.375);
    const [y] = await compute(negatedProduct(), [a, b]);
    for (let m = 0; m < 4; m++) {
      for (let n = 0; n < 5; n++) {
        let sum = 0;
        for (let k = 0; k < 6; k++) sum += a[m * 6 + k] * b[k * 5 + n];
        expect(y[m * 5 + n]).toBe(-sum);
      }
    }
  });

  it('leave empty buffers unbound', async () => {
    const x = Float32Array.from({ length: 100 }, (_, i) => i);
    const [empty, y] = await compute(withEmptySegment(100), [new Float32Array(0), x], [0.25]);
    expect(empty).toHaveLength(0);
    expect([...y]).toEqual([...x].map((v) => v + 0.25));
  });
});

it('plan-only renders what it lists', async () => {
  const engine = createPlanOnlyEngine();
  for (const kernel of [guardedNorm(), negatedProduct(), withEmptySegment(10)]) {
    const { kernels } = engine.describe(await engine.prepare(planOf(kernel)));
    expect(kernels).toHaveLength(1);
    expect(kernels[0].name).toBe(kernel.name);
    expect(kernels[0].code).toMatch(/@compute @workgroup_size/);
  }
});

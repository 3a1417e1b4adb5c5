import { describe, expect, it } from 'vitest';
import type { IndexVar, LoopKernel } from '../../kernels/ir.js';
import { createPlanOnlyEngine } from '../../src/engine/plan-only/index.js';
import { printKernel } from '../../src/engine/plan-only/printKernel.js';
import { InternalError, UnsupportedError } from '../../src/graph/index.js';
import { doublePlusOne, increments, renderHandmade, sgdUpdate } from './handmadePlans.js';
import { at, guardedNorm, load, negatedProduct } from './irKernels.js';

describe('the plan-only engine', () => {
  const engine = createPlanOnlyEngine({ render: renderHandmade });

  it('has the limits that every WebGPU device has', () => {
    expect(engine.capabilities).toEqual({
      software: false,
      maxStorageBuffers: 8,
      maxBindingBytes: 134_217_728,
      maxBufferBytes: 268_435_456,
      maxWorkgroupsPerDimension: 65_535,
      maxInvocationsPerWorkgroup: 256,
      maxWorkgroupMemoryBytes: 16_384,
      subgroups: false,
    });
    expect(engine.info()).toMatchObject({ engine: 'plan-only', software: false });
  });

  it('lists what a run would do', async () => {
    const program = await engine.prepare(increments(10, 3));
    expect(engine.lastProgram).toBe(program);
    expect(program).toMatchObject({ kernels: 3, submits: 1 });
    const listing = engine.describe(program);
    expect(listing).toMatchObject({ submits: 1, arenaBytes: 512 });
    expect(listing.kernels.map(({ name, bindings }) => [name, ...bindings])).toEqual([
      ['increment0', 'input 0', 'arena 0 + 40 bytes'],
      ['increment1', 'arena 0 + 40 bytes', 'arena 256 + 40 bytes'],
      ['increment2', 'arena 256 + 40 bytes', 'output 0'],
    ]);
    expect(listing.kernels[0].code).toContain('b1[id.x] = b0[id.x] + 1.0');
    expect(listing.kernels[0].workgroups).toEqual([1, 1, 1]);
  });

  it('leaves out what has nothing to do', async () => {
    const program = await engine.prepare(doublePlusOne(0));
    expect(program).toMatchObject({ kernels: 0, submits: 0 });
    expect(engine.describe(program).kernels).toEqual([]);
  });

  it('hands out buffers of the right size, donated inputs as outputs, and no values', async () => {
    const program = await engine.prepare(sgdUpdate(5));
    const w = engine.upload(new Float32Array(5));
    const g = engine.upload(new Float32Array(5));
    expect(engine.run(program, [w, g])[0]).toBe(w);
    const [y] = engine.run(await engine.prepare(doublePlusOne(5)), [w]);
    expect(y.bytes).toBe(20);
    expect(engine.memory()).toEqual({ live: 60, peak: 60, pooled: 0, buffers: 3 });
    await expect(engine.read()).rejects.toThrow(UnsupportedError);
    for (const buffer of [w, g, y]) engine.free(buffer);
    expect(() => engine.free(y)).toThrow(InternalError);
    expect(engine.memory()).toMatchObject({ live: 0, buffers: 0, peak: 60 });
    await engine.idle();
  });
});

describe('a printed kernel', () => {
  it('shows loops, reductions, shared values, guards and params', () => {
    expect(printKernel(guardedNorm())).toBe(
      [
        'kernel norm (b0: f32[6] read, b1: f32[6] write, p0: f32)',
        '  for r < 2',
        '    reduce c < 3: s = sum(b0[r * 3 + c] * b0[r * 3 + c])',
        '    for c < 3',
        '      v1 = max(s, -0)',
        '      b1[r * 3 + c] = if(c < 2, v1 + (v1 * p0), 7)',
      ].join('\n'),
    );
  });

  it('shows a contraction', () => {
    expect(printKernel(negatedProduct())).toBe(
      [
        'kernel matmul (b0: f32[24] read, b1: f32[30] read, b2: f32[20] write)',
        '  for batch < 1, m < 4, n < 5',
        '    reduce k < 6: acc = sum(b0[m * 6 + k] * b1[k * 5 + n])',
        '    b2[m * 5 + n] = neg(acc)',
      ].join('\n'),
    );
  });

  it('does not recurse: expressions may be deep', () => {
    const i: IndexVar = { name: 'i', extent: 1 };
    let value = load(0, at(i));
    for (let depth = 0; depth < 20_000; depth++) value = { kind: 'unary', dtype: 'f32', fn: 'neg', x: value };
    const kernel: LoopKernel = {
      kind: 'loop',
      name: 'deep',
      buffers: [
        { dtype: 'f32', length: 1, access: 'read' },
        { dtype: 'f32', length: 1, access: 'write' },
      ],
      params: [],
      flops: 20_000,
      segments: [{ parallel: [i], body: [{ kind: 'store', buffer: 1, index: at(i), value }] }],
    };
    expect(printKernel(kernel).match(/neg\(/g)).toHaveLength(20_000);
  });
});

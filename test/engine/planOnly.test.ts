import { describe, expect, it } from 'vitest';
import type { ContractionKernel, Expr, Index, IndexVar, LoopKernel, Result } from '../../kernels/ir.js';
import { createPlanOnlyEngine } from '../../src/engine/plan-only/index.js';
import { printKernel } from '../../src/engine/plan-only/printKernel.js';
import { InternalError, UnsupportedError } from '../../src/graph/index.js';
import { doublePlusOne, increments, renderHandmade, sgdUpdate } from './handmadePlans.js';

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
  const at = (v: IndexVar): Index => ({ kind: 'var', v });
  const scaled = (v: IndexVar, b: number, w: IndexVar): Index => ({
    kind: 'add',
    a: { kind: 'mul', a: at(v), b },
    b: at(w),
  });
  const load = (buffer: number, index: Index): Expr => ({ kind: 'load', dtype: 'f32', buffer, index, clamp: false });
  const f32 = (value: number): Expr => ({ kind: 'const', dtype: 'f32', value });
  const binary = (fn: 'add' | 'mul' | 'max', a: Expr, b: Expr): Expr => ({ kind: 'binary', dtype: 'f32', fn, a, b });

  it('shows loops, reductions, shared values, guards and params', () => {
    const r: IndexVar = { name: 'r', extent: 2 };
    const c: IndexVar = { name: 'c', extent: 3 };
    const sum: Result = { name: 's', dtype: 'f32' };
    const square = binary('mul', load(0, scaled(r, 3, c)), load(0, scaled(r, 3, c)));
    const total: Expr = { kind: 'result', dtype: 'f32', of: sum };
    const shared = binary('max', total, f32(-0));
    const kernel: LoopKernel = {
      kind: 'loop',
      name: 'norm',
      buffers: [
        { dtype: 'f32', length: 6, access: 'read' },
        { dtype: 'f32', length: 6, access: 'write' },
      ],
      params: ['f32'],
      flops: 12,
      segments: [
        {
          parallel: [r],
          body: [
            { kind: 'reduce', vars: [c], terms: [{ fn: 'sum', value: square, result: sum }] },
            {
              kind: 'loop',
              vars: [c],
              body: [
                {
                  kind: 'store',
                  buffer: 1,
                  index: scaled(r, 3, c),
                  value: {
                    kind: 'guard',
                    dtype: 'f32',
                    conds: [{ kind: 'lt', a: at(c), b: { kind: 'const', value: 2 } }],
                    value: binary('add', shared, binary('mul', shared, { kind: 'param', dtype: 'f32', slot: 0 })),
                    otherwise: 7,
                  },
                },
              ],
            },
          ],
        },
      ],
    };
    expect(printKernel(kernel)).toBe(
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
    const [batch, m, n, k] = [1, 4, 5, 6].map((extent, i) => ({ name: ['batch', 'm', 'n', 'k'][i], extent }));
    const acc: Result = { name: 'acc', dtype: 'f32' };
    const kernel: ContractionKernel = {
      kind: 'contraction',
      name: 'matmul',
      buffers: [24, 30, 20].map((length, i) => ({ dtype: 'f32', length, access: i < 2 ? 'read' : 'write' })),
      params: [],
      flops: 240,
      batch,
      m,
      n,
      k,
      dtype: 'f32',
      a: load(0, scaled(m, 6, k)),
      b: load(1, scaled(k, 5, n)),
      acc,
      epilogue: [
        {
          kind: 'store',
          buffer: 2,
          index: scaled(m, 5, n),
          value: { kind: 'unary', dtype: 'f32', fn: 'tanh', x: { kind: 'result', dtype: 'f32', of: acc } },
        },
      ],
    };
    expect(printKernel(kernel)).toBe(
      [
        'kernel matmul (b0: f32[24] read, b1: f32[30] read, b2: f32[20] write)',
        '  for batch < 1, m < 4, n < 5',
        '    reduce k < 6: acc = sum(b0[m * 6 + k] * b1[k * 5 + n])',
        '    b2[m * 5 + n] = tanh(acc)',
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

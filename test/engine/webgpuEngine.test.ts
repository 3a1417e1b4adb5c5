import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineBuffer, KernelEngine } from '../../src/engine/engine.js';
import { createWebGPUEngine, type KernelTiming } from '../../src/engine/webgpu/index.js';
import { EngineError, InternalError, OutOfMemoryError } from '../../src/graph/index.js';
import { describeWebGPU } from '../setup/environment.js';
import { doublePlusOne, handmadeKernel, increments, plan, renderHandmade, sgdUpdate } from './handmadePlans.js';

const MIB = 2 ** 20;

async function floats(engine: KernelEngine, ...buffers: EngineBuffer[]): Promise<number[][]> {
  return (await engine.read(buffers)).map((bytes) => [...new Float32Array(bytes)]);
}

const ramp = (length: number, from = 0) => Float32Array.from({ length }, (_, i) => from + i);

// Both ways of starting Dawn: what the checks refuse, the engine must not do.
describe.each([
  ['with the checks of WebGPU', true],
  ['without them', false],
])('%s', (_, validate) => {
  describeWebGPU('the webgpu engine', () => {
    let engine: KernelEngine;
    beforeAll(async () => {
      engine = await createWebGPUEngine({ validate, render: renderHandmade });
    });
    afterAll(() => engine.destroy());

    it('says what it is', () => {
      const info = engine.info();
      expect(info.engine).toBe('webgpu');
      expect(info.adapter).not.toBe('');
      expect(info.limits.maxStorageBuffersPerShaderStage).toBe(engine.capabilities.maxStorageBuffers);
      expect(info.software).toBe(engine.capabilities.software);
      if (/swiftshader/i.test(info.adapter)) expect(info.software).toBe(true);
    });

    it('gives back what was uploaded, whatever happens to the array afterwards', async () => {
      const words = Uint32Array.of(0, 1, 0x7fc00001, 0xffffffff, 0x80000000);
      const buffer = engine.upload(words);
      words.fill(7);
      const [bytes] = await engine.read([buffer]);
      expect([...new Uint32Array(bytes)]).toEqual([0, 1, 0x7fc00001, 0xffffffff, 0x80000000]);
      engine.free(buffer);
    });

    it('uploads a part of an array', async () => {
      const buffer = engine.upload(ramp(10).subarray(3, 6));
      expect(await floats(engine, buffer)).toEqual([[3, 4, 5]]);
      engine.free(buffer);
    });

    it('runs an elementwise plan', async () => {
      const program = await engine.prepare(doublePlusOne(1000));
      expect(program).toMatchObject({ kernels: 1, submits: 1 });
      const x = engine.upload(ramp(1000));
      const [y] = engine.run(program, [x], []);
      expect(y.bytes).toBe(4000);
      expect(await floats(engine, y)).toEqual([Array.from({ length: 1000 }, (_, i) => 2 * i + 1)]);
      engine.free(x);
      engine.free(y);
    });

    it('queues runs on each other before anything is awaited', async () => {
      const program = await engine.prepare(doublePlusOne(3));
      let x = engine.upload(ramp(3));
      for (let i = 0; i < 10; i++) {
        const [y] = engine.run(program, [x], []);
        engine.free(x);
        x = y;
      }
      expect(await floats(engine, x)).toEqual([[0, 1, 2].map((v) => v * 1024 + 1023)]);
      engine.free(x);
    });

    it('returns a donated input as the output', async () => {
      const program = await engine.prepare(sgdUpdate(5));
      const w = engine.upload(ramp(5, 10));
      const g = engine.upload(ramp(5));
      expect(engine.run(program, [w, g], [0.5])).toEqual([w]);
      expect(engine.run(program, [w, g], [0.25])[0]).toBe(w);
      expect(await floats(engine, w, g)).toEqual([[10, 10.25, 10.5, 10.75, 11], [...ramp(5)]]);
      engine.free(w);
      engine.free(g);
    });

    it('reads scalars anew at every run, each as its dtype', async () => {
      const kernel = handmadeKernel({
        name: 'scalars',
        body: 'b0[0] = bitcast<u32>(p.p0); b0[1] = bitcast<u32>(p.p1); b0[2] = p.p2; b0[3] = p.p3;',
        dtypes: ['u32'],
        params: ['f32', 'i32', 'u32', 'bool'],
        points: 1,
      });
      // A second kernel with its own block, and the scalars in another order.
      const swapped = handmadeKernel({
        name: 'swapped',
        body: 'b0[0] = p.p0; b0[1] = bitcast<u32>(p.p1);',
        dtypes: ['u32'],
        params: ['u32', 'f32'],
        points: 1,
      });
      const program = await engine.prepare(
        plan({
          buffers: [
            { length: 4, place: { kind: 'output', index: 0 } },
            { length: 2, place: { kind: 'output', index: 1 } },
          ],
          kernels: [
            { kernel, bindings: [0], params: [0, 1, 2, 3] },
            { kernel: swapped, bindings: [1], params: [2, 0] },
          ],
          outputs: [0, 1],
          scalars: ['f32', 'i32', 'u32', 'bool'],
        }),
      );
      const bitsOf = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0];
      const runs = [
        [0.1, -5, 4294967295, 1],
        [0.1, -5, 4294967295, 1],
        [Number.NEGATIVE_INFINITY, 2147483647, 0, 0],
        [-0, -2147483648, 2147483648, 1],
      ];
      const outputs = runs.map((scalars) => engine.run(program, [], scalars));
      for (const [i, [f, s, u, b]] of runs.entries()) {
        const [first, second] = await engine.read(outputs[i]);
        expect([...new Uint32Array(first)]).toEqual([bitsOf(f), s >>> 0, u, b]);
        expect([...new Uint32Array(second)]).toEqual([u, bitsOf(f)]);
      }
      for (const buffer of outputs.flat()) engine.free(buffer);
    });

    it('puts intermediate results in an arena, which grows', async () => {
      const small = await engine.prepare(increments(10, 5));
      const large = await engine.prepare(increments(5000, 4));
      expect(small.kernels).toBe(5);
      expect(small.submits).toBe(1);
      const x = engine.upload(ramp(10));
      const big = engine.upload(ramp(5000));
      const outputs = [
        engine.run(small, [x], []),
        engine.run(large, [big], []),
        engine.run(small, [x], []),
        engine.run(large, [big], []),
      ].flat();
      const results = await floats(engine, ...outputs);
      expect(results[0]).toEqual([...ramp(10, 5)]);
      expect(results[1]).toEqual([...ramp(5000, 4)]);
      expect(results[2]).toEqual(results[0]);
      expect(results[3]).toEqual(results[1]);
      for (const buffer of [x, big, ...outputs]) engine.free(buffer);
    });

    it('lets one kernel read and write neighbouring ranges of the arena', async () => {
      const write = handmadeKernel({ name: 'write', body: 'b0[id.x] = 3.0;', dtypes: ['f32'], points: 8 });
      const add = handmadeKernel({
        name: 'add',
        body: 'b1[id.x] = b0[id.x] + 1.0; b2[id.x] = b0[id.x] + 2.0;',
        dtypes: ['f32', 'f32', 'f32'],
        points: 8,
      });
      const program = await engine.prepare(
        plan({
          buffers: [
            { length: 8, place: { kind: 'arena', offset: 0 } },
            { length: 8, place: { kind: 'arena', offset: 256 } },
            { length: 8, place: { kind: 'output', index: 0 } },
          ],
          kernels: [
            { kernel: write, bindings: [0], params: [] },
            { kernel: add, bindings: [0, 1, 2], params: [] },
          ],
          outputs: [2],
          arenaBytes: 512,
        }),
      );
      const [y] = engine.run(program, [], []);
      expect(await floats(engine, y)).toEqual([Array(8).fill(5)]);
      engine.free(y);
    });

    it('does nothing for empty tensors', async () => {
      const program = await engine.prepare(doublePlusOne(0));
      expect(program).toMatchObject({ kernels: 0, submits: 0 });
      const x = engine.upload(new Float32Array(0));
      const [y] = engine.run(program, [x], []);
      const live = engine.upload(ramp(2));
      expect(await floats(engine, x, live, y)).toEqual([[], [0, 1], []]);
      expect(await engine.read([])).toEqual([]);
      for (const buffer of [x, y, live]) engine.free(buffer);
    });

    it('passes an input through', async () => {
      const program = await engine.prepare(
        plan({
          inputs: [{ length: 2 }],
          buffers: [{ length: 2, place: { kind: 'input', index: 0 } }],
          kernels: [],
          outputs: [0],
        }),
      );
      const x = engine.upload(ramp(2));
      expect(engine.run(program, [x], [])[0]).toBe(x);
      engine.free(x);
    });

    it('reads many buffers of odd sizes at once, and several reads side by side', async () => {
      const buffers = Array.from({ length: 300 }, (_, i) => engine.upload(ramp((i % 7) + 1, i)));
      const [all, ...single] = await Promise.all([
        floats(engine, ...buffers),
        ...buffers.slice(0, 20).map((buffer) => floats(engine, buffer)),
      ]);
      expect(all).toEqual(buffers.map((_, i) => [...ramp((i % 7) + 1, i)]));
      expect(single.flat()).toEqual(all.slice(0, 20));
      for (const buffer of buffers) engine.free(buffer);
    });

    it('compiles many kernels side by side', async () => {
      const length = 16;
      const steps = 40;
      const kernels = Array.from({ length: steps }, (_, i) => ({
        kernel: handmadeKernel({
          name: `add${i}`,
          body: `b0[id.x] = b0[id.x] + ${i}.0;`,
          dtypes: ['f32'],
          points: length,
        }),
        bindings: [0],
        params: [],
      }));
      const program = await engine.prepare(
        plan({
          inputs: [{ length, donated: true }],
          buffers: [{ length, place: { kind: 'input', index: 0 } }],
          kernels,
          outputs: [0],
        }),
      );
      const x = engine.upload(ramp(length));
      engine.run(program, [x], []);
      expect(await floats(engine, x)).toEqual([[...ramp(length, (steps * (steps - 1)) / 2)]]);
      engine.free(x);
    });

    it('keeps memory flat over 2,000 runs with a fresh batch each', async () => {
      const length = 4096;
      const program = await engine.prepare(sgdUpdate(length));
      const forward = await engine.prepare(increments(length, 3));
      const w = engine.upload(new Float32Array(length));
      const batch = new Float32Array(length);
      const seen: { live: number; pooled: number; rss: number }[] = [];
      for (let i = 0; i < 2000; i++) {
        const x = engine.upload(batch.fill(i % 2));
        const [y] = engine.run(forward, [x], []);
        engine.run(program, [w, y], [-1]);
        engine.free(x);
        engine.free(y);
        if (i % 100 === 99) {
          await engine.idle();
          const { live, pooled } = engine.memory();
          seen.push({ live, pooled, rss: process.memoryUsage().rss });
        }
      }
      expect(seen).toHaveLength(20);
      for (const { live, pooled } of seen)
        expect({ live, pooled }).toEqual({ live: seen[0].live, pooled: seen[0].pooled });
      expect(seen[19].rss - seen[4].rss).toBeLessThan(64 * MIB);
      expect((await floats(engine, w))[0]).toEqual(Array(length).fill(1000 * 3 + 1000 * 4));
      engine.free(w);
    });

    it('counts live, pooled and peak bytes', () => {
      const before = engine.memory();
      const buffer = engine.upload(new Float32Array(MIB));
      expect(engine.memory().live - before.live).toBe(4 * MIB);
      expect(engine.memory().buffers - before.buffers).toBe(1);
      engine.free(buffer);
      const after = engine.memory();
      expect(after.live).toBe(before.live);
      expect(after.pooled).toBeGreaterThanOrEqual(4 * MIB);
      expect(after.peak).toBeGreaterThanOrEqual(before.live + 4 * MIB);
    });

    it('refuses to free twice, and to use what was freed', async () => {
      const program = await engine.prepare(doublePlusOne(4));
      const x = engine.upload(ramp(4));
      engine.free(x);
      expect(() => engine.free(x)).toThrow(InternalError);
      expect(() => engine.run(program, [x], [])).toThrow(InternalError);
      await expect(engine.read([x])).rejects.toThrow(InternalError);
    });

    it('refuses wrong numbers of inputs and scalars, and wrong sizes', async () => {
      const program = await engine.prepare(sgdUpdate(4));
      const x = engine.upload(ramp(4));
      const short = engine.upload(ramp(3));
      expect(() => engine.run(program, [x], [1])).toThrow(/1 inputs \(expected 2\)/);
      expect(() => engine.run(program, [x, x], [])).toThrow(/0 scalars \(expected 1\)/);
      expect(() => engine.run(program, [x, short], [1])).toThrow(/input 1 has 12 bytes \(expected 16\)/);
      engine.free(x);
      engine.free(short);
    });

    it('rejects a plan whose kernel does not compile, with the name and the message', async () => {
      const kernel = handmadeKernel({ name: 'broken_one', body: 'b0[id.x] = nonsense;', dtypes: ['f32'], points: 4 });
      const broken = plan({
        buffers: [{ length: 4, place: { kind: 'output', index: 0 } }],
        kernels: [{ kernel, bindings: [0], params: [] }],
        outputs: [0],
      });
      const error = await engine.prepare(broken).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(EngineError);
      expect(String(error)).toMatch(/broken_one does not compile: [\s\S]*nonsense/);
      await engine.idle();
    });

    it('refuses a buffer beyond the device before asking for it', () => {
      const tooLarge = { byteLength: engine.capabilities.maxBufferBytes + 4 } as Float32Array;
      expect(() => engine.upload(tooLarge)).toThrow(OutOfMemoryError);
    });
  });
});

describeWebGPU('a memory budget', () => {
  it('refuses what would exceed it, and frees the pool to stay within', async () => {
    const engine = await createWebGPUEngine({ memoryBudget: 8 * MIB, render: renderHandmade });
    const half = engine.upload(new Float32Array(MIB));
    expect(() => engine.upload(new Float32Array(MIB + 64))).toThrow(OutOfMemoryError);
    engine.free(half);
    expect(engine.memory()).toMatchObject({ live: 0, pooled: 4 * MIB });
    const whole = engine.upload(new Float32Array(2 * MIB));
    expect(engine.memory()).toMatchObject({ live: 8 * MIB, pooled: 0 });
    expect((await engine.read([whole]))[0].byteLength).toBe(8 * MIB);
    engine.destroy();
  });

  it('gives back what it keeps for reuse once it has been idle, and works on', async () => {
    const engine = await createWebGPUEngine({ render: renderHandmade, trimAfterMs: 40 });
    const [kept, freed] = [engine.upload(new Float32Array(MIB).fill(3)), engine.upload(new Float32Array(MIB))];
    await engine.read([kept]);
    engine.free(freed);
    expect(engine.memory().pooled).toBe(8 * MIB);
    await expect.poll(() => engine.memory().pooled).toBe(0);
    expect(engine.memory().live).toBe(4 * MIB);
    expect(new Float32Array((await engine.read([kept]))[0])[MIB - 1]).toBe(3);
    engine.destroy();
  });

  it('keeps it while there is work', async () => {
    const engine = await createWebGPUEngine({ render: renderHandmade, trimAfterMs: 400 });
    const end = performance.now() + 900;
    engine.free(engine.upload(new Float32Array(MIB)));
    while (performance.now() < end) {
      const { pooled } = engine.memory();
      expect(pooled).toBe(4 * MIB);
      engine.free(engine.upload(new Float32Array(MIB)));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    engine.destroy();
  });

  it('never pools more than is live, above 64 MiB', async () => {
    const engine = await createWebGPUEngine({ render: renderHandmade });
    const buffers = Array.from({ length: 10 }, () => engine.upload(new Float32Array(4 * MIB)));
    for (const buffer of buffers) {
      engine.free(buffer);
      const { live, pooled } = engine.memory();
      expect(pooled).toBeLessThanOrEqual(Math.max(64 * MIB, live));
    }
    expect(engine.memory()).toMatchObject({ live: 0, pooled: 64 * MIB });
    engine.destroy();
  });

  it('turns the refusal of the device into OutOfMemoryError', async () => {
    const engine = await createWebGPUEngine({ render: renderHandmade });
    const kernel = handmadeKernel({ name: 'one', body: 'b0[0] = 1.0;', dtypes: ['f32'], points: 1 });
    // SwiftShader allocates lazily: far more than there is has to be asked for.
    const length = engine.capabilities.maxBufferBytes / 4;
    const program = await engine.prepare(
      plan({
        buffers: [{ length, place: { kind: 'output', index: 0 } }],
        kernels: [{ kernel, bindings: [0], params: [] }],
        outputs: [0],
      }),
    );
    let error: unknown;
    for (let i = 0; i < 4096 && !error; i++) {
      try {
        engine.run(program, [], []);
      } catch (thrown) {
        error = thrown;
      }
    }
    engine.destroy();
    expect(error).toBeInstanceOf(OutOfMemoryError);
  });
});

describeWebGPU('timings', () => {
  it('tells the time of each kernel', async () => {
    const reports: (readonly KernelTiming[])[] = [];
    const engine = await createWebGPUEngine({ render: renderHandmade, onTimings: (timings) => reports.push(timings) });
    const program = await engine.prepare(increments(1000, 3));
    const x = engine.upload(ramp(1000));
    const [y] = engine.run(program, [x], []);
    expect(await floats(engine, y)).toEqual([[...ramp(1000, 3)]]);
    await engine.idle();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(reports).toHaveLength(1);
    expect(reports[0].map(({ kernel }) => kernel)).toEqual(['increment0', 'increment1', 'increment2']);
    for (const { ms, bytes, flops } of reports[0]) {
      expect(ms).toBeGreaterThan(0);
      expect(bytes).toBe(8000);
      expect(flops).toBe(1000);
    }
    engine.destroy();
  });
});

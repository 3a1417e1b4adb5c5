import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineBuffer } from '../../../src/engine/engine.js';
import type { KernelTiming } from '../../../src/engine/timing.js';
import type { WasmEngine } from '../../../src/engine/wasm/engine.js';
import { createWasmEngine } from '../../../src/engine/wasm/index.js';
import { ArgumentError, EngineError, InternalError, OutOfMemoryError } from '../../../src/graph/index.js';
import { plan } from '../handmadePlans.js';
import {
  doublePlusOne,
  element,
  f32,
  f32Add,
  f32Load,
  f32Store,
  get,
  handmadeKernel,
  i32,
  i32Add,
  i32Load,
  i32Store,
  increments,
  producing,
  renderHandmade,
  sgdUpdate,
  tableWord,
} from './handmade.js';
import { failing } from './handmadeFaults.js';

const MIB = 2 ** 20;

async function floats(engine: WasmEngine, ...buffers: EngineBuffer[]): Promise<number[][]> {
  return (await engine.read(buffers)).map((bytes) => [...new Float32Array(bytes)]);
}

const ramp = (length: number, from = 0) => Float32Array.from({ length }, (_, i) => from + i);

async function make(options: Parameters<typeof createWasmEngine>[0] = {}): Promise<WasmEngine> {
  const engine = (await createWasmEngine({ render: renderHandmade, ...options })) as WasmEngine;
  return engine;
}

describe.each([1, 2, 3])('the wasm engine on %i threads', (threads) => {
  let engine: WasmEngine;
  beforeAll(async () => {
    // Whatever can be split is.
    engine = await make({ threads, splitFrom: 0 });
    expect(await engine.threadsReady()).toBe(threads);
  });
  afterAll(() => engine.destroy());

  it('says what it is', () => {
    const info = engine.info();
    expect(info).toMatchObject({ engine: 'wasm', software: true, limits: { threads } });
    expect(info.adapter).toBe(`WebAssembly SIMD on ${threads} ${threads === 1 ? 'thread' : 'threads'}`);
    expect(info.features).toContain('simd128');
    expect(info.features.includes('shared-memory')).toBe(threads > 1);
    expect(info.why).toMatch(/^asked for by name; \d threads?: the option threads/);
  });

  it('gives back what was uploaded, whatever happens to the array afterwards', async () => {
    const words = Uint32Array.of(0, 1, 0x7fc00001, 0xffffffff, 0x80000000);
    const buffer = engine.upload(words);
    const bits = engine.upload(new Float32Array(words.buffer));
    words.fill(7);
    for (const bytes of await engine.read([buffer, bits])) {
      expect([...new Uint32Array(bytes)]).toEqual([0, 1, 0x7fc00001, 0xffffffff, 0x80000000]);
    }
    engine.free(buffer);
    engine.free(bits);
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
    expect(y!.bytes).toBe(4000);
    expect(await floats(engine, y!)).toEqual([Array.from({ length: 1000 }, (_, i) => 2 * i + 1)]);
    engine.free(x);
    engine.free(y!);
  });

  it('runs each task once, whoever takes it and however many it takes at once', async () => {
    for (const [points, perTask, taskCost] of [
      [1, 1, 1],
      [3, 1, 1e9],
      [1000, 7, 1e6],
      [100_000, 1, 100],
      [100_000, 10, 100_000],
    ] as const) {
      // y[i] += 1 over storage that starts at 0.
      const body = [element(0), element(0), f32Load(), f32(1), f32Add, f32Store];
      const kernel = handmadeKernel({
        name: 'count',
        phases: [{ body, points, perTask, taskCost }],
        dtypes: ['f32'],
      });
      const program = await engine.prepare(
        plan({
          inputs: [{ length: points, donated: true }],
          buffers: [{ length: points, place: { kind: 'input', index: 0 } }],
          kernels: [{ kernel, bindings: [0], params: [] }],
          outputs: [0],
        }),
      );
      const x = engine.upload(new Float32Array(points));
      for (let i = 0; i < 5; i++) engine.run(program, [x], []);
      const [values] = await floats(engine, x);
      expect(values!.length).toBe(points);
      expect(new Set(values)).toEqual(new Set([5]));
      engine.free(x);
    }
  });

  it('starts a phase when the one before has finished', async () => {
    const points = 4096;
    // x[i] = i; then y[i] = x[points - 1 - i], many times over.
    const mirrored = [...tableWord(0), ...i32(4 * (points - 1)), 0x6a, ...get('i'), ...i32(2), 0x74, 0x6b];
    const phase = { points, perTask: 16, taskCost: 100 };
    const kernel = handmadeKernel({
      name: 'mirror',
      phases: [
        { body: [element(0), get('i'), i32Store()], ...phase },
        { body: [element(1), mirrored, i32Load(), i32Store()], ...phase },
      ],
      dtypes: ['u32', 'u32'],
    });
    const program = await engine.prepare(
      plan({
        buffers: [
          { length: points, place: { kind: 'arena', offset: 0 } },
          { length: points, place: { kind: 'output', index: 0 } },
        ],
        kernels: [{ kernel, bindings: [0, 1], params: [] }],
        outputs: [1],
        arenaBytes: points * 4,
      }),
    );
    for (let run = 0; run < 50; run++) {
      const [y] = engine.run(program, [], []);
      const [bytes] = await engine.read([y!]);
      expect(new Uint32Array(bytes!)).toEqual(Uint32Array.from({ length: points }, (_, i) => points - 1 - i));
      engine.free(y!);
    }
  });

  it('gives kernels a scratch that they share and one of each thread', async () => {
    // Each task adds its number up in its thread's scratch, then moves the sum to its place in the shared one.
    const points = 5000;
    const own = get('scratch');
    const shared = (index: number): number[] => [...tableWord(1), ...i32(index * 4), ...i32Add];
    const kernel = {
      name: 'scratch',
      dtypes: ['u32'] as const,
      sharedScratchBytes: points * 4,
      threadScratchBytes: 100,
      phases: [
        {
          points,
          perTask: 10,
          body: [
            ...[own, get('i'), i32Store(96)],
            ...[tableWord(1), get('i'), i32(2), [0x74], i32Add, own, i32Load(96), i32Store()],
          ],
        },
        {
          points,
          perTask: 10,
          body: [element(0), tableWord(1), get('i'), i32(2), [0x74], i32Add, i32Load(), i32Store()],
        },
      ],
    };
    expect(shared(1).length).toBeGreaterThan(0);
    const program = await engine.prepare(producing(kernel, points));
    for (let run = 0; run < 20; run++) {
      const [y] = engine.run(program, [], []);
      const [bytes] = await engine.read([y!]);
      expect(new Uint32Array(bytes!)).toEqual(Uint32Array.from({ length: points }, (_, i) => i));
      engine.free(y!);
    }
  });

  it('queues runs on each other before anything is awaited', async () => {
    const program = await engine.prepare(doublePlusOne(3));
    let x = engine.upload(ramp(3));
    for (let i = 0; i < 10; i++) {
      const [y] = engine.run(program, [x], []);
      engine.free(x);
      x = y!;
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
    const copy = (word: number, to: number) => [tableWord(0), tableWord(word), i32Store(to * 4)];
    const kernel = handmadeKernel({
      name: 'scalars',
      phases: [
        { body: [...copy(2, 0), ...copy(3, 1), ...copy(4, 2), ...copy(5, 3)].map((code) => [...code]), points: 1 },
      ],
      dtypes: ['u32'],
      params: ['f32', 'i32', 'u32', 'bool'],
    });
    // A second kernel with its own table, and the scalars in another order.
    const swapped = handmadeKernel({
      name: 'swapped',
      phases: [{ body: [...copy(2, 0), ...copy(3, 1)], points: 1 }],
      dtypes: ['u32'],
      params: ['u32', 'f32'],
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
      [0.1, -5, 4294967295, 7],
      [Number.NEGATIVE_INFINITY, 2147483647, 0, 0],
      [-0, -2147483648, 2147483648, 1],
    ] as const;
    const outputs = runs.map((scalars) => engine.run(program, [], scalars));
    for (const [i, [f, s, u, b]] of runs.entries()) {
      const [first, second] = await engine.read(outputs[i]!);
      expect([...new Uint32Array(first!)]).toEqual([bitsOf(f), s >>> 0, u, Math.min(b, 1)]);
      expect([...new Uint32Array(second!)]).toEqual([u, bitsOf(f)]);
    }
    for (const buffer of outputs.flat()) engine.free(buffer);
  });

  it('puts intermediate results in an arena, which grows', async () => {
    const small = await engine.prepare(increments(10, 5));
    const large = await engine.prepare(increments(500_000, 4));
    expect(small).toMatchObject({ kernels: 5, submits: 1 });
    const x = engine.upload(ramp(10));
    const big = engine.upload(ramp(500_000));
    const outputs = [
      engine.run(small, [x], []),
      engine.run(large, [big], []),
      engine.run(small, [x], []),
      engine.run(large, [big], []),
    ].flat();
    const results = await engine.read(outputs);
    expect(new Float32Array(results[0]!)).toEqual(ramp(10, 5));
    expect(new Float32Array(results[1]!)).toEqual(ramp(500_000, 4));
    expect(results[2]).toEqual(results[0]);
    expect(results[3]).toEqual(results[1]);
    for (const buffer of [x, big, ...outputs]) engine.free(buffer);
  });

  it('does nothing for empty tensors', async () => {
    const program = await engine.prepare(doublePlusOne(0));
    expect(program).toMatchObject({ kernels: 0, submits: 0 });
    const x = engine.upload(new Float32Array(0));
    const [y] = engine.run(program, [x], []);
    const live = engine.upload(ramp(2));
    expect(await floats(engine, x, live, y!)).toEqual([[], [0, 1], []]);
    expect(await engine.read([])).toEqual([]);
    for (const buffer of [x, y!, live]) engine.free(buffer);
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

  it('keeps what it holds while its memory grows', async () => {
    const program = await engine.prepare(doublePlusOne(1000));
    const kept = engine.upload(ramp(1000));
    const [before] = engine.run(program, [kept], []);
    const held: EngineBuffer[] = [];
    const start = engine.memory().pooled;
    for (let size = MIB; held.length < 8; size *= 1.5) {
      const buffer = engine.upload(new Float32Array(Math.round(size)).fill(held.length));
      held.push(buffer);
      const [after] = engine.run(program, [kept], []);
      expect(await floats(engine, after!)).toEqual(await floats(engine, before!));
      engine.free(after!);
    }
    for (const [i, buffer] of held.entries()) {
      const values = new Float32Array((await engine.read([buffer]))[0]!);
      expect([values[0], values.at(-1)]).toEqual([i, i]);
    }
    for (const buffer of [kept, before!, ...held]) engine.free(buffer);
    expect(engine.memory().pooled).toBeGreaterThan(start);
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
      engine.run(program, [w, y!], [-1]);
      engine.free(x);
      engine.free(y!);
      if (i % 100 === 99) {
        await engine.idle();
        const { live, pooled } = engine.memory();
        seen.push({ live, pooled, rss: process.memoryUsage().rss });
      }
    }
    expect(seen).toHaveLength(20);
    for (const { live, pooled } of seen) {
      expect({ live, pooled }).toEqual({ live: seen[0]!.live, pooled: seen[0]!.pooled });
    }
    expect(seen[19]!.rss - seen[4]!.rss).toBeLessThan(64 * MIB);
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
    expect(after.buffers).toBe(before.buffers);
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
    const broken = { name: 'broken_one', phases: [{ body: [], points: 4 }], dtypes: ['f32'] as const };
    for (const bytes of [Uint8Array.of(1, 2, 3), new Uint8Array(0)]) {
      const error = await engine.prepare(producing({ ...broken, bytes }, 4)).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(EngineError);
      expect(String(error)).toMatch(/broken_one does not compile: CompileError/);
    }
    await engine.idle();
  });

  it('turns a trap into an EngineError that names the kernel, and goes on', async () => {
    const good = await engine.prepare(doublePlusOne(1000, { perTask: 10 }));
    const x = engine.upload(ramp(1000));
    const before = engine.memory();
    for (const at of [0, 500, 999]) {
      const failed = await engine.prepare(failing(1000, at));
      for (let i = 0; i < 10; i++) {
        expect(() => engine.run(failed, [], [])).toThrow(
          new EngineError('[wasm] kernel failing failed: RuntimeError: unreachable'),
        );
      }
      const [y] = engine.run(good, [x], []);
      expect((await floats(engine, y!))[0]).toEqual(Array.from({ length: 1000 }, (_, i) => 2 * i + 1));
      engine.free(y!);
    }
    // What the failed runs allocated is free again.
    expect(engine.memory()).toMatchObject({ live: before.live, buffers: before.buffers });
    engine.free(x);
  });

  it('refuses a buffer beyond what it holds before asking for it', async () => {
    const tooLarge = { byteLength: 2 ** 32 } as Float32Array;
    const { live, pooled } = engine.memory();
    expect(() => engine.upload(tooLarge)).toThrow(OutOfMemoryError);
    expect(() => engine.upload(tooLarge)).toThrow(/out of memory: 4294967296 bytes .*\(WebAssembly reaches \d+ here\)/);
    expect(engine.memory()).toMatchObject({ live, pooled });
  });
});

describe('memory', () => {
  it('refuses what goes beyond 4 GiB, and gives out what is freed', async () => {
    const engine = await make({ threads: 2 });
    const gib = 2 ** 30;
    // Never written to, so never really there.
    const program = await engine.prepare(
      plan({
        buffers: [{ length: gib / 4, place: { kind: 'output', index: 0 } }],
        kernels: [],
        outputs: [0],
      }),
    );
    const held = [0, 1, 2].map(() => engine.run(program, [], [])[0]!);
    expect(() => engine.run(program, [], [])).toThrow(OutOfMemoryError);
    expect(engine.memory()).toMatchObject({ live: 3 * gib, buffers: 3 });
    engine.free(held.pop()!);
    held.push(engine.run(program, [], [])[0]!);
    // Beyond 2 GiB of address, words come back as they went in.
    const high = engine.upload(Uint32Array.of(1, 2, 0xffffffff));
    expect([...new Uint32Array((await engine.read([high]))[0]!)]).toEqual([1, 2, 0xffffffff]);
    const add = await engine.prepare(doublePlusOne(4));
    const x = engine.upload(ramp(4));
    expect(await floats(engine, engine.run(add, [x], [])[0]!)).toEqual([[1, 3, 5, 7]]);
    engine.destroy();
  });

  it('keeps to a budget', async () => {
    const engine = await make({ memoryBudget: 8 * MIB });
    const half = engine.upload(new Float32Array(MIB));
    expect(() => engine.upload(new Float32Array(MIB + 64))).toThrow(/over the memory budget/);
    expect(() => engine.upload(new Float32Array(MIB + 64))).toThrow(OutOfMemoryError);
    engine.free(half);
    const whole = engine.upload(new Float32Array(2 * MIB));
    expect(engine.memory()).toMatchObject({ live: 8 * MIB, buffers: 1 });
    expect((await engine.read([whole]))[0]!.byteLength).toBe(8 * MIB);
    engine.destroy();
  });
});

describe('options', () => {
  it.each([0, -1, 1.5, 33, Number.NaN])('refuses %s threads', async (threads) => {
    const error = await createWasmEngine({ threads }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ArgumentError);
    expect(String(error)).toMatch(/the option threads is .* \(expected an integer from 1 to 32\)/);
  });

  it('takes the number of threads from the environment', async () => {
    const before = process.env.TILLER_THREADS;
    try {
      process.env.TILLER_THREADS = '5';
      const five = await make();
      expect(five.info()).toMatchObject({ limits: { threads: 5 }, why: expect.stringContaining('TILLER_THREADS') });
      five.destroy();
      process.env.TILLER_THREADS = 'many';
      await expect(make()).rejects.toThrow(/TILLER_THREADS is many \(expected/);
    } finally {
      if (before === undefined) delete process.env.TILLER_THREADS;
      else process.env.TILLER_THREADS = before;
    }
  });

  it('renders for the features that it says it has', async () => {
    for (const relaxedSimd of [true, false]) {
      for (const threads of [1, 2]) {
        const seen: unknown[] = [];
        const engine = await make({
          threads,
          relaxedSimd,
          render: (kernel, features) => {
            seen.push(features);
            return renderHandmade(kernel, features);
          },
        });
        await engine.prepare(doublePlusOne(1));
        const { features, why } = engine.info();
        expect(seen).toEqual([
          { relaxedSimd: features.includes('relaxed-simd'), sharedMemory: features.includes('shared-memory') },
        ]);
        if (!relaxedSimd) expect(features).not.toContain('relaxed-simd');
        if (!relaxedSimd) expect(why).toContain('no relaxed SIMD: switched off');
        engine.destroy();
      }
    }
  });

  it('has relaxed SIMD in Node 20 and later', async () => {
    const engine = await make();
    expect(engine.info().features).toContain('relaxed-simd');
    engine.destroy();
  });

  it('tells the time of each kernel', async () => {
    const reports: (readonly KernelTiming[])[] = [];
    const engine = await make({ onTimings: (timings) => reports.push(timings) });
    const program = await engine.prepare(increments(1000, 3));
    const x = engine.upload(ramp(1000));
    const [y] = engine.run(program, [x], []);
    expect(await floats(engine, y!)).toEqual([[...ramp(1000, 3)]]);
    expect(reports).toHaveLength(1);
    expect(reports[0]!.map(({ kernel }) => kernel)).toEqual(['increment0', 'increment1', 'increment2']);
    for (const { ms, bytes, flops } of reports[0]!) {
      expect(ms).toBeGreaterThan(0);
      expect(bytes).toBe(8000);
      expect(flops).toBe(1000);
    }
    // A listener takes the place of the option, for a while.
    let heard = 0;
    engine.onTimings((timings) => {
      heard += timings.length;
    });
    engine.run(program, [x], []);
    expect([heard, reports.length]).toEqual([3, 1]);
    engine.onTimings(null);
    engine.run(program, [x], []);
    expect([heard, reports.length]).toEqual([3, 2]);
    engine.destroy();
  });

  it('refuses work once destroyed', async () => {
    const engine = await make();
    const program = await engine.prepare(doublePlusOne(1));
    const x = engine.upload(ramp(1));
    engine.destroy();
    engine.destroy();
    expect(() => engine.run(program, [x], [])).toThrow(EngineError);
    expect(() => engine.upload(ramp(1))).toThrow(EngineError);
    await expect(engine.read([x])).rejects.toThrow(/the engine was destroyed/);
    await expect(engine.prepare(doublePlusOne(1))).rejects.toThrow(EngineError);
    // What holds a buffer may still let it go.
    engine.free(x);
  });
});

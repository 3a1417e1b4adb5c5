/** What happens to worker threads: they take part, end between two runs, and are replaced. */
import { expect, it } from 'vitest';
import { CONTROL } from '../../../src/engine/wasm/control.js';
import { findPlatform } from '../../../src/engine/wasm/platform.js';
import { EngineError } from '../../../src/graph/index.js';
import { plan } from '../handmadePlans.js';
import { doublePlusOne, get, handmadeKernel, i32, i32Add, i32Store, tableWord } from './handmade.js';
import { meeting } from './handmadeFaults.js';
import { checkWork, ramp, soon, watchedEngine } from './watchedEngine.js';

it('computes on several threads at once', async () => {
  const { engine } = await watchedEngine({ threads: 2, splitFrom: 0 });
  await engine.threadsReady();
  const program = await engine.prepare(meeting(false));
  for (let i = 0; i < 200; i++) {
    const x = engine.upload(new Uint32Array(2));
    engine.run(program, [x], []);
    expect([...new Uint32Array((await engine.read([x]))[0]!)]).toEqual([2, 1]);
    engine.free(x);
  }
});

it('hears of a trap in a worker', async () => {
  const { engine, workers } = await watchedEngine({ threads: 2, splitFrom: 0 });
  await engine.threadsReady();
  const program = await engine.prepare(meeting(true));
  for (let i = 0; i < 100; i++) {
    const x = engine.upload(new Uint32Array(2));
    // Whichever thread comes second: mostly the worker.
    expect(() => engine.run(program, [x], [])).toThrow(
      new EngineError('[wasm] kernel meeting failed: RuntimeError: unreachable'),
    );
    engine.free(x);
    if (i % 10 === 0) await checkWork(engine);
  }
  expect(workers).toHaveLength(1);
  expect(workers[0]!.ended).toBeNull();
});

it('starts no workers before there is work for them', async () => {
  const { engine, workers } = await watchedEngine({ threads: 3 });
  const small = await engine.prepare(doublePlusOne(10));
  engine.run(small, [engine.upload(ramp(10))], []);
  expect(workers).toHaveLength(0);
  await engine.prepare(doublePlusOne(10_000, { perTask: 10, taskCost: 1000 }));
  expect(workers).toHaveLength(2);
});

it('computes before its workers have started, and while they do', async () => {
  const { engine } = await watchedEngine({ threads: 4, splitFrom: 0 });
  for (let i = 0; i < 20; i++) await checkWork(engine);
  expect(await engine.threadsReady()).toBe(4);
});

it('replaces a worker that ends between two runs', async () => {
  const { engine, workers } = await watchedEngine({ threads: 3, splitFrom: 0 });
  await engine.threadsReady();
  await checkWork(engine);
  for (let round = 0; round < 3; round++) {
    const victim = workers.at(-1)!;
    victim.handle.terminate();
    // It is not known to be gone yet.
    await checkWork(engine);
    await soon(() => victim.ended !== null);
    await checkWork(engine);
    expect(await engine.threadsReady()).toBe(3);
    await checkWork(engine);
  }
  expect(workers.length).toBeGreaterThanOrEqual(5);
  expect(engine.info().why).not.toContain('workers end');
});

it('computes alone where workers cannot live, and says so', async () => {
  const platform = await findPlatform();
  const { engine } = await watchedEngine({ threads: 3, splitFrom: 0 }, (start, onEnd) =>
    platform.spawn!({ ...start, words: null as unknown as typeof CONTROL }, onEnd),
  );
  await engine.prepare(doublePlusOne(10_000, { perTask: 10, taskCost: 1000 }));
  await soon(() => engine.info().why.includes('workers end at once: TypeError'));
  expect(await engine.threadsReady()).toBe(1);
  await checkWork(engine);
});

it('computes alone where none can be started', async () => {
  const { engine } = await watchedEngine({ threads: 2, splitFrom: 0 }, () => {
    throw new Error('no more threads');
  });
  await checkWork(engine);
  expect(await engine.threadsReady()).toBe(1);
  expect(engine.info().why).toContain('no more threads');
});

it('leaves no worker behind when it is destroyed', async () => {
  const { engine, workers } = await watchedEngine({ threads: 3 });
  await engine.threadsReady();
  engine.destroy();
  await soon(() => workers.every(({ ended }) => ended !== null));
  expect(workers).toHaveLength(2);
});

it('hands its workers more kernels than they keep', async () => {
  const { engine } = await watchedEngine({ threads: 2, splitFrom: 0 });
  await engine.threadsReady();
  const kernelFor = (value: number) =>
    handmadeKernel({
      name: `fill${value}`,
      phases: [
        { points: 64, taskCost: 1e5, body: [tableWord(0), get('i'), i32(2), [0x74], i32Add, i32(value), i32Store()] },
      ],
      dtypes: ['u32'],
    });
  const programs = await Promise.all(
    Array.from({ length: CONTROL.slots + 100 }, (_, value) =>
      engine.prepare(
        plan({
          buffers: [{ length: 64, place: { kind: 'output', index: 0 } }],
          kernels: [{ kernel: kernelFor(value), bindings: [0], params: [] }],
          outputs: [0],
        }),
      ),
    ),
  );
  for (let round = 0; round < 2; round++) {
    for (const [value, program] of programs.entries()) {
      const [y] = engine.run(program, [], []);
      const words = new Uint32Array((await engine.read([y!]))[0]!);
      expect(words.every((word) => word === value)).toBe(true);
      engine.free(y!);
    }
  }
});

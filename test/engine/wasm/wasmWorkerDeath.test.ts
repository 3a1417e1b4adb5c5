/** Worker threads that end in the middle of a run: it fails soon, and for no other reason; what follows is right. */
import * as threads from 'node:worker_threads';
import { expect, it } from 'vitest';
import type { WasmEngine } from '../../../src/engine/wasm/engine.js';
import type { WasmOptions } from '../../../src/engine/wasm/options.js';
import { findPlatform, type SpawnWorker, spawnerInNode } from '../../../src/engine/wasm/platform.js';
import { EngineError } from '../../../src/graph/index.js';
import { doublePlusOne, sgdUpdate } from './handmade.js';
import { checkWork, ramp, soon, type Watched, watchedEngine } from './watchedEngine.js';

/** The script of a worker that is inside the first job until the calling thread sleeps, and then does something else. */
const script = (then: string) => `
  const { Worker, workerData } = require('node:worker_threads');
  const { control, index, words } = workerData;
  Atomics.store(control, words.ready + index, 2);
  Atomics.add(control, words.active, 1);
  while (Atomics.load(control, words.waiting) === 0) Atomics.wait(control, words.failure, 0, 1);
  ${then}`;

const leave = `
  Atomics.sub(control, words.active, 1);
  Atomics.notify(control, words.active);
  Atomics.store(control, words.ready + index, 1);
  Atomics.wait(control, words.stop, 0);`;

/** A worker of a worker, which ends it while the calling thread is blocked. */
const endedFromOutside = `
  const { Worker, workerData } = require('node:worker_threads');
  const child = new Worker(${JSON.stringify(script('for (;;);'))}, {
    eval: true, workerData, transferList: [workerData.port],
  });
  const { control, words } = workerData;
  const end = () => Atomics.load(control, words.waiting) === 1 ? child.terminate() : setTimeout(end, 1);
  end();`;

/** What `worker_threads` offers, with a small heap for each worker. */
class SmallWorker extends threads.Worker {
  constructor(source: string, options: threads.WorkerOptions) {
    super(source, { ...options, resourceLimits: { maxOldGenerationSizeMb: 16 } });
  }
}

const spawnerOf = (source: string): SpawnWorker =>
  spawnerInNode({ ...threads, Worker: SmallWorker } as unknown as Parameters<typeof spawnerInNode>[0], source);

/** An engine whose first workers, one for each of the sources, are started from those. */
async function engineWith(sources: readonly string[], options: WasmOptions = {}): Promise<Watched> {
  const { spawn } = await findPlatform();
  const left = sources.map(spawnerOf);
  const made = await watchedEngine({ threads: sources.length + 1, splitFrom: 0, ...options }, (start, onEnd) =>
    (left.shift() ?? spawn!)(start, onEnd),
  );
  await made.engine.threadsReady();
  return made;
}

const LENGTH = 10_000;

/** What a run throws, and after how many milliseconds. */
async function failureOf(engine: WasmEngine): Promise<{ error: unknown; ms: number }> {
  const program = await engine.prepare(doublePlusOne(LENGTH, { perTask: 10, taskCost: 1000 }));
  const x = engine.upload(ramp(LENGTH));
  const start = performance.now();
  try {
    engine.run(program, [x], []);
    return { error: null, ms: performance.now() - start };
  } catch (error) {
    return { error, ms: performance.now() - start };
  } finally {
    engine.free(x);
  }
}

it.each([
  ['leaves by process.exit', script('process.exit(3);')],
  ['throws', script(`throw new Error('lost my way');`)],
  ['runs out of memory', script('for (const all = []; ; ) all.push(new Array(100_000).fill(0.5));')],
  ['is terminated from outside', endedFromOutside],
])('fails the run in which a worker %s, soon, and recovers', async (_, source) => {
  // Silence never counts here: it is the end itself that is noticed.
  const { engine, workers } = await engineWith([source], { stallMs: 3_600_000 });
  const before = engine.memory();
  const { error, ms } = await failureOf(engine);
  expect(error).toBeInstanceOf(EngineError);
  expect(String(error)).toMatch(/kernel double_plus_one failed: a worker thread died/);
  // A twentieth of a second where the machine has nothing else to do.
  expect(ms).toBeLessThan(5000);
  expect(engine.memory()).toMatchObject({ live: before.live, buffers: before.buffers });
  await checkWork(engine);
  expect(await engine.threadsReady()).toBe(2);
  await checkWork(engine);
  expect(workers).toHaveLength(2);
});

it('waits for a worker that is slow, however long that is compared with the limit for silence', async () => {
  const { engine, workers } = await engineWith([script(`Atomics.wait(control, words.failure, 0, 800); ${leave}`)], {
    stallMs: 100,
  });
  const { error, ms } = await failureOf(engine);
  expect(error).toBeNull();
  expect(ms).toBeGreaterThan(500);
  expect(workers).toHaveLength(1);
  await checkWork(engine);
});

it('waits for a slow worker while another ends that is in no job', async () => {
  const outside = script(`${leave.replace('Atomics.wait(control, words.stop, 0);', '')} process.exit(0);`);
  const { engine } = await engineWith([script(`Atomics.wait(control, words.failure, 0, 800); ${leave}`), outside]);
  expect((await failureOf(engine)).error).toBeNull();
  await checkWork(engine);
});

it('goes by silence where only events tell that a worker has ended', async () => {
  const mute: SpawnWorker = (start, onEnd) => {
    const { terminate } = spawnerOf(script('Atomics.wait(control, words.failure, 0);'))(start, onEnd);
    return { terminate };
  };
  const { spawn } = await findPlatform();
  let mutes = 1;
  const { engine, workers } = await watchedEngine({ threads: 2, splitFrom: 0, stallMs: 300 }, (start, onEnd) =>
    (mutes-- > 0 ? mute : spawn!)(start, onEnd),
  );
  await engine.threadsReady();
  const { error } = await failureOf(engine);
  expect(String(error)).toMatch(/a worker thread died \(or was silent for 300 ms\)/);
  await checkWork(engine);
  expect(workers).toHaveLength(2);
});

it('computes rightly or says that it did not, whenever a worker is terminated', async () => {
  const { engine, workers } = await watchedEngine({ threads: 3, splitFrom: 0 });
  const program = await engine.prepare(sgdUpdate(LENGTH));
  for (let round = 0; round < 30; round++) {
    await engine.threadsReady();
    const [w, g] = [engine.upload(ramp(LENGTH)), engine.upload(ramp(LENGTH))];
    workers.at(-1)!.handle.terminate();
    if (round % 3 > 0) await new Promise((resolve) => (round % 3 > 1 ? setImmediate(resolve) : setTimeout(resolve, 1)));
    try {
      const [updated] = engine.run(program, [w, g], [0.5]);
      const [bytes] = await engine.read([updated!]);
      expect(new Float32Array(bytes!)).toEqual(ramp(LENGTH).map((x) => x / 2));
    } catch (error) {
      expect(error).toBeInstanceOf(EngineError);
      expect(String(error)).toMatch(/a worker thread died/);
    }
    engine.free(w);
    engine.free(g);
    await checkWork(engine).catch((error: unknown) => expect(String(error)).toMatch(/a worker thread died/));
  }
  await soon(() => workers.slice(0, -2).every(({ ended }) => ended !== null));
  await engine.threadsReady();
  await checkWork(engine);
});

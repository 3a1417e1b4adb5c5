/** Engines whose worker threads a test can get hold of. */
import { afterEach, expect } from 'vitest';
import { WasmEngine } from '../../../src/engine/wasm/engine.js';
import type { WasmOptions } from '../../../src/engine/wasm/options.js';
import { findPlatform, type SpawnWorker, type WorkerHandle } from '../../../src/engine/wasm/platform.js';
import type { WorkerStart } from '../../../src/engine/wasm/worker.js';
import { doublePlusOne, renderHandmade } from './handmade.js';

const engines: WasmEngine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.destroy();
});

export interface Watched {
  readonly engine: WasmEngine;
  /** Every worker that was started, in order. */
  readonly workers: { readonly handle: WorkerHandle; readonly start: WorkerStart; ended: string | null }[];
}

export async function watchedEngine(options: WasmOptions, spawn?: SpawnWorker): Promise<Watched> {
  const platform = await findPlatform();
  const workers: Watched['workers'] = [];
  const spawnWatched: SpawnWorker = (start, onEnd) => {
    const handle = (spawn ?? platform.spawn!)(start, (reason) => {
      worker.ended = reason;
      onEnd(reason);
    });
    const worker = { handle, start, ended: null as string | null };
    workers.push(worker);
    return handle;
  };
  const engine = new WasmEngine({ ...platform, spawn: spawnWatched }, { render: renderHandmade, ...options });
  engines.push(engine);
  return { engine, workers };
}

export const ramp = (length: number) => Float32Array.from({ length }, (_, i) => i);

/** A plan of several jobs' worth of work, and a check of its result. */
export async function checkWork(engine: WasmEngine): Promise<void> {
  const program = await engine.prepare(doublePlusOne(10_000, { perTask: 10, taskCost: 1000 }));
  const x = engine.upload(ramp(10_000));
  const [y] = engine.run(program, [x], []);
  const [bytes] = await engine.read([y!]);
  expect(new Float32Array(bytes!)).toEqual(Float32Array.from({ length: 10_000 }, (_, i) => 2 * i + 1));
  engine.free(x);
  engine.free(y!);
}

export const soon = (condition: () => boolean) => expect.poll(condition, { timeout: 10_000, interval: 5 }).toBe(true);

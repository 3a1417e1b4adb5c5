/** The wasm engine in a page; see wasm.test.ts for what is expected of it. */
import { createEngine } from '../../src/engine/select/index.js';
import type { WasmEngine } from '../../src/engine/wasm/engine.js';
import { createWasmEngine } from '../../src/engine/wasm/index.js';
import { doublePlusOne, increments, producing, renderHandmade, sgdUpdate } from '../engine/wasm/handmade.js';
import { failing, meeting } from '../engine/wasm/handmadeFaults.js';
import type { Checks } from './chromium.js';

let shared: Promise<WasmEngine> | null = null;

function engine(): Promise<WasmEngine> {
  shared ??= createWasmEngine({ render: renderHandmade, threads: 3, splitFrom: 0 }) as Promise<WasmEngine>;
  return shared;
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => String(error),
  );
}

const floats = (bytes: ArrayBuffer) => [...new Float32Array(bytes)];

export const checks: Checks = {
  async info() {
    const { engine: name, software, adapter, features, why } = (await engine()).info();
    return { name, software, adapter, features, why, isolated: crossOriginIsolated };
  },

  async threads() {
    return (await engine()).threadsReady();
  },

  async elementwise() {
    const wasm = await engine();
    const program = await wasm.prepare(doublePlusOne(1000, { perTask: 10, taskCost: 1000 }));
    const x = wasm.upload(Float32Array.from({ length: 1000 }, (_, i) => i));
    const [y] = wasm.run(program, [x], []);
    const [bytes] = await wasm.read([y!]);
    return new Float32Array(bytes!);
  },

  async bits() {
    const wasm = await engine();
    const [bytes] = await wasm.read([wasm.upload(Uint32Array.of(0x7fc00001, 0x80000000, 0xff800000))]);
    return [...new Uint32Array(bytes!)];
  },

  async donation() {
    const wasm = await engine();
    const program = await wasm.prepare(sgdUpdate(3));
    const w = wasm.upload(Float32Array.of(1, 2, 3));
    const g = wasm.upload(Float32Array.of(1, 1, 1));
    const [updated] = wasm.run(program, [w, g], [0.5]);
    wasm.run(program, [w, g], [0.25]);
    return { same: updated === w, values: floats((await wasm.read([w]))[0]!) };
  },

  /** Memory grows on the way, under workers that know it smaller. */
  async growth() {
    const wasm = await engine();
    const seen: (number | undefined)[][] = [];
    for (const length of [10, 5000, 1_000_000, 20_000_000, 10]) {
      const program = await wasm.prepare(increments(length, 4, { perTask: 1000, taskCost: 1000 }));
      const x = wasm.upload(new Float32Array(length));
      const [y] = wasm.run(program, [x], []);
      const values = new Float32Array((await wasm.read([y!]))[0]!);
      let wrong = 0;
      for (const value of values) if (value !== 4) wrong++;
      seen.push([values.length, wrong]);
      wasm.free(x);
      wasm.free(y!);
    }
    return seen;
  },

  async flatMemory() {
    const wasm = await engine();
    const program = await wasm.prepare(doublePlusOne(4096));
    const seen: number[][] = [];
    for (let i = 0; i < 300; i++) {
      const x = wasm.upload(new Float32Array(4096));
      for (const y of wasm.run(program, [x], [])) wasm.free(y);
      wasm.free(x);
      if (i % 100 === 99) seen.push([wasm.memory().live, wasm.memory().pooled]);
    }
    return seen;
  },

  async compileError() {
    const wasm = await engine();
    const broken = { name: 'broken_one', phases: [{ body: [], points: 4 }], dtypes: ['f32'], bytes: Uint8Array.of(1) };
    return failure(wasm.prepare(producing(broken as never, 4)));
  },

  async trap() {
    const wasm = await engine();
    const program = await wasm.prepare(failing(1000, 999));
    const thrown: string[] = [];
    for (let i = 0; i < 5; i++) thrown.push(await failure((async () => wasm.run(program, [], []))()));
    return thrown;
  },

  /** Two threads meet inside a kernel, or the second one traps; null where there is one thread. */
  async meeting() {
    const wasm = await engine();
    if ((await wasm.threadsReady()) === 1) return null;
    const seen: unknown[] = [];
    for (const trap of [false, true, false]) {
      const program = await wasm.prepare(meeting(trap));
      for (let i = 0; i < 20; i++) {
        const x = wasm.upload(new Uint32Array(2));
        const error = await failure((async () => wasm.run(program, [x], []))());
        if (i === 19) seen.push(error);
        wasm.free(x);
      }
    }
    return seen;
  },

  async auto() {
    const chosen = await createEngine('auto');
    const info = chosen.info();
    chosen.destroy();
    return info;
  },

  async destroyed() {
    const wasm = await engine();
    wasm.destroy();
    return failure(wasm.read([]));
  },
};

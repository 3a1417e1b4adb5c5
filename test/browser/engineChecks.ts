/** The webgpu engine in a page; see engine.test.ts for what is expected of it. */
import type { KernelEngine } from '../../src/engine/engine.js';
import { createEngine } from '../../src/engine/select/index.js';
import { createWebGPUEngine } from '../../src/engine/webgpu/index.js';
import { doublePlusOne, handmadeKernel, increments, plan, renderHandmade, sgdUpdate } from '../engine/handmadePlans.js';
import type { Checks } from './chromium.js';

let shared: Promise<KernelEngine> | null = null;

function engine(): Promise<KernelEngine> {
  shared ??= createWebGPUEngine({ render: renderHandmade });
  return shared;
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => String(error),
  );
}

const floats = (bytes: ArrayBuffer) => [...new Float32Array(bytes)];

function misplaced(): ReturnType<typeof plan> {
  const kernel = handmadeKernel({ name: 'misplaced', body: 'b0[0] = 1.0;', dtypes: ['f32'], points: 1 });
  return plan({
    buffers: [
      { length: 1, place: { kind: 'arena', offset: 4 } },
      { length: 1, place: { kind: 'output', index: 0 } },
    ],
    kernels: [
      { kernel, bindings: [0], params: [] },
      { kernel, bindings: [1], params: [] },
    ],
    outputs: [1],
    arenaBytes: 256,
  });
}

export const checks: Checks = {
  async info() {
    const { adapter, software, engine: name } = (await engine()).info();
    return { adapter, software, name };
  },

  async elementwise() {
    const gpu = await engine();
    const program = await gpu.prepare(doublePlusOne(1000));
    const x = gpu.upload(Float32Array.from({ length: 1000 }, (_, i) => i));
    const [y] = gpu.run(program, [x], []);
    const [bytes] = await gpu.read([y]);
    return new Float32Array(bytes);
  },

  async bits() {
    const gpu = await engine();
    const [bytes] = await gpu.read([gpu.upload(Uint32Array.of(0x7fc00001, 0x80000000, 0xff800000))]);
    return [...new Uint32Array(bytes)];
  },

  async donation() {
    const gpu = await engine();
    const program = await gpu.prepare(sgdUpdate(3));
    const w = gpu.upload(Float32Array.of(1, 2, 3));
    const g = gpu.upload(Float32Array.of(1, 1, 1));
    const [updated] = gpu.run(program, [w, g], [0.5]);
    gpu.run(program, [w, g], [0.25]);
    return { same: updated === w, values: floats((await gpu.read([w]))[0]) };
  },

  async arena() {
    const gpu = await engine();
    const small = await gpu.prepare(increments(10, 5));
    const large = await gpu.prepare(increments(5000, 4));
    const x = gpu.upload(new Float32Array(10));
    const big = gpu.upload(new Float32Array(5000));
    const outputs = [small, large, small].flatMap((program) => gpu.run(program, [program === large ? big : x], []));
    return (await gpu.read(outputs)).map((bytes) => [...new Set(new Float32Array(bytes))]);
  },

  async flatMemory() {
    const gpu = await engine();
    const program = await gpu.prepare(doublePlusOne(4096));
    const seen: number[][] = [];
    for (let i = 0; i < 300; i++) {
      const x = gpu.upload(new Float32Array(4096));
      for (const y of gpu.run(program, [x], [])) gpu.free(y);
      gpu.free(x);
      if (i % 100 === 99) {
        await gpu.idle();
        seen.push([gpu.memory().live, gpu.memory().pooled]);
      }
    }
    return seen;
  },

  async compileError() {
    const gpu = await engine();
    const kernel = handmadeKernel({ name: 'broken_one', body: 'b0[id.x] = nonsense;', dtypes: ['f32'], points: 4 });
    return failure(
      gpu.prepare(
        plan({
          buffers: [{ length: 4, place: { kind: 'output', index: 0 } }],
          kernels: [{ kernel, bindings: [0], params: [] }],
          outputs: [0],
        }),
      ),
    );
  },

  /** The page learns of it after the run has returned. */
  async deviceError() {
    const gpu = await createWebGPUEngine({ render: renderHandmade });
    const good = await gpu.prepare(doublePlusOne(1));
    const x = gpu.upload(Float32Array.of(1));
    const [before] = gpu.run(good, [x], []);
    await gpu.idle();
    const [spoiled] = gpu.run(await gpu.prepare(misplaced()), [], []);
    const [derived] = gpu.run(good, [spoiled], []);
    const read = await failure(gpu.read([spoiled]));
    const result = {
      read,
      derived: await failure(gpu.read([derived])),
      before: floats((await gpu.read([before]))[0]),
      after: await failure(gpu.idle()),
    };
    gpu.destroy();
    return result;
  },

  async loss() {
    const { requestDevice } = GPUAdapter.prototype;
    let device: GPUDevice | undefined;
    GPUAdapter.prototype.requestDevice = async function (this: GPUAdapter, descriptor) {
      return (device = await requestDevice.call(this, descriptor));
    };
    const gpu = await createWebGPUEngine({ render: renderHandmade });
    GPUAdapter.prototype.requestDevice = requestDevice;
    const x = gpu.upload(Float32Array.of(1));
    const reading = failure(gpu.read([x]));
    device?.destroy();
    return { lost: String(await gpu.lost), reading: await reading, later: await failure(gpu.read([x])) };
  },

  /** A software adapter is no automatic choice. */
  async auto() {
    const chosen = await createEngine('auto');
    const info = chosen.info();
    chosen.destroy();
    return info;
  },
};

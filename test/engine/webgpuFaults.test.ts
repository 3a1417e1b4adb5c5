import { expect, it } from 'vitest';
import type { KernelEngine } from '../../src/engine/engine.js';
import { createWebGPUEngine } from '../../src/engine/webgpu/index.js';
import { DeviceLostError, EngineError } from '../../src/graph/index.js';
import { describeWebGPU } from '../setup/environment.js';
import { doublePlusOne, handmadeKernel, plan, renderHandmade } from './handmadePlans.js';

/** An engine, and its device behind its back. */
async function engineAndDevice(validate: boolean): Promise<{ engine: KernelEngine; device: GPUDevice }> {
  const { globals } = await import('webgpu');
  const { prototype } = (globals as { GPUAdapter: unknown }).GPUAdapter as { prototype: GPUAdapter };
  const { requestDevice } = prototype;
  let device: GPUDevice | undefined;
  prototype.requestDevice = async function (this: GPUAdapter, descriptor) {
    device = await requestDevice.call(this, descriptor);
    return device;
  };
  try {
    const engine = await createWebGPUEngine({ validate, render: renderHandmade });
    if (!device) throw new Error('the engine did not ask for a device');
    return { engine, device };
  } finally {
    prototype.requestDevice = requestDevice;
  }
}

/** A plan that the device refuses: a binding off its alignment. */
function misplaced(length = 4) {
  const kernel = handmadeKernel({
    name: 'misplaced',
    body: 'b1[id.x] = b0[id.x];',
    dtypes: ['f32', 'f32'],
    points: length,
  });
  return plan({
    buffers: [
      { length, place: { kind: 'arena', offset: 4 } },
      { length, place: { kind: 'output', index: 0 } },
    ],
    kernels: [{ kernel, bindings: [0, 1], params: [] }],
    outputs: [1],
    arenaBytes: 256,
  });
}

describeWebGPU('an error of the device', () => {
  it('spoils the run it belongs to and what was computed from it, and nothing else', async () => {
    const { engine } = await engineAndDevice(true);
    const good = await engine.prepare(doublePlusOne(4));
    const bad = await engine.prepare(misplaced());
    const x = engine.upload(Float32Array.of(1, 2, 3, 4));
    const [before] = engine.run(good, [x], []);
    const [spoiled] = engine.run(bad, [], []);
    const [after] = engine.run(good, [x], []);
    const [derived] = engine.run(good, [spoiled], []);

    await expect(engine.read([spoiled])).rejects.toThrow(EngineError);
    await expect(engine.read([x, derived])).rejects.toThrow(/the device reported an error/);
    for (const buffer of [before, after]) {
      expect([...new Float32Array((await engine.read([buffer]))[0])]).toEqual([3, 5, 7, 9]);
    }
    // It has been told.
    await engine.idle();
    engine.destroy();
  });

  it('is thrown by idle() where nobody has read it, once', async () => {
    const { engine } = await engineAndDevice(true);
    engine.run(await engine.prepare(misplaced()), [], []);
    await expect(engine.idle()).rejects.toThrow(EngineError);
    await engine.idle();
    engine.destroy();
  });

  it('that comes from elsewhere is not taken for a result', async () => {
    const { engine, device } = await engineAndDevice(true);
    const x = engine.upload(Float32Array.of(1));
    device.createBindGroupLayout({ entries: [{ binding: -1 >>> 0, visibility: 4, buffer: {} }] });
    // Nothing was known to be right since the upload.
    await expect(engine.read([x])).rejects.toThrow(EngineError);
    engine.destroy();
  });
});

for (const validate of [true, false]) {
  describeWebGPU(`a lost device, ${validate ? 'with' : 'without'} the checks of WebGPU`, () => {
    it('rejects what is pending and what comes later', async () => {
      const { engine, device } = await engineAndDevice(validate);
      const plan4 = doublePlusOne(4);
      const program = await engine.prepare(plan4);
      const x = engine.upload(Float32Array.of(1, 2, 3, 4));
      const [y] = engine.run(program, [x], []);
      const pending = Promise.allSettled([
        engine.read([y]),
        engine.read([x]),
        engine.idle(),
        engine.prepare(doublePlusOne(5)),
      ]);
      device.destroy();
      const error = await engine.lost;
      expect(error).toBeInstanceOf(DeviceLostError);
      expect(error.message).toMatch(/^\[webgpu\] the device was lost: /);
      for (const result of await pending) expect(result).toMatchObject({ status: 'rejected', reason: error });

      expect(() => engine.run(program, [x], [])).toThrow(DeviceLostError);
      expect(() => engine.upload(new Float32Array(1))).toThrow(DeviceLostError);
      await expect(engine.read([x])).rejects.toThrow(DeviceLostError);
      await expect(engine.idle()).rejects.toThrow(DeviceLostError);
      await expect(engine.prepare(plan4)).rejects.toThrow(DeviceLostError);
      // What holds a buffer may still let it go.
      engine.free(x);
      engine.free(y);
      engine.destroy();
    });

    it('survives calls before the loss is known', async () => {
      const { engine, device } = await engineAndDevice(validate);
      const program = await engine.prepare(doublePlusOne(4));
      const x = engine.upload(Float32Array.of(1, 2, 3, 4));
      device.destroy();
      const [y] = engine.run(program, [x], []);
      engine.upload(new Float32Array(1000));
      await expect(engine.read([y])).rejects.toThrow(DeviceLostError);
    });

    it('is not what destroy() leaves behind', async () => {
      const { engine } = await engineAndDevice(validate);
      const program = await engine.prepare(doublePlusOne(4));
      const x = engine.upload(Float32Array.of(1, 2, 3, 4));
      const reading = engine.read([x]);
      engine.destroy();
      await expect(reading).rejects.toThrow(/the engine was destroyed/);
      expect(() => engine.run(program, [x], [])).toThrow(EngineError);
      const lost = await Promise.race([engine.lost, new Promise((resolve) => setTimeout(resolve, 200, 'not lost'))]);
      expect(lost).toBe('not lost');
    });
  });
}

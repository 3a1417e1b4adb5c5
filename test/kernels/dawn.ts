/** A small harness for tests: compiles WGSL with Dawn, runs it once on given buffers and returns what they hold then. */
import { loadVulkan } from '../../scripts/machine.mjs';

export interface Launch {
  readonly code: string;
  readonly entryPoint?: string;
  readonly workgroups: readonly [number, number, number];
  /** Storage buffers by binding number; a bound number that the code does not declare is skipped. */
  readonly buffers: readonly { readonly binding: number; readonly words: Uint32Array }[];
  readonly uniform?: { readonly binding: number; readonly words: Uint32Array };
}

export interface DawnDevice {
  /** Contents of the storage buffers after the launch. */
  run(launch: Launch): Promise<Uint32Array[]>;
  /** Milliseconds of each of `times` launches, without transfers. */
  time(launch: Launch, times: number): Promise<number[]>;
  destroy(): void;
}

/** Dawn works only while its entry object is alive. */
const instances: GPU[] = [];

export async function openDawn(): Promise<DawnDevice> {
  loadVulkan();
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  instances.push(gpu);
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('Dawn found no adapter');
  const {
    maxStorageBufferBindingSize,
    maxBufferSize,
    maxStorageBuffersPerShaderStage,
    maxComputeWorkgroupStorageSize,
  } = adapter.limits;
  const features: GPUFeatureName[] = ['subgroups', 'subgroup-size-control' as GPUFeatureName];
  const device = await adapter.requestDevice({
    requiredFeatures: features.filter((name) => adapter.features.has(name)),
    requiredLimits: {
      maxStorageBufferBindingSize,
      maxBufferSize,
      maxStorageBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize,
    },
  });

  async function prepare({ code, entryPoint = 'main', buffers, uniform }: Launch) {
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code });
    const { messages } = await module.getCompilationInfo();
    const errors = messages.filter((m) => m.type === 'error');
    if (errors.length > 0) {
      await device.popErrorScope();
      throw new Error(`${errors.map((m) => `${m.lineNum}:${m.linePos} ${m.message}`).join('\n')}\n${code}`);
    }
    const visibility = GPUShaderStage.COMPUTE;
    const layout = device.createBindGroupLayout({
      entries: [
        ...buffers.map(({ binding }) => ({ binding, visibility, buffer: { type: 'storage' as const } })),
        ...(uniform ? [{ binding: uniform.binding, visibility, buffer: { type: 'uniform' as const } }] : []),
      ],
    });
    const pipeline = device.createComputePipeline({
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint },
    });
    const upload = (words: Uint32Array, usage: number) => {
      const buffer = device.createBuffer({ size: words.byteLength, usage: usage | GPUBufferUsage.COPY_DST });
      device.queue.writeBuffer(buffer, 0, words as Uint32Array<ArrayBuffer>);
      return buffer;
    };
    const storage = buffers.map(({ words }) => upload(words, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC));
    const params = uniform && upload(uniform.words, GPUBufferUsage.UNIFORM);
    const bindGroup = device.createBindGroup({
      layout,
      entries: [
        ...buffers.map(({ binding }, i) => ({ binding, resource: { buffer: storage[i]! } })),
        ...(uniform ? [{ binding: uniform.binding, resource: { buffer: params! } }] : []),
      ],
    });
    return { pipeline, bindGroup, storage, created: params ? [...storage, params] : storage };
  }

  async function checked() {
    const error = await device.popErrorScope();
    if (error) throw new Error(error.message);
  }

  function encode(launch: Launch, { pipeline, bindGroup }: Awaited<ReturnType<typeof prepare>>) {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...launch.workgroups);
    pass.end();
    return encoder;
  }

  return {
    async run(launch) {
      const prepared = await prepare(launch);
      const encoder = encode(launch, prepared);
      const staging = prepared.storage.map((buffer) => {
        const copy = device.createBuffer({
          size: buffer.size,
          usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
        });
        encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
        return copy;
      });
      device.queue.submit([encoder.finish()]);
      await checked();
      const results: Uint32Array[] = [];
      for (const copy of staging) {
        await copy.mapAsync(GPUMapMode.READ);
        results.push(new Uint32Array(copy.getMappedRange().slice(0)));
      }
      for (const buffer of [...prepared.created, ...staging]) buffer.destroy();
      return results;
    },
    async time(launch, times) {
      const prepared = await prepare(launch);
      await checked();
      const ms: number[] = [];
      for (let i = 0; i < times; i++) {
        const start = performance.now();
        device.queue.submit([encode(launch, prepared).finish()]);
        await device.queue.onSubmittedWorkDone();
        ms.push(performance.now() - start);
      }
      for (const buffer of prepared.created) buffer.destroy();
      return ms;
    },
    destroy: () => device.destroy(),
  };
}

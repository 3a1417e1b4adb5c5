import { EngineError, InternalError, OutOfMemoryError } from '../../graph/index.js';
import type { Capabilities, Program } from '../engine.js';
import type { Plan, PlannedKernel } from '../plan.js';
import type { Block } from './buffers.js';
import { STAGE_COMPUTE } from './constants.js';
import type { LiveDevice } from './device.js';
import type { RenderedKernel, RenderKernel } from './rendering.js';
import { ScalarBlock, uniformBytes } from './scalars.js';

/** Bind groups kept per kernel; fresh batches come from the pool, which gives out the same few buffers. */
const MAX_BIND_GROUPS = 16;

interface BoundGroup {
  readonly ids: readonly number[];
  readonly group: GPUBindGroup;
}

/** One launch. */
export interface Step {
  readonly planned: PlannedKernel;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly workgroups: readonly [number, number, number];
  /** Byte offset of its scalars in the uniform buffer; -1 without any. */
  readonly uniformOffset: number;
  /** The most recently used first. */
  readonly groups: BoundGroup[];
}

/** A plan whose kernels are compiled. */
export class WebGPUProgram implements Program {
  readonly plan: Plan;
  readonly steps: readonly Step[];
  readonly scalars: ScalarBlock | null;
  readonly #device: GPUDevice;
  /** Ids of the blocks that the last run bound, by plan buffer. */
  #lastIds: readonly number[] = [];

  constructor(device: GPUDevice, plan: Plan, steps: readonly Step[], scalars: ScalarBlock | null) {
    this.#device = device;
    this.plan = plan;
    this.steps = steps;
    this.scalars = scalars;
  }

  get kernels(): number {
    return this.steps.length;
  }

  get submits(): number {
    return this.steps.length > 0 ? 1 : 0;
  }

  /** The bind group of each step, for the blocks of the plan's buffers (null where nothing is bound). */
  bind(blocks: readonly (Block | null)[]): GPUBindGroup[] {
    const ids = blocks.map((block) => block?.id ?? 0);
    const last = this.#lastIds;
    const unchanged = last.length === ids.length && ids.every((id, i) => id === last[i]);
    this.#lastIds = ids;
    return this.steps.map((step) => (unchanged ? step.groups[0].group : this.#groupOf(step, ids, blocks)));
  }

  #groupOf(step: Step, ids: readonly number[], blocks: readonly (Block | null)[]): GPUBindGroup {
    const { groups } = step;
    const { bindings } = step.planned;
    const found = groups.findIndex((bound) => bindings.every((buffer, i) => bound.ids[i] === ids[buffer]));
    if (found > 0) groups.unshift(...groups.splice(found, 1));
    if (found >= 0) return groups[0].group;
    const group = this.#makeGroup(step, blocks);
    groups.unshift({ ids: bindings.map((buffer) => ids[buffer]), group });
    if (groups.length > MAX_BIND_GROUPS) groups.pop();
    return group;
  }

  #makeGroup(step: Step, blocks: readonly (Block | null)[]): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = step.planned.bindings.map((index, binding) => {
      const { bytes, place } = this.plan.buffers[index];
      const block = blocks[index];
      if (!block) throw new InternalError(`[webgpu] ${step.planned.kernel.name} binds a buffer without storage`);
      const offset = place.kind === 'arena' ? place.offset : 0;
      return { binding, resource: { buffer: block.gpu, offset, size: bytes } };
    });
    if (this.scalars && step.uniformOffset >= 0) {
      const size = uniformBytes(step.planned.kernel.params.length);
      entries.push({
        binding: entries.length,
        resource: { buffer: this.scalars.buffer, offset: step.uniformOffset, size },
      });
    }
    return this.#device.createBindGroup({ layout: step.layout, entries });
  }
}

interface Layout {
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

/** Compiles plans. Pipelines are cached by their WGSL. */
export class ProgramBuilder {
  readonly #device: LiveDevice;
  readonly #capabilities: Capabilities;
  readonly #render: RenderKernel;
  readonly #layouts = new Map<string, Layout>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: LiveDevice, capabilities: Capabilities, render: RenderKernel) {
    this.#device = device;
    this.#capabilities = capabilities;
    this.#render = render;
  }

  async prepare(plan: Plan): Promise<WebGPUProgram> {
    this.#device.check();
    if (plan.arenaBytes > this.#capabilities.maxBufferBytes) {
      throw new OutOfMemoryError(
        `[webgpu] intermediate results need ${plan.arenaBytes} bytes (the device allows ${this.#capabilities.maxBufferBytes})`,
      );
    }
    const launches = plan.kernels
      .map((planned) => ({ planned, rendered: this.#render(planned.kernel, this.#capabilities) }))
      .filter(({ rendered }) => rendered.workgroups.every((count) => count > 0));
    for (const { planned, rendered } of launches) this.#check(plan, planned, rendered);

    const scalars = ScalarBlock.for(
      this.#device.gpu,
      plan,
      launches.map(({ planned }) => planned),
    );
    // All are started before the first is awaited: the device compiles them in parallel.
    const steps = await Promise.all(
      launches.map(async ({ planned, rendered }, i): Promise<Step> => {
        const layout = this.#layout(planned.kernel.buffers.length, planned.kernel.params.length > 0);
        return {
          planned,
          pipeline: await this.#pipeline(planned.kernel.name, rendered, layout),
          layout: layout.group,
          workgroups: rendered.workgroups,
          uniformOffset: scalars?.offsets[i] ?? -1,
          groups: [],
        };
      }),
    );
    return new WebGPUProgram(this.#device.gpu, plan, steps, scalars);
  }

  #check(plan: Plan, { kernel, bindings }: PlannedKernel, { workgroups }: RenderedKernel): void {
    const { maxStorageBuffers, maxWorkgroupsPerDimension, maxBindingBytes } = this.#capabilities;
    const refuse = (what: string) => {
      throw new InternalError(`[webgpu] kernel ${kernel.name} ${what}`);
    };
    if (bindings.length !== kernel.buffers.length) {
      refuse(`has ${kernel.buffers.length} buffers, of which the plan binds ${bindings.length}`);
    }
    if (bindings.length > maxStorageBuffers) refuse(`binds ${bindings.length} buffers (at most ${maxStorageBuffers})`);
    if (workgroups.some((count) => count > maxWorkgroupsPerDimension)) {
      refuse(`launches ${workgroups.join(' x ')} workgroups (at most ${maxWorkgroupsPerDimension} each way)`);
    }
    for (const index of bindings) {
      const { bytes } = plan.buffers[index];
      if (bytes === 0) refuse('runs, but binds an empty buffer');
      if (bytes > maxBindingBytes) {
        throw new OutOfMemoryError(
          `[webgpu] kernel ${kernel.name} binds ${bytes} bytes (the device allows ${maxBindingBytes} in one binding)`,
        );
      }
    }
  }

  #layout(storageBuffers: number, uniform: boolean): Layout {
    const key = `${storageBuffers} ${uniform}`;
    const known = this.#layouts.get(key);
    if (known) return known;
    // All storage is bound read_write: ranges of one arena may then be read and written by one kernel.
    const entries = Array.from(
      { length: storageBuffers + (uniform ? 1 : 0) },
      (_, binding): GPUBindGroupLayoutEntry => ({
        binding,
        visibility: STAGE_COMPUTE,
        buffer: { type: binding < storageBuffers ? 'storage' : 'uniform' },
      }),
    );
    const group = this.#device.gpu.createBindGroupLayout({ entries });
    const layout = { group, pipeline: this.#device.gpu.createPipelineLayout({ bindGroupLayouts: [group] }) };
    this.#layouts.set(key, layout);
    return layout;
  }

  #pipeline(name: string, rendered: RenderedKernel, layout: Layout): Promise<GPUComputePipeline> {
    const { code } = rendered;
    let pipeline = this.#pipelines.get(code);
    if (!pipeline) {
      pipeline = this.#compile(name, rendered, layout);
      this.#pipelines.set(code, pipeline);
      // A failure is not remembered: it may have been the device's.
      pipeline.catch(() => this.#pipelines.delete(code));
    }
    return pipeline;
  }

  async #compile(name: string, { code, entryPoint }: RenderedKernel, layout: Layout): Promise<GPUComputePipeline> {
    const { gpu } = this.#device;
    // The errors of exactly this call; other compilations may be under way.
    gpu.pushErrorScope('validation');
    const module = gpu.createShaderModule({ label: name, code });
    const invalid = await this.#device.wait(`compiling ${name}`, () => gpu.popErrorScope());
    // Without its validation Dawn would crash on a pipeline of an invalid module.
    if (invalid) throw new EngineError(`[webgpu] kernel ${name} does not compile: ${invalid.message.trim()}`);
    return this.#device.wait(`compiling ${name}`, () =>
      gpu.createComputePipelineAsync({ label: name, layout: layout.pipeline, compute: { module, entryPoint } }),
    );
  }
}

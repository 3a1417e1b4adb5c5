import { EngineError, InternalError, OutOfMemoryError } from '../../graph/index.js';
import type { Capabilities, Program } from '../engine.js';
import type { KernelHead } from '../plan.js';
import type { Block } from './buffers.js';
import type { WebGPUPlan, WebGPUPlannedKernel } from './coder.js';
import { STAGE_COMPUTE } from './constants.js';
import type { LiveDevice } from './device.js';
import type { RenderedKernel } from './rendering.js';
import { ScalarBlock, uniformBytes } from './scalars.js';

/** Bind groups kept per kernel; fresh batches come from the pool, which gives out the same few buffers. */
const MAX_BIND_GROUPS = 16;

/** Pipelines kept for plans to come, the least recently used dropped first; programs keep theirs anyway. */
const MOST_PIPELINES = 1024;

interface BoundGroup {
  readonly ids: readonly number[];
  readonly group: GPUBindGroup;
}

/** A buffer of a kernel as a launch binds it. */
interface Binding {
  /** Its number in the kernel, and its binding. */
  readonly binding: number;
  /** Index of the plan's buffer. */
  readonly buffer: number;
}

/** One launch. */
export interface Step {
  readonly planned: WebGPUPlannedKernel;
  readonly bindings: readonly Binding[];
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
  readonly plan: WebGPUPlan;
  readonly steps: readonly Step[];
  readonly scalars: ScalarBlock | null;
  readonly #device: GPUDevice;
  /** Ids of the blocks that the last run bound, by plan buffer. */
  #lastIds: readonly number[] = [];

  constructor(device: GPUDevice, plan: WebGPUPlan, steps: readonly Step[], scalars: ScalarBlock | null) {
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
    const { bindings } = step;
    const found = groups.findIndex((bound) => bindings.every(({ buffer }, i) => bound.ids[i] === ids[buffer]));
    if (found > 0) groups.unshift(...groups.splice(found, 1));
    if (found >= 0) return groups[0].group;
    const group = this.#makeGroup(step, blocks);
    groups.unshift({ ids: bindings.map(({ buffer }) => ids[buffer]), group });
    if (groups.length > MAX_BIND_GROUPS) groups.pop();
    return group;
  }

  #makeGroup(step: Step, blocks: readonly (Block | null)[]): GPUBindGroup {
    const { kernel } = step.planned;
    const entries = step.bindings.map(({ binding, buffer }): GPUBindGroupEntry => {
      const { bytes, place } = this.plan.buffers[buffer];
      const block = blocks[buffer];
      if (!block) throw new InternalError(`[webgpu] ${kernel.name} binds a buffer without storage`);
      const offset = place.kind === 'arena' ? place.offset : 0;
      return { binding, resource: { buffer: block.gpu, offset, size: bytes } };
    });
    if (this.scalars && step.uniformOffset >= 0) {
      const size = uniformBytes(kernel.params.length);
      const resource = { buffer: this.scalars.buffer, offset: step.uniformOffset, size };
      entries.push({ binding: kernel.buffers.length, resource });
    }
    return this.#device.createBindGroup({ layout: step.layout, entries });
  }
}

/** What a launch binds: all buffers of the kernel but the empty ones. */
function bindingsOf({ kernel, bindings }: WebGPUPlannedKernel): Binding[] {
  return bindings.flatMap((buffer, binding) => (kernel.buffers[binding].length > 0 ? [{ binding, buffer }] : []));
}

interface Layout {
  readonly key: string;
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

/** Compiles plans. Pipelines are cached by their WGSL. */
export class ProgramBuilder {
  readonly #device: LiveDevice;
  readonly #capabilities: Capabilities;
  readonly #layouts = new Map<string, Layout>();
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: LiveDevice, capabilities: Capabilities) {
    this.#device = device;
    this.#capabilities = capabilities;
  }

  async load(plan: WebGPUPlan, onKernel?: () => void): Promise<WebGPUProgram> {
    this.#device.check();
    if (plan.arenaBytes > this.#capabilities.maxBufferBytes) {
      throw new OutOfMemoryError(
        `[webgpu] intermediate results need ${plan.arenaBytes} bytes (the device allows ${this.#capabilities.maxBufferBytes})`,
      );
    }
    const isIdle = ({ code }: WebGPUPlannedKernel): boolean => code.workgroups.some((count) => count === 0);
    const launches = plan.kernels.filter((planned) => !isIdle(planned));
    for (let i = launches.length; i < plan.kernels.length; i++) onKernel?.();
    for (const planned of launches) this.#check(plan, planned);

    const scalars = ScalarBlock.for(this.#device.gpu, plan, launches);
    // All are started before the first is awaited: the device compiles them in parallel.
    const steps = await Promise.all(
      launches.map(async (planned, i): Promise<Step> => {
        const layout = this.#layout(planned.kernel);
        const pipeline = await this.#pipeline(planned.kernel.name, planned.code, layout);
        onKernel?.();
        return {
          planned,
          bindings: bindingsOf(planned),
          pipeline,
          layout: layout.group,
          workgroups: planned.code.workgroups,
          uniformOffset: scalars?.offsets[i] ?? -1,
          groups: [],
        };
      }),
    );
    return new WebGPUProgram(this.#device.gpu, plan, steps, scalars);
  }

  #check(plan: WebGPUPlan, planned: WebGPUPlannedKernel): void {
    const { kernel, code } = planned;
    const { workgroups } = code;
    const { maxStorageBuffers, maxWorkgroupsPerDimension, maxBindingBytes } = this.#capabilities;
    const refuse = (what: string) => {
      throw new InternalError(`[webgpu] kernel ${kernel.name} ${what}`);
    };
    if (planned.bindings.length !== kernel.buffers.length) {
      refuse(`has ${kernel.buffers.length} buffers, of which the plan binds ${planned.bindings.length}`);
    }
    const bound = bindingsOf(planned);
    if (bound.length > maxStorageBuffers) refuse(`binds ${bound.length} buffers (at most ${maxStorageBuffers})`);
    if (workgroups.some((count) => count > maxWorkgroupsPerDimension)) {
      refuse(`launches ${workgroups.join(' x ')} workgroups (at most ${maxWorkgroupsPerDimension} each way)`);
    }
    for (const { binding, buffer } of bound) {
      const { bytes } = plan.buffers[buffer];
      const needed = kernel.buffers[binding].length * 4;
      // Kernels count on it: they check indices against the length of the kernel's buffer.
      if (bytes < needed) refuse(`needs ${needed} bytes at binding ${binding} (the plan has ${bytes} there)`);
      if (bytes > maxBindingBytes) {
        throw new OutOfMemoryError(
          `[webgpu] kernel ${kernel.name} binds ${bytes} bytes (the device allows ${maxBindingBytes} in one binding)`,
        );
      }
    }
  }

  #layout({ buffers, params }: KernelHead): Layout {
    // All storage is bound read_write: ranges of one arena may then be read and written by one kernel.
    const types = buffers.map(({ length }): GPUBufferBindingType | null => (length > 0 ? 'storage' : null));
    if (params.length > 0) types.push('uniform');
    const key = types.join(' ');
    const known = this.#layouts.get(key);
    if (known) return known;
    const entries = types.flatMap((type, binding): GPUBindGroupLayoutEntry[] =>
      type ? [{ binding, visibility: STAGE_COMPUTE, buffer: { type } }] : [],
    );
    const group = this.#device.gpu.createBindGroupLayout({ entries });
    const layout = { key, group, pipeline: this.#device.gpu.createPipelineLayout({ bindGroupLayouts: [group] }) };
    this.#layouts.set(key, layout);
    return layout;
  }

  #pipeline(name: string, rendered: RenderedKernel, layout: Layout): Promise<GPUComputePipeline> {
    const key = `${layout.key}\n${rendered.code}`;
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      pipeline = this.#compile(name, rendered, layout);
      // A failure is not remembered: it may have been the device's.
      pipeline.catch(() => this.#pipelines.delete(key));
    }
    this.#pipelines.delete(key);
    this.#pipelines.set(key, pipeline);
    if (this.#pipelines.size > MOST_PIPELINES) this.#pipelines.delete(this.#pipelines.keys().next().value!);
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

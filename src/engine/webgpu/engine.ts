import { EngineUnavailableError, InternalError, type TillerError } from '../../graph/index.js';
import type {
  Capabilities,
  Coder,
  EngineBuffer,
  EngineInfo,
  KernelCode,
  KernelEngine,
  MemoryStats,
  Program,
} from '../engine.js';
import type { CodedPlan, OutlinedKernel, Plan } from '../plan.js';
import { type KernelTiming, printsTimings, type TimingListener } from '../timing.js';
import type { TuneOptions } from '../tuning.js';
import { deviceDescriptor, type FoundAdapter, findAdapter, listLimits } from './adapter.js';
import { type Block, BufferPool, StorageBuffer } from './buffers.js';
import { type WebGPUPlan, webgpuCoder } from './coder.js';
import { LiveDevice } from './device.js';
import { FaultLog } from './faults.js';
import { dawnFlags, type WebGPUOptions } from './options.js';
import { ProgramBuilder, type Step, WebGPUProgram } from './program.js';
import { Readback } from './readback.js';
import type { RenderedKernel } from './rendering.js';
import { RunTimer } from './timings.js';
import { IdleTrim } from './trim.js';
import type { Tried } from './tryOut.js';

/** How long nothing may happen before memory that is kept for reuse goes back to the device. */
const TRIM_AFTER_MS = 5000;

/**
 * Makes an engine on WebGPU, with a device of its own: Dawn in Node, `navigator.gpu` in browsers and Deno.
 * Throws EngineUnavailableError where there is no adapter.
 */
export async function createWebGPUEngine(options: WebGPUOptions = {}): Promise<KernelEngine> {
  const matrices = options.subgroupMatrix ?? false;
  const found = await findAdapter({
    allowSoftware: options.allowSoftware ?? true,
    powerPreference: options.powerPreference ?? 'high-performance',
    dawnFlags: dawnFlags(options),
  });
  const faults = new FaultLog();
  const gpu = await found.adapter
    .requestDevice(deviceDescriptor(found.adapter, { matrices }))
    .catch((error: unknown) => {
      throw new EngineUnavailableError(`[webgpu] ${found.description} gives no device: ${String(error)}`);
    });
  const device = new LiveDevice(gpu, faults, found.inNode);
  // A software adapter would wait longer for the answers than it gains by them.
  const wanted = options.tryOut ?? (matrices || !found.software);
  const { adapter } = found;
  const tried = wanted ? await (await import('./tryOut.js')).tryOut({ device, adapter, matrices }) : NOTHING_TRIED;
  return new WebGPUEngine(found, device, faults, options, tried);
}

const NOTHING_TRIED: Tried = { capabilities: {}, checks: [] };

class WebGPUEngine implements KernelEngine {
  readonly kind = 'kernel';
  readonly name = 'webgpu';
  readonly capabilities: Capabilities;
  readonly lost: LiveDevice['lost'];
  readonly #found: FoundAdapter;
  readonly #device: LiveDevice;
  readonly #faults: FaultLog;
  readonly #why: string;
  readonly #checks: readonly string[];
  readonly #pool: BufferPool;
  readonly #readback: Readback;
  readonly coder: Coder<RenderedKernel>;
  readonly tune: KernelEngine['tune'];
  readonly #trim: IdleTrim;
  readonly #ownTimings: TimingListener | null;
  #onTimings: TimingListener | null = null;
  /** Storage of the intermediate results of whichever program runs; one after the other they all use it. */
  #arena: Block | null = null;

  constructor(found: FoundAdapter, device: LiveDevice, faults: FaultLog, options: WebGPUOptions, tried: Tried) {
    this.#found = found;
    this.#checks = tried.checks;
    this.#device = device;
    this.#faults = faults;
    this.lost = device.lost;
    this.capabilities = { ...capabilitiesOf(device.gpu, found), ...tried.capabilities };
    const { maxBufferBytes } = this.capabilities;
    const allocate = (size: number, usage: number) => this.#allocate(size, usage);
    this.#pool = new BufferPool(allocate, { maxBufferBytes, budgetBytes: options.memoryBudget ?? Infinity });
    this.#readback = new Readback(device, faults, allocate, maxBufferBytes);
    const builder = new ProgramBuilder(device, this.capabilities);
    this.coder = webgpuCoder(found.description, this.capabilities, options.render, (plan, onKernel) =>
      builder.load(plan as WebGPUPlan, onKernel),
    );
    // Other renderers have schedules of their own.
    this.tune = options.render ? undefined : (plan, tuning) => this.#tune(plan, tuning);
    this.#why = options.why ?? `asked for by name; ${found.tried.join('; ')}`;
    this.#ownTimings = options.onTimings ?? null;
    this.#trim = new IdleTrim(() => this.#trimMemory(), options.trimAfterMs ?? TRIM_AFTER_MS);
    this.onTimings(null);
  }

  onTimings(listener: TimingListener | null): void {
    const timed = this.#device.gpu.features.has('timestamp-query');
    this.#onTimings = timed ? (listener ?? this.#ownTimings ?? printsTimings()) : null;
  }

  codeOf({ code }: OutlinedKernel): KernelCode {
    return { language: 'WGSL', text: (code as RenderedKernel).code };
  }

  info(): EngineInfo {
    const { features, limits } = this.#device.gpu;
    return {
      engine: 'webgpu',
      adapter: this.#found.description,
      software: this.#found.software,
      features: [...features].sort(),
      limits: listLimits(limits),
      why: this.#why,
      checks: this.#checks,
    };
  }

  upload(words: Uint32Array | Int32Array | Float32Array): EngineBuffer {
    this.#device.check();
    this.#trim.postpone();
    const tick = this.#faults.tick();
    if (words.byteLength === 0) return new StorageBuffer(0, null, tick);
    const block = this.#pool.acquire(words.byteLength);
    const { error } = this.#faults.collect(() =>
      this.#device.gpu.queue.writeBuffer(block.gpu, 0, words.buffer, words.byteOffset, words.byteLength),
    );
    if (error) {
      this.#pool.discard(block);
      throw error;
    }
    return new StorageBuffer(words.byteLength, block, tick);
  }

  async prepare(plan: Plan): Promise<Program> {
    this.#device.check();
    const render = await this.coder.renderer(plan);
    return this.coder.load(render());
  }

  async #tune(plan: Plan, options: TuneOptions): Promise<CodedPlan> {
    this.#device.check();
    const { tunePlan } = await import('./tunePlan.js');
    return tunePlan(plan, options, { engine: this, device: this.#device });
  }

  run(program: Program, inputs: readonly EngineBuffer[], scalars: readonly number[]): EngineBuffer[] {
    this.#device.check();
    this.#trim.postpone();
    if (!(program instanceof WebGPUProgram)) throw new InternalError('[webgpu] run of a program of another engine');
    const { plan } = program;
    const given = this.#checkInputs(plan, inputs);
    if (scalars.length !== plan.scalars.length) {
      throw new InternalError(`[webgpu] run with ${scalars.length} scalars (expected ${plan.scalars.length})`);
    }
    const tick = this.#faults.tick();
    const fresh = this.#allocateOutputs(plan, tick);
    let error: TillerError | null;
    try {
      const blocks = this.#placeBuffers(program, given, fresh);
      error = this.#faults.collect(() => this.#submit(program, blocks, scalars)).error;
    } catch (thrown) {
      for (const buffer of fresh.values()) this.free(buffer);
      throw thrown;
    }
    error ??= this.#inheritedFault(given);
    if (error) this.#faults.spoil(tick, error);

    plan.inputs.forEach(({ donated }, i) => {
      if (donated) given[i].writtenAt = tick;
    });
    return plan.outputs.map(({ buffer }) => {
      const { place } = plan.buffers[buffer];
      const output = place.kind === 'input' ? given[place.index] : fresh.get(buffer);
      if (!output) throw new InternalError('[webgpu] an output of the plan lies in the arena');
      return output;
    });
  }

  async read(buffers: readonly EngineBuffer[]): Promise<ArrayBuffer[]> {
    this.#device.check();
    this.#trim.postpone();
    const handles = buffers.map((buffer) => this.#handle(buffer, 'read'));
    const writtenAt = handles.map((handle) => handle.writtenAt);
    this.#throwIfSpoiled(writtenAt);
    const tick = this.#faults.clock;
    const filled = handles.filter((handle) => handle.block !== null);
    const contents = await this.#readback.read(
      filled.map((handle) => ({ source: handle.block!.gpu, bytes: handle.bytes })),
    );
    this.#faults.passed(tick);
    // Browsers report errors later than the call, but before the answer.
    this.#throwIfSpoiled(writtenAt);
    const next = contents.values();
    return handles.map((handle) => (handle.block ? next.next().value! : new ArrayBuffer(0)));
  }

  free(buffer: EngineBuffer): void {
    const handle = this.#handle(buffer, 'free');
    this.#trim.postpone();
    handle.freed = true;
    if (handle.block) this.#pool.release(handle.block);
  }

  memory(): MemoryStats {
    const stats = this.#pool.stats;
    return { ...stats, pooled: stats.pooled + this.#readback.pooled };
  }

  async idle(): Promise<void> {
    const tick = this.#faults.clock;
    await this.#device.wait('waiting', () => this.#device.gpu.queue.onSubmittedWorkDone());
    this.#faults.passed(tick);
    const error = this.#faults.takeUnreported();
    if (error) throw error;
  }

  destroy(): void {
    this.#trim.stop();
    this.#device.destroy();
  }

  #handle(buffer: EngineBuffer, operation: string): StorageBuffer {
    if (!(buffer instanceof StorageBuffer)) throw new InternalError(`[webgpu] ${operation} of another engine's buffer`);
    if (buffer.freed) throw new InternalError(`[webgpu] ${operation} of a freed buffer`);
    return buffer;
  }

  #throwIfSpoiled(writtenAt: readonly number[]): void {
    if (!this.#faults.any) return;
    for (const tick of writtenAt) {
      const error = this.#faults.spoiledBy(tick);
      if (!error) continue;
      this.#faults.report(error);
      throw error;
    }
  }

  #inheritedFault(inputs: readonly StorageBuffer[]): TillerError | null {
    if (!this.#faults.any) return null;
    for (const { writtenAt } of inputs) {
      const error = this.#faults.spoiledBy(writtenAt);
      if (error) return error;
    }
    return null;
  }

  #checkInputs(plan: WebGPUPlan, inputs: readonly EngineBuffer[]): StorageBuffer[] {
    if (inputs.length !== plan.inputs.length) {
      throw new InternalError(`[webgpu] run with ${inputs.length} inputs (expected ${plan.inputs.length})`);
    }
    return inputs.map((input) => this.#handle(input, 'run'));
  }

  /** A buffer for each of the plan's 'output' places, by index of the plan buffer. */
  #allocateOutputs(plan: WebGPUPlan, tick: number): Map<number, StorageBuffer> {
    const fresh = new Map<number, StorageBuffer>();
    try {
      plan.buffers.forEach(({ bytes, place }, index) => {
        if (place.kind !== 'output') return;
        fresh.set(index, new StorageBuffer(bytes, bytes > 0 ? this.#pool.acquire(bytes) : null, tick));
      });
    } catch (error) {
      for (const buffer of fresh.values()) this.free(buffer);
      throw error;
    }
    return fresh;
  }

  /** The block of each plan buffer; null for empty ones. */
  #placeBuffers(
    { plan }: WebGPUProgram,
    inputs: readonly StorageBuffer[],
    fresh: ReadonlyMap<number, StorageBuffer>,
  ): (Block | null)[] {
    const arena = plan.arenaBytes > 0 ? this.#growArena(plan.arenaBytes) : null;
    return plan.buffers.map(({ bytes, place }, index) => {
      if (place.kind === 'arena') return arena;
      if (place.kind === 'output') return fresh.get(index)!.block;
      const input = inputs[place.index];
      if (input.bytes !== bytes) {
        throw new InternalError(`[webgpu] input ${place.index} has ${input.bytes} bytes (expected ${bytes})`);
      }
      return input.block;
    });
  }

  #dropArena(): void {
    // Work already queued keeps a destroyed buffer until it is done.
    if (this.#arena) this.#pool.discard(this.#arena);
    this.#arena = null;
  }

  #trimMemory(): void {
    this.#dropArena();
    this.#pool.trimTo(0);
    this.#readback.trim();
  }

  #growArena(bytes: number): Block {
    if (this.#arena && this.#arena.size >= bytes) return this.#arena;
    this.#dropArena();
    return (this.#arena = this.#pool.acquire(bytes));
  }

  #submit(program: WebGPUProgram, blocks: readonly (Block | null)[], scalars: readonly number[]): void {
    const { steps } = program;
    if (steps.length === 0) return;
    const { gpu } = this.#device;
    program.scalars?.write(scalars);
    const groups = program.bind(blocks);
    const encoder = gpu.createCommandEncoder();
    const timer = this.#onTimings
      ? new RunTimer(
          this.#device,
          steps.map((step) => timed(program.plan, step)),
        )
      : null;
    if (timer) {
      steps.forEach((step, i) => {
        const pass = encoder.beginComputePass(timer.pass(i));
        launch(pass, step, groups[i], null);
        pass.end();
      });
      timer.finish(encoder);
    } else {
      const pass = encoder.beginComputePass();
      for (let i = 0; i < steps.length; i++) launch(pass, steps[i], groups[i], i > 0 ? steps[i - 1] : null);
      pass.end();
    }
    gpu.queue.submit([encoder.finish()]);
    // If the device fails, reads and runs say so.
    timer?.timings().then(this.#onTimings, () => {});
  }

  #allocate(size: number, usage: number): GPUBuffer {
    const { result, error } = this.#faults.collect(() => this.#device.gpu.createBuffer({ size, usage }));
    if (!error) return result;
    result.destroy();
    throw error;
  }
}

function launch(pass: GPUComputePassEncoder, step: Step, group: GPUBindGroup, before: Step | null): void {
  if (step.pipeline !== before?.pipeline) pass.setPipeline(step.pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...step.workgroups);
}

function timed(plan: WebGPUPlan, { planned, bindings }: Step): Omit<KernelTiming, 'ms'> {
  const bytes = bindings.reduce((sum, { buffer }) => sum + plan.buffers[buffer].bytes, 0);
  return { kernel: planned.kernel.name, flops: planned.kernel.flops, bytes };
}

function capabilitiesOf({ limits, features }: GPUDevice, { software, language }: FoundAdapter): Capabilities {
  return {
    software,
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxBufferBytes: limits.maxBufferSize,
    maxWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxWorkgroupMemoryBytes: limits.maxComputeWorkgroupStorageSize,
    subgroups: features.has('subgroups'),
    // SwiftShader's are emulated: up to twice as fast, but they take several times as long to compile.
    packedDot: !software && language.has('packed_4x8_integer_dot_product'),
  };
}

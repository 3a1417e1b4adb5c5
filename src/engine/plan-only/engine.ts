import type { Kernel } from '../../../kernels/ir.js';
import { InternalError, UnsupportedError } from '../../graph/index.js';
import type {
  Capabilities,
  EngineBuffer,
  EngineInfo,
  KernelCode,
  KernelEngine,
  MemoryStats,
  Program,
} from '../engine.js';
import { describePlace } from '../listing.js';
import type { OutlinedKernel, Plan, PlannedKernel } from '../plan.js';
import { loadRenderers, type RenderedKernel, type RenderKernel, renderKernel } from '../webgpu/rendering.js';
import { printKernel } from './printKernel.js';

/** The limits that WebGPU guarantees on every device. */
const BASE_CAPABILITIES: Capabilities = {
  software: false,
  maxStorageBuffers: 8,
  maxBindingBytes: 128 * 2 ** 20,
  maxBufferBytes: 256 * 2 ** 20,
  maxWorkgroupsPerDimension: 65_535,
  maxInvocationsPerWorkgroup: 256,
  maxWorkgroupMemoryBytes: 16 * 2 ** 10,
  subgroups: false,
};

const usesF16 = (halves: Capabilities['halves']): boolean => halves?.toF32 === 'f16' || halves?.toF16 === 'f16';

export interface KernelListing {
  readonly name: string;
  /** The kernel's loop nest. */
  readonly ir: string;
  /** The WGSL that a WebGPU engine with these capabilities would run. */
  readonly code: string;
  readonly workgroups: readonly [number, number, number];
  /** Where each of its buffers lies, e.g. `input 0`, `output 1`, `arena 512 + 256 bytes`. */
  readonly bindings: readonly string[];
}

/** What a run of a plan would do. */
export interface PlanListing {
  /** In order; without those that have nothing to do. */
  readonly kernels: readonly KernelListing[];
  readonly submits: number;
  readonly arenaBytes: number;
}

class PlanOnlyProgram implements Program {
  readonly plan: Plan;
  readonly launches: readonly { readonly planned: PlannedKernel; readonly rendered: RenderedKernel }[];

  constructor(plan: Plan, render: RenderKernel, capabilities: Capabilities) {
    this.plan = plan;
    this.launches = plan.kernels
      .map((planned) => ({ planned, rendered: render(planned.kernel, capabilities) }))
      .filter(({ rendered }) => rendered.workgroups.every((count) => count > 0));
  }

  get kernels(): number {
    return this.launches.length;
  }

  get submits(): number {
    return this.launches.length > 0 ? 1 : 0;
  }
}

class PlannedStorage implements EngineBuffer {
  freed = false;
  constructor(readonly bytes: number) {}
}

export interface PlanOnlyOptions {
  /** How kernels become WGSL; default the renderers of kernels/. */
  readonly render?: RenderKernel;
  /** What the device that is planned for has beyond the base limits of WebGPU. */
  readonly capabilities?: Partial<Capabilities>;
}

/** Makes an engine that plans and generates code as a WebGPU device would, one with the base limits by default, and computes nothing. */
export function createPlanOnlyEngine(options: PlanOnlyOptions = {}): PlanOnlyEngine {
  return new PlanOnlyEngine(options.render ?? renderKernel, { ...BASE_CAPABILITIES, ...options.capabilities });
}

export class PlanOnlyEngine implements KernelEngine {
  readonly kind = 'kernel';
  readonly name = 'plan-only';
  readonly capabilities: Capabilities;
  /** There is no device to lose. */
  readonly lost: KernelEngine['lost'] = new Promise(() => {});
  /** Everything that was run, a program as often as it was. */
  readonly runs: Program[] = [];
  readonly #programs: PlanOnlyProgram[] = [];
  readonly #render: RenderKernel;
  readonly #stats: MemoryStats = { live: 0, peak: 0, pooled: 0, buffers: 0 };

  constructor(render: RenderKernel, capabilities: Capabilities) {
    this.#render = render;
    this.capabilities = capabilities;
  }

  /** Everything that was prepared, in order. */
  get programs(): readonly Program[] {
    return this.#programs;
  }

  get lastProgram(): Program | null {
    return this.#programs.at(-1) ?? null;
  }

  /** What a run of a program of this engine would launch. */
  describe(program: Program): PlanListing {
    const { plan, launches, submits } = this.#own(program);
    return {
      kernels: launches.map(({ planned: { kernel, bindings }, rendered: { code, workgroups } }) => ({
        name: kernel.name,
        ir: printKernel(kernel),
        code,
        workgroups,
        bindings: bindings.map((index) => describePlace(plan.buffers[index])),
      })),
      submits,
      arenaBytes: plan.arenaBytes,
    };
  }

  info(): EngineInfo {
    const { software, subgroups, fixedSubgroups, matrixUnits, packedDot, halves, ...limits } = this.capabilities;
    return {
      engine: 'plan-only',
      adapter: 'none: plans with the base limits of WebGPU and computes nothing',
      software,
      features: [
        ...(subgroups ? ['subgroups'] : []),
        ...(packedDot ? ['packed_4x8_integer_dot_product'] : []),
        ...(matrixUnits ? ['chromium-experimental-subgroup-matrix'] : []),
        ...(fixedSubgroups?.pinned ? ['subgroup-size-control'] : []),
        ...(usesF16(halves) ? ['shader-f16'] : []),
      ],
      limits,
      why: 'asked for by name',
    };
  }

  upload(words: Uint32Array | Int32Array | Float32Array): EngineBuffer {
    return this.#allocate(words.byteLength);
  }

  codeOf({ kernel }: OutlinedKernel): KernelCode {
    return { language: 'WGSL', text: this.#render(kernel as Kernel, this.capabilities).code };
  }

  async prepare(plan: Plan): Promise<Program> {
    await loadRenderers(plan, this.capabilities);
    const program = new PlanOnlyProgram(plan, this.#render, this.capabilities);
    this.#programs.push(program);
    return program;
  }

  run(program: Program, inputs: readonly EngineBuffer[]): EngineBuffer[] {
    const { plan } = this.#own(program);
    this.runs.push(program);
    const fresh = new Map<number, EngineBuffer>();
    return plan.outputs.map(({ buffer }) => {
      const { bytes, place } = plan.buffers[buffer];
      if (place.kind === 'input') return inputs[place.index];
      const output = fresh.get(buffer) ?? this.#allocate(bytes);
      fresh.set(buffer, output);
      return output;
    });
  }

  async read(): Promise<ArrayBuffer[]> {
    throw new UnsupportedError("[read] the engine 'plan-only' computes nothing (use another engine to read values)");
  }

  free(buffer: EngineBuffer): void {
    if (!(buffer instanceof PlannedStorage)) throw new InternalError("[plan-only] free of another engine's buffer");
    if (buffer.freed) throw new InternalError('[plan-only] free of a freed buffer');
    buffer.freed = true;
    this.#stats.live -= buffer.bytes;
    this.#stats.buffers--;
  }

  memory(): MemoryStats {
    return { ...this.#stats };
  }

  async idle(): Promise<void> {}

  destroy(): void {}

  #allocate(bytes: number): PlannedStorage {
    this.#stats.live += bytes;
    this.#stats.peak = Math.max(this.#stats.peak, this.#stats.live);
    this.#stats.buffers++;
    return new PlannedStorage(bytes);
  }

  #own(program: Program): PlanOnlyProgram {
    if (!(program instanceof PlanOnlyProgram)) throw new InternalError('[plan-only] a program of another engine');
    return program;
  }
}

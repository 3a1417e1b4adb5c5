import type { Kernel } from '../../../kernels/ir.js';
import { arrayOf, EngineError, InternalError, type TypedArray } from '../../graph/index.js';
import type { EngineBuffer, KernelEngine } from '../engine.js';
import type { Contender } from '../search.js';
import type { StorageBuffer } from './buffers.js';
import type { WebGPUPlan } from './coder.js';
import type { LiveDevice } from './device.js';
import { WebGPUProgram } from './program.js';
import type { RenderedKernel } from './rendering.js';
import { RunTimer } from './timings.js';

/** A sample takes at least this long: timestamps of browsers are multiples of 0.1 ms, and a clock on the host sees the submit too. */
const SAMPLE_MS = { timestamps: 2, clock: 20 };
const MOST_LAUNCHES = 1024;
/** A sample may be of no use now and then: held up by other work, or by a device that sleeps between timestamps and resets its clock. */
const ATTEMPTS = 3;
/** One this many times longer than it has to be is long enough though it was held up. */
const CERTAIN = 16;
/** How many times more launches are tried next, at most. */
const MOST_GROWTH = 16;

/** What is computed where nothing was: it differs from any result. */
const NOTHING = 0x7fc00000;

/** One kernel on made-up data, as whatever code it is rendered to. */
export class KernelBench {
  readonly #engine: KernelEngine;
  readonly #device: LiveDevice;
  readonly #kernel: Kernel;
  readonly #buffers: EngineBuffer[] = [];
  readonly #scalars: number[];
  #launches: number | null = null;
  #timestamps: boolean;

  /** Throws OutOfMemoryError where its data does not fit. */
  constructor(engine: KernelEngine, device: LiveDevice, kernel: Kernel) {
    this.#engine = engine;
    this.#device = device;
    this.#kernel = kernel;
    this.#scalars = kernel.params.map((dtype) => (dtype === 'f32' ? 0.5 : 1));
    this.#timestamps = device.gpu.features.has('timestamp-query');
    try {
      kernel.buffers.forEach((_, i) => {
        this.#buffers.push(engine.upload(this.#dataOf(i)));
      });
    } catch (error) {
      this.release();
      throw error;
    }
  }

  release(): void {
    for (const buffer of this.#buffers.splice(0)) this.#engine.free(buffer);
  }

  /** The kernel as this code. Rejects where that does not compile. */
  async contender({ code, entryPoint, workgroups }: RenderedKernel): Promise<Contender> {
    const plan = planOf(this.#kernel, { code, entryPoint, workgroups });
    const program = await this.#engine.coder!.load(plan);
    if (!(program instanceof WebGPUProgram)) throw new InternalError('[tune] a program of another engine');
    return {
      time: () => this.#time(program),
      outputs: () => this.#outputsOf(program),
    };
  }

  async #outputsOf(program: WebGPUProgram): Promise<TypedArray[]> {
    // What is written may be read before: every contender starts from the same.
    this.#kernel.buffers.forEach(({ access }, i) => {
      if (access === 'read') return;
      this.#engine.free(this.#buffers[i]!);
      this.#buffers[i] = this.#engine.upload(this.#dataOf(i));
    });
    const outputs = this.#engine.run(program, this.#buffers, this.#scalars);
    const contents = await this.#engine.read(outputs);
    return program.plan.outputs.map(({ dtype, shape }, i) => arrayOf(contents[i]!, dtype, shape[0]!));
  }

  /** Milliseconds of a launch, of as many after each other as fill a sample. */
  async #time(program: WebGPUProgram): Promise<number> {
    const launches = (this.#launches ??= await this.#calibrate(program));
    for (let i = 0; i < ATTEMPTS; i++) {
      const ms = await this.#sample(program, launches);
      if (ms > 0) return ms / launches;
    }
    throw new EngineError(`[tune] ${this.#kernel.name} takes no time by the device's timestamps`);
  }

  /** How many launches fill a sample. */
  async #calibrate(program: WebGPUProgram): Promise<number> {
    // The first run of a program has work to do that later ones have not.
    await this.#sample(program, 1);
    let launches = 1;
    for (;;) {
      const enough = this.#timestamps ? SAMPLE_MS.timestamps : SAMPLE_MS.clock;
      const ms = await this.#least(program, launches, enough);
      if (ms >= enough) return launches;
      if (launches < MOST_LAUNCHES) {
        const factor = Math.ceil(enough / Math.max(ms, enough / MOST_GROWTH));
        launches = Math.min(MOST_LAUNCHES, launches * Math.max(2, factor));
      } else if (this.#timestamps && ms <= 0) {
        // They stand still.
        this.#timestamps = false;
        launches = 1;
      } else {
        return launches;
      }
    }
  }

  /** The shortest of a few samples, or the first that is not enough: one that was held up would leave all later ones too short. */
  async #least(program: WebGPUProgram, launches: number, enough: number): Promise<number> {
    let least = Infinity;
    for (let i = 0; i < ATTEMPTS && least >= enough; i++) {
      least = Math.min(least, await this.#sample(program, launches));
      if (least > CERTAIN * enough) break;
    }
    return least;
  }

  async #sample(program: WebGPUProgram, launches: number): Promise<number> {
    const { gpu } = this.#device;
    const [step] = program.steps;
    if (step === undefined) throw new InternalError('[tune] a kernel without work');
    program.scalars?.write(this.#scalars);
    const [group] = program.bind(this.#buffers.map((buffer) => (buffer as StorageBuffer).block));
    const encoder = gpu.createCommandEncoder();
    const timer = this.#timestamps
      ? new RunTimer(this.#device, [{ kernel: this.#kernel.name, flops: 0, bytes: 0 }])
      : null;
    const pass = encoder.beginComputePass(timer?.pass(0) ?? {});
    pass.setPipeline(step.pipeline);
    pass.setBindGroup(0, group!);
    for (let i = 0; i < launches; i++) pass.dispatchWorkgroups(...step.workgroups);
    pass.end();
    timer?.finish(encoder);
    const start = performance.now();
    gpu.queue.submit([encoder.finish()]);
    if (timer) return (await timer.timings())[0]!.ms;
    await this.#device.wait('timing a kernel', () => gpu.queue.onSubmittedWorkDone());
    return performance.now() - start;
  }

  /**
   * Numbers whose products and sums are exact in f32 (multiples of 1/4 up to 1), so that another order of summation changes nothing and
   * even a single missing term shows; small integers, which are indices too; pairs of f16 in u32.
   */
  #dataOf(index: number): Float32Array | Int32Array | Uint32Array {
    const { dtype, length, access } = this.#kernel.buffers[index]!;
    if (access === 'write') return new Uint32Array(length).fill(NOTHING);
    let state = index + 1;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 16) % limit;
    };
    if (dtype === 'f32') return Float32Array.from({ length }, () => (below(9) - 4) / 4);
    if (dtype === 'i32') return Int32Array.from({ length }, () => below(8));
    if (dtype === 'bool') return Uint32Array.from({ length }, () => below(2));
    return Uint32Array.from({ length }, () => halfOf(below(9) - 4) | (halfOf(below(9) - 4) << 16));
  }
}

/** The bits of quarters / 4 as f16, for -4 to 4. */
function halfOf(quarters: number): number {
  const magnitudes = [0, 0x3400, 0x3800, 0x3a00, 0x3c00];
  return (quarters < 0 ? 0x8000 : 0) | magnitudes[Math.abs(quarters)]!;
}

/** A plan of one kernel, whose buffers are all given; those that it writes come back. */
function planOf(kernel: Kernel, code: RenderedKernel): WebGPUPlan {
  const { buffers, params } = kernel;
  const all = buffers.map((_, i) => i);
  return {
    kernels: [{ kernel, bindings: all, params: params.map((_, i) => i), code }],
    buffers: buffers.map(({ length }, index) => ({ bytes: length * 4, place: { kind: 'input', index } })),
    inputs: buffers.map(({ length, dtype, access }) => ({ shape: [length], dtype, donated: access !== 'read' })),
    scalars: params,
    outputs: all.flatMap((buffer) => {
      const { length, dtype, access } = buffers[buffer]!;
      // Words as they are, also of bool.
      return access === 'read' ? [] : [{ shape: [length], dtype: dtype === 'bool' ? 'u32' : dtype, buffer }];
    }),
    arenaBytes: 0,
  };
}

import type { WasmFeatures, WasmKernel } from '../../../kernels/render/wasm/rendered.js';
import { type DeviceLostError, EngineError, EngineUnavailableError, InternalError } from '../../graph/index.js';
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
import type { OutlinedKernel, Plan } from '../plan.js';
import { type KernelTiming, printsTimings, type TimingListener } from '../timing.js';
import { aligned } from './allocator.js';
import { type WasmPlan, wasmCoder } from './coder.js';
import { hasSimd, whyNoRelaxedSimd } from './features.js';
import { Heap, type HeapRange } from './heap.js';
import { ModuleCache } from './modules.js';
import type { WasmOptions } from './options.js';
import type { StepPhase } from './phase.js';
import { findPlatform, type Platform } from './platform.js';
import { ThreadPool } from './pool.js';
import { prepareProgram, type Step, WasmProgram } from './program.js';
import { threadsFor } from './threads.js';

/** A phase of less work stays on the calling thread. */
const SPLIT_FROM_NS = 60_000;
const STALL_MS = 10_000;
/** Where a table has the address of a buffer without bytes. */
const NOWHERE = 64;

/**
 * Makes an engine on WebAssembly with SIMD: in Node and in every current browser. It computes within the call, on worker threads too
 * where memory can be shared. Throws EngineUnavailableError where WebAssembly has no SIMD.
 */
export async function createWasmEngine(options: WasmOptions = {}): Promise<KernelEngine> {
  if (!hasSimd()) {
    throw new EngineUnavailableError(
      '[wasm] no WebAssembly with SIMD here: looked for fixed-width SIMD (expected Node 20, or a browser since 2021)',
    );
  }
  return new WasmEngine(await findPlatform(), options);
}

/** A handle that the engine gives out: it owns a range of the heap until it is freed. */
class WasmBuffer implements EngineBuffer {
  readonly bytes: number;
  /** Null where there are no bytes. */
  readonly range: HeapRange | null;
  freed = false;

  constructor(bytes: number, range: HeapRange | null) {
    this.bytes = bytes;
    this.range = range;
  }
}

export class WasmEngine implements KernelEngine {
  readonly kind = 'kernel';
  readonly name = 'wasm';
  readonly capabilities: Capabilities;
  /** Never: there is no device. */
  readonly lost = new Promise<DeviceLostError>(() => {});
  readonly #heap: Heap;
  readonly #pool: ThreadPool | null;
  readonly coder: Coder<WasmKernel>;
  readonly #threads: number;
  readonly #splitFrom: number;
  readonly #why: string;
  readonly #features: readonly string[];
  readonly #ownTimings: TimingListener | null;
  #onTimings: TimingListener | null;
  /** Storage that whichever program runs uses; one after the other they all do. */
  #arena: HeapRange | null = null;
  #tables: HeapRange | null = null;
  #sharedScratch: HeapRange | null = null;
  #threadScratch: HeapRange | null = null;
  #destroyed = false;

  constructor(platform: Platform, options: WasmOptions) {
    const { threads, why: whyThreads } = threadsFor(options.threads, platform);
    const noRelaxed = whyNoRelaxedSimd(options.relaxedSimd ?? true, platform);
    const features: WasmFeatures = { relaxedSimd: noRelaxed === '', sharedMemory: threads > 1 };
    this.#threads = threads;
    this.#heap = new Heap(features.sharedMemory, options.memoryBudget ?? Infinity);
    const modules = new ModuleCache(this.#heap.memory);
    this.coder = wasmCoder(features, options.render, async (plan, onKernel) => {
      this.#check();
      const program = await prepareProgram(plan as WasmPlan, modules, this.capabilities, onKernel);
      // Whoever has no work for threads has none of their cost.
      if (!this.#destroyed && this.#threadsFor(program) > 1) this.#pool?.start();
      return program;
    });
    this.#pool =
      platform.spawn && threads > 1
        ? new ThreadPool(this.#heap, platform.spawn, threads, options.stallMs ?? STALL_MS)
        : null;
    this.#splitFrom = options.splitFrom ?? SPLIT_FROM_NS;
    const relaxed = noRelaxed === '' ? '' : `; no relaxed SIMD: ${noRelaxed}`;
    this.#why = `${options.why ?? 'asked for by name'}; ${whyThreads}${relaxed}`;
    this.#features = [
      'simd128',
      ...(features.relaxedSimd ? ['relaxed-simd'] : []),
      ...(features.sharedMemory ? ['shared-memory'] : []),
    ];
    // Renderers count bytes in 32 bits, signed.
    const most = Math.min(2 ** 31 - 64, this.#heap.maxBytes);
    this.capabilities = {
      software: true,
      maxStorageBuffers: 32,
      maxBindingBytes: most,
      maxBufferBytes: most,
      maxWorkgroupsPerDimension: 2 ** 31 - 1,
      maxInvocationsPerWorkgroup: 1,
      maxWorkgroupMemoryBytes: 0,
      subgroups: false,
    };
    this.#ownTimings = options.onTimings ?? null;
    this.#onTimings = this.#ownTimings ?? printsTimings();
  }

  onTimings(listener: TimingListener | null): void {
    this.#onTimings = listener ?? this.#ownTimings ?? printsTimings();
  }

  codeOf({ code }: OutlinedKernel): KernelCode {
    const { bytes, phases } = code as WasmKernel;
    const lines = phases.map(
      ({ name, tasks, taskCost }) => `  ${name}: ${tasks} tasks of about ${(taskCost / 1000).toFixed(1)} us`,
    );
    return { language: 'WebAssembly', text: [`${bytes.length} bytes, phases:`, ...lines].join('\n') };
  }

  info(): EngineInfo {
    const shortage = this.#pool?.shortage ?? '';
    return {
      engine: 'wasm',
      adapter: `WebAssembly SIMD on ${this.#threads} ${this.#threads === 1 ? 'thread' : 'threads'}`,
      software: true,
      features: this.#features,
      limits: {
        threads: this.#threads,
        maxBufferSize: this.capabilities.maxBufferBytes,
        maxMemoryBytes: this.#heap.maxBytes,
      },
      why: shortage === '' ? this.#why : `${this.#why}; ${shortage}`,
    };
  }

  upload(words: Uint32Array | Int32Array | Float32Array): EngineBuffer {
    this.#check();
    const bytes = words.byteLength;
    const range = bytes > 0 ? this.#heap.acquire(bytes) : null;
    if (range) this.#heap.u32.set(asWords(words), range.address / 4);
    return new WasmBuffer(bytes, range);
  }

  async read(buffers: readonly EngineBuffer[]): Promise<ArrayBuffer[]> {
    this.#check();
    return buffers
      .map((buffer) => this.#handle(buffer, 'read'))
      .map(({ bytes, range }) => {
        const words = new Uint32Array(bytes / 4);
        if (range) words.set(this.#heap.u32.subarray(range.address / 4, (range.address + bytes) / 4));
        return words.buffer;
      });
  }

  free(buffer: EngineBuffer): void {
    const handle = this.#handle(buffer, 'free');
    handle.freed = true;
    if (handle.range) this.#heap.release(handle.range);
  }

  memory(): MemoryStats {
    return this.#heap.stats;
  }

  async idle(): Promise<void> {
    this.#check();
  }

  async prepare(plan: Plan): Promise<Program> {
    this.#check();
    const render = await this.coder.renderer(plan);
    return this.coder.load(render());
  }

  run(program: Program, inputs: readonly EngineBuffer[], scalars: readonly number[]): EngineBuffer[] {
    this.#check();
    if (!(program instanceof WasmProgram)) throw new InternalError('[wasm] run of a program of another engine');
    const { plan } = program;
    for (const [what, given, { length }] of [
      ['inputs', inputs, plan.inputs],
      ['scalars', scalars, plan.scalars],
    ] as const) {
      if (given.length !== length) {
        throw new InternalError(`[wasm] run with ${given.length} ${what} (expected ${length})`);
      }
    }
    const given = inputs.map((input) => this.#handle(input, 'run'));
    const threads = this.#threadsFor(program);
    if (threads > 1 && this.#pool) {
      this.#pool.start();
      this.#pool.wake(threads);
    }
    const fresh: WasmBuffer[] = [];
    try {
      const handles = this.#placeBuffers(plan, given, fresh);
      this.#execute(program, handles, scalars);
      return plan.outputs.map(({ buffer }) => {
        const handle = handles[buffer];
        if (!handle) throw new InternalError('[wasm] an output of the plan lies in the arena');
        return handle;
      });
    } catch (error) {
      for (const buffer of fresh) this.free(buffer);
      throw error;
    }
  }

  /** Resolves when the worker threads have started. */
  async threadsReady(): Promise<number> {
    await this.#pool?.whenReady();
    return 1 + (this.#pool?.ready ?? 0);
  }

  destroy(): void {
    this.#destroyed = true;
    this.#pool?.destroy();
  }

  /** Threads that a program is worth now. */
  #threadsFor(program: WasmProgram): number {
    return program.threads(this.#threads, this.#splitFrom);
  }

  #check(): void {
    if (this.#destroyed) throw new EngineError('[wasm] the engine was destroyed');
  }

  #handle(buffer: EngineBuffer, operation: string): WasmBuffer {
    if (!(buffer instanceof WasmBuffer)) throw new InternalError(`[wasm] ${operation} of another engine's buffer`);
    if (buffer.freed) throw new InternalError(`[wasm] ${operation} of a freed buffer`);
    return buffer;
  }

  /** The handle of each buffer of the plan, null for those in the arena; new ones are also listed in `fresh`. */
  #placeBuffers(plan: WasmPlan, inputs: readonly WasmBuffer[], fresh: WasmBuffer[]): (WasmBuffer | null)[] {
    return plan.buffers.map(({ bytes, place }) => {
      if (place.kind === 'arena') return null;
      if (place.kind === 'input') {
        const input = inputs[place.index]!;
        if (input.bytes === bytes) return input;
        throw new InternalError(`[wasm] input ${place.index} has ${input.bytes} bytes (expected ${bytes})`);
      }
      const buffer = new WasmBuffer(bytes, bytes > 0 ? this.#heap.acquire(bytes) : null);
      fresh.push(buffer);
      return buffer;
    });
  }

  #execute(program: WasmProgram, handles: readonly (WasmBuffer | null)[], scalars: readonly number[]): void {
    const { plan, steps } = program;
    if (steps.length === 0) return;
    const arena = plan.arenaBytes > 0 ? this.#growArena(plan.arenaBytes) : 0;
    const addresses = plan.buffers.map(({ place }, i) =>
      place.kind === 'arena' ? arena + place.offset : (handles[i]!.range?.address ?? NOWHERE),
    );
    const stride = aligned(program.threadScratchBytes);
    this.#tables = this.#growOverhead(this.#tables, program.tableWords * 4);
    this.#sharedScratch = this.#growOverhead(this.#sharedScratch, program.sharedScratchBytes);
    this.#threadScratch = this.#growOverhead(this.#threadScratch, stride * this.#threads);
    const tables = this.#tables!.address;
    const scratch = this.#threadScratch?.address ?? NOWHERE;
    program.writeTables(this.#heap, tables / 4, addresses, this.#sharedScratch?.address ?? NOWHERE, scalars);

    const parallel = this.#pool !== null && this.#pool.ready > 0;
    if (this.#onTimings) {
      const timings = steps.map((step): KernelTiming => {
        const start = performance.now();
        this.#runStep(step, tables, scratch, stride, parallel);
        return { ...traffic(plan, step), ms: performance.now() - start };
      });
      this.#onTimings(timings);
    } else {
      for (const step of steps) this.#runStep(step, tables, scratch, stride, parallel);
    }
  }

  #runStep({ phases, table }: Step, tables: number, scratch: number, stride: number, parallel: boolean): void {
    const at = tables + table * 4;
    for (const phase of phases) {
      const threads = parallel ? phase.threads(this.#threads, this.#splitFrom) : 1;
      if (threads > 1) this.#pool!.run(phase, threads, at, scratch, stride);
      else runAlone(phase, at, scratch, this.#threads > 1);
    }
  }

  #growArena(bytes: number): number {
    if (!this.#arena || this.#arena.size < bytes) {
      if (this.#arena) this.#heap.release(this.#arena);
      this.#arena = null;
      this.#arena = this.#heap.acquire(bytes);
    }
    return this.#arena.address;
  }

  #growOverhead(range: HeapRange | null, bytes: number): HeapRange | null {
    if (bytes === 0 || (range && range.size >= bytes)) return range;
    const larger = this.#heap.acquireOverhead(bytes);
    if (range) this.#heap.releaseOverhead(range);
    return larger;
  }
}

function runAlone(phase: StepPhase, table: number, scratch: number, learn: boolean): void {
  const { kernel, run, tasks } = phase;
  try {
    if (learn && tasks > 1) {
      const start = performance.now();
      run(0, tasks, table, scratch);
      phase.learn(performance.now() - start, tasks);
    } else {
      run(0, tasks, table, scratch);
    }
  } catch (error) {
    throw new EngineError(`[wasm] kernel ${kernel} failed: ${String(error)}`);
  }
}

/** The same bits as words: values of another type would be converted. */
const asWords = (words: Uint32Array | Int32Array | Float32Array): Uint32Array =>
  words instanceof Uint32Array ? words : new Uint32Array(words.buffer, words.byteOffset, words.length);

function traffic(plan: WasmPlan, { planned }: Step): Omit<KernelTiming, 'ms'> {
  const bytes = planned.bindings.reduce((sum, buffer) => sum + plan.buffers[buffer]!.bytes, 0);
  return { kernel: planned.kernel.name, flops: planned.kernel.flops, bytes };
}

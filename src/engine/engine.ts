import type { MatrixUnits } from '../../kernels/families/matrixUnits.js';
import type { Halves } from '../../kernels/render/wgsl-halves.js';
import type { Subgroups } from '../../kernels/render/wgsl-subgroups.js';
import type { DeviceLostError } from '../graph/index.js';
import type { CodedKernel, CodedPlan, OutlinedKernel, Plan, PlanOutline, ProgramGraph } from './plan.js';
import type { KernelTiming } from './timing.js';
import type { TuneOptions } from './tuning.js';

export type EngineName = 'webgpu' | 'wasm' | 'tfjs' | 'reference' | 'plan-only';

/** What `engineInfo()` tells. */
export interface EngineInfo {
  readonly engine: EngineName;
  /** Adapter or runtime, in words. */
  readonly adapter: string;
  /** True where the work runs on the CPU. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  /** Why this engine was chosen. */
  readonly why: string;
  /** What was tried out on the adapter when the engine started, in words, and how that went. */
  readonly checks?: readonly string[];
  /** tfjs: which of its backends computes. */
  readonly backend?: string;
  /** tfjs: whether a GPU computes. */
  readonly gpu?: boolean;
  /** tfjs: the version of its packages. */
  readonly version?: string;
  /** tfjs: operations met so far whose values were read back and computed on the host (docs/tfjs.md). */
  readonly readBack?: readonly string[];
}

/** What the scheduler may count on. */
export interface Capabilities {
  readonly software: boolean;
  readonly maxStorageBuffers: number;
  readonly maxBindingBytes: number;
  readonly maxBufferBytes: number;
  readonly maxWorkgroupsPerDimension: number;
  readonly maxInvocationsPerWorkgroup: number;
  readonly maxWorkgroupMemoryBytes: number;
  readonly subgroups: boolean;
  /** Subgroups of one size that kernels may count on, where they were tried out and right. */
  readonly fixedSubgroups?: Subgroups;
  /** Units that multiply matrices, where they were asked for, tried out and right. */
  readonly matrixUnits?: MatrixUnits;
  /** WGSL's dot products of four bytes: exact by its rules, so not tried out. */
  readonly packedDot?: boolean;
  /** How the adapter itself converts f16, where it was tried out and right; absent: with integers. */
  readonly halves?: Halves;
}

/** Storage on an engine: opaque above layer 2. */
export interface EngineBuffer {
  readonly bytes: number;
}

/** A prepared plan or graph: opaque above layer 2. */
export interface Program {
  /** Launches and submits of one run (0 for graph engines). */
  readonly kernels: number;
  readonly submits: number;
  /** What it was prepared from, of kernel engines. */
  readonly plan?: PlanOutline;
}

export interface MemoryStats {
  /** Bytes in buffers handed out: tensors and the arena. */
  live: number;
  peak: number;
  /** Bytes kept for reuse: on WebGPU until the engine has been idle for some seconds; the memory of WebAssembly never shrinks. */
  pooled: number;
  buffers: number;
}

interface EngineBase {
  readonly name: EngineName;
  readonly capabilities: Capabilities;
  info(): EngineInfo;
  /** Copies 32-bit words in (bool as words 0 and 1). The data may be changed by the caller after the call. Throws OutOfMemoryError. */
  upload(words: Uint32Array | Int32Array | Float32Array): EngineBuffer;
  /** Copies the words of several buffers out, in one round trip. Rejects with DeviceLostError or EngineError. */
  read(buffers: readonly EngineBuffer[]): Promise<ArrayBuffer[]>;
  /** Returns storage to the pool; work already queued still uses it. Freeing twice is an InternalError. */
  free(buffer: EngineBuffer): void;
  memory(): MemoryStats;
  /** Resolves when everything queued so far has run; rejects with what went wrong. */
  idle(): Promise<void>;
  /** Resolves if the device is ever lost, whatever the reason but destroy(). */
  readonly lost: Promise<DeviceLostError>;
  destroy(): void;
  /** Calls `listener` with what each kernel of every later run took, as far as the engine can tell; null stops it. */
  onTimings?(listener: ((timings: readonly KernelTiming[]) => void) | null): void;
  /**
   * Runs a program. `inputs` by position; donated ones may be overwritten and come back as outputs. Queues and returns at once;
   * `scalars` by position. The outputs are usable as inputs at once.
   */
  run(program: Program, inputs: readonly EngineBuffer[], scalars: readonly number[]): EngineBuffer[];
}

/** Generated code for people to read. */
export interface KernelCode {
  readonly language: string;
  readonly text: string;
}

export interface KernelEngine extends EngineBase {
  readonly kind: 'kernel';
  /** Compiles all kernels, asynchronously and in parallel. */
  prepare(plan: Plan): Promise<Program>;
  /** What a kernel of a prepared plan became, as text. */
  codeOf?(planned: OutlinedKernel): KernelCode;
  /** The two halves of `prepare`, where the code in between can be kept. */
  readonly coder?: Coder;
  /**
   * Renders a plan with the best schedules that are known, or that it finds by measuring; the result's `tuned` says which. Of engines that
   * have several schedules for a kernel.
   */
  readonly tune?: ((plan: Plan, options: TuneOptions) => Promise<CodedPlan>) | undefined;
}

/** Renders plans and compiles what was rendered, perhaps by an earlier process. */
export interface Coder<Code = unknown> {
  /** All that code depends on beside the plan and the version of tiller; null where it must not be kept. */
  readonly target: string | null;
  /** Loads what renders a plan: a process that finds all its code kept does without. */
  renderer(plan: Plan): Promise<() => CodedPlan<Code>>;
  /** Whether a kernel that was read from a cache has the form that `load` expects. */
  accepts(kernel: CodedKernel): boolean;
  /** Compiles all kernels, asynchronously and in parallel; `onKernel` is called as each is ready. */
  load(plan: CodedPlan, onKernel?: () => void): Promise<Program>;
}

export interface GraphEngine extends EngineBase {
  readonly kind: 'graph';
  prepareGraph(graph: ProgramGraph): Promise<Program>;
}

export type Engine = KernelEngine | GraphEngine;

import type { BufferSpec, Kernel } from '../../kernels/ir.js';
import type { DType, Node, Shape } from '../graph/index.js';
import type { TunedKernel } from './tuning.js';

/** A storage range that kernels of a plan bind. */
export interface PlanBuffer {
  /** Bytes, a multiple of 4; 0 for empty tensors (never bound by a kernel that runs). */
  readonly bytes: number;
  readonly place:
    | { readonly kind: 'input'; readonly index: number }
    /** Allocated for the caller by the run. */
    | { readonly kind: 'output'; readonly index: number }
    /** A range of the engine's arena, at a multiple of 256 bytes; its contents do not outlive the run. */
    | { readonly kind: 'arena'; readonly offset: number };
}

export interface PlannedKernel {
  readonly kernel: Kernel;
  /** For each of `kernel.buffers`, the index of its PlanBuffer. No two of one kernel overlap. */
  readonly bindings: readonly number[];
  /** For each of `kernel.params`, the index of its scalar. */
  readonly params: readonly number[];
}

/** What is left of a kernel once its code is rendered. */
export interface KernelHead {
  readonly name: string;
  readonly flops: number;
  readonly buffers: readonly Pick<BufferSpec, 'length' | 'access'>[];
  readonly params: readonly DType[];
}

/** A kernel of a plan, perhaps without the tree that its code was rendered from, which is not kept between processes. */
export interface OutlinedKernel extends Omit<PlannedKernel, 'kernel'> {
  readonly kernel: KernelHead | Kernel;
  readonly code?: unknown;
}

/** A plan for reports. */
export interface PlanOutline extends Omit<Plan, 'kernels'> {
  readonly kernels: readonly OutlinedKernel[];
  /** What tuning found, where it was asked for. */
  readonly tuned?: readonly TunedKernel[];
}

/** A kernel of a plan as an engine's code. */
export interface CodedKernel<Code = unknown> extends OutlinedKernel {
  readonly code: Code;
}

export interface PlanOutput {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Index of its PlanBuffer: an 'output', or an 'input' that was donated (or passes through). */
  readonly buffer: number;
}

/** What a kernel engine prepares: kernels in order, with all storage placed. */
export interface Plan {
  readonly kernels: readonly PlannedKernel[];
  readonly buffers: readonly PlanBuffer[];
  readonly inputs: readonly { readonly shape: Shape; readonly dtype: DType; readonly donated: boolean }[];
  readonly scalars: readonly DType[];
  readonly outputs: readonly PlanOutput[];
  readonly arenaBytes: number;
}

/** A plan whose kernels are rendered: what an engine compiles, and what is kept between processes. */
export interface CodedPlan<Code = unknown> extends Omit<Plan, 'kernels'> {
  readonly kernels: readonly CodedKernel<Code>[];
  /** The measured choices that the code was rendered with, where tuning was asked for. */
  readonly tuned?: readonly TunedKernel[];
}

/** What a graph engine prepares: the simplified graph. Leaf nodes stand for inputs by position; their sources hold no data. */
export interface ProgramGraph {
  /** All nodes, inputs before users. */
  readonly nodes: readonly Node[];
  readonly inputs: readonly Node<'leaf'>[];
  readonly scalars: readonly Node<'scalar'>[];
  readonly outputs: readonly Node[];
}

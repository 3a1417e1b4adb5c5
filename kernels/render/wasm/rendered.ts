/**
 * A kernel as WebAssembly. The module imports one memory ("env" "memory", shared where threads are) and exports one function per
 * phase, all of type (begin: i32, end: i32, table: i32, scratch: i32) -> ().
 *
 * A phase is `tasks` independent tasks, numbered from 0; a call runs tasks begin .. end - 1. Any thread may run any of them, in any
 * order: what a task writes does not depend on who runs it, so results are the same bits whatever the number of threads. A phase
 * starts when the phase before it has finished.
 */
export interface WasmKernel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly phases: readonly WasmPhase[];
  /** Bytes that all threads share during the kernel (packed operands, partial reductions); contents start undefined. */
  readonly sharedScratchBytes: number;
  /** Bytes of each thread's own scratch, passed as `scratch`; 16-byte aligned. */
  readonly threadScratchBytes: number;
}

export interface WasmPhase {
  readonly name: string;
  readonly tasks: number;
  /** Rough nanoseconds of one task on one thread: the engine keeps cheap phases on one thread. */
  readonly taskCost: number;
}

/**
 * The table that a call is given, in 32-bit words: the byte address of each of the kernel's buffers, in order; then the address of
 * the shared scratch; then the runtime scalars, in slot order. Buffers are 16-byte aligned, and vectors may be read that lie partly
 * outside of them: 12 bytes before and 12 bytes behind each must be in the memory.
 */
export const tableWords = (buffers: number, params: number): number => buffers + 1 + params;

/** What the machine's WebAssembly offers. */
export interface WasmFeatures {
  readonly relaxedSimd: boolean;
  /** The memory is shared: its import has to say so. */
  readonly sharedMemory: boolean;
}

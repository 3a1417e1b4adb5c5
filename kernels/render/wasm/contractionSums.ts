import type { ContractionKernel, Expr, Index } from '../../ir.js';
import type { ScratchBuffer } from './kernel-module.js';

/** The scratch of a contraction, as it is being laid out. */
export class ScratchLayout {
  readonly buffers: ScratchBuffer[] = [];
  readonly bytes = { shared: 0, thread: 0 };

  constructor(private readonly kernel: ContractionKernel) {}

  /** A scratch buffer's number. Blocks are read up to two vectors beyond their ends. */
  allocate(space: 'shared' | 'thread', words: number, dtype = this.kernel.dtype): number {
    const length = Math.ceil(words / 4) * 4 + 8;
    this.buffers.push({ space, offset: this.bytes[space], dtype, length, access: 'readwrite' });
    this.bytes[space] += 4 * length;
    return this.kernel.buffers.length + this.buffers.length - 1;
  }

  get sizes(): { sharedScratchBytes: number; threadScratchBytes: number } {
    return { sharedScratchBytes: this.bytes.shared, threadScratchBytes: this.bytes.thread };
  }
}

/** Sums of a block in scratch. */
export class Sums {
  constructor(
    private readonly kernel: ContractionKernel,
    readonly buffer: number,
    /** Word of (row, line, column) of the block, for a part of k. */
    readonly index: (split: Index) => Index,
    private readonly splits = 1,
  ) {}

  /** The sum at a place, over all parts. */
  expr(): Expr {
    const { dtype } = this.kernel;
    const parts = Array.from({ length: this.splits }, (_, split): Expr => {
      const index = this.index({ kind: 'const', value: split });
      return { kind: 'load', dtype, buffer: this.buffer, index, clamp: false };
    });
    return parts.reduce((a, b) => ({ kind: 'binary', dtype, fn: 'add', a, b }));
  }
}

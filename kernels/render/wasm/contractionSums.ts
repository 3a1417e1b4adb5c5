import type { ContractionKernel, Expr, Index } from '../../ir.js';

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

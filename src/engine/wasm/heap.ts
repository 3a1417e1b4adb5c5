import { OutOfMemoryError } from '../../graph/index.js';
import type { MemoryStats } from '../engine.js';
import { ALIGNMENT, Allocator, aligned, type Range } from './allocator.js';

const PAGE = 65_536;
/** What 32-bit addresses reach. */
const MOST_PAGES = 65_536;
const FIRST_PAGES = 16;
/** Memory grows by this part of itself at least. */
const GROWTH = 0.25;

export type HeapRange = Range;

/** A memory of `shared` kind that may grow as far as the machine lets it, and how far that is. */
function makeMemory(shared: boolean): { memory: WebAssembly.Memory; pages: number } {
  // The whole range is reserved, not used; where addresses are scarce, less of it has to do.
  for (let pages = MOST_PAGES; ; pages /= 2) {
    try {
      return { memory: new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: pages, shared }), pages };
    } catch (error) {
      if (pages <= 1024) throw new OutOfMemoryError(`[wasm] no memory for the engine: ${String(error)}`);
    }
  }
}

/** A memory as words. */
interface Views {
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
}

const viewsOf = ({ buffer }: WebAssembly.Memory): Views => ({
  i32: new Int32Array(buffer),
  u32: new Uint32Array(buffer),
  f32: new Float32Array(buffer),
});

/**
 * The one WebAssembly memory of an engine, which holds everything that kernels touch. It grows in steps and never shrinks: what is
 * freed is free space for what comes next.
 */
export class Heap {
  readonly memory: WebAssembly.Memory;
  /** Most bytes that it can ever hold. */
  readonly maxBytes: number;
  readonly #budget: number;
  readonly #allocator = new Allocator(ALIGNMENT);
  readonly #stats = { live: 0, peak: 0, buffers: 0 };
  /** Bytes of what is no tensor and not the arena: tables, scratch, code on its way to workers. */
  #overhead = 0;
  #views: Views;

  constructor(shared: boolean, budgetBytes: number) {
    const { memory, pages } = makeMemory(shared);
    this.memory = memory;
    this.maxBytes = pages * PAGE - ALIGNMENT;
    this.#budget = budgetBytes;
    this.#views = viewsOf(memory);
    this.#grow(0);
  }

  /** The memory as words. Not to be kept: memory that grows has new views. */
  get i32(): Int32Array {
    return this.#views.i32;
  }

  get u32(): Uint32Array {
    return this.#views.u32;
  }

  get f32(): Float32Array {
    return this.#views.f32;
  }

  get stats(): MemoryStats {
    return { ...this.#stats, pooled: this.#allocator.freeBytes };
  }

  /** Storage of a tensor or of the arena, of at least `bytes` (> 0). Throws OutOfMemoryError. */
  acquire(bytes: number): HeapRange {
    const size = aligned(bytes);
    const stats = this.#stats;
    if (stats.live + size > this.#budget) {
      throw new OutOfMemoryError(
        `[wasm] over the memory budget: ${bytes} bytes more on top of ${stats.live} (the budget is ${this.#budget})`,
      );
    }
    const range = this.#allocate(bytes);
    stats.live += size;
    stats.buffers++;
    if (stats.live > stats.peak) stats.peak = stats.live;
    return range;
  }

  release(range: HeapRange): void {
    const { size } = range;
    this.#allocator.free(range);
    this.#stats.live -= size;
    this.#stats.buffers--;
  }

  /** Storage of something else, which no budget counts. Throws OutOfMemoryError. */
  acquireOverhead(bytes: number): HeapRange {
    const range = this.#allocate(bytes);
    this.#overhead += range.size;
    return range;
  }

  releaseOverhead(range: HeapRange): void {
    const { size } = range;
    this.#allocator.free(range);
    this.#overhead -= size;
  }

  #allocate(bytes: number): HeapRange {
    // Beyond 32 bits the allocator's units would not fit their integers.
    if (bytes <= this.maxBytes) {
      const range = this.#allocator.allocate(bytes);
      if (range) return range;
      this.#grow(bytes);
      const after = this.#allocator.allocate(bytes);
      if (after) return after;
    }
    throw this.#tooMuch(bytes);
  }

  /** Makes room for `bytes` in one piece. */
  #grow(bytes: number): void {
    const { end } = this.#allocator;
    const needed = end + this.#allocator.missing(bytes);
    if (needed > this.maxBytes) throw this.#tooMuch(bytes);
    // A budget is no reason to refuse what fits only beyond it because of gaps, but one not to grow ahead of need.
    const most = Math.min(this.maxBytes, this.#budget + this.#overhead);
    const wanted = Math.max(needed, Math.min(most, Math.ceil(end * (1 + GROWTH))));
    const held = this.memory.buffer.byteLength;
    const pagesFor = (bytesHeld: number) => Math.ceil((bytesHeld + ALIGNMENT - held) / PAGE);
    if (pagesFor(wanted) > 0) this.#growMemory(pagesFor(wanted), pagesFor(needed));
    // The last line stays free: vectors may be read a little beyond a buffer, and the end is an address.
    const usable = Math.min(this.memory.buffer.byteLength - ALIGNMENT, this.maxBytes);
    this.#allocator.grow(Math.floor((usable - end) / ALIGNMENT) * ALIGNMENT);
  }

  #growMemory(pages: number, atLeast: number): void {
    for (const count of [pages, atLeast]) {
      try {
        this.memory.grow(count);
        this.#views = viewsOf(this.memory);
        return;
      } catch {
        // The step may be what is too much.
      }
    }
    throw new OutOfMemoryError(
      `[wasm] the machine gives no more memory: ${atLeast * PAGE} bytes on top of ${this.memory.buffer.byteLength}`,
    );
  }

  #tooMuch(bytes: number): OutOfMemoryError {
    const { live } = this.#stats;
    return new OutOfMemoryError(
      `[wasm] out of memory: ${bytes} bytes in one piece on top of ${live} (WebAssembly reaches ${this.maxBytes} here)`,
    );
  }
}

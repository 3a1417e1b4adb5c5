import { InternalError, OutOfMemoryError } from '../../graph/index.js';
import type { EngineBuffer, MemoryStats } from '../engine.js';
import { BufferUsage } from './constants.js';

const GRANULE = 256;
/** Up to here sizes are exact multiples of the granule, above it one of four steps per power of two. */
const EXACT_UP_TO = 1 << 14;
const KEEP_AT_LEAST = 64 * 2 ** 20;

/** The size that is allocated for `bytes`: at most a quarter more, above the granule. */
export function sizeClass(bytes: number, maxBytes: number): number {
  if (bytes <= EXACT_UP_TO) return Math.max(GRANULE, Math.ceil(bytes / GRANULE) * GRANULE);
  const step = 2 ** (Math.ceil(Math.log2(bytes)) - 3);
  const size = Math.ceil(bytes / step) * step;
  return size <= maxBytes ? size : Math.ceil(bytes / 4) * 4;
}

/** Makes a buffer of the device. Throws OutOfMemoryError. */
export type AllocateBuffer = (size: number, usage: number) => GPUBuffer;

/** A piece of device memory, which serves one handle after another. */
export interface Block {
  readonly id: number;
  readonly gpu: GPUBuffer;
  readonly size: number;
}

/** A handle that the engine gives out: it owns a block until it is freed. */
export class StorageBuffer implements EngineBuffer {
  readonly bytes: number;
  /** Null where there are no bytes. */
  readonly block: Block | null;
  /** Tick of the fault log at which its contents were written last. */
  writtenAt: number;
  freed = false;

  constructor(bytes: number, block: Block | null, writtenAt: number) {
    this.bytes = bytes;
    this.block = block;
    this.writtenAt = writtenAt;
  }
}

export interface BufferLimits {
  readonly maxBufferBytes: number;
  /** Bytes live and pooled together; Infinity for no budget. */
  readonly budgetBytes: number;
}

/**
 * Storage by size class. What is freed is kept for reuse, the latest first: a loop then sees the same buffers again and again, and
 * its bind groups stay cached. The queue is ordered, so a block may be reused while queued work still uses it.
 */
export class BufferPool {
  readonly #allocate: AllocateBuffer;
  readonly #limits: BufferLimits;
  readonly #free = new Map<number, Block[]>();
  /** All free blocks, the longest unused first. */
  readonly #byAge = new Set<Block>();
  readonly #stats: MemoryStats = { live: 0, peak: 0, pooled: 0, buffers: 0 };
  #nextId = 1;

  constructor(allocate: AllocateBuffer, limits: BufferLimits) {
    this.#allocate = allocate;
    this.#limits = limits;
  }

  get stats(): MemoryStats {
    return { ...this.#stats };
  }

  /** A block of at least `bytes` (> 0). Throws OutOfMemoryError. */
  acquire(bytes: number): Block {
    const { maxBufferBytes } = this.#limits;
    if (bytes > maxBufferBytes) {
      throw new OutOfMemoryError(
        `[webgpu] a buffer would be too large: ${bytes} bytes (the device allows ${maxBufferBytes})`,
      );
    }
    const size = sizeClass(bytes, maxBufferBytes);
    const reused = this.#free.get(size)?.pop();
    if (reused) {
      this.#byAge.delete(reused);
      this.#stats.pooled -= size;
      this.#hold(size);
      return reused;
    }
    this.reserve(size);
    const block = { id: this.#nextId++, gpu: this.#make(size), size };
    this.#hold(size);
    return block;
  }

  release(block: Block): void {
    this.#drop(block.size);
    let stack = this.#free.get(block.size);
    if (!stack) this.#free.set(block.size, (stack = []));
    stack.push(block);
    this.#byAge.add(block);
    this.#stats.pooled += block.size;
    this.trimTo(Math.max(KEEP_AT_LEAST, this.#stats.live));
  }

  /** Gives a block back to the device instead of the pool. */
  discard(block: Block): void {
    this.#drop(block.size);
    block.gpu.destroy();
  }

  /** Makes room for `size` more bytes under the budget. Throws OutOfMemoryError. */
  reserve(size: number): void {
    const { budgetBytes } = this.#limits;
    const { live } = this.#stats;
    if (live + size > budgetBytes) {
      throw new OutOfMemoryError(
        `[webgpu] over the memory budget: ${size} bytes more on top of ${live} (the budget is ${budgetBytes})`,
      );
    }
    this.trimTo(budgetBytes - live - size);
  }

  /** Destroys the longest unused blocks until at most `bytes` are kept. */
  trimTo(bytes: number): void {
    for (const block of this.#byAge) {
      if (this.#stats.pooled <= bytes) return;
      this.#byAge.delete(block);
      // The oldest of all is the oldest of its class, which lies at the bottom.
      const bottom = this.#free.get(block.size)?.shift();
      if (bottom !== block) throw new InternalError('[webgpu] the buffer pool lost track of a block');
      this.#stats.pooled -= block.size;
      block.gpu.destroy();
    }
  }

  #make(size: number): GPUBuffer {
    const usage = BufferUsage.STORAGE | BufferUsage.COPY_SRC | BufferUsage.COPY_DST;
    try {
      return this.#allocate(size, usage);
    } catch (error) {
      if (!(error instanceof OutOfMemoryError) || this.#stats.pooled === 0) throw error;
      // What the pool keeps may be what is missing.
      this.trimTo(0);
      return this.#allocate(size, usage);
    }
  }

  #hold(size: number): void {
    this.#stats.buffers++;
    this.#stats.live += size;
    this.#stats.peak = Math.max(this.#stats.peak, this.#stats.live);
  }

  #drop(size: number): void {
    this.#stats.buffers--;
    this.#stats.live -= size;
  }
}

import { type AllocateBuffer, sizeClass } from './buffers.js';
import { BufferUsage, MAP_MODE_READ } from './constants.js';
import type { LiveDevice } from './device.js';
import type { FaultLog } from './faults.js';

/** Mapped ranges begin at multiples of 8. */
const ALIGNMENT = 8;
const KEEP_BYTES = 64 * 2 ** 20;

export interface ReadRange {
  readonly source: GPUBuffer;
  /** A multiple of 4. */
  readonly bytes: number;
}

/** A place for the bytes of one range in one staging buffer. */
interface Piece {
  readonly range: ReadRange;
  readonly offset: number;
}

interface Batch {
  bytes: number;
  readonly pieces: Piece[];
}

/** Copies device memory out through staging buffers that can be mapped, kept for the next read. */
export class Readback {
  readonly #device: LiveDevice;
  readonly #faults: FaultLog;
  readonly #allocate: AllocateBuffer;
  readonly #maxBufferBytes: number;
  readonly #idle: GPUBuffer[] = [];
  #idleBytes = 0;

  constructor(device: LiveDevice, faults: FaultLog, allocate: AllocateBuffer, maxBufferBytes: number) {
    this.#device = device;
    this.#faults = faults;
    this.#allocate = allocate;
    this.#maxBufferBytes = maxBufferBytes;
  }

  /** Bytes kept for reuse. */
  get pooled(): number {
    return this.#idleBytes;
  }

  /** Queues the copies at once, in one submit; resolves with the bytes of each range. */
  async read(ranges: readonly ReadRange[]): Promise<ArrayBuffer[]> {
    const batches = this.#batch(ranges);
    if (batches.length === 0) return [];
    const { result: staged, error } = this.#faults.collect(() => this.#copy(batches));
    if (error) {
      for (const { staging } of staged) staging.destroy();
      throw error;
    }
    const results = await Promise.allSettled(
      staged.map(async ({ staging, batch }) => {
        await this.#device.wait('reading', () => staging.mapAsync(MAP_MODE_READ, 0, batch.bytes));
        const copies = batch.pieces.map(({ range, offset }) => staging.getMappedRange(offset, range.bytes).slice(0));
        staging.unmap();
        this.#keep(staging);
        return copies;
      }),
    );
    return results.flatMap((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
  }

  #copy(batches: readonly Batch[]): { staging: GPUBuffer; batch: Batch }[] {
    const { gpu } = this.#device;
    const encoder = gpu.createCommandEncoder();
    const staged = batches.map((batch) => {
      const staging = this.#take(batch.bytes);
      for (const { range, offset } of batch.pieces) {
        encoder.copyBufferToBuffer(range.source, 0, staging, offset, range.bytes);
      }
      return { staging, batch };
    });
    gpu.queue.submit([encoder.finish()]);
    return staged;
  }

  /** In order, as many ranges to a staging buffer as it may hold. */
  #batch(ranges: readonly ReadRange[]): Batch[] {
    const batches: Batch[] = [];
    for (const range of ranges) {
      let batch = batches.at(-1);
      let offset = batch ? Math.ceil(batch.bytes / ALIGNMENT) * ALIGNMENT : 0;
      if (!batch || offset + range.bytes > this.#maxBufferBytes) {
        batches.push((batch = { bytes: 0, pieces: [] }));
        offset = 0;
      }
      batch.pieces.push({ range, offset });
      batch.bytes = offset + range.bytes;
    }
    return batches;
  }

  #take(bytes: number): GPUBuffer {
    const size = sizeClass(bytes, this.#maxBufferBytes);
    for (let i = this.#idle.length - 1; i >= 0; i--) {
      if (this.#idle[i].size !== size) continue;
      this.#idleBytes -= size;
      return this.#idle.splice(i, 1)[0];
    }
    return this.#allocate(size, BufferUsage.MAP_READ | BufferUsage.COPY_DST);
  }

  /** Gives up all that is kept for reuse. */
  trim(): void {
    this.#trimTo(0);
  }

  #keep(staging: GPUBuffer): void {
    this.#idle.push(staging);
    this.#idleBytes += staging.size;
    this.#trimTo(KEEP_BYTES);
  }

  #trimTo(bytes: number): void {
    while (this.#idleBytes > bytes) {
      const oldest = this.#idle.shift()!;
      this.#idleBytes -= oldest.size;
      oldest.destroy();
    }
  }
}

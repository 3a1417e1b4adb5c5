// What graph engines have in common.
import { OutOfMemoryError } from '../graph/index.js';
import type { Capabilities, MemoryStats } from './engine.js';

/** Of a graph engine nothing is asked but whether it is software; the limits are those of a typed array. */
export const graphCapabilities = (software: boolean): Capabilities => ({
  software,
  maxStorageBuffers: 2 ** 16,
  maxBindingBytes: 2 ** 31 - 4,
  maxBufferBytes: 2 ** 31 - 4,
  maxWorkgroupsPerDimension: 2 ** 16 - 1,
  maxInvocationsPerWorkgroup: 1,
  maxWorkgroupMemoryBytes: 0,
  subgroups: false,
});

/** Counts what the buffers of an engine take, up to a budget. */
export class MemoryAccount {
  readonly #engine: string;
  readonly #budget: number;
  readonly #stats: MemoryStats = { live: 0, peak: 0, pooled: 0, buffers: 0 };

  constructor(engine: string, budget = Number.POSITIVE_INFINITY) {
    this.#engine = engine;
    this.#budget = budget;
  }

  get stats(): MemoryStats {
    return { ...this.#stats };
  }

  /** Throws OutOfMemoryError where the budget does not allow it. */
  take(bytes: number, buffers = 1): void {
    const { live } = this.#stats;
    if (live + bytes > this.#budget) {
      throw new OutOfMemoryError(
        `[${this.#engine}] over the memory budget: ${bytes} bytes more on top of ${live} (the budget is ${this.#budget})`,
      );
    }
    this.#stats.live += bytes;
    this.#stats.peak = Math.max(this.#stats.peak, this.#stats.live);
    this.#stats.buffers += buffers;
  }

  /** The memory of one buffer is free again. */
  give(bytes: number): void {
    this.#stats.live -= bytes;
    this.#stats.buffers--;
  }
}

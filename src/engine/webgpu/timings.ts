import type { KernelTiming } from '../timing.js';
import { BufferUsage, MAP_MODE_READ } from './constants.js';
import type { LiveDevice } from './device.js';

/** A query set holds 4096 timestamps, two to a kernel. */
const MAX_KERNELS = 2048;
const BYTES_PER_TIMESTAMP = 8;

/** Timestamps of one run, for which each kernel needs a pass of its own. */
export class RunTimer {
  readonly #device: LiveDevice;
  readonly #kernels: readonly Omit<KernelTiming, 'ms'>[];
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;

  constructor(device: LiveDevice, kernels: readonly Omit<KernelTiming, 'ms'>[]) {
    this.#device = device;
    this.#kernels = kernels.slice(0, MAX_KERNELS);
    const count = this.#kernels.length * 2;
    const size = count * BYTES_PER_TIMESTAMP;
    this.#queries = device.gpu.createQuerySet({ type: 'timestamp', count });
    this.#resolved = device.gpu.createBuffer({ size, usage: BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC });
    this.#staging = device.gpu.createBuffer({ size, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST });
  }

  /** The descriptor of kernel number `index`'s pass. */
  pass(index: number): GPUComputePassDescriptor {
    if (index >= this.#kernels.length) return {};
    return {
      timestampWrites: {
        querySet: this.#queries,
        beginningOfPassWriteIndex: index * 2,
        endOfPassWriteIndex: index * 2 + 1,
      },
    };
  }

  /** Records the copying out, after the passes. */
  finish(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.#queries, 0, this.#kernels.length * 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, this.#staging.size);
  }

  /** After the submit. */
  async timings(): Promise<KernelTiming[]> {
    await this.#device.wait('reading timestamps', () => this.#staging.mapAsync(MAP_MODE_READ));
    const nanoseconds = new BigUint64Array(this.#staging.getMappedRange().slice(0));
    for (const resource of [this.#queries, this.#resolved, this.#staging]) resource.destroy();
    return this.#kernels.map((kernel, i) => ({
      ...kernel,
      ms: Number(nanoseconds[i * 2 + 1] - nanoseconds[i * 2]) / 1e6,
    }));
  }
}

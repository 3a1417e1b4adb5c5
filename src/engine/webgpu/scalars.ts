import { type DType, InternalError } from '../../graph/index.js';
import type { CodedKernel, CodedPlan } from '../plan.js';
import { BufferUsage } from './constants.js';

/** Uniform bindings begin at multiples of 256 bytes on every device. */
const OFFSET_ALIGNMENT = 256;
const BYTES_PER_WORD = 4;

/** Bytes of the uniform block of a kernel with this many params: WGSL wants a multiple of 16. */
export function uniformBytes(params: number): number {
  return Math.ceil((params * BYTES_PER_WORD) / 16) * 16;
}

/** Where a scalar goes: the index of its value in the run's list, and the word it is written to. */
interface Slot {
  readonly scalar: number;
  readonly dtype: DType;
  readonly word: number;
}

/** The runtime scalars of a program: one uniform buffer with a block per kernel. */
export class ScalarBlock {
  readonly buffer: GPUBuffer;
  /** Byte offset of each kernel's block; -1 for a kernel without params. */
  readonly offsets: readonly number[];
  readonly #device: GPUDevice;
  readonly #slots: readonly Slot[];
  readonly #words: ArrayBuffer;
  readonly #asFloat: Float32Array;
  readonly #asInteger: Int32Array;
  #written = false;

  private constructor(device: GPUDevice, offsets: readonly number[], slots: readonly Slot[], bytes: number) {
    this.#device = device;
    this.offsets = offsets;
    this.#slots = slots;
    this.#words = new ArrayBuffer(bytes);
    this.#asFloat = new Float32Array(this.#words);
    this.#asInteger = new Int32Array(this.#words);
    this.buffer = device.createBuffer({ size: bytes, usage: BufferUsage.UNIFORM | BufferUsage.COPY_DST });
  }

  /** For the kernels that run; null where none has params. */
  static for(device: GPUDevice, plan: CodedPlan, kernels: readonly CodedKernel[]): ScalarBlock | null {
    const slots: Slot[] = [];
    let end = 0;
    const offsets = kernels.map(({ kernel, params }) => {
      if (kernel.params.length === 0) return -1;
      const offset = Math.ceil(end / OFFSET_ALIGNMENT) * OFFSET_ALIGNMENT;
      kernel.params.forEach((dtype, slot) => {
        const scalar = params[slot];
        if (plan.scalars[scalar] !== dtype) {
          throw new InternalError(
            `[webgpu] kernel ${kernel.name} takes param ${slot} as ${dtype}: scalar ${scalar} is ${plan.scalars[scalar]}`,
          );
        }
        slots.push({ scalar, dtype, word: offset / BYTES_PER_WORD + slot });
      });
      end = offset + uniformBytes(kernel.params.length);
      return offset;
    });
    return slots.length > 0 ? new ScalarBlock(device, offsets, slots, end) : null;
  }

  /** Queues the values for the run that follows, unless they are those of the run before. */
  write(values: readonly number[]): void {
    let changed = !this.#written;
    for (const { scalar, dtype, word } of this.#slots) {
      const before = this.#asInteger[word];
      // Typed arrays wrap integers and round floats as storing them on the device would.
      if (dtype === 'f32') this.#asFloat[word] = values[scalar];
      else this.#asInteger[word] = dtype === 'bool' ? Number(values[scalar] !== 0) : values[scalar];
      if (this.#asInteger[word] !== before) changed = true;
    }
    if (!changed) return;
    this.#device.queue.writeBuffer(this.buffer, 0, this.#words);
    this.#written = true;
  }
}

import type { WordDType } from '../../../src/graph/index.js';
import type { BufferSpec } from '../../ir.js';

/** Memory of a renderer's own that expressions may load from, numbered after the kernel's buffers. */
export interface ScratchBuffer extends BufferSpec {
  readonly space: 'shared' | 'thread';
  /** Bytes from the start of the scratch; a multiple of 16. */
  readonly offset: number;
}

/** Up to two vectors are read beyond the end of a buffer. */
const SLACK = 32;

/** Hands out numbers and places of the scratch buffers of one kernel. */
export class ScratchBuffers {
  readonly buffers: ScratchBuffer[] = [];
  readonly #bytes = { shared: 0, thread: 0 };
  #threadTop = 0;

  /** @param first number of the first: those before it are the kernel's own */
  constructor(private readonly first: number) {}

  /** The number of a new buffer. */
  add(space: 'shared' | 'thread', dtype: WordDType, length: number): number {
    const offset = space === 'shared' ? this.#bytes.shared : this.#threadTop;
    const end = Math.ceil((offset + 4 * length + SLACK) / 16) * 16;
    if (space === 'shared') this.#bytes.shared = end;
    else this.#threadTop = end;
    this.#bytes.thread = Math.max(this.#bytes.thread, this.#threadTop);
    return this.first + this.buffers.push({ dtype, length, access: 'readwrite', space, offset }) - 1;
  }

  /** What a thread keeps is over with a segment: the next starts at the bottom again. */
  nextSegment(): void {
    this.#threadTop = 0;
  }

  get sizes(): { sharedScratchBytes: number; threadScratchBytes: number } {
    return { sharedScratchBytes: this.#bytes.shared, threadScratchBytes: this.#bytes.thread };
  }
}

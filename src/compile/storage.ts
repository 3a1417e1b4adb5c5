import type { EngineBuffer } from '../engine/engine.js';
import {
  bytesFor,
  type DType,
  type LeafSource,
  type Shape,
  StaleTensorError,
  sizeOf,
  type TypedArray,
} from '../graph/index.js';
import type { Runtime } from './runtime.js';
import { noteSite, recordingSites } from './sites.js';

export type StorageState =
  /** Its value is queued. */
  | 'pending'
  | 'ready'
  /** Its memory was donated: a newer version exists. */
  | 'stale'
  | 'disposed'
  | 'failed';

/** The device side of a storage; apart, so that it can be released after the storage itself was collected. */
export interface DeviceCell {
  buffer: EngineBuffer | null;
  runtime: Runtime | null;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Where sites are recorded. */
  owner?: WeakRef<object>;
}

/** The data of a leaf: on the host, on an engine, or both. */
export class Storage implements LeafSource {
  state: StorageState;
  /** What spoiled it, when failed. */
  error: Error | null = null;
  /** A copy on the host, in the dtype's array (bool as Uint8Array, f16 as Float32Array). */
  host: TypedArray | null;
  readonly device: DeviceCell;
  /** Runs that uploaded or used the device copy; a first upload is given back after its run, since most batches are read once. */
  uses = 0;
  /** State that lives on the device (parameters, optimizer state): reading it does not move it to the host. */
  resident = false;
  /** It was moved to its engine: work on it runs there, though other data on the host goes anywhere. */
  pinned = false;
  /** A tensor that had this value was pointed at another one: what captured it has to look again. */
  superseded = false;

  constructor(
    readonly shape: Shape,
    readonly dtype: DType,
    host: TypedArray | null,
    /** What knows the place where it was made; else it was made here. */
    madeAs?: object,
  ) {
    this.host = host;
    this.state = host === null ? 'pending' : 'ready';
    this.device = { buffer: null, runtime: null, shape, dtype };
    if (recordingSites()) {
      this.device.owner = new WeakRef(this);
      noteSite(this.device, madeAs);
    }
  }

  get bytes(): number {
    return bytesFor(sizeOf(this.shape), this.dtype);
  }

  /** What made it stale, for the message. */
  protected whyStale(): string {
    return 'it was computed from a parameter that an optimizer step has replaced since (read it, or pass it to tl.realize(), before step())';
  }

  /** Throws when the value may not be used in a new realization. */
  checkUsable(op: string): void {
    if (this.state === 'stale') {
      throw new StaleTensorError(
        `[${op}] a tensor cannot be used any more, ${this.whyStale()}: ${this.dtype}[${this.shape.join(', ')}]`,
      );
    }
    if (this.state === 'disposed') {
      throw new StaleTensorError(`[${op}] a tensor was disposed: ${this.dtype}[${this.shape.join(', ')}]`);
    }
    if (this.state === 'failed') throw this.error!;
  }
}

/** A leaf's data on the host; takes ownership of the array. */
export const hostStorage = (data: TypedArray, shape: Shape, dtype: DType): Storage => new Storage(shape, dtype, data);

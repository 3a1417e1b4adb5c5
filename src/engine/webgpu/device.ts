import { DeviceLostError, EngineError, type TillerError } from '../../graph/index.js';
import type { FaultLog } from './faults.js';
import { pollGently } from './polling.js';

/** How long to wait for the reason when an operation was aborted, before taking the abort for an error of its own. */
const LOSS_GRACE_MS = 100;

/** Devices that live when the process ends: destroyed then, so that no native thread outlives what it uses. */
const live = new Set<LiveDevice>();
let watchingExit = false;

function destroyAllOnExit(): void {
  if (watchingExit || typeof process === 'undefined' || typeof process.once !== 'function') return;
  watchingExit = true;
  process.once('exit', () => {
    for (const device of [...live]) device.destroy();
  });
}

/** A device with its end: every wait on it rejects if it is lost or destroyed, and none hangs. */
export class LiveDevice {
  readonly gpu: GPUDevice;
  /** Resolves when the device is lost; never if it is destroyed by `destroy`. */
  readonly lost: Promise<DeviceLostError>;
  readonly #faults: FaultLog;
  readonly #inNode: boolean;
  readonly #waiting = new Set<(error: TillerError) => void>();
  #end: TillerError | null = null;
  #ended = false;

  constructor(gpu: GPUDevice, faults: FaultLog, inNode: boolean) {
    this.gpu = gpu;
    this.#faults = faults;
    this.#inNode = inNode;
    gpu.onuncapturederror = (event) => {
      // Keeps the default print away: the error is thrown, or printed, by tiller.
      event.preventDefault();
      faults.receive(event.error);
    };
    this.lost = new Promise((resolve) => {
      gpu.lost.then((info) => {
        if (this.#ended) return;
        const error = new DeviceLostError(
          `[webgpu] the device was lost: ${info.message || 'no message'} (reason: ${info.reason})`,
        );
        this.#finish(error);
        resolve(error);
      });
    });
    live.add(this);
    destroyAllOnExit();
  }

  /** Throws if the device can no longer be used. */
  check(): void {
    if (this.#end) throw this.#end;
  }

  /**
   * Starts an asynchronous device operation. Rejects with DeviceLostError on loss, with EngineError after destroy or where
   * the operation itself fails.
   */
  wait<T>(what: string, start: () => Promise<T>): Promise<T> {
    if (this.#end) return Promise.reject(this.#end);
    return new Promise<T>((resolve, reject) => {
      const stop = (error: TillerError) => {
        this.#waiting.delete(stop);
        reject(error);
      };
      this.#waiting.add(stop);
      let operation: Promise<T>;
      try {
        operation = this.#inNode ? pollGently(start) : start();
      } catch (error) {
        operation = Promise.reject(error);
      }
      operation.then(
        (value) => {
          this.#waiting.delete(stop);
          resolve(value);
        },
        (error: unknown) => {
          // The abort may arrive before the loss that caused it, which then goes to `stop`.
          const reason = error instanceof Error ? `${error.name} ${error.message}`.trim() : String(error);
          setTimeout(() => stop(new EngineError(`[webgpu] ${what} failed: ${reason}`)), this.#end ? 0 : LOSS_GRACE_MS);
        },
      );
    });
  }

  destroy(): void {
    if (this.#ended) return;
    this.#finish(new EngineError('[webgpu] the engine was destroyed (make a new one)'));
    this.gpu.destroy();
  }

  #finish(error: TillerError): void {
    this.#end = error;
    this.#ended = true;
    live.delete(this);
    this.#faults.printUnreported();
    for (const stop of [...this.#waiting]) stop(error);
  }
}

import { EngineError, OutOfMemoryError, type TillerError } from '../../graph/index.js';
import { startTimer } from '../environment.js';

/** An interval of the engine's clock whose results an error may have spoiled. */
interface Fault {
  readonly after: number;
  upTo: number;
  readonly error: TillerError;
  reported: boolean;
}

/** How long an error waits for a read or an idle to throw it before it is printed. */
const PRINT_AFTER_MS = 1000;

const MAX_FAULTS = 64;

/**
 * Errors that the device reports outside of any call (`uncapturederror`), and which results they spoiled. Each upload and
 * each run is a tick of a clock. Dawn in Node reports inside the call that erred, so exactly one tick is spoiled; browsers report
 * later, and then everything since the last check that passed is.
 */
export class FaultLog {
  #clock = 0;
  /** Up to this tick everything is known to have gone well or is listed in a fault. */
  #checked = 0;
  #faults: Fault[] = [];
  #during: GPUError[] | null = null;

  get clock(): number {
    return this.#clock;
  }

  /** A new tick: of an upload or a run. */
  tick(): number {
    return ++this.#clock;
  }

  /** Runs `body`, returning what the device complained of inside it. */
  collect<T>(body: () => T): { result: T; error: TillerError | null } {
    const before = this.#during;
    const errors: GPUError[] = [];
    this.#during = errors;
    try {
      const result = body();
      return { result, error: errors.length > 0 ? toTillerError(errors[0]) : null };
    } catch (thrown) {
      this.#during = before;
      for (const error of errors) this.receive(error);
      throw thrown;
    } finally {
      this.#during = before;
    }
  }

  /** The handler of `uncapturederror`. */
  receive(error: GPUError): void {
    if (this.#during) {
      this.#during.push(error);
      return;
    }
    const after = this.#checked;
    const upTo = this.#clock;
    // One mistake makes several errors: a bind group, then the pass that uses it, then its submit.
    if (this.#faults.some((fault) => fault.after <= after && upTo <= fault.upTo)) return;
    this.#add({ after, upTo, error: toTillerError(error), reported: false });
  }

  /** Marks one tick as spoiled; `reported` if the caller throws the error itself. */
  spoil(tick: number, error: TillerError): void {
    const last = this.#faults.at(-1);
    // A chain of runs on spoiled inputs stays one entry.
    if (last?.error === error && last.upTo === tick - 1) last.upTo = tick;
    else
      this.#add({ after: tick - 1, upTo: tick, error, reported: this.#faults.some((fault) => fault.error === error) });
  }

  /** Why the results of a tick cannot be trusted, or null. */
  spoiledBy(tick: number): TillerError | null {
    for (const fault of this.#faults) {
      if (fault.after < tick && tick <= fault.upTo) return fault.error;
    }
    return null;
  }

  get any(): boolean {
    return this.#faults.length > 0;
  }

  /** The error has reached the user. */
  report(error: TillerError): void {
    for (const fault of this.#faults) if (fault.error === error) fault.reported = true;
  }

  /** An error that nobody has been told of, which then counts as told. */
  takeUnreported(): TillerError | null {
    const fault = this.#faults.find(({ reported }) => !reported);
    if (!fault) return null;
    this.report(fault.error);
    return fault.error;
  }

  /** The device has answered for everything up to `tick`. */
  passed(tick: number): void {
    this.#checked = Math.max(this.#checked, tick);
  }

  /** Prints what nobody has read. */
  printUnreported(): void {
    for (let error = this.takeUnreported(); error; error = this.takeUnreported()) {
      console.error(`tiller: ${error.name}: ${error.message}`);
    }
  }

  /** Forgets the bounds between the two oldest, which may spoil what lies between them: never too little. */
  #mergeOldest(): void {
    const [first, second] = this.#faults.splice(0, 2);
    const { error, reported } = first;
    this.#faults.unshift({
      after: Math.min(first.after, second.after),
      upTo: Math.max(first.upTo, second.upTo),
      error,
      reported,
    });
  }

  #add(fault: Fault): void {
    this.#faults.push(fault);
    if (this.#faults.length > MAX_FAULTS) this.#mergeOldest();
    if (fault.reported) return;
    startTimer(() => this.printUnreported(), PRINT_AFTER_MS);
  }
}

/** A device error as one of tiller's. */
export function toTillerError(error: { readonly message: string }): TillerError {
  const message = error.message.trim();
  if (error.constructor.name === 'GPUOutOfMemoryError') {
    return new OutOfMemoryError(`[webgpu] the device is out of memory: ${message}`);
  }
  return new EngineError(`[webgpu] the device reported an error: ${message}`);
}

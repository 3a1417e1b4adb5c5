import { startTimer } from '../environment.js';

/** Calls back once nothing has happened for a while. */
export class IdleTrim {
  readonly #trim: () => void;
  readonly #afterMs: number;
  #busy = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(trim: () => void, afterMs: number) {
    this.#trim = trim;
    this.#afterMs = afterMs;
  }

  /** Something happens. Costs next to nothing: one timer serves many calls. */
  postpone(): void {
    this.#busy = true;
    if (this.#timer === null) this.#wait();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wait(): void {
    this.#busy = false;
    this.#timer = startTimer(() => {
      this.#timer = null;
      if (this.#busy) this.#wait();
      else this.#trim();
    }, this.#afterMs);
  }
}

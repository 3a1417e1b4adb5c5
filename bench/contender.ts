/** One library with one benchmark set up on it: inputs on the device, programs made at the first run. */
export interface Contender {
  /** Starts one run. What it returns is awaited, but need not wait for the device. */
  start(): void | Promise<void>;
  /** Resolves when everything started has run; lets the results go. */
  finish(): Promise<void>;
  /** Milliseconds of what the last `finish` waited for, by its own clock: of one that computes in another process. */
  ownMs?(): number;
  /** After a sample, and not timed: lets its idle threads fall asleep. */
  settle?(): Promise<void>;
  /** Whether several runs may be started before one `finish`; false where each run reads its result anyway. */
  readonly repeatable: boolean;
  /** What to compare with the others: the values of the result, or the losses of the first steps. */
  result(): Promise<ArrayLike<number>>;
  dispose(): void;
}

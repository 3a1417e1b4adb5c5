/** One library with one benchmark set up on it: inputs on the device, programs made at the first run. */
export interface Contender {
  /** Starts one run. What it returns is awaited, but need not wait for the device. */
  start(): void | Promise<void>;
  /** Resolves when everything started has run; lets the results go. */
  finish(): Promise<void>;
  /** Whether several runs may be started before one `finish`; false where each run reads its result anyway. */
  readonly repeatable: boolean;
  /** What to compare with the others: the values of the result, or the losses of the first steps. */
  result(): Promise<ArrayLike<number>>;
  dispose(): void;
}

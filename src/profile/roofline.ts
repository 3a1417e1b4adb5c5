/** What an engine reaches at best, through this library. */
export interface Roofline {
  /** Billions of floating-point operations a second, in a large f32 product of matrices. */
  readonly gflops: number;
  /** Gigabytes a second, read and written, in adding a number to a large f32 tensor. */
  readonly gbs: number;
  /** How it was timed: by the device's timestamps, or by a clock around the work. */
  readonly timedBy: 'timestamps' | 'clock';
}

/**
 * Measures what the engine of new work reaches at best: arithmetic in a large product, memory in a large sum. Takes about a second
 * the first time, and no time after that. Rejects with ArgumentError inside `profile()`, unless it was measured before.
 */
export async function roofline(): Promise<Roofline> {
  return (await import('./measureRoofline.js')).measuredRoofline();
}

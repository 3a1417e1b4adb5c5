import type { ProfileReport } from './report.js';

export interface ProfileOptions {
  /** Also measures what the engine reaches at best, before, and says how near each kernel comes to it (false). */
  readonly roofline?: boolean;
}

/**
 * Runs a function and tells where its time went: TypeScript by phase, waiting, each kernel on the engine, bytes copied, plans from
 * the cache. Timing kernels one by one costs a little: on WebGPU each gets a pass of its own. Rejects with what the function rejects
 * with, and with ArgumentError when a profile is being taken already.
 */
export async function profile(fn: () => unknown, options: ProfileOptions = {}): Promise<ProfileReport> {
  return (await import('./takeProfile.js')).takeProfile(fn, options);
}

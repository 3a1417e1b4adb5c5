import { debugLevel } from './environment.js';

/** What one kernel of a run took on the engine. */
export interface KernelTiming {
  readonly kernel: string;
  readonly ms: number;
  readonly flops: number;
  /** Bytes of the buffers it binds. */
  readonly bytes: number;
}

/** Told what the kernels of a run took. */
export type TimingListener = (timings: readonly KernelTiming[]) => void;

/** A line per kernel, as `TILLER_DEBUG=2` prints it. */
export function formatTiming({ kernel, ms, flops, bytes }: KernelTiming): string {
  const perSecond = (amount: number) => (ms > 0 ? (amount / ms / 1e6).toFixed(2) : '-');
  return `tiller: ${kernel}: ${ms.toFixed(3)} ms, ${perSecond(flops)} GFLOP/s, ${perSecond(bytes)} GB/s`;
}

const print: TimingListener = (timings) => {
  for (const timing of timings) console.error(formatTiming(timing));
};

/** Prints from the debug level 2 on; null below, where kernels are not timed. */
export const printsTimings = (): TimingListener | null => (debugLevel() >= 2 ? print : null);

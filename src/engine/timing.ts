/** What one kernel of a run took on the engine. */
export interface KernelTiming {
  readonly kernel: string;
  readonly ms: number;
  readonly flops: number;
  /** Bytes of the buffers it binds. */
  readonly bytes: number;
}

/** A line per kernel, as `TILLER_DEBUG=2` prints it. */
export function formatTiming({ kernel, ms, flops, bytes }: KernelTiming): string {
  const perSecond = (amount: number) => (ms > 0 ? (amount / ms / 1e6).toFixed(2) : '-');
  return `tiller: ${kernel}: ${ms.toFixed(3)} ms, ${perSecond(flops)} GFLOP/s, ${perSecond(bytes)} GB/s`;
}

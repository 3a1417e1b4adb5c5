import { inspect, memory, showHolders } from '../compile/index.js';
import { arenaUse } from '../compile/plan/liveness.js';
import type { MemoryStats } from '../engine/engine.js';

/** What the planner made of the intermediate results of one program. */
export interface PlannedMemory {
  /** Names of its kernels, in order. */
  readonly kernels: readonly string[];
  /** Bytes of the arena that its intermediate results share. */
  readonly arenaBytes: number;
  /** The most that is alive at one kernel: no placement takes less in this order. */
  readonly lowerBoundBytes: number;
}

/** Memory of the engine of new work. */
export interface MemoryReport extends MemoryStats {
  /** The programs that are ready to run again, the largest arena first; none on engines that interpret graphs. */
  readonly plans: readonly PlannedMemory[];
  /** Bytes of tensors on the engine; what else is `live` is the arena. */
  readonly tensorBytes: number;
  /** The report as text, with the largest tensors. */
  toString(): string;
}

const MOST_PRINTED = 10;

export function makeMemoryReport(): MemoryReport {
  const { holders, programs } = inspect();
  const stats = memory();
  const plans = programs
    .flatMap(({ plan }) => (plan === undefined ? [] : [plan]))
    .map((plan): PlannedMemory => {
      const { bytes, lowerBound } = arenaUse(plan);
      const kernels = plan.kernels.map(({ kernel }) => kernel.name);
      return { kernels, arenaBytes: bytes, lowerBoundBytes: lowerBound };
    })
    .sort((a, b) => b.arenaBytes - a.arenaBytes);
  const tensorBytes = [...holders.keys()].reduce((sum, { bytes }) => sum + bytes, 0);
  const named = showHolders(holders);
  const asText = (): string =>
    [
      `${stats.live} bytes live (peak ${stats.peak}) in ${stats.buffers} buffers, ${stats.pooled} kept for reuse`,
      `${tensorBytes} bytes in tensors${named && ', the largest:'}${named}`,
      `${plans.length} plans, by what their intermediate results take:`,
      ...plans.slice(0, MOST_PRINTED).map(({ kernels, arenaBytes, lowerBoundBytes }) => {
        const ratio = lowerBoundBytes > 0 ? ` (${(arenaBytes / lowerBoundBytes).toFixed(2)} x the lower bound)` : '';
        return `  ${arenaBytes} bytes${ratio}: ${kernels.length} kernels, ${kernels[0] ?? 'none'}${kernels.length > 1 ? ' …' : ''}`;
      }),
    ].join('\n');
  return { ...stats, plans, tensorBytes, toString: asText };
}

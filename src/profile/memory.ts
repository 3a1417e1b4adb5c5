import type { Leak } from './leaks.js';
import type { MemoryReport } from './memoryReport.js';

/**
 * Memory of the engine of new work in full: what tensors hold it, and what the planner made of each program: the bytes of its
 * intermediate results against the least that has to be alive at once.
 */
export async function memoryReport(): Promise<MemoryReport> {
  return (await import('./memoryReport.js')).makeMemoryReport();
}

/**
 * What is alive and holds memory of the engine of new work, by the place that made it, the oldest first: what a loop forgot to let go
 * stands there with a count that rises. Values are held weakly, so that asking keeps none of them.
 * @throws ArgumentError unless places are recorded, which costs a stack per tensor: TILLER_DEBUG=1, or init({ debug: true })
 */
export async function leaks(): Promise<Leak[]> {
  return (await import('./leaks.js')).findLeaks();
}

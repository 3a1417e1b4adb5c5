import { currentEngine, initEngine, setProfiler } from '../compile/index.js';
import { ArgumentError } from '../graph/index.js';
import { Collector } from './collector.js';
import type { ProfileReport } from './report.js';

/** How long to wait for the device's timestamps after the function has ended. */
const MAX_TIMING_WAIT_MS = 5000;

let running = false;

/**
 * Runs a function and tells where its time went: TypeScript by phase, waiting, each kernel on the engine, bytes copied, plans from
 * the cache. Timing kernels one by one costs a little: on WebGPU each gets a pass of its own. Rejects with what the function rejects
 * with, and with ArgumentError when a profile is being taken already.
 */
export async function profile(fn: () => unknown): Promise<ProfileReport> {
  if (running) throw new ArgumentError('[profile] a profile is being taken already (profiles do not nest)');
  if (currentEngine() === null) await initEngine();
  const engine = currentEngine()!;
  running = true;
  const collector = new Collector();
  setProfiler(collector);
  engine.onTimings?.((timings) => collector.timed(timings));
  let wallMs = 0;
  try {
    const start = collector.now();
    await fn();
    wallMs = collector.now() - start;
    await engine.idle();
    const limit = collector.now() + MAX_TIMING_WAIT_MS;
    const expected = engine.onTimings === undefined ? 0 : collector.counts.kernels;
    while (collector.counts.timed > 0 && collector.counts.timed < expected && collector.now() < limit) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  } finally {
    engine.onTimings?.(null);
    setProfiler(null);
    running = false;
  }
  const { makeReport } = await import('./report.js');
  return makeReport(collector, wallMs, engine.info());
}

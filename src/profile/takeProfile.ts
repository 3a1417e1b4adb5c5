import { currentEngine, initEngine, setProfiler } from '../compile/index.js';
import { ArgumentError } from '../graph/index.js';
import { Collector } from './collector.js';
import { isProfiling, measuredRoofline, setProfiling } from './measureRoofline.js';
import type { ProfileOptions } from './profile.js';
import { makeReport, type ProfileReport } from './report.js';

/** How long to wait for the device's timestamps after the function has ended. */
const MAX_TIMING_WAIT_MS = 5000;

export async function takeProfile(fn: () => unknown, options: ProfileOptions): Promise<ProfileReport> {
  if (currentEngine() === null) await initEngine();
  const engine = currentEngine()!;
  const limits = options.roofline === true ? await measuredRoofline() : null;
  if (isProfiling()) throw new ArgumentError('[profile] a profile is being taken already (profiles do not nest)');
  setProfiling(true);
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
    setProfiling(false);
  }
  return makeReport(collector, wallMs, engine, limits);
}

/** Runs the cases of the oracle in a page; see oracle.test.ts. */
import * as tl from '../../src/index.js';
import { runCase } from '../oracle/cases.js';
import type { OracleCase } from '../oracle/fixtures.js';

export async function start(): Promise<tl.EngineInfo> {
  return tl.init({ engine: 'webgpu' });
}

/** Each result, or what the case threw. */
export async function runCases(cases: readonly OracleCase[]): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const oracle of cases) results.push(await runCase(oracle).catch((error: unknown) => String(error)));
  return results;
}

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EngineInfo } from '../../src/engine/engine.js';
import type { CaseResult } from '../oracle/cases.js';
import { problemsOf } from '../oracle/checkCase.js';
import { FIXTURES, loadCases } from '../oracle/fixtures.js';
import { describeChromium } from '../setup/environment.js';
import { type ModulePage, openInChromium } from './chromium.js';

describeChromium('every op in Chromium against PyTorch', () => {
  let page: ModulePage;
  let info: EngineInfo;
  beforeAll(async () => {
    page = await openInChromium(fileURLToPath(new URL('oracleInPage.ts', import.meta.url)));
    info = await page.call<EngineInfo>('start');
  });
  afterAll(() => page?.close());

  it('runs on WebGPU', () => {
    expect(info.engine).toBe('webgpu');
  });

  it.each(FIXTURES)('%s', async (fixture) => {
    // Dawn in Node, the same code, runs all of them: here every second one.
    const cases = loadCases(fixture).filter((_, i) => i % 2 === 0);
    expect(cases.length).toBeGreaterThan(0);
    const results = await page.call<(CaseResult | string)[]>('runCases', cases);
    const problems = cases.flatMap((oracle, i) => {
      const result = results[i];
      const found = typeof result === 'string' ? [result] : problemsOf(oracle, result, 'kernels');
      return found.map((problem) => `${oracle.op} ${oracle.name}: ${problem}`);
    });
    expect(problems).toEqual([]);
  });

  it('leaves nothing unsaid in the console', () => {
    expect(page.complaints).toEqual([]);
  });
});

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineInfo } from '../../src/engine/engine.js';
import type { CaseResult } from '../oracle/cases.js';
import { problemsOf } from '../oracle/checkCase.js';
import { FIXTURES, loadCases } from '../oracle/fixtures.js';
import { describeChromium } from '../setup/environment.js';
import { ISOLATED, type ModulePage, openInChromium } from './chromium.js';

describeChromium('every op on WebAssembly in Chromium against PyTorch', () => {
  describe.each([
    ['in a page that is cross-origin isolated', ISOLATED, 3],
    ['in any other page', {}, 1],
  ])('%s', (_, headers, threads) => {
    let page: ModulePage;
    let info: EngineInfo;
    beforeAll(async () => {
      page = await openInChromium(fileURLToPath(new URL('wasmOracleInPage.ts', import.meta.url)), headers);
      info = await page.call<EngineInfo>('start');
    });
    afterAll(() => page?.close());

    it('runs on WebAssembly', () => {
      expect(info).toMatchObject({ engine: 'wasm', limits: { threads } });
    });

    it.each(FIXTURES)('%s', async (fixture) => {
      const cases = loadCases(fixture);
      expect(cases.length).toBeGreaterThan(0);
      const results = await page.call<(CaseResult | string)[]>('runCases', cases);
      const problems = cases.flatMap((oracle, i) => {
        const result = results[i]!;
        const found = typeof result === 'string' ? [result] : problemsOf(oracle, result, 'kernels');
        return found.map((problem) => `${oracle.op} ${oracle.name}: ${problem}`);
      });
      expect(problems).toEqual([]);
    });

    it('leaves nothing unsaid in the console', () => {
      expect(page.complaints).toEqual([]);
    });
  });
});

import { expect, it } from 'vitest';
import { countTests, summaryLine } from '../../scripts/test-report.mjs';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((status) => ({ status })),
});

it('counts passed, failed and skipped tests', () => {
  const report = { testResults: [file('passed', 'passed', 'skipped', 'pending'), file('failed', 'failed', 'passed')] };
  expect(summaryLine(countTests(report))).toBe('2 passed, 1 failed, 2 skipped');
});

it('counts a file that does not load as a failure', () => {
  expect(summaryLine(countTests({ testResults: [file('failed'), file('passed', 'passed')] }))).toBe(
    '1 passed, 1 failed',
  );
});

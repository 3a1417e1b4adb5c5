// Reads vitest's JSON report and says in one line what came of the run: `N passed, N failed[, N skipped]`.
//
//   node scripts/test-report.mjs report.json
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {{ testResults: { status: string, assertionResults: { status: string }[] }[] }} Report
 * @param {Report} report
 */
export function countTests(report) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report.testResults) {
    for (const { status } of file.assertionResults) {
      if (status === 'passed') counts.passed++;
      else if (status === 'failed') counts.failed++;
      else counts.skipped++;
    }
    // A file that does not even load has no assertions, and is one failure.
    const failedInside = file.assertionResults.some(({ status }) => status === 'failed');
    if (file.status === 'failed' && !failedInside) counts.failed++;
  }
  return counts;
}

/** @param {ReturnType<typeof countTests>} counts */
export function summaryLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const counts = countTests(JSON.parse(readFileSync(process.argv[2], 'utf8')));
  console.log(summaryLine(counts));
  if (counts.failed > 0) process.exit(1);
}

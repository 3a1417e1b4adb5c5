import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { countTests } from '../../scripts/test-report.mjs';
import { describeWebGPU } from './environment.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the fixture suite, which needs WebGPU, in a vitest of its own. */
function runFixture(env: Record<string, string>) {
  const scratch = mkdtempSync(join(tmpdir(), 'tiller-environment-'));
  const report = join(scratch, 'report.json');
  const record = join(scratch, 'skipped.jsonl');
  const args = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    ...['run', '--config', 'test/setup/fixtures/vitest.config.ts', '--reporter=json', `--outputFile=${report}`],
  ];
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: 'ignore',
    env: { ...process.env, CI: '', TILLER_PROVISION: '', TILLER_SKIP_RECORD: record, ...env },
  });
  const outcome = {
    status,
    counts: countTests(JSON.parse(readFileSync(report, 'utf8'))),
    skipped: existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')) : null,
  };
  rmSync(scratch, { recursive: true });
  return outcome;
}

const noDriver = { VK_ICD_FILENAMES: '/nonexistent.json', VK_DRIVER_FILES: '' };

it('skips a WebGPU suite where there is no adapter, and records why', () => {
  const { status, counts, skipped } = runFixture(noDriver);
  expect(status).toBe(0);
  expect(counts).toEqual({ passed: 0, failed: 0, skipped: 1 });
  expect(skipped).toEqual({
    reason: expect.stringContaining('no WebGPU adapter in Node'),
    provisionHelps: true,
    suite: 'a suite on the GPU',
  });
});

it.each([
  ['CI', 'true'],
  ['TILLER_PROVISION', '1'],
])('fails instead under %s=%s', (name, value) => {
  const { status, counts, skipped } = runFixture({ ...noDriver, [name]: value });
  expect(status).not.toBe(0);
  expect(counts).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(skipped).toBeNull();
});

describeWebGPU('with an adapter', () => {
  it('runs the suite', () => {
    expect(runFixture({})).toEqual({ status: 0, counts: { passed: 1, failed: 0, skipped: 0 }, skipped: null });
  });
});

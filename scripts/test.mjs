// `npm test`: builds, then runs vitest. Arguments pass through to vitest.
//
// With TILLER_PROVISION=1, or in CI, it first installs the Debian packages that some tests need, and a test that lacks
// something then fails. Otherwise it installs nothing, skips those tests, and says at the end what it skipped and why.
//
// TILLER_TEST_REPORT names a file for vitest's JSON report.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium, isOn, swiftShaderManifest } from './machine.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const provision = isOn(process.env.TILLER_PROVISION) || isOn(process.env.CI);

/** What the tests want from Debian: the package, and how to see that it is there. */
const PACKAGES = [
  { name: 'chromium', present: () => findChromium(process.env) !== null && swiftShaderManifest() !== null },
  { name: 'libonnx-testdata', present: () => existsSync('/usr/share/libonnx-testdata') },
];

function installMissingPackages() {
  const missing = PACKAGES.filter(({ present }) => !present()).map(({ name }) => name);
  if (missing.length === 0) return;
  const sudo = process.getuid?.() === 0 ? [] : ['sudo'];
  const apt = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  console.log(`Installing ${missing.join(' and ')} with apt-get`);
  for (const args of [
    ['update', '-qq'],
    ['install', '-qq', '-y', '--no-install-recommends', ...missing],
  ]) {
    const [program, ...rest] = [...apt, ...args];
    const { status } = spawnSync(program, rest, { stdio: ['ignore', 'inherit', 'inherit'] });
    if (status !== 0) {
      console.error(`apt-get ${args[0]} failed, so ${missing.join(' and ')} cannot be tested with`);
      process.exit(1);
    }
  }
}

/** @param {string} record */
function printSkipped(record) {
  if (!existsSync(record)) return;
  /** @type {{ reason: string, provisionHelps: boolean, suite: string }[]} */
  const skipped = readFileSync(record, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  console.log('\nSkipped:');
  for (const reason of new Set(skipped.map(({ reason }) => reason))) {
    const suites = skipped.filter((entry) => entry.reason === reason).map(({ suite }) => suite);
    console.log(`  ${reason}: ${[...new Set(suites)].join(', ')}`);
  }
  if (skipped.some(({ provisionHelps }) => provisionHelps)) {
    console.log('To run these, installing what is missing (Debian): TILLER_PROVISION=1 npm test');
  }
}

if (provision) installMissingPackages();

const build = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);

const scratch = mkdtempSync(join(tmpdir(), 'tiller-test-'));
const record = join(scratch, 'skipped.jsonl');
const report = process.env.TILLER_TEST_REPORT;
const vitest = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    ...(report ? ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`] : []),
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, TILLER_SKIP_RECORD: record } },
);
printSkipped(record);
rmSync(scratch, { recursive: true, force: true });
process.exit(vitest.status ?? 1);

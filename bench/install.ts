import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The packages of bench/package.json that are missing from bench/node_modules, or there in another version. */
export function missingPeers(bench: string): string[] {
  const { dependencies } = readJson(join(bench, 'package.json')) as { dependencies: Record<string, string> };
  return Object.entries(dependencies)
    .filter(([name, version]) => installedVersion(bench, name) !== version)
    .map(([name]) => name);
}

function installedVersion(bench: string, name: string): string | null {
  const path = join(bench, 'node_modules', name, 'package.json');
  return existsSync(path) ? (readJson(path) as { version: string }).version : null;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Installs the peers into bench/node_modules where they are missing; what npm says goes to stderr. */
export function installPeers(bench: string): void {
  const missing = missingPeers(bench);
  if (missing.length === 0) return;
  console.error(`[bench] installing the peers into bench/node_modules: ${missing.join(', ')}`);
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', args, {
    cwd: bench,
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`[bench] npm ${args.join(' ')} failed in bench/ (status ${status})`);
}

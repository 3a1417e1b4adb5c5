/** Packs the built package as `npm publish` would, and installs it into fresh projects. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Packs dist/ as it is. `npm test` has built it. */
export function packTarball(): { path: string; files: string[] } {
  if (!existsSync(join(root, 'dist/types'))) throw new Error('dist/ is not complete: run `npm run build` first');
  const folder = mkdtempSync(join(tmpdir(), 'tiller-pack-'));
  const output = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const listing: unknown = JSON.parse(output);
  // npm 11 prints an array, npm 12 an object keyed by package name.
  const [entry] = Object.values(listing as Record<string, { filename: string; files: { path: string }[] }>);
  return { path: join(folder, entry.filename), files: entry.files.map(({ path }) => path) };
}

/** A new project with the tarball as its only dependency; returns its folder. */
export function installTarball(tarball: string): string {
  const project = mkdtempSync(join(tmpdir(), 'tiller-consumer-'));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  // Optional dependencies would need a network; what they bring is tested elsewhere.
  execFileSync('npm', ['install', '--offline', '--omit=optional', '--no-audit', '--no-fund', tarball], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return project;
}

/** Copies the files of a folder beside this one into a project. */
export function addSources(project: string, folder: string): void {
  const from = fileURLToPath(new URL(folder, import.meta.url));
  mkdirSync(project, { recursive: true });
  for (const name of readdirSync(from)) cpSync(join(from, name), join(project, name), { recursive: true });
}

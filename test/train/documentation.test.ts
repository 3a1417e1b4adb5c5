import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The TypeScript examples of a page that can run in Node: all but those that fetch. */
function examplesOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
    .map((match) => match[1]!)
    .filter((code) => !code.includes('fetch('));
}

const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name !== 'architecture.md' && name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const examples = pages.flatMap((page) => examplesOf(page).map((code, i) => [page, i + 1, code] as const));

/** A project that has this package installed, as a reader of the documentation would have. */
let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'tiller-documentation-'));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules/tiller'));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

function run(code: string): string {
  const script = join(project, 'example.js');
  writeFileSync(script, transformSync(code, { loader: 'ts', target: 'es2022' }).code);
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    cwd: project,
    encoding: 'utf8',
    timeout: 50_000,
  });
  // What an example that asks for `debug` is told of.
  expect(stderr.replace(/^tiller: realization .*\n/gm, '')).toBe('');
  expect(status).toBe(0);
  return stdout;
}

describe('the documentation', () => {
  it.each(examples)('%s: example %i runs', (_, __, code) => {
    run(code);
  });

  it('tells the truth about what the example of README.md prints', () => {
    expect(run(examplesOf('README.md')[0]!)).toMatch(/^\[ \[ -?0 \], \[ 1 \], \[ 1 \], \[ -?0 \] \] \w+\n$/);
  });

  it('tells the truth about gradients', () => {
    const [, backward, nested] = examplesOf('docs/getting-started.md');
    expect(run(backward!)).toBe('[ 2, 4, 6 ]\n');
    expect(run(nested!)).toBe('[ 6, 12 ]\n');
  });

  it('links only to files that exist', () => {
    for (const page of pages) {
      const text = readFileSync(join(root, page), 'utf8');
      for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
        expect(existsSync(join(root, page, '..', target!)), `${page}: ${target}`).toBe(true);
      }
    }
  });
});

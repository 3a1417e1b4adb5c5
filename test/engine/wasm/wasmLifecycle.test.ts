import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

// Minified, and with the helpers by which bundlers keep the names of functions: workers start from the text of one.
describe.each([
  ['as it is', {}],
  ['minified', { minify: true, keepNames: true }],
])('a process that uses WebAssembly, bundled into one file %s', (_, options) => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tiller-lifecycle-'));
    await build({
      entryPoints: [join(root, 'test/engine/wasm/fixtures/lifecycle.fixture.ts')],
      outfile: join(folder, 'lifecycle.mjs'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'es2022',
      loader: { '.wgsl': 'text' },
      logLevel: 'error',
      ...options,
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(mode: string, ...flags: string[]): SpawnSyncReturns<string> {
    return spawnSync(process.execPath, [...flags, join(folder, 'lifecycle.mjs'), mode], {
      encoding: 'utf8',
      timeout: 30_000,
    });
  }

  it.each(['end', 'endLater', 'destroy'])('ends by itself: %s', (mode) => {
    expect(run(mode)).toMatchObject({ status: 0, signal: null, stdout: '', stderr: '' });
  });

  it('burns no CPU while it is idle', () => {
    const { status, stdout } = run('idle');
    expect(status).toBe(0);
    // Over one second.
    expect(JSON.parse(stdout).cpuMs).toBeLessThan(100);
  });

  it.each(['exit', 'exitAtOnce'])('keeps its exit code: %s', (mode) => {
    expect(run(mode)).toMatchObject({ status: 7, signal: null, stderr: '' });
  });

  it('ends with the error that nobody caught', () => {
    const { status, signal, stderr } = run('throw');
    expect({ status, signal }).toEqual({ status: 1, signal: null });
    expect(stderr).toContain('Error: on purpose');
  });

  it('may have several engines', () => {
    expect(run('twoEngines')).toMatchObject({ status: 0, stdout: 'true\n', stderr: '' });
  });

  it('starts its workers whatever flags the process has', () => {
    expect(run('endLater', '--import', 'data:text/javascript,', '--enable-source-maps', '--no-warnings')).toMatchObject(
      {
        status: 0,
        stderr: '',
      },
    );
  });

  it('says what it is', () => {
    expect(JSON.parse(run('where').stdout)).toMatchObject({
      engine: 'wasm',
      adapter: 'WebAssembly SIMD on 3 threads',
      software: true,
    });
  });
});

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { swiftShaderManifest } from '../../scripts/machine.mjs';
import { describeWebGPU } from '../setup/environment.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

describeWebGPU('a process that uses WebGPU', () => {
  let folder: string;
  beforeAll(async () => {
    // Below the repository, where Node finds the package `webgpu`.
    folder = mkdtempSync(join(root, 'node_modules/.lifecycle-'));
    await build({
      entryPoints: [join(root, 'test/engine/fixtures/lifecycle.fixture.ts')],
      outfile: join(folder, 'lifecycle.mjs'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'es2022',
      loader: { '.wgsl': 'text' },
      logLevel: 'error',
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(mode: string, env: Record<string, string | undefined> = {}): SpawnSyncReturns<string> {
    return spawnSync(process.execPath, [join(folder, 'lifecycle.mjs'), mode], {
      encoding: 'utf8',
      timeout: 30_000,
      env: { ...process.env, ...env },
    });
  }

  it.each(['end', 'destroy'])('ends by itself: %s', (mode) => {
    expect(run(mode)).toMatchObject({ status: 0, signal: null, stdout: '', stderr: '' });
  });

  it('burns no CPU while it is idle', () => {
    const { status, stdout } = run('idle');
    expect(status).toBe(0);
    // Over one second.
    expect(JSON.parse(stdout).cpuMs).toBeLessThan(100);
  });

  it('leaves the CPU to a software GPU while it waits', () => {
    const { status, stdout } = run('wait');
    expect(status).toBe(0);
    const { utilization, active, idle } = JSON.parse(stdout);
    // Milliseconds: with nothing to wait for there is nothing to see.
    if (active + idle > 20) expect(utilization).toBeLessThan(0.3);
  });

  it.each(['exit', 'exitWhileReading'])('keeps its exit code: %s', (mode) => {
    expect(run(mode)).toMatchObject({ status: 7, signal: null, stderr: '' });
  });

  it.each(['throw', 'throwWhileReading', 'reject'])('ends with the error that nobody caught: %s', (mode) => {
    const { status, signal, stderr } = run(mode);
    expect({ status, signal }).toEqual({ status: 1, signal: null });
    expect(stderr).toContain('Error: on purpose');
  });

  it('lives until what was started is done', () => {
    expect(run('pendingRead')).toMatchObject({ status: 0, stdout: `read ${4 << 16}\n`, stderr: '' });
  });

  it('rejects what is pending when the engine is destroyed', () => {
    const { status, stdout } = run('destroyWhileReading');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^EngineError: \[webgpu\] the engine was destroyed/);
  });

  it('may have several engines', () => {
    expect(run('twoEngines')).toMatchObject({ status: 0, stdout: 'true\n', stderr: '' });
  });

  it('prints an error that nobody has read', () => {
    const { status, stderr } = run('unreadFault');
    expect(status).toBe(0);
    expect(stderr).toMatch(/^tiller: EngineError: \[webgpu\] the device reported an error: /);
  });

  it('takes checks on and off from the environment', () => {
    for (const env of [{ TILLER_DAWN: 'validate' }, { TILLER_DAWN: 'fast' }, { TILLER_DEBUG: '1' }]) {
      expect(run('end', env).status).toBe(0);
    }
  });

  it.runIf(swiftShaderManifest())('finds SwiftShader where nobody chose a driver and there is no other', () => {
    const { status, stdout, stderr } = run('where', { VK_ICD_FILENAMES: undefined, VK_DRIVER_FILES: undefined });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const info = JSON.parse(stdout);
    if (info.software) expect(info).toMatchObject({ adapter: expect.stringMatching(/swiftshader|llvmpipe/i) });
    // The search leaves no trace for child processes.
    expect(info.icd).toBeNull();
  });

  it('says what was looked for and what to install', () => {
    const { status, stderr } = run('where', { VK_ICD_FILENAMES: '/nonexistent.json', VK_DRIVER_FILES: undefined });
    expect(status).toBe(1);
    expect(stderr).toMatch(/EngineUnavailableError: \[webgpu\] no WebGPU adapter: looked for .*nonexistent\.json/);
    if (process.platform === 'linux') expect(stderr).toMatch(/libvulkan1.*chromium/);
  });
});

/** The first training step of a process, with and without plans that an earlier one has kept: counts are judged, times printed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWebGPU } from '../setup/environment.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const planner = 'src/compile/prepare.ts';
const renderers = { wasm: 'src/engine/wasm/rendering.ts', webgpu: 'src/engine/webgpu/rendering.ts' };

interface Start {
  readonly firstStepMs: number;
  readonly importMs: number;
  readonly engineMs: number;
  readonly hits: number;
  readonly misses: number;
  readonly loaded: number;
  readonly finite: boolean;
}

let folder: string;
/** The bundle's file that begins with each of these sources. */
const chunks = new Map<string, string>();
beforeAll(async () => {
  // Inside the project, so that Dawn's package is found.
  folder = mkdtempSync(join(root, '.cold-start-'));
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { main: fileURLToPath(new URL('fixtures/firstStep.ts', import.meta.url)) },
    outdir: join(folder, 'bundle'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    alias: { tiller: './src/index.ts', 'tiller/nn': './src/nn/index.ts', 'tiller/optim': './src/optim/index.ts' },
    tsconfigRaw: {},
    loader: { '.wgsl': 'text' },
    logLevel: 'error',
  });
  for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint !== undefined) chunks.set(entryPoint, relative(folder, join(root, path)));
  }
});
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true });
});

function start(engine: string, cache: string, preload: readonly string[] = []): { start: Start; stderr: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...preload, join(folder, 'bundle/main.mjs'), engine],
    { encoding: 'utf8', env: { ...process.env, TILLER_CACHE: cache }, timeout: 60_000 },
  );
  if (status !== 0) throw new Error(`the process ended with ${status}: ${stderr}`);
  return { start: JSON.parse(stdout) as Start, stderr };
}

function startsWarm(engine: 'wasm' | 'webgpu'): void {
  it('plans and renders nothing at a second start', () => {
    const cache = join(folder, engine);
    const noteImports = ['--import', fileURLToPath(new URL('fixtures/noteImports.mjs', import.meta.url))];
    const isLoaded = (stderr: string, source: string): boolean => stderr.includes(chunks.get(source)!);

    const first = start(engine, cache, noteImports);
    expect(first.start).toMatchObject({ loaded: 0, finite: true });
    expect(isLoaded(first.stderr, planner)).toBe(true);
    expect(isLoaded(first.stderr, renderers[engine])).toBe(true);
    const records = readdirSync(cache);
    expect(records).toHaveLength(first.start.misses);

    const second = start(engine, cache, noteImports);
    expect(second.start).toMatchObject({
      hits: first.start.hits,
      misses: first.start.misses,
      loaded: first.start.misses,
      finite: true,
    });
    expect(isLoaded(second.stderr, planner)).toBe(false);
    expect(isLoaded(second.stderr, renderers[engine])).toBe(false);
    expect(readdirSync(cache)).toEqual(records);
  });

  it('says what that saves', () => {
    const cache = join(folder, engine);
    const least = (starts: readonly Start[]): number => Math.min(...starts.map(({ firstStepMs }) => firstStepMs));
    const [cold, warm]: [Start[], Start[]] = [[], []];
    for (let i = 0; i < 3; i++) {
      cold.push(start(engine, '0').start);
      warm.push(start(engine, cache).start);
    }
    expect(cold.every(({ loaded }) => loaded === 0)).toBe(true);
    expect(warm.every(({ loaded, misses }) => loaded === misses)).toBe(true);
    console.log(
      `${engine}: first training step ${least(cold).toFixed(0)} ms after the process began, ` +
        `${least(warm).toFixed(0)} ms with a warm cache (least of 3)`,
    );
  });

  it('has processes write and read one cache side by side', async () => {
    const { spawn } = await import('node:child_process');
    const cache = join(folder, `${engine}-shared`);
    const outputs = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = spawn(process.execPath, [join(folder, 'bundle/main.mjs'), engine], {
          env: { ...process.env, TILLER_CACHE: cache },
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let text = '';
        child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
        await new Promise((resolve) => child.on('close', resolve));
        return JSON.parse(text) as Start;
      }),
    );
    expect(outputs.every(({ finite }) => finite)).toBe(true);
    expect(readdirSync(cache).filter((file) => !file.endsWith('.plan'))).toEqual([]);
    const { start: last } = start(engine, cache);
    expect(last.loaded).toBe(last.misses);
  });
}

describe('cold start on wasm', () => startsWarm('wasm'));
describeWebGPU('cold start on webgpu', () => startsWarm('webgpu'));

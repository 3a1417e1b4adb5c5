import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleForBrowser } from './bundle.js';
import { addSources, installTarball, packTarball } from './tarball.js';

const MAX_CORE_GZIP_BYTES = 90 * 1024;
const MAX_WASM_GZIP_BYTES = 35 * 1024;

const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

describe('the packed tarball', () => {
  let files: string[];
  let project: string;
  let packed: string;

  beforeAll(() => {
    const tarball = packTarball();
    packed = tarball.path;
    files = tarball.files;
    project = installTarball(tarball.path);
    addSources(project, 'consumer');
  });

  afterAll(() => {
    for (const folder of [project, packed && dirname(packed)]) if (folder) rmSync(folder, { recursive: true });
  });

  it('holds what users need and nothing else', () => {
    expect(files).toEqual(expect.arrayContaining(['package.json', 'LICENSE', 'README.md', 'dist/index.js']));
    expect(
      files.filter((path) => !/^(package\.json|LICENSE|README\.md|dist\/.*\.(js|d\.ts)|docs\/.*)$/.test(path)),
    ).toEqual([]);
    expect(files.filter((path) => /\b(test|bench|examples)\//.test(path))).toEqual([]);
  });

  it('runs in Node, all entry points sharing one core', () => {
    const source = join(project, 'consumer.ts');
    const { code } = transformSync(readFileSync(source, 'utf8'), { loader: 'ts', target: 'es2022' });
    writeFileSync(join(project, 'consumer.js'), code);
    const run = spawnSync(process.execPath, ['consumer.js'], { cwd: project, encoding: 'utf8', timeout: 60_000 });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      shape: [2, 2],
      product: [
        [7, 10],
        [15, 22],
      ],
      slope: 6,
      modules: true,
    });
  });

  const tiller = (...args: string[]) =>
    spawnSync('npx', ['--no-install', 'tiller', ...args], { cwd: project, encoding: 'utf8', timeout: 60_000 });

  it('has a command that says where work executes', () => {
    const { status, stdout, stderr } = tiller('doctor', '--engine', 'wasm');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^tiller \d+\.\d+\.\d+, Node v\d+/);
    expect(stdout).toMatch(/^engine {4}wasm$/m);
    expect(stdout).toMatch(/^why {7}asked for by name; /m);
    expect(stdout).toMatch(/^computes {2}yes/m);
    expect(stdout).toMatch(/^features {2}simd128/m);
    expect(stdout).toMatch(/^limits {4}threads +\d+$/m);
    // The optional package `webgpu` is not installed here.
    expect(stdout).toMatch(/^others {4}webgpu: not here: \[webgpu\] no WebGPU adapter/m);
    const { engine, computes, others } = JSON.parse(tiller('doctor', '--json', '--engine=reference').stdout);
    expect({ engine, computes }).toEqual({ engine: 'reference', computes: true });
    expect(others.map((o: { engine: string }) => o.engine)).toEqual(['webgpu', 'wasm']);
  });

  it('has a command that measures the roofline', () => {
    const { status, stdout } = tiller('roofline', '--engine', 'reference', '--json');
    expect(status).toBe(0);
    const { engine, gflops, gbs } = JSON.parse(stdout);
    expect(engine).toBe('reference');
    expect(gflops).toBeGreaterThan(0);
    expect(gbs).toBeGreaterThan(0);
    expect(tiller('roofline', '--engine', 'wasm').stdout).toMatch(
      /arithmetic +\d+\.\d GFLOP\/s[\s\S]*memory +\d+\.\d GB\/s/,
    );
  });

  it('has a command that measures schedules', () => {
    const { status, stdout } = tiller('tune', '--engine', 'wasm', '--json', 'matmul', '8x8x8');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ engine: 'wasm', kernels: [], gain: 1 });
  });

  it.each([
    [[], 2, /^tiller: no command\n[\s\S]*tiller doctor/],
    [['steer'], 2, /^tiller: no such command: steer\n[\s\S]*tiller doctor/],
    [['doctor', '--loud'], 2, /^tiller: Unknown option '--loud'/],
    [['doctor', '--seconds', '5'], 2, /^tiller: --seconds is an option of tune\n/],
    [['tune', '--engine', 'wasm', 'matmul', '8x8'], 2, /^tiller: not a shape: 8x8 \(expected matmul MxKxN /],
    [['doctor', '--engine', 'steam'], 1, /^tiller: \[init\] unknown engine: steam \(expected one of auto, /],
  ])('refuses the command line %j', (args, status, message) => {
    const run = tiller(...args);
    expect(run.status).toBe(status);
    expect(run.stdout).toBe('');
    expect(run.stderr).toMatch(message);
  });

  // `lib` without DOM and no `types`: the declarations may not need WebGPU's types or Node's.
  it.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('type-checks under strict with module %s, moduleResolution %s', (module, moduleResolution) => {
    const config = {
      compilerOptions: {
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        noImplicitOverride: true,
        target: 'ES2022',
        lib: ['ES2022'],
        types: [],
        module,
        moduleResolution,
      },
      files: ['console.d.ts', 'consumer.ts'],
    };
    const configPath = join(project, `tsconfig.${module}.json`);
    writeFileSync(configPath, JSON.stringify(config));
    writeFileSync(join(project, 'console.d.ts'), 'declare const console: { log(line: string): void };\n');
    const check = spawnSync(process.execPath, [tsc, '-p', configPath], { cwd: project, encoding: 'utf8' });
    expect(check.stdout).toBe('');
    expect(check.status).toBe(0);
  });

  it('refuses wrong types', () => {
    writeFileSync(
      join(project, 'wrong.ts'),
      `import { tensor } from 'tiller';\nexport const x: string = tensor([1]);\n`,
    );
    const args = [
      tsc,
      '--noEmit',
      '--strict',
      '--target',
      'es2022',
      '--module',
      'nodenext',
      'wrong.ts',
      '--ignoreConfig',
    ];
    const check = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' });
    expect(check.stdout).toMatch(/wrong\.ts\(2,14\): error TS2322: Type 'Tensor' is not assignable to type 'string'/);
  });

  it(`bundles for a browser, the core in at most ${MAX_CORE_GZIP_BYTES / 1024} KB gzip`, async () => {
    const core = await bundleForBrowser(project, `export * from 'tiller';`);
    console.log(
      `core bundle: ${core.gzipBytes} bytes gzip (${core.bytes} minified), ${core.lazyChunks} chunks loaded on demand`,
    );
    expect(core.gzipBytes).toBeLessThanOrEqual(MAX_CORE_GZIP_BYTES);
    // Guards the measurement itself: an empty bundle would pass too.
    expect(core.gzipBytes).toBeGreaterThan(5_000);
  });

  it(`loads the WebAssembly engine on demand, in at most ${MAX_WASM_GZIP_BYTES / 1024} KB gzip`, async () => {
    const { files, apart, together } = (await bundleForBrowser(project, `export * from 'tiller';`)).ownOf('wasm');
    console.log(
      `WebAssembly engine and its renderers: ${together} bytes gzip, ${apart} in ${files} files, beside what other engines share`,
    );
    expect(together).toBeLessThanOrEqual(MAX_WASM_GZIP_BYTES);
    // The engine alone would be a third of this: the renderers are counted.
    expect(together).toBeGreaterThan(20_000);
  });

  it('bundles every entry point for a browser', async () => {
    const subpaths = ['nn', 'optim', 'data', 'formats', 'linalg', 'fft', 'random'];
    const source = subpaths.map((name) => `export * as ${name} from 'tiller/${name}';`).join('\n');
    expect((await bundleForBrowser(project, source)).bytes).toBeGreaterThan(0);
  });
});

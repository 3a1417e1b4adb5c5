import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import util from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ImportPackage, loadTf } from '../../../src/engine/tfjs/packages.js';
import { ArgumentError, EngineUnavailableError } from '../../../src/graph/index.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const GPU = '@tensorflow/tfjs-node-gpu';

/** What the package's own index.js throws where its install script did not run. */
const NO_BINDING = `The Node.js native addon module (tfjs_binding.node) can not be found at path: /app/node_modules/${GPU}/lib/napi-v8/tfjs_binding.node. \nPlease run command 'npm rebuild ${GPU} --build-addon-from-source' to rebuild the native addon module. \nIf you have problem …`;

const failing =
  (message: string, code?: string): ImportPackage =>
  async () => {
    throw Object.assign(new Error(message), code === undefined ? {} : { code });
  };

/** A package that starts, with or without a GPU. */
const working =
  (isUsingGpuDevice: boolean): ImportPackage =>
  async () => ({
    default: {
      version_core: '4.22.0',
      engine: () => ({}),
      setBackend: async () => true,
      findBackend: () => ({ isUsingGpuDevice }),
    },
  });

describe('the packages of TensorFlow.js', () => {
  it.each([
    [
      NO_BINDING,
      undefined,
      `[tfjs] ${GPU} has no native binding: its install script did not run (expected npm rebuild ${GPU} --ignore-scripts=false)`,
    ],
    [
      'libtensorflow.so.2: cannot open shared object file: No such file or directory',
      'ERR_DLOPEN_FAILED',
      `[tfjs] ${GPU} has no TensorFlow library: libtensorflow.so.2 cannot be loaded (expected npm rebuild ${GPU} --ignore-scripts=false)`,
    ],
    [
      'libcudart.so.11.0: cannot open shared object file: No such file or directory',
      'ERR_DLOPEN_FAILED',
      `[tfjs] ${GPU} finds no CUDA: libcudart.so.11.0 cannot be loaded (expected CUDA 11.x and cuDNN 8 on LD_LIBRARY_PATH; docs/tfjs.md has a container)`,
    ],
    [
      'unexpected',
      undefined,
      `[tfjs] ${GPU} cannot be loaded: unexpected (expected npm install ${GPU}, or npm rebuild ${GPU} --ignore-scripts=false)`,
    ],
    [
      `Cannot find package '${GPU}' imported from /app/x.js`,
      'ERR_MODULE_NOT_FOUND',
      `[tfjs] ${GPU} not installed (expected npm install ${GPU})`,
    ],
  ])('say in one sentence what mends %j', async (message, code, expected) => {
    const error = await loadTf('node-gpu', failing(message, code)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EngineUnavailableError);
    expect((error as Error).message).toBe(expected);
  });

  it('are not passed over where they are installed and broken', async () => {
    const importer: ImportPackage = async (name) => (name === GPU ? failing(NO_BINDING)(name) : working(false)(name));
    await expect(loadTf(undefined, importer)).rejects.toThrow('has no native binding');
  });

  it('are taken by speed, and tell whether a GPU computes', async () => {
    expect(await loadTf(undefined, working(true))).toMatchObject({ backend: 'node-gpu', gpu: true, version: '4.22.0' });
    const absent: ImportPackage = (name) =>
      name === GPU ? failing(`Cannot find package '${name}'`, 'ERR_MODULE_NOT_FOUND')(name) : working(false)(name);
    expect(await loadTf(undefined, absent)).toMatchObject({ backend: 'node', gpu: false });
    expect(await loadTf('node-gpu', working(false))).toMatchObject({ backend: 'node-gpu', gpu: false });
  });

  it('refuse other names, and versions that do not go together', async () => {
    await expect(loadTf('cuda' as 'cpu')).rejects.toThrow(ArgumentError);
    const other: ImportPackage = async (name) => {
      const { default: tf } = (await working(false)(name)) as { default: object };
      return { default: { ...tf, setBackend: async () => false } };
    };
    await expect(loadTf('wasm', other)).rejects.toThrow(
      'does not start: @tensorflow/tfjs-core 4.22.0 (expected one version',
    );
  });

  it('find util.isNullOrUndefined, which Node 23 removed', async () => {
    const holder = util as { isNullOrUndefined?: unknown };
    const before = holder.isNullOrUndefined;
    try {
      delete holder.isNullOrUndefined;
      await loadTf('node', working(false));
      const mended = holder.isNullOrUndefined as (value: unknown) => boolean;
      expect([null, undefined, 0, ''].map((value) => mended(value))).toEqual([true, true, false, false]);
    } finally {
      if (before !== undefined) holder.isNullOrUndefined = before;
    }
  });
});

describe('a program in a project of its own', () => {
  let project: string;

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'tiller-tfjs-'));
    const place = join(project, 'node_modules/tiller');
    cpSync(join(root, 'dist'), join(place, 'dist'), { recursive: true });
    cpSync(join(root, 'package.json'), join(place, 'package.json'));
    const source =
      "import * as tl from 'tiller';\nconst { backend } = await tl.init({ engine: 'tfjs', ...JSON.parse(process.argv[2]) });\nconsole.log(backend, await tl.tensor([1, 2]).add(1).tolist());\n";
    writeFileSync(join(project, 'main.mjs'), source);
  });

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  const run = (options: object) => {
    const args = [join(project, 'main.mjs'), JSON.stringify(options)];
    return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  };
  const provide = (name: string, files: Record<string, string>): void => {
    for (const [path, text] of Object.entries(files)) {
      const file = join(project, 'node_modules', name, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  };

  it('ends with an error where nothing is installed', () => {
    const { status, stderr } = run({});
    expect(status).not.toBe(0);
    expect(stderr).toContain(
      `EngineUnavailableError: [tfjs] no package of TensorFlow.js is installed (expected npm install ${GPU})`,
    );
  });

  it('computes where a backend is', () => {
    mkdirSync(join(project, 'node_modules/@tensorflow'), { recursive: true });
    for (const name of ['tfjs-core', 'tfjs-backend-cpu', 'tfjs-backend-wasm']) {
      symlinkSync(join(root, 'node_modules/@tensorflow', name), join(project, 'node_modules/@tensorflow', name));
    }
    const { status, stdout, stderr } = run({});
    expect(stderr).toBe('');
    expect(stdout).toBe('wasm [ 2, 3 ]\n');
    expect(status).toBe(0);
  });

  it('ends with an error where the CUDA package came without its native part', () => {
    provide(GPU, {
      'package.json': JSON.stringify({ name: GPU, version: '4.22.0', main: 'index.js' }),
      'index.js': `throw new Error(${JSON.stringify(NO_BINDING)});`,
    });
    for (const options of [{}, { backend: 'node-gpu' }]) {
      const { status, stderr } = run(options);
      expect(status).not.toBe(0);
      expect(stderr).toContain(
        `EngineUnavailableError: [tfjs] ${GPU} has no native binding: its install script did not run (expected npm rebuild ${GPU} --ignore-scripts=false)`,
      );
    }
  });
});

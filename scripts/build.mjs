// Builds dist/: one ES module per public entry point with shared chunks, type declarations, and the runnable examples.
// Says nothing when it succeeds, because `npm run train -- --json` promises that its last line is JSON.
//
//   node scripts/build.mjs            everything
//   node scripts/build.mjs --js-only  without the declarations
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildPage } from '../examples/digits/build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

const page = join(dist, 'examples/digits');

/** The public entry points: file in dist -> source. */
const ENTRIES = {
  index: 'src/index.ts',
  nn: 'src/nn/index.ts',
  optim: 'src/optim/index.ts',
  data: 'src/data/index.ts',
  formats: 'src/formats/index.ts',
  linalg: 'src/linalg/index.ts',
  profile: 'src/profile/index.ts',
  cli: 'src/cli/main.ts',
  fft: 'src/fft/index.ts',
  random: 'src/random/index.ts',
};

/** Scripts for Node that import `tiller` as a user would: file in dist -> source. */
const EXAMPLES = {
  'examples/train-mnist': 'examples/train-mnist/train.ts',
};

/** Names the library's sources: plans that another version has kept are not used. */
function buildName() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const hash = createHash('sha256');
  for (const path of ['src', 'kernels', 'shaders'].flatMap((folder) => filesUnder(join(root, folder))).sort()) {
    hash.update(relative(root, path)).update(readFileSync(path));
  }
  return `${version}+${hash.digest('hex').slice(0, 16)}`;
}

/** @type {import('esbuild').BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
  loader: { '.wgsl': 'text' },
  logLevel: 'error',
  outdir: dist,
};

/** @param {Record<string, string>} entries */
function existing(entries) {
  return Object.fromEntries(Object.entries(entries).filter(([, source]) => existsSync(join(root, source))));
}

async function buildJavaScript() {
  const library = await build({
    ...common,
    entryPoints: existing(ENTRIES),
    // One copy of every module: `tiller/nn` must see the Tensor class of `tiller`.
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    platform: 'neutral',
    external: ['webgpu', 'node:*'],
    define: { TILLER_BUILD: JSON.stringify(buildName()) },
  });
  const examples = await build({
    ...common,
    entryPoints: existing(EXAMPLES),
    platform: 'node',
    packages: 'external',
    // Without the `paths` of tsconfig.json: `tiller` stays an import, which Node resolves to dist/ through `exports`.
    tsconfigRaw: {},
  });
  const outputs = [...(library.outputFiles ?? []), ...(examples.outputFiles ?? [])];
  // Unchanged files are left alone and stale ones go last, so that a program using dist/ meanwhile keeps working.
  for (const { path, contents } of outputs) {
    if (existsSync(path) && readFileSync(path).equals(contents)) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
  const written = new Set(outputs.map(({ path }) => path));
  for (const path of filesUnder(dist)) {
    if (path.endsWith('.js') && !written.has(path) && !path.startsWith(page)) rmSync(path);
  }
  // The page is bundled with the library as built just now.
  rmSync(page, { recursive: true, force: true });
  await buildPage(page);
}

function buildDeclarations() {
  const types = join(dist, 'types');
  rmSync(types, { recursive: true, force: true });
  const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
  const result = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) process.exit(result.status ?? 1);
  for (const path of filesUnder(types)) {
    const text = readFileSync(path, 'utf8');
    // A consumer whose `lib` stops at ES2022 does not know Symbol.dispose.
    if (/Symbol\.(async)?dispose/i.test(text)) {
      writeFileSync(path, `/// <reference lib="esnext.disposable" />\n${text}`);
    }
  }
}

/** @param {string} folder @returns {string[]} */
function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

try {
  await buildJavaScript();
} catch (error) {
  // esbuild has already printed its messages.
  if (!(error instanceof Error && 'errors' in error)) throw error;
  console.error(`build failed in ${relative(process.cwd(), root) || '.'}`);
  process.exit(1);
}
if (!process.argv.includes('--js-only')) buildDeclarations();

// Builds the page into dist/examples/digits (or another folder): plain files for any web server. It is bundled with the built
// library, as a user of the package would bundle it, so `npm run build` goes first.
//
//   node examples/digits/build.mjs [folder]
import { copyFileSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const STATIC = ['index.html', 'style.css', 'samples.json', 'weights.safetensors'];

/** @param {string} folder */
export async function buildPage(folder) {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(here, 'main.ts')],
    outdir: folder,
    bundle: true,
    splitting: true,
    minify: true,
    // Error names show which error it was.
    keepNames: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    // Only reached in Node.
    external: ['node:*', 'webgpu'],
    // Without the `paths` of tsconfig.json: `tiller` is dist/, through the package's `exports`.
    tsconfigRaw: {},
    logLevel: 'error',
  });
  for (const name of STATIC) copyFileSync(join(here, name), join(folder, name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildPage(resolve(process.argv[2] ?? join(here, '../../dist/examples/digits')));
}

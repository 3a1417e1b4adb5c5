// npm run bench -- NAME… [options]: bundles the benchmarks with the library's sources, and runs them. `--help` lists the options.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const bench = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
// Inside bench/, so that the peers resolve to bench/node_modules and Dawn to the root's.
const bundle = `${bench}.bundle/main.mjs`;

try {
  /** @type {import('esbuild').BuildOptions} */
  const common = {
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    alias: {
      tiller: './src/index.ts',
      'tiller/nn': './src/nn/index.ts',
      'tiller/optim': './src/optim/index.ts',
    },
    // Without the `paths` of tsconfig.json, which name declarations for Dawn's package.
    tsconfigRaw: {},
    loader: { '.wgsl': 'text' },
    logLevel: 'error',
  };
  await build({ ...common, entryPoints: [`${bench}main.ts`], outfile: bundle, sourcemap: 'inline' });
  // A program of its own for each start of a process, in parts that are loaded when they are needed, as users have them.
  await build({
    ...common,
    entryPoints: [`${bench}firstStep.ts`],
    outdir: `${bench}.bundle/firstStep`,
    outExtension: { '.js': '.mjs' },
    splitting: true,
  });
} catch (error) {
  // esbuild has already printed its messages.
  if (!(error instanceof Error && 'errors' in error)) throw error;
  console.error('[bench] the sources do not build');
  process.exit(1);
}
const { main } = await import(bundle);
await main(process.argv.slice(2));

/** What a browser downloads before anything else runs: the static import closure of a bundle. */
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

export interface BundleSize {
  bytes: number;
  gzipBytes: number;
  /** Chunks that are loaded later, on demand: the bytes of each after gzip, by the name that the package's build gave it. */
  lazyChunks: ReadonlyMap<string, number>;
}

/** Bundles `source` as a user of the package installed in `project` would for a browser, minified. */
export async function bundleForBrowser(project: string, source: string): Promise<BundleSize> {
  const result = await build({
    stdin: { contents: source, resolveDir: project, sourcefile: 'entry.js' },
    absWorkingDir: project,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    splitting: true,
    metafile: true,
    write: false,
    outdir: 'out',
    logLevel: 'silent',
  });
  const outputs = result.metafile.outputs;
  const entry = Object.keys(outputs).find((path) => outputs[path].entryPoint !== undefined && path.includes('stdin'));
  if (!entry) throw new Error(`no entry among ${Object.keys(outputs).join(', ')}`);

  const closure = new Set([entry]);
  for (const path of closure) {
    for (const imported of outputs[path].imports) {
      if (imported.kind === 'import-statement' && !imported.external) closure.add(imported.path);
    }
  }

  const contentsOf = (path: string) => {
    const file = result.outputFiles.find((output) => output.path.endsWith(path));
    if (!file) throw new Error(`esbuild did not write ${path}`);
    return file.contents;
  };
  const gzipOf = (path: string) => gzipSync(contentsOf(path), { level: 9 }).byteLength;
  const sum = (sizes: number[]) => sizes.reduce((total, bytes) => total + bytes, 0);
  const lazy = Object.keys(outputs).filter((path) => !closure.has(path));
  return {
    bytes: sum([...closure].map((path) => contentsOf(path).byteLength)),
    gzipBytes: sum([...closure].map(gzipOf)),
    lazyChunks: new Map(lazy.map((path) => [basename(outputs[path].entryPoint ?? path), gzipOf(path)])),
  };
}

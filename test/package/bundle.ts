/** What a browser downloads before anything else runs: the static import closure of a bundle. */
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

export interface BundleSize {
  bytes: number;
  gzipBytes: number;
  /** Chunks that are loaded later, on demand. */
  lazyChunks: number;
  /**
   * Code that is loaded with a chunk (named as the package's build named it, up to its hash) and the chunks that it loads on demand, and
   * with nothing else: bytes after gzip, of each file by itself and of all of them together.
   */
  ownOf(name: string): { files: number; apart: number; together: number };
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

  const importsOf = (path: string, kinds: readonly string[]) =>
    outputs[path].imports.filter(({ kind, external }) => !external && kinds.includes(kind)).map((found) => found.path);
  const reached = (from: readonly string[], kinds: readonly string[], without?: string) => {
    const paths = new Set(from);
    for (const path of paths) for (const other of importsOf(path, kinds)) if (other !== without) paths.add(other);
    return paths;
  };
  const closure = reached([entry], ['import-statement']);
  const contentsOf = (path: string) => {
    const file = result.outputFiles.find((output) => output.path.endsWith(path));
    if (!file) throw new Error(`esbuild did not write ${path}`);
    return file.contents;
  };
  const gzip = (contents: Uint8Array) => gzipSync(contents, { level: 9 }).byteLength;
  const sum = (sizes: number[]) => sizes.reduce((total, bytes) => total + bytes, 0);
  return {
    bytes: sum([...closure].map((path) => contentsOf(path).byteLength)),
    gzipBytes: sum([...closure].map((path) => gzip(contentsOf(path)))),
    lazyChunks: Object.keys(outputs).length - closure.size,
    ownOf(name) {
      const onDemand = [...closure].flatMap((path) => importsOf(path, ['dynamic-import']));
      const isNamed = (path: string) => basename(outputs[path].entryPoint ?? '').startsWith(`${name}-`);
      const first = onDemand.find(isNamed);
      if (!first) throw new Error(`no chunk ${name} among ${onDemand.join(', ')}`);
      const others = onDemand.filter((path) => !isNamed(path));
      const elsewhere = reached([...closure, ...others], ['import-statement', 'dynamic-import'], first);
      const own = reached([first, ...importsOf(first, ['dynamic-import'])], ['import-statement']);
      const contents = [...own].filter((path) => !elsewhere.has(path)).map(contentsOf);
      return { files: contents.length, apart: sum(contents.map(gzip)), together: gzip(Buffer.concat(contents)) };
    },
  };
}

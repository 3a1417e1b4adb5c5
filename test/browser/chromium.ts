/** Runs code of the library inside headless Chromium, on its WebGPU, and brings the values back. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumPath, chromiumWebGPUFlags } from '../setup/environment.js';

/**
 * What a module for `runInChromium` exports as `checks`: functions that run in the page, one after the other. What they return comes
 * back to the test, which judges it: typed arrays, NaN, infinities and -0 survive the way.
 */
export type Checks = Readonly<Record<string, () => unknown>>;

export type CheckResult =
  | { readonly ok: true; readonly value: unknown; readonly ms: number }
  | { readonly ok: false; readonly error: string; readonly ms: number };

export interface ChromiumRun {
  readonly results: Readonly<Record<string, CheckResult>>;
  /** Warnings and errors of the console, and uncaught errors of the page. */
  readonly complaints: readonly string[];
}

/** A page that has loaded a module. */
export interface ModulePage {
  /** Names of the module's exports. */
  readonly exports: readonly string[];
  readonly complaints: readonly string[];
  /** Calls a function that the module exports. Arguments and result are copied. */
  call<T>(name: string, ...args: unknown[]): Promise<T>;
  close(): Promise<void>;
}

/** Flags without which a test machine's Chromium talks to the outside. */
const QUIET_FLAGS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export async function launchChromium(): Promise<Browser> {
  if (chromiumPath === null) throw new Error('no chromium on PATH (use describeChromium)');
  return chromium.launch({
    executablePath: chromiumPath,
    headless: true,
    args: [...chromiumWebGPUFlags, ...QUIET_FLAGS],
  });
}

/** With these headers a page is cross-origin isolated: its workers may share memory with it. */
export const ISOLATED: Readonly<Record<string, string>> = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** Serves files from memory on localhost, which is a secure context; by path, e.g. `/index.html`. */
export async function serve(
  files: ReadonlyMap<string, string | Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ url: string; close(): Promise<void> }> {
  const types: Record<string, string> = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8' };
  const server: Server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const content = files.get(path === '/' ? '/index.html' : path);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    const extension = path === '/' ? 'html' : (path.split('.').at(-1) ?? '');
    const type = types[extension] ?? 'application/octet-stream';
    response.writeHead(200, { ...headers, 'content-type': type }).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const root = fileURLToPath(new URL('../..', import.meta.url));

const LOADER = `<!doctype html><link rel="icon" href="data:,"><script type="module">
globalThis.entry = await import('./entry.js');
</script>`;

/** Modules of Node, which helpers of the tests import for what they do outside of the page, are empty in it. */
const withoutNode: Plugin = {
  name: 'without-node',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'node' }));
    onLoad({ filter: /.*/, namespace: 'node' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
  },
};

/** Bundles the module `entry` (a path) as a browser would get it, and opens it in Chromium, served with the headers. */
export async function openInChromium(entry: string, headers?: Readonly<Record<string, string>>): Promise<ModulePage> {
  const bundle = await build({
    entryPoints: { entry },
    outdir: '/',
    bundle: true,
    write: false,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    loader: { '.wgsl': 'text' },
    plugins: [withoutNode],
    absWorkingDir: root,
    logLevel: 'error',
  });
  const files = new Map<string, string | Uint8Array>(bundle.outputFiles.map(({ path, contents }) => [path, contents]));
  files.set('/index.html', LOADER);
  const server = await serve(files, headers);
  const browser = await launchChromium();
  const close = async () => {
    await browser.close();
    await server.close();
  };
  try {
    const page = await browser.newPage();
    const complaints = collectComplaints(page);
    await page.goto(server.url);
    await page
      .waitForFunction(() => 'entry' in globalThis, null, { timeout: 20_000 })
      .catch((error: unknown) => {
        throw new Error(`the page did not load its module: ${[...complaints, String(error)].join('\n')}`);
      });
    const exports = await page.evaluate(() => Object.keys((globalThis as unknown as PageGlobals).entry));
    return { exports, complaints, close, call: (name, ...args) => callInPage(page, name, args) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens the module `entry` (a path) in Chromium, served with the headers, and runs its `checks`. */
export async function runInChromium(entry: string, headers?: Readonly<Record<string, string>>): Promise<ChromiumRun> {
  const page = await openInChromium(entry, headers);
  try {
    const results: Record<string, CheckResult> = {};
    for (const name of await page.call<string[]>('checkNames')) {
      const start = performance.now();
      const ms = () => performance.now() - start;
      results[name] = await page.call('runCheck', name).then(
        (value) => ({ ok: true, value, ms: ms() }),
        (error: unknown) => ({ ok: false, error: error instanceof Error ? error.message : String(error), ms: ms() }),
      );
    }
    return { results, complaints: page.complaints };
  } finally {
    await page.close();
  }
}

interface PageGlobals {
  readonly entry: Readonly<Record<string, unknown>>;
}

async function callInPage<T>(page: Page, name: string, args: readonly unknown[]): Promise<T> {
  const result = await page.evaluate(
    ([name, args]) => {
      const { entry } = globalThis as unknown as PageGlobals;
      const checks = entry.checks as Record<string, () => unknown> | undefined;
      if (checks && name === 'checkNames') return Object.keys(checks);
      if (checks && name === 'runCheck') return checks[String(args[0])]();
      return (entry[name] as (...args: readonly unknown[]) => unknown)(...args);
    },
    [name, args] as const,
  );
  return result as T;
}

function collectComplaints(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return complaints;
}

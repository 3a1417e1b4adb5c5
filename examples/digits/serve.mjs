// Builds the page and serves it on this machine: WebGPU needs http://localhost or https.
//
//   npm run build && node examples/digits/serve.mjs [port]
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPage } from './build.mjs';

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
};

/**
 * Serves a folder on localhost.
 * @param {string} folder
 * @param {number} port 0 for any free one
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function serve(folder, port) {
  const server = createServer(async (request, response) => {
    // The parser resolves `..`, so that nothing above the folder can be asked for.
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = join(folder, decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname));
    try {
      if (!path.startsWith(folder)) throw new Error('outside');
      const body = await readFile(path);
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
    }
  });
  await new Promise((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => listening(undefined));
  });
  const address = server.address();
  const used = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://localhost:${used}/`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = fileURLToPath(new URL('../../dist/examples/digits', import.meta.url));
  await buildPage(folder);
  const { url } = await serve(folder, Number(process.argv[2] ?? 8080));
  console.log(`Draw digits at ${url}`);
}

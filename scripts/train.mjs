// `npm run train`: builds the library and the training example, then trains. Arguments pass through.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @param {string} script @param {string[]} args */
function run(script, ...args) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { status, signal } = spawnSync(process.execPath, [path, ...args], { stdio: 'inherit' });
  if (signal) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}

run('./build.mjs', '--js-only');
run('../dist/examples/train-mnist.js', ...process.argv.slice(2));

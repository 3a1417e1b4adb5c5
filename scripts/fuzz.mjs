// npm run fuzz -- --runs N: random graphs of operations, compared between the engines, forward and gradient.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '20000' } } });
if (!/^[1-9]\d*$/.test(values.runs)) {
  console.error(`[fuzz] --runs is ${values.runs} (expected a whole number above 0)`);
  process.exit(2);
}
const test = fileURLToPath(new URL('test.mjs', import.meta.url));
const env = { ...process.env, TILLER_FUZZ_RUNS: values.runs };
process.exit(spawnSync(process.execPath, [test, 'test/fuzz'], { stdio: 'inherit', env }).status ?? 1);

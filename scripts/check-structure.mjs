// Part of `npm run lint`: checks every source of the library against the rules of structure.mjs.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brokenRules } from './structure.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const problems = ['src', 'kernels'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => brokenRules(path, readFileSync(join(root, path), 'utf8'))),
);

for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  console.error(`${problems.length} broken rule${problems.length === 1 ? '' : 's'} of scripts/structure.mjs`);
  process.exit(1);
}

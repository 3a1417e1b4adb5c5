import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { testEnvironment } from './scripts/machine.mjs';

/** WGSL sources are imported as text, as esbuild's text loader does. */
function wgslAsText(): Plugin {
  return {
    name: 'wgsl-as-text',
    enforce: 'pre',
    load(id) {
      const path = id.split('?')[0];
      if (!path.endsWith('.wgsl')) return null;
      return `export default ${JSON.stringify(readFileSync(path, 'utf8'))};`;
    },
  };
}

/** The files that take a minute and more, which would leave one core idle at the end. */
const SLOW = ['oracle.webgpu', 'browser/oracle', 'oracle.wasm', 'browser/wasmOracle', 'train/train', 'fuzz/fuzz'];

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = SLOW.findIndex((name) => moduleId.includes(`${name}.test.`));
      return at < 0 ? SLOW.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [wgslAsText()],
  resolve: {
    // Tests import the sources, by the names that users import.
    alias: [
      { find: /^tiller$/, replacement: pathOf('./src/index.ts') },
      { find: /^tiller\/(\w+)$/, replacement: pathOf('./src/$1/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    env: testEnvironment(process.env),
    setupFiles: ['test/setup/vulkanLoader.ts'],
    // A process per test file: Dawn is native code, and one file's lost device must not reach the next.
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: SlowestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

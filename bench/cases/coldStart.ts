import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from '../measure.js';
import type { SoloCase } from './case.js';

/** Pairs of starts, where `--rounds` does not say. */
const PAIRS = 5;
/** Beside the bundle that this file is part of: bench/firstStep.ts. */
const PROGRAM = fileURLToPath(new URL('./firstStep/firstStep.mjs', import.meta.url));

const caseOf = (name: string, model: string, what: string): SoloCase => ({
  kind: 'solo',
  name,
  what: `from the start of a fresh process to the end of the first training step of ${what}: with an empty cache, and again`,

  async measure(engine, { rounds }) {
    const cold: number[] = [];
    const second: number[] = [];
    const bare: number[] = [];
    for (let i = 0; i < (rounds ?? PAIRS); i++) {
      const cache = mkdtempSync(join(tmpdir(), 'tiller-bench-cache-'));
      try {
        const program = [PROGRAM, JSON.stringify(engine), model];
        cold.push(await firstWord(program, cache));
        second.push(await firstWord(program, cache));
        bare.push(await firstWord(['-e', 'process.stdout.write("done")'], cache));
      } finally {
        rmSync(cache, { recursive: true, force: true });
      }
    }
    return {
      ms: median(cold),
      min: Math.min(...cold),
      samples: cold.length,
      detail: {
        secondMs: median(second),
        secondMin: Math.min(...second),
        coldOverSecond: median(cold) / median(second),
        nodeMs: median(bare),
      },
    };
  },
});

export const coldStart = caseOf('coldStart', 'mlp', 'the perceptron of mlpStep');
export const coldStartTransformer = caseOf('coldStartTransformer', 'transformer', 'a transformer of four layers');

/** Milliseconds from the start of a process to its first word; waits until it has ended. */
function firstWord(args: readonly string[], cache: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let ms: number | null = null;
    let complaints = '';
    const child = spawn(process.execPath, args, {
      env: { ...process.env, TILLER_CACHE: cache },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', () => {
      ms ??= performance.now() - start;
    });
    child.stderr.on('data', (text) => {
      complaints += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0 && ms !== null) resolve(ms);
      else reject(new Error(`the process of the first step ended with ${code}: ${complaints.trim()}`));
    });
  });
}

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../bench/run.mjs', import.meta.url));

/** Runs the command without peers, so that nothing is installed. */
function bench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--against', '', ...args], {
    encoding: 'utf8',
    timeout: 50_000,
  });
  return { status, stdout, stderr };
}

describe('the bench command', () => {
  it('prints a row of JSON for a benchmark', () => {
    const { status, stdout } = bench('sumRows', '--engine', 'reference', '--rounds', '1', '--json');
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toMatchObject([{ bench: 'sumRows', engine: 'reference', peer: null, samples: 1 }]);
    expect(rows[0].ms).toBeGreaterThan(0);
    expect(status).toBe(0);
  });

  it('refuses an unknown name before it measures anything', () => {
    const { status, stdout, stderr } = bench('sumRows', 'mathmul', '--json');
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('[bench] unknown benchmark: mathmul');
  });
});

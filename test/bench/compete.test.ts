import { describe, expect, it } from 'vitest';
import type { Case } from '../../bench/cases/case.js';
import { compete } from '../../bench/compete.js';
import type { Side } from '../../bench/side.js';

const benchmark = { name: 'double', what: '', kind: 'op', flops: 1e6, tolerance: 1e-3 } as Case;
const options = { rounds: 1, seconds: 1 };
let disposed: string[] = [];

/** A library that takes some time and has a result, or fails to prepare. */
function side(name: string, result: number[] | Error): Side {
  return {
    name,
    engine: 'reference',
    adapter: 'test',
    toggles: '',
    prepare: async () => {
      if (result instanceof Error) throw result;
      return {
        repeatable: false,
        start: () => {},
        finish: () => new Promise((resolve) => setTimeout(resolve, 2)),
        result: async () => result,
        dispose: () => void disposed.push(name),
      };
    },
    close: () => {},
  };
}

describe('a competition', () => {
  it('compares tiller with each peer', async () => {
    disposed = [];
    const rows = await compete(
      benchmark,
      [side('tiller', [2, 4])],
      [side('near', [2, 4.001]), side('far', [2, 5])],
      options,
    );
    expect(rows.map(({ peer, agrees }) => [peer, agrees])).toEqual([
      ['near', true],
      ['far', false],
    ]);
    for (const { ms, peerMs, ratio, gflops } of rows) {
      expect(ratio).toBeCloseTo(peerMs! / ms, 10);
      expect(gflops).toBeCloseTo(1 / ms, 10);
    }
    expect(disposed).toEqual(['tiller', 'near', 'far']);
  });

  it('goes on without a peer that fails, and says why', async () => {
    const rows = await compete(
      benchmark,
      [side('tiller', [1])],
      [side('broken', new Error('no such op\nat x'))],
      options,
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      peer: 'broken',
      peerMs: null,
      ratio: null,
      agrees: null,
      note: 'failed: no such op',
    });
    expect(rows[0]!.ms).toBeGreaterThan(0);
  });

  it('does not ask a peer for what it cannot do', async () => {
    const cannot = { 'peer reference': 'has no such op' };
    const rows = await compete({ ...benchmark, cannot }, [side('tiller', [1])], [side('peer', [1])], options);
    expect(rows[0]).toMatchObject({ peer: 'peer', peerMs: null, note: 'cannot: has no such op' });
    expect(rows[0]!.failed).toBeUndefined();
  });

  it('takes a library by its own word, and says what a native one computes on', async () => {
    const peer: Side = { ...side('peer', [1]), native: true, cannot: () => 'trains no more' };
    const rows = await compete(benchmark, [side('tiller', [1])], [peer], options);
    expect(rows[0]).toMatchObject({ native: true, peerAdapter: 'test', peerMs: null, note: 'cannot: trains no more' });
  });

  it('times tiller alone where there are no peers', async () => {
    const rows = await compete(benchmark, [side('tiller', [1])], [], options);
    expect(rows).toMatchObject([{ peer: null, ratio: null, agrees: null }]);
  });

  it('fails, and cleans up, where tiller fails', async () => {
    disposed = [];
    const sides = [side('tiller', [1]), side('tiller again', new Error('broken'))];
    await expect(compete(benchmark, sides, [side('peer', [1])], options)).rejects.toThrow('broken');
    expect(disposed).toEqual(['tiller']);
  });
});

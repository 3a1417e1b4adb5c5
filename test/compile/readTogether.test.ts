import { beforeAll, describe, expect, it, vi } from 'vitest';
import { currentEngine, disposeNode, hostStorage, initEngine, readNode, realize } from '../../src/compile/index.js';
import { binary, leaf, type Node } from '../../src/graph/index.js';

const host = (values: number[]): Node => leaf(hostStorage(Float32Array.from(values), [values.length], 'f32'));
const doubled = (values: number[]): Node => {
  const x = host(values);
  return binary('add', x, x);
};

describe.each(['reference', 'wasm', 'webgpu'] as const)('reads on %s', (engine) => {
  beforeAll(async () => {
    await initEngine({ engine });
  });

  it('reach the engine as one where they are asked for together', async () => {
    const nodes = [doubled([1, 2]), doubled([]), doubled([3]), doubled([4, 5, 6])];
    await realize(nodes);
    const read = vi.spyOn(currentEngine()!, 'read');
    const values = await Promise.all([...nodes, nodes[0]!].map(readNode));
    expect(values.map((v) => [...v])).toEqual([[2, 4], [], [6], [8, 10, 12], [2, 4]]);
    expect(read).toHaveBeenCalledTimes(1);
    read.mockRestore();
  });

  it('see what was there when they were asked for', async () => {
    const [kept, gone] = [doubled([1]), doubled([2])];
    await realize([kept, gone]);
    const reading = [readNode(gone), readNode(kept)];
    disposeNode(gone);
    expect((await Promise.all(reading)).map((v) => v[0])).toEqual([4, 2]);
    await expect(readNode(gone)).rejects.toThrow('disposed');
  });

  it('fail one by one', async () => {
    const [good, bad, other] = [doubled([1]), doubled([2]), doubled([3])];
    await realize([good, bad, other]);
    const actual = currentEngine()!;
    const original = actual.read.bind(actual);
    let calls = 0;
    const read = vi.spyOn(actual, 'read').mockImplementation((buffers) => {
      // The read of all, and of the second alone, meets an error.
      calls++;
      return calls === 1 || calls === 3 ? Promise.reject(new Error('spoiled')) : original(buffers);
    });
    const results = await Promise.allSettled([good, bad, other].map(readNode));
    read.mockRestore();
    expect(results.map((r) => (r.status === 'fulfilled' ? r.value[0] : String(r.reason)))).toEqual([
      2,
      'Error: spoiled',
      6,
    ]);
  });
});

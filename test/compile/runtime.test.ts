import { beforeAll, describe, expect, it, vi } from 'vitest';
import {
  cacheStats,
  currentEngine,
  disposeNode,
  hostStorage,
  initEngine,
  memory,
  readNode,
  realize,
  type Storage,
  storageOf,
} from '../../src/compile/index.js';
import {
  binary,
  constant,
  full,
  leaf,
  type Node,
  OutOfMemoryError,
  reduce,
  StaleTensorError,
  scalarNode,
  sizeOf,
  unary,
} from '../../src/graph/index.js';

const host = (values: number[], grad = false): Node =>
  leaf(hostStorage(Float32Array.from(values), [values.length], 'f32'), grad);
const add = (a: Node, b: Node): Node => binary('add', a, b);

beforeAll(async () => {
  await initEngine({ engine: 'reference' });
});

describe('realize', () => {
  it('stores a node once and forgets how it was made', async () => {
    const y = add(host([1, 2]), host([3, 4]));
    const done = realize([y]);
    expect(storageOf(y)).not.toBeNull();
    expect(y.inputs).toHaveLength(0);
    await done;
    expect([...(await readNode(y))]).toEqual([4, 6]);
    expect([...(await readNode(add(y, y)))]).toEqual([8, 12]);
  });

  it('waits for the engine, also where the work was queued before', async () => {
    const y = add(host([1]), host([2]));
    await realize([y]);
    let end = (): void => {};
    const busy = new Promise<void>((resolve) => {
      end = resolve;
    });
    const idle = vi.spyOn(currentEngine()!, 'idle').mockReturnValue(busy);
    let waited = false;
    const done = realize([y]).then(() => {
      waited = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(waited).toBe(false);
    end();
    await done;
    idle.mockRestore();
  });

  it('keeps the parents of what requires grad', async () => {
    const y = add(host([1], true), host([2]));
    await realize([y]);
    expect(y.inputs).toHaveLength(2);
    expect([...(await readNode(y))]).toEqual([3]);
  });

  it('captures scalars at the call', async () => {
    const source = { dtype: 'f32' as const, value: 2 };
    const make = (): Node => binary('mul', scalarNode(source), constant(10, 'f32'));
    const [first, second] = [make(), make()];
    realize([first]);
    source.value = 3;
    realize([second]);
    source.value = 4;
    expect([(await readNode(first))[0], (await readNode(second))[0]]).toEqual([20, 30]);
  });

  it('reuses a plan of equal structure, and only of equal structure', async () => {
    const run = async (n: number, c: number): Promise<void> => {
      await readNode(binary('mul', host(new Array(n).fill(1)), full([n], c, 'f32')));
    };
    await run(5, 2);
    const before = cacheStats();
    await run(5, 2);
    expect(cacheStats()).toEqual({ ...before, hits: before.hits + 1 });
    await run(5, -0);
    await run(5, 0);
    await run(6, 2);
    expect(cacheStats().misses).toBe(before.misses + 3);
  });

  it('takes a constant that keeps changing as a scalar', async () => {
    const run = async (c: number): Promise<number> => {
      const x = binary('mul', host([3, 4]), full([2], c, 'f32'));
      return (await readNode(binary('add', x, full([2], 1, 'f32'))))[0]!;
    };
    for (let c = 0; c < 8; c++) expect(await run(c)).toBe(3 * c + 1);
    const before = cacheStats();
    for (let c = 8; c < 40; c++) expect(await run(c)).toBe(3 * c + 1);
    expect(await run(Number.NaN)).toBeNaN();
    expect(await run(-0)).toBe(1);
    expect(cacheStats().misses).toBe(before.misses);
  });

  it('throws where a replaced or disposed tensor is used', async () => {
    const p = host([1, 2]);
    const late = add(p, p);
    const next = binary('sub', p, full([2], 1, 'f32'));
    const done = realize([next], { donate: [storageOf(p) as Storage] });
    expect(() => realize([late])).toThrow(StaleTensorError);
    await expect(readNode(p)).rejects.toThrow(/replaced/);
    await done;
    expect([...(await readNode(next))]).toEqual([0, 1]);
    disposeNode(next);
    await expect(readNode(next)).rejects.toThrow(/disposed/);
    expect(() => realize([add(next, next)])).toThrow(StaleTensorError);
  });

  it('lets work queued before a dispose finish', async () => {
    const x = host([1, 2, 3]);
    const y = unary('neg', x);
    realize([y]);
    disposeNode(x);
    expect([...(await readNode(y))]).toEqual([-1, -2, -3]);
  });

  it('brings fetched values to the host and keeps no device memory for them', async () => {
    const x = host([1, 2, 3]);
    const before = memory().live;
    const total = reduce('sum', x, [0]);
    await realize([total], { fetch: [total] });
    await realize([]);
    expect(memory().live).toBe(before);
    expect(storageOf(total)!.host![0]).toBe(6);
  });

  it('computes graphs ten thousand nodes deep', async () => {
    let x = host([0, 1, 2]);
    const one = host([1, 1, 1]);
    for (let i = 0; i < 10_000; i++) x = add(x, one);
    expect([...(await readNode(x))]).toEqual([10_000, 10_001, 10_002]);
  });

  it('gives empty tensors', async () => {
    const x = host([]);
    expect(sizeOf(x.shape)).toBe(0);
    expect(await readNode(add(x, x))).toHaveLength(0);
    expect([...(await readNode(reduce('sum', x, [0])))]).toEqual([0]);
  });
});

describe('memory', () => {
  it('stays flat over 2,000 steps that upload a batch each and dispose of nothing', async () => {
    let p: Node = host(new Array(64).fill(1));
    const live: number[] = [];
    for (let step = 0; step < 2000; step++) {
      const batch = host(Array.from({ length: 64 }, (_, i) => (step * i) % 7));
      const loss = reduce('sum', binary('mul', p, batch), [0]);
      const next = binary('sub', p, binary('mul', batch, full([64], 1e-4, 'f32')));
      await realize([next, loss], { donate: [storageOf(p) as Storage], fetch: [loss] });
      p = leaf(storageOf(next)!);
      live.push(memory().live + memory().pooled);
    }
    expect(Math.max(...live.slice(50))).toBe(live[50]);
  });
});

describe('errors', () => {
  it('stick to what they spoiled, and an ignored promise is no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const note = (e: unknown): void => {
      unhandled.push(e);
    };
    process.on('unhandledRejection', note);
    // 2^33 bytes: no engine takes that.
    const big = full([2 ** 31], 1, 'f32');
    realize([big]);
    await expect(readNode(big)).rejects.toThrow(OutOfMemoryError);
    expect(() => realize([unary('neg', big)])).toThrow(OutOfMemoryError);
    await new Promise((r) => setTimeout(r, 20));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
    expect([...(await readNode(add(host([1]), host([2]))))]).toEqual([3]);
  });
});

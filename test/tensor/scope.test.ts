import * as tl from 'tiller';
import { beforeEach, describe, expect, it } from 'vitest';
import { rebind } from '../../src/tensor/internal.js';

beforeEach(() => tl.init({ engine: 'reference' }));

describe('scope()', () => {
  it('frees what was computed inside and gives what is returned', async () => {
    let inside: tl.Tensor | null = null;
    const out = tl.scope(() => {
      inside = tl.tensor([1, 2]).mul(2);
      void tl.realize(inside);
      return { sum: inside.add(1), list: [inside.mul(3)] };
    });
    expect(inside!.disposed).toBe(true);
    expect(await out.sum.tolist()).toEqual([3, 5]);
    expect(await out.list[0]!.tolist()).toEqual([6, 12]);
  });

  it('spares tensors from outside, also where another tensor inside stands for them', async () => {
    const outside = tl.tensor([1, 2]).mul(2);
    await tl.realize(outside);
    await tl.scope(() => outside.reshape(2).detach().data());
    expect(await outside.tolist()).toEqual([2, 4]);
  });

  it('spares gradients and what is kept', async () => {
    const w = tl.tensor([1, 2], { requiresGrad: true });
    const state = await tl.scope(async () => {
      const kept = tl.keep(w.detach().add(1));
      const loss = w.mul(w).sum();
      loss.backward();
      await tl.realize(kept, loss, w.grad!);
      return { kept: () => kept };
    });
    expect(await state.kept().tolist()).toEqual([2, 3]);
    expect(await w.grad!.tolist()).toEqual([2, 4]);
  });

  it('spares the values that parameters were pointed at', async () => {
    const w = tl.tensor([1, 2], { requiresGrad: true });
    tl.scope(() => {
      const next = tl.noGrad(() => w.add(1));
      void tl.realize(next);
      rebind(w, next.node);
    });
    expect(await w.tolist()).toEqual([2, 3]);
  });

  it('waits for a promise', async () => {
    let inside: tl.Tensor | null = null;
    const value = await tl.scope(() => {
      inside = tl.tensor([1, 2]).sum();
      return inside.item();
    });
    expect(value).toBe(3);
    expect(inside!.disposed).toBe(true);
  });

  it('frees after an error, and passes it on', async () => {
    let inside: tl.Tensor | null = null;
    const fail = () => {
      inside = tl.tensor([1]).add(1);
      void tl.realize(inside);
      throw new Error('mine');
    };
    expect(() => tl.scope(fail)).toThrow('mine');
    expect(inside!.disposed).toBe(true);
    await expect(
      tl.scope(async () => {
        fail();
      }),
    ).rejects.toThrow('mine');
    expect(inside!.disposed).toBe(true);
  });

  it('nests', async () => {
    const result = tl.scope(() => {
      const a = tl.tensor([1]).add(1);
      const b = tl.scope(() => {
        const c = a.add(1);
        void tl.realize(c);
        return c.add(1);
      });
      return b.add(1);
    });
    expect(await result.tolist()).toEqual([5]);
  });

  it('returns the memory', async () => {
    const run = () => tl.scope(() => tl.ones([1000]).mul(2).add(tl.arange(1000)).tolist());
    await run();
    const before = tl.memory().live;
    for (let i = 0; i < 5; i++) await run();
    expect(tl.memory().live).toBe(before);
  });
});

describe('dispose()', () => {
  it('is what `using` calls', async () => {
    const x = tl.tensor([1]).add(1);
    await tl.realize(x);
    x[Symbol.dispose]();
    await expect(x.data()).rejects.toThrow(tl.StaleTensorError);
  });

  it('makes graphs that need the value stale', async () => {
    const x = tl.tensor([1]).add(1);
    await tl.realize(x);
    const y = x.mul(2);
    x.dispose();
    await expect(y.data()).rejects.toThrow(tl.StaleTensorError);
  });
});

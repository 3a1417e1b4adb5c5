import * as tl from 'tiller';
import { beforeEach, describe, expect, it } from 'vitest';

beforeEach(async () => {
  await tl.init({ engine: 'reference' });
});

describe('t.to(engine)', () => {
  it('moves values, computed or not, of every dtype, and back', async () => {
    const tensors = [
      tl.tensor([1, 2, 3]).mul(2),
      tl.tensor([1, -2], { dtype: 'i32' }).neg(),
      tl.tensor([true, false]).logicalNot(),
      tl.zeros([0, 3]).add(1),
    ];
    const lists = await Promise.all(tensors.map((t) => t.to('wasm').to('reference').tolist()));
    expect(lists).toEqual([[2, 4, 6], [-1, 2], [false, true], []]);
  });

  it('pins work to the engine that it moved to, and refuses to mix', async () => {
    const here = tl.tensor([1, 2]).add(0);
    await tl.realize(here);
    const there = here.to('wasm');
    expect(await there.mul(10).tolist()).toEqual([10, 20]);
    // The values are on the host by now, and still the work belongs to wasm.
    const before = tl.memory().peak;
    expect(await there.mul(there).sum().item()).toBe(5);
    expect(tl.memory().peak).toBe(before);
    const resident = here.mul(2);
    await tl.realize(resident);
    expect(() => tl.realize(there.add(resident))).toThrow(/different engines/);
    // Data that was never anywhere goes where the rest is.
    expect(await there.add(tl.tensor([1, 1])).tolist()).toEqual([2, 3]);
  });

  it('is the tensor itself where it is there already', async () => {
    const x = tl.tensor([1]).add(1);
    expect(x.to('reference')).toBe(x);
  });

  it('keeps the order of what is queued', async () => {
    const x = tl.tensor([1, 2]).add(1);
    const moved = x.to('wasm');
    x.dispose();
    const back = moved.mul(2).to('reference').add(1);
    moved.dispose();
    expect(await back.tolist()).toEqual([5, 7]);
    await expect(moved.data()).rejects.toThrow(tl.StaleTensorError);
  });

  it('refuses what it cannot do', async () => {
    const w = tl.tensor([1], { requiresGrad: true });
    expect(() => w.mul(2).to('wasm')).toThrow(/\[to\] gradients do not flow between engines/);
    expect(await w.mul(2).detach().to('wasm').item()).toBe(2);
    expect(await tl.noGrad(() => w.mul(2).to('wasm')).item()).toBe(2);
    expect(() => tl.compile((x: tl.Tensor) => x.to('wasm'))(tl.tensor([1]))).toThrow(/\[to\] a compiled/);
    expect(() => tl.grad((x: tl.Tensor) => x.to('wasm').sum())(tl.tensor([1]))).toThrow(tl.UnsupportedError);
    const gone = tl.tensor([1]);
    gone.dispose();
    expect(() => gone.to('wasm')).toThrow(tl.StaleTensorError);
    await expect(async () =>
      tl
        .tensor([1])
        .to('nowhere' as 'wasm')
        .data(),
    ).rejects.toThrow(/nowhere/);
  });
});

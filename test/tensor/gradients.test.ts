import * as tl from 'tiller';
import { beforeEach, describe, expect, it } from 'vitest';
import { rebind, takeBackwardRoots } from '../../src/tensor/internal.js';

const leaf = (data: tl.TensorData) => tl.tensor(data, { requiresGrad: true });

beforeEach(async () => {
  await tl.init({ engine: 'reference' });
  takeBackwardRoots();
});

describe('requiresGrad', () => {
  it('spreads to what is computed, but not past detach, noGrad and other dtypes', () => {
    const w = leaf([1, 2]);
    expect(w.requiresGrad).toBe(true);
    expect(w.mul(2).requiresGrad).toBe(true);
    expect(tl.tensor([1]).mul(w).requiresGrad).toBe(true);
    expect(tl.tensor([1]).mul(2).requiresGrad).toBe(false);
    expect(w.detach().requiresGrad).toBe(false);
    expect(w.gt(0).requiresGrad).toBe(false);
    expect(w.cast('i32').requiresGrad).toBe(false);
    expect(w.argmax().requiresGrad).toBe(false);
    expect(tl.noGrad(() => w.mul(2)).requiresGrad).toBe(false);
    expect(w.mul(2).requiresGrad).toBe(true);
  });

  it('comes back after noGrad throws', () => {
    expect(() =>
      tl.noGrad(() => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(leaf([1]).mul(2).requiresGrad).toBe(true);
  });

  it('is set and unset on tensors without a history', async () => {
    const stored = tl.tensor([1, 2]);
    stored.requiresGrad = true;
    stored.mul(3).sum().backward();
    expect(await stored.grad!.tolist()).toEqual([3, 3]);
    stored.requiresGrad = false;
    expect(stored.mul(2).requiresGrad).toBe(false);
    expect(await stored.tolist()).toEqual([1, 2]);

    const computed = tl.ones(2).mul(4);
    computed.requiresGrad = true;
    computed.mul(computed).sum().backward();
    expect(await computed.grad!.tolist()).toEqual([8, 8]);
    computed.requiresGrad = false;
    expect(computed.mul(2).requiresGrad).toBe(false);
    expect(await computed.tolist()).toEqual([4, 4]);
  });

  it('cannot be unset on what was computed from a leaf', () => {
    const y = leaf([1]).mul(2);
    expect(() => {
      y.requiresGrad = false;
    }).toThrow(/\[requiresGrad\] cannot be turned off on a computed tensor/);
  });
});

describe('backward()', () => {
  it('accumulates in the leaves, twice where called twice', async () => {
    const w = leaf([1, 2, 3]);
    w.mul(w).sum().backward();
    expect(await w.grad!.tolist()).toEqual([2, 4, 6]);
    w.sum().backward();
    expect(await w.grad!.tolist()).toEqual([3, 5, 7]);
    w.grad = null;
    w.sum().backward();
    expect(await w.grad!.tolist()).toEqual([1, 1, 1]);
  });

  it('leaves alone what it does not reach', () => {
    const used = leaf([1]);
    const unused = leaf([1]);
    const constant = tl.tensor([1]);
    used.mul(constant).sum().backward();
    expect(used.grad).not.toBeNull();
    expect(unused.grad).toBeNull();
    expect(constant.grad).toBeNull();
  });

  it('weighs several outputs', async () => {
    const w = leaf([1, 2]);
    w.mul(w).backward(tl.tensor([10, 100]));
    expect(await w.grad!.tolist()).toEqual([20, 400]);
  });

  it('gives gradients that need no grad themselves unless asked', async () => {
    const w = leaf([2]);
    w.pow(3).sum().backward();
    expect(w.grad!.requiresGrad).toBe(false);
    w.grad = null;
    w.pow(3).sum().backward(null, { createGraph: true });
    expect(w.grad!.requiresGrad).toBe(true);
    const first = w.grad!;
    w.grad = null;
    first.sum().backward();
    expect(await first.tolist()).toEqual([12]);
    expect(await w.grad!.tolist()).toEqual([12]);
  });

  it('works after the loss was read', async () => {
    const w = leaf([3]);
    const loss = w.mul(w).sum();
    expect(await loss.item()).toBe(9);
    loss.backward();
    expect(await w.grad!.tolist()).toEqual([6]);
  });

  it('hands the losses that are not computed to the next step, once', async () => {
    const w = leaf([3]);
    const [read, unread] = [w.sum(), w.mul(2).sum()];
    read.backward();
    unread.backward();
    unread.backward();
    await read.item();
    expect(takeBackwardRoots()).toEqual([unread]);
    expect(takeBackwardRoots()).toEqual([]);
  });

  it('does not collect losses without end', () => {
    const w = leaf([3]);
    for (let i = 0; i < 500; i++) w.sum().backward();
    const roots = takeBackwardRoots();
    expect(roots.length).toBeGreaterThan(0);
    expect(roots.length).toBeLessThan(100);
  });

  it('finds a parameter again after it was pointed at a new value', async () => {
    const w = leaf([1]);
    const next = tl.noGrad(() => w.add(4));
    await tl.realize(next);
    rebind(w, next.node);
    expect(w.requiresGrad).toBe(true);
    w.mul(w).sum().backward();
    expect(await w.grad!.tolist()).toEqual([10]);
    expect(await w.tolist()).toEqual([5]);
  });
});

describe('grad and valueAndGrad', () => {
  it('differentiates by the first argument', async () => {
    const g = tl.grad((x: tl.Tensor, y: tl.Tensor) => x.mul(x).mul(y).sum());
    expect(await g(tl.tensor([1, 2]), tl.tensor([10, 100])).tolist()).toEqual([20, 400]);
  });

  it('takes and gives structures', async () => {
    interface Params {
      w: tl.Tensor;
      layers: tl.Tensor[];
    }
    const f = ({ w, layers }: Params, scale: number) => w.mul(layers[0]!).mul(scale).sum();
    const [value, g] = tl.valueAndGrad(f)({ w: tl.tensor([2]), layers: [tl.tensor([3]), tl.tensor([1, 1])] }, 10);
    expect(await value.item()).toBe(60);
    expect(await g.w.tolist()).toEqual([30]);
    expect(await Promise.all(g.layers.map((x) => x.tolist()))).toEqual([[20], [0, 0]]);
  });

  it('nests: derivatives of x^4', async () => {
    const f = (x: tl.Tensor) => x.mul(x).mul(x).mul(x);
    const first = tl.grad(f);
    const second = tl.grad((x: tl.Tensor) => first(x));
    const third = tl.grad((x: tl.Tensor) => second(x));
    const x = tl.tensor(2);
    expect(await first(x).item()).toBe(32);
    expect(await second(x).item()).toBe(48);
    expect(await third(x).item()).toBe(48);
  });

  it('mixes with backward() on leaves from outside', async () => {
    const w = leaf(3);
    // d/dx (w x^2) at 2 is 4 w; its derivative by w is 4.
    const slope = tl.grad((x: tl.Tensor) => x.mul(x).mul(w))(tl.tensor(2));
    expect(slope.requiresGrad).toBe(true);
    slope.backward();
    expect(await slope.item()).toBe(12);
    expect(await w.grad!.item()).toBe(4);
  });

  it('gives results without a history, so that loops do not grow', () => {
    const g = tl.valueAndGrad((x: tl.Tensor) => x.mul(x).sum());
    let x = tl.tensor([1, 2]);
    for (let i = 0; i < 3; i++) {
      const [value, dx] = g(x);
      expect(value.requiresGrad).toBe(false);
      expect(dx.requiresGrad).toBe(false);
      x = x.sub(dx.mul(0.1));
    }
    expect(x.requiresGrad).toBe(false);
  });

  it('gives zeros for what the function ignores', async () => {
    expect(
      await tl
        .grad((_: tl.Tensor) => tl.ones([]))(tl.tensor([1, 2]))
        .tolist(),
    ).toEqual([0, 0]);
    expect(
      await tl
        .grad((x: tl.Tensor) => x.detach().sum())(tl.tensor([1, 2]))
        .tolist(),
    ).toEqual([0, 0]);
  });

  it('does not collect gradients in the leaves', () => {
    const w = leaf([1]);
    tl.grad((x: tl.Tensor) => x.mul(w).sum())(tl.tensor([2]));
    expect(w.grad).toBeNull();
    expect(takeBackwardRoots()).toEqual([]);
  });
});

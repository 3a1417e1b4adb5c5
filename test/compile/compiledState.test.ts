import { beforeEach, describe, expect, it } from 'vitest';
import * as tl from '../../src/index.js';
import * as nn from '../../src/nn/index.js';
import * as optim from '../../src/optim/index.js';

for (const engine of ['reference', 'wasm'] as const) {
  describe(`compiled functions and what changes outside of them, on ${engine}`, () => {
    beforeEach(async () => {
      await tl.init({ engine });
      tl.manualSeed(1);
    });

    const weights = (...values: number[]): tl.Tensor => tl.tensor(values, { requiresGrad: true });

    it('follow parameters that were not computed when they were traced', async () => {
      const net = new nn.Linear(2, 1);
      const f = tl.compile((x: tl.Tensor) => net.forward(x));
      const x = tl.ones([1, 2]);
      expect(await f(x).item()).toBe(await net.forward(x).item());
      const opt = new optim.SGD(net.parameters(), { lr: 0.5 });
      net.forward(x).sum().backward();
      await opt.step();
      expect(await f(x).item()).toBe(await net.forward(x).item());
      expect(f.traces).toBe(1);
    });

    it('see what is loaded into frozen parameters', async () => {
      const net = new nn.Linear(2, 1);
      await tl.realize(...net.parameters());
      for (const p of net.parameters()) p.requiresGrad = false;
      const f = tl.compile((x: tl.Tensor) => net.forward(x));
      const x = tl.ones([1, 2]);
      await f(x).item();
      const other = new nn.Linear(2, 1);
      net.loadStateDict(other.stateDict());
      expect(await f(x).item()).toBeCloseTo(await other.forward(x).item(), 6);
    });

    it('are traced again when a parameter is unfrozen', async () => {
      const [a, b] = [weights(1, 2), weights(3, 4)];
      b.requiresGrad = false;
      const all = new optim.SGD([a], { lr: 1 });
      b.requiresGrad = true;
      const opt = new optim.SGD([a, b], { lr: 1 });
      void all;
      b.requiresGrad = false;
      const step = tl.compile(() => {
        opt.zeroGrad();
        a.add(b).sum().backward();
        opt.step();
      });
      step();
      expect([await a.tolist(), await b.tolist()]).toEqual([
        [0, 1],
        [3, 4],
      ]);
      b.requiresGrad = true;
      step();
      expect([await a.tolist(), await b.tolist()]).toEqual([
        [-1, 0],
        [2, 3],
      ]);
    });

    it('take several steps in one call', async () => {
      const run = async (compiled: boolean): Promise<number[]> => {
        const w = weights(1, -2);
        const opt = new optim.Adam([w], { lr: 0.1 });
        const fn = (): tl.Tensor => {
          for (let k = 0; k < 2; k++) {
            opt.zeroGrad();
            w.square().sum().backward();
            opt.step();
          }
          return w.mul(1);
        };
        const f = compiled ? tl.compile(fn) : fn;
        const seen: number[] = [];
        for (let i = 0; i < 3; i++) seen.push(...(await f().data()));
        return seen;
      };
      const [actual, expected] = [await run(true), await run(false)];
      actual.forEach((v, i) => {
        expect(v).toBeCloseTo(expected[i]!, 5);
      });
    });

    it('refuse reading and realizing inside, without arguments too', async () => {
      const w = weights(1, 2);
      let read: Promise<unknown> | undefined;
      tl.compile(() => {
        const l = w.square().sum();
        read = l.item();
        read.catch(() => {});
        return l;
      })();
      await expect(read).rejects.toThrow(tl.UnsupportedError);
    });

    it('do not overwrite state that is an argument as well', async () => {
      const w = tl.full([64], 5);
      await tl.realize(w);
      const p = tl.tensor(await w.data(), { requiresGrad: true });
      const opt = new optim.SGD([p], { lr: 1 });
      const step = tl.compile((x: tl.Tensor) => {
        opt.zeroGrad();
        p.mul(x).sum().backward();
        opt.step();
        return [x.mul(2), x.add(0)];
      });
      const [double, same] = step(tl.noGrad(() => p.detach()));
      expect(new Set(await double!.data())).toEqual(new Set([10]));
      expect(new Set(await same!.data())).toEqual(new Set([5]));
      expect(new Set(await p.data())).toEqual(new Set([0]));
    });

    it('tell numbers apart that JSON does not', async () => {
      const f = tl.compile((x: tl.Tensor, k: number) => x.mul(k));
      const x = tl.tensor([1]);
      expect(await f(x, Infinity).item()).toBe(Infinity);
      expect(await f(x, -Infinity).item()).toBe(-Infinity);
      expect(await f(x, Number.NaN).item()).toBeNaN();
    });

    it('let gradients through when an argument requires grad', async () => {
      const f = tl.compile((x: tl.Tensor) => x.square().sum());
      expect(
        await tl
          .grad(f)(tl.tensor([1, 2]))
          .tolist(),
      ).toEqual([2, 4]);
      const w = weights(3);
      f(w).backward();
      expect(await w.grad!.tolist()).toEqual([6]);
    });

    it('capture what was built outside with the weights of that time', async () => {
      const w = weights(1);
      const h = w.mul(10);
      const f = tl.compile((x: tl.Tensor) => x.add(h));
      expect(await f(tl.tensor([1])).item()).toBe(11);
      const opt = new optim.SGD([w], { lr: 1 });
      w.sum().backward();
      await opt.step();
      expect(await f(tl.tensor([1])).item()).toBe(11);
    });

    it('notice an optimizer state that was loaded', async () => {
      const w = weights(1);
      const opt = new optim.SGD([w], { lr: 1, momentum: 0.5 });
      const step = tl.compile(() => {
        opt.zeroGrad();
        w.sum().backward();
        opt.step();
      });
      step();
      step();
      const saved = opt.stateDict();
      const copy = new optim.SGD([w], { lr: 1, momentum: 0.5 });
      await opt.loadStateDict(copy.stateDict());
      void saved;
      const before = await w.item();
      step();
      expect((await w.item()) - before).toBe(-1);
    });

    it('refuse gradients from outside, and leave gradients alone when they fail', async () => {
      const w = weights(1);
      const opt = new optim.SGD([w], { lr: 1 });
      w.mul(10).sum().backward();
      const f = tl.compile(() => {
        w.sum().backward();
        opt.step();
      });
      expect(f).toThrow(tl.ArgumentError);
      expect(await w.grad!.item()).toBe(10);
      opt.zeroGrad();
      f();
      expect(await w.item()).toBe(0);
      expect(w.grad).toBeNull();
    });

    it('count no step that could not run', async () => {
      const w = weights(1);
      const opt = new optim.Adam([w], { lr: 0.1 });
      const f = tl.compile((x: tl.Tensor) => {
        opt.zeroGrad();
        w.mul(x).sum().backward();
        opt.step();
      });
      f(tl.tensor([1]));
      const gone = tl.tensor([1]);
      await tl.realize(gone);
      gone.dispose();
      expect(() => f(gone)).toThrow(tl.StaleTensorError);
      expect(opt.stateDict().state[0]!.step).toBe(1);
    });
  });

  describe(`eager code on ${engine}`, () => {
    it('reads in order: a value asked for before a step or a disposal', async () => {
      await tl.init({ engine });
      const w = tl.tensor([1, 2], { requiresGrad: true });
      const opt = new optim.SGD([w], { lr: 1 });
      for (let i = 0; i < 3; i++) {
        opt.zeroGrad();
        w.mul(i + 1)
          .sum()
          .backward();
        opt.step();
      }
      const now = w.data();
      opt.zeroGrad();
      w.sum().backward();
      opt.step();
      const y = w.mul(2);
      const doubled = y.data();
      y.dispose();
      expect([...(await now)]).toEqual([-5, -4]);
      expect([...(await doubled)]).toEqual([-12, -10]);
    });

    it('steps although a loss was forgotten whose batch is gone', async () => {
      await tl.init({ engine });
      const [w, v] = [tl.tensor([1], { requiresGrad: true }), tl.tensor([1], { requiresGrad: true })];
      const x = tl.tensor([2]);
      await tl.realize(x);
      w.mul(x).sum().backward();
      x.dispose();
      const opt = new optim.SGD([v], { lr: 1 });
      v.sum().backward();
      await opt.step();
      expect(await v.item()).toBe(0);
    });

    it('trains inside a scope', async () => {
      await tl.init({ engine });
      const w = tl.tensor([1, 2], { requiresGrad: true });
      const opt = new optim.SGD([w], { lr: 0.25 });
      const loss = await tl.scope(async () => {
        const l = w.square().sum();
        l.backward();
        await opt.step();
        return l.item();
      });
      expect(loss).toBe(5);
      expect(await w.tolist()).toEqual([0.5, 1]);
    });

    it('draws another order of randperm at every call', async () => {
      await tl.init({ engine });
      const draw = tl.compile((x: tl.Tensor) => tl.randperm(50).add(x));
      const zero = tl.zeros([50], { dtype: 'i32' });
      const [first, second] = [[...(await draw(zero).data())], [...(await draw(zero).data())]];
      const sorted = (order: number[]) => [...order].sort((a, b) => a - b);
      expect(second).not.toEqual(first);
      for (const order of [first, second]) expect(sorted(order)).toEqual([...Array(50).keys()]);
    });

    it('frees only what is a tensor’s own', async () => {
      await tl.init({ engine });
      const x = tl.tensor([[1, 2]]).add(1);
      const same = x.reshape(1, 2);
      same.dispose();
      expect(await x.tolist()).toEqual([[2, 3]]);
    });

    it('refuses gradients that do not fit', () => {
      const w = tl.tensor([1, 2], { requiresGrad: true });
      expect(() => {
        w.grad = tl.ones([3]);
      }).toThrow(tl.ShapeError);
    });
  });
}

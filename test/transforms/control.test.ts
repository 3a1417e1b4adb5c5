import * as tl from 'tiller';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await tl.init({ engine: 'reference' });
});

const t = (data: tl.TensorData, shape?: number[]) => tl.tensor(data, shape && { shape });
const n = (value: number) => tl.full([], value);

describe('cond', () => {
  const up = (x: tl.Tensor) => ({ y: x.mul(2) });
  const down = (x: tl.Tensor) => ({ y: x.mul(-3) });

  it('computes one branch for a boolean', async () => {
    const never = (): { y: tl.Tensor } => {
      throw new Error('not taken');
    };
    expect(await tl.cond(true, up, never, t([1])).y.tolist()).toEqual([2]);
    expect(await tl.cond(false, never, down, t([1])).y.tolist()).toEqual([-3]);
  });

  it('selects for a tensor, also in gradients, vmap and compile', async () => {
    const f = (x: tl.Tensor) => tl.cond(x.sum().gt(0), up, down, x).y;
    expect(await f(t([1, 2])).tolist()).toEqual([2, 4]);
    expect(await f(t([-1, -2])).tolist()).toEqual([3, 6]);
    expect(
      await tl
        .vmap(f)(t([1, 2, -1, -2], [2, 2]))
        .tolist(),
    ).toEqual([
      [2, 4],
      [3, 6],
    ]);
    expect(
      await tl
        .grad((x: tl.Tensor) => f(x).sum())(t([-1]))
        .tolist(),
    ).toEqual([-3]);
    const compiled = tl.compile(f);
    expect(await compiled(t([1])).tolist()).toEqual([2]);
    expect(await compiled(t([-1])).tolist()).toEqual([3]);
  });

  it('refuses branches that differ and conditions that are none', () => {
    const c = n(1).gt(0);
    expect(() =>
      tl.cond(
        c,
        () => [n(1)],
        () => [n(1), n(2)],
      ),
    ).toThrow("[cond] results have different structures: only one has the tensor '[1]'");
    expect(() =>
      tl.cond(
        c,
        () => t([1]),
        () => t([1, 2]),
      ),
    ).toThrow('[cond] results differ in shape: [1] and [2] (expected one shape)');
    expect(() =>
      tl.cond(
        c,
        () => ({ a: n(1) }),
        () => ({ a: n(1).cast('i32') }),
      ),
    ).toThrow('[cond] results.a differ in dtype: f32 and i32');
    expect(() => tl.cond(n(1), up, down, t([1]))).toThrow('[cond] condition is f32 (expected bool)');
    expect(() => tl.cond(t([1]).gt(0), up, down, t([1]))).toThrow('[cond] condition is [1] (expected shape [])');
    expect(() => tl.cond(1 as never, up, down, t([1]))).toThrow(
      '[cond] condition is number (expected a boolean or a bool tensor)',
    );
  });
});

describe('foriLoop', () => {
  it('carries on', async () => {
    expect(await tl.foriLoop(5, (i, x) => x.mul(2).add(i), n(1)).item()).toBe(58);
    expect(await tl.foriLoop(0, (_, x) => x.mul(2), n(1)).item()).toBe(1);
    const power = (x: tl.Tensor) => tl.foriLoop(4, (_, { y }) => ({ y: y.mul(x) }), { y: n(1) }).y;
    expect(await tl.grad(power)(n(2)).item()).toBe(32);
    expect(
      await tl
        .vmap(power)(t([1, 2, 3]))
        .tolist(),
    ).toEqual([1, 16, 81]);
  });

  it('refuses carries that change and counts that are none', () => {
    expect(() => tl.foriLoop(2, (_, x) => tl.stack([x, x]), n(1))).toThrow(
      '[foriLoop] carries differ in shape: [2] and []',
    );
    expect(() => tl.foriLoop(1.5, (_, x) => x, n(1))).toThrow('[foriLoop] n is 1.5');
    expect(() => tl.foriLoop(-1, (_, x) => x, n(1))).toThrow('[foriLoop] n is -1');
  });
});

describe('scan', () => {
  const sums = (carry: tl.Tensor, x: tl.Tensor) => [carry.add(x), carry.mul(10).add(x)] as const;

  it('gives the last carry and stacked outputs', async () => {
    const [last, ys] = tl.scan(sums, n(0), t([1, 2, 3]));
    expect(await last.item()).toBe(6);
    expect(await ys.tolist()).toEqual([1, 12, 33]);
  });

  it('goes backwards', async () => {
    const [last, ys] = tl.scan(sums, n(0), t([1, 2, 3]), { reverse: true });
    expect(await last.item()).toBe(6);
    expect(await ys.tolist()).toEqual([51, 32, 3]);
  });

  it('takes structures, nothing, and gives none', async () => {
    const f = ([a, b]: tl.Tensor[], x: { p: tl.Tensor; q: tl.Tensor }) =>
      [[a!.add(x.p), b!.add(x.q)], { s: [x.p.mul(x.q)] }] as [tl.Tensor[], { s: tl.Tensor[] }];
    const [[a, b], { s }] = tl.scan(f, [t([0, 0]), n(0)], { p: t([1, 2, 3, 4], [2, 2]), q: t([5, 6]) });
    expect(await a!.tolist()).toEqual([4, 6]);
    expect(await b!.item()).toBe(11);
    expect(await s[0]!.tolist()).toEqual([
      [5, 10],
      [18, 24],
    ]);
    const [doubled, none] = tl.scan((x: tl.Tensor) => [x.mul(2), null] as const, n(1), null, { length: 5 });
    expect(await doubled.item()).toBe(32);
    expect(none).toBe(null);
  });

  it('of nothing has the shapes that the function gives', async () => {
    const [last, ys] = tl.scan((c: tl.Tensor, x: tl.Tensor) => [c, tl.stack([x, x])] as const, n(7), tl.zeros([0, 3]));
    expect(await last.item()).toBe(7);
    expect(ys.shape).toEqual([0, 2, 3]);
  });

  it('is an RNN whose gradient and batching are those of the loop', async () => {
    const w = tl.sin(tl.arange(4).cast('f32')).reshape([2, 2]);
    const rnn = (v: tl.Tensor, xs: tl.Tensor) =>
      tl.scan((h: tl.Tensor, x: tl.Tensor) => [h.matmul(v).add(x).tanh(), h] as const, tl.zeros([2]), xs)[0].sum();
    const loop = (v: tl.Tensor, xs: tl.Tensor) => {
      let h = tl.zeros([2]);
      for (let i = 0; i < 3; i++) h = h.matmul(v).add(xs.select(0, i)).tanh();
      return h.sum();
    };
    const xs = tl.cos(tl.arange(12).cast('f32')).reshape([2, 3, 2]);
    for (let i = 0; i < 2; i++) {
      expect(await tl.grad(rnn)(w, xs.select(0, i)).tolist()).toEqual(await tl.grad(loop)(w, xs.select(0, i)).tolist());
    }
    expect(await tl.vmap(rnn, [null, 0])(w, xs).tolist()).toEqual([
      await loop(w, xs.select(0, 0)).item(),
      await loop(w, xs.select(0, 1)).item(),
    ]);
  });

  it('refuses what does not fit', () => {
    const id = (c: tl.Tensor) => [c, null] as const;
    expect(() => tl.scan(id, n(1), null)).toThrow('[scan] no xs and no length');
    expect(() => tl.scan(id, n(1), [t([1]), t([1, 2])])).toThrow(
      '[scan] lengths differ: xs[1] is [2] (expected 1 along axis 0)',
    );
    expect(() => tl.scan(id, n(1), t([1]), { length: 2 })).toThrow('[scan] lengths differ: xs is [1] (expected 2');
    expect(() => tl.scan(id, n(1), n(2))).toThrow('[scan] xs is one number');
    expect(() => tl.scan((c: tl.Tensor) => [tl.stack([c]), null] as const, n(1), t([1, 2]))).toThrow(
      '[scan] carries differ in shape',
    );
    const changing = (c: tl.Tensor, x: tl.Tensor) => [c.add(1), [...Array(2)].map(() => x)] as const;
    expect(() => tl.scan(changing, n(1), t([1, 2]))).not.toThrow();
  });
});

describe('whileLoop', () => {
  const below100 = (x: tl.Tensor) => x.lt(100);
  const double = (x: tl.Tensor) => x.mul(2);

  it('reads its condition back before every step', async () => {
    expect(await (await tl.whileLoop(below100, double, n(3))).item()).toBe(192);
    expect(await (await tl.whileLoop(below100, double, n(300))).item()).toBe(300);
    let steps = 0;
    await tl.whileLoop(
      () => steps < 3,
      (x) => {
        steps++;
        return x;
      },
      n(0),
    );
    expect(steps).toBe(3);
  });

  it('differentiates through the steps that it made', async () => {
    const x = tl.tensor(3, { requiresGrad: true });
    (await tl.whileLoop(below100, double, x.mul(1))).backward();
    expect(await x.grad!.item()).toBe(64);
  });

  it('is static with maxIterations: in gradients, vmap and compile', async () => {
    const f = (x: tl.Tensor) => tl.whileLoop(below100, double, x, { maxIterations: 8 });
    expect(await f(n(3)).item()).toBe(192);
    expect(await tl.whileLoop(below100, double, n(3), { maxIterations: 2 }).item()).toBe(12);
    expect(await tl.whileLoop(below100, double, n(3), { maxIterations: 0 }).item()).toBe(3);
    expect(
      await tl
        .vmap(f)(t([3, 99, 100, 1]))
        .tolist(),
    ).toEqual([192, 198, 100, 128]);
    expect(
      await tl
        .vmap(tl.grad(f))(t([3, 99, 100, 1]))
        .tolist(),
    ).toEqual([64, 2, 1, 128]);
    expect(await tl.compile(f)(n(3)).item()).toBe(192);
    expect(await tl.jvp(f, n(3), n(1))[1].item()).toBe(64);
  });

  it('refuses to depend on data inside transforms', async () => {
    const f = (x: tl.Tensor) => {
      tl.whileLoop(below100, double, x);
      return x;
    };
    for (const run of [
      () => tl.grad(f)(n(1)),
      () => tl.vmap(f)(t([1])),
      () => tl.compile(f)(n(1)),
      () => tl.jvp(f, n(1), n(1)),
    ]) {
      expect(run).toThrow(tl.UnsupportedError);
      expect(run).toThrow('[whileLoop] how often it runs depends on data');
    }
    await expect(tl.whileLoop((x) => x as never, double, n(1))).rejects.toThrow(
      '[whileLoop] condition is f32 (expected bool)',
    );
    await expect(tl.whileLoop(below100, (x) => tl.stack([x]), n(1))).rejects.toThrow(
      '[whileLoop] carries differ in shape',
    );
    expect(() => tl.whileLoop(below100, double, n(1), { maxIterations: -1 })).toThrow(
      '[whileLoop] maxIterations is -1',
    );
  });

  it('computes state and condition in one run a step', async () => {
    await tl.init({ engine: 'wasm' });
    const { result, runs } = await counted(() =>
      tl.whileLoop(
        ({ x }) => x.lt(100),
        ({ x, i }) => ({ x: x.mul(2), i: i.add(1) }),
        { x: n(3), i: n(0) },
      ),
    );
    expect(await result.x.item()).toBe(192);
    expect(await result.i.item()).toBe(6);
    expect(runs).toBeLessThanOrEqual(7);
    await tl.init({ engine: 'reference' });
  });
});

async function counted<T>(run: () => Promise<T>): Promise<{ result: T; runs: number }> {
  const before = tl.cacheStats();
  const result = await run();
  const after = tl.cacheStats();
  return { result, runs: after.hits + after.misses - before.hits - before.misses };
}

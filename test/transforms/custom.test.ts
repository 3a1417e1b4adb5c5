import * as tl from 'tiller';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await tl.init({ engine: 'reference' });
});

const t = (data: tl.TensorData, shape?: number[]) => tl.tensor(data, shape && { shape });

const roundStraight = tl.customVjp(
  (x: tl.Tensor) => [x.round(), null],
  (_, g) => [g],
);
/** x², with a slope of 10x, so that it shows which one was used. */
const odd = tl.customVjp(
  (x: tl.Tensor) => [x.mul(x), x],
  (x, g) => [g.mul(x).mul(10)],
);

describe('customVjp', () => {
  it('takes the value from forward and the gradient from backward', async () => {
    const [y, g] = tl.valueAndGrad((x: tl.Tensor) =>
      roundStraight(x)
        .mul(t([1, 2]))
        .sum(),
    )(t([0.4, 1.6]));
    expect(await y.item()).toBe(4);
    expect(await g.tolist()).toEqual([1, 2]);
    const x = tl.tensor([3], { requiresGrad: true });
    odd(x).sum().backward();
    expect(await x.grad!.tolist()).toEqual([30]);
  });

  it('is a plain function without a gradient', async () => {
    expect(await odd(t([3])).tolist()).toEqual([9]);
    expect(odd(t([3])).requiresGrad).toBe(false);
    expect(await tl.noGrad(() => odd(tl.tensor([3], { requiresGrad: true }))).tolist()).toEqual([9]);
  });

  it('takes several arguments, structures and others, with null where nothing flows', async () => {
    const f = tl.customVjp(
      (p: { w: tl.Tensor; b: tl.Tensor[] }, k: number, x: tl.Tensor) => [p.w.mul(x).add(p.b[0]!).mul(k), { x, k }],
      ({ x, k }, g) => [{ w: g.mul(x).mul(k), b: [g.mul(100)] }, null, null],
    );
    const [, pullback] = tl.vjp(
      ([w, b, x]: tl.Tensor[]) => f({ w: w!, b: [b!] }, 2, x!),
      [t([1, 2]), t([0, 0]), t([5, 6])],
    );
    const [dw, db, dx] = pullback(t([1, 1]));
    expect(await dw!.tolist()).toEqual([10, 12]);
    expect(await db!.tolist()).toEqual([100, 100]);
    expect(await dx!.tolist()).toEqual([0, 0]);
  });

  it('returns structures, and is given the gradients of all of them together', async () => {
    const f = tl.customVjp(
      (x: tl.Tensor) => [{ s: x.sin(), c: [x.cos()], top: x.argmax(0) }, x],
      (x, g) => [g.s.mul(1000).add(g.c[0]!.mul(x))],
    );
    const loss = (x: tl.Tensor) => {
      const y = f(x);
      return y.s.sum().add(y.c[0]!.mul(2).sum()).add(y.top);
    };
    expect(
      await tl
        .grad(loss)(t([3, 4]))
        .tolist(),
    ).toEqual([1006, 1008]);
  });

  it('is differentiated again by what backward computes', async () => {
    expect(
      await tl
        .grad((x: tl.Tensor) =>
          tl
            .grad((y: tl.Tensor) => odd(y).sum())(x)
            .mul(x)
            .sum(),
        )(t([3]))
        .tolist(),
    ).toEqual([60]);
    expect(
      await tl
        .hessian((x: tl.Tensor) => odd(x).sum())(t([3, 4]))
        .tolist(),
    ).toEqual([
      [10, 0],
      [0, 10],
    ]);
  });

  it('goes forward by its rule, transposed', async () => {
    const [y, dy] = tl.jvp(odd, t([3, 4]), t([1, 2]));
    expect(await y.tolist()).toEqual([9, 16]);
    expect(await dy.tolist()).toEqual([30, 80]);
    const matmul = tl.customVjp(
      (a: tl.Tensor, b: tl.Tensor) => [a.matmul(b), { a, b }],
      ({ a, b }, g) => [g.matmul(b.t()), a.t().matmul(g)],
    );
    const [a, b] = [tl.arange(6).cast('f32').reshape([2, 3]), tl.arange(12).cast('f32').reshape([3, 4])];
    const [da, db] = [tl.ones([2, 3]), tl.ones([3, 4]).mul(2)];
    const custom = tl.jvp(([x, y]: tl.Tensor[]) => matmul(x!, y!), [a, b], [da, db])[1];
    const plain = tl.jvp(([x, y]: tl.Tensor[]) => x!.matmul(y!), [a, b], [da, db])[1];
    expect(await custom.tolist()).toEqual(await plain.tolist());
    expect(
      await tl
        .jacfwd(odd)(t([3, 4]))
        .tolist(),
    ).toEqual([
      [30, 0],
      [0, 40],
    ]);
  });

  it('goes under vmap, inside and outside of gradients, and sums what all examples share', async () => {
    const x = t([1, 2, 3, 4], [2, 2]);
    expect(
      await tl
        .vmap(tl.grad((v: tl.Tensor) => odd(v).sum()))(x)
        .tolist(),
    ).toEqual([
      [10, 20],
      [30, 40],
    ]);
    expect(
      await tl
        .grad((v: tl.Tensor) => tl.vmap(odd)(v).sum())(x)
        .tolist(),
    ).toEqual([
      [10, 20],
      [30, 40],
    ]);
    const scaled = tl.customVjp(
      (w: tl.Tensor, v: tl.Tensor) => [v.mul(w), { w, v }],
      ({ w, v }, g) => [g.mul(v).mul(100), g.mul(w)],
    );
    const loss = (w: tl.Tensor) => tl.vmap(scaled, [null, 0])(w, x).sum();
    expect(
      await tl
        .grad(loss)(t([1, 1]))
        .tolist(),
    ).toEqual([400, 600]);
    expect(
      await tl
        .grad((v: tl.Tensor) => tl.vmap(tl.vmap(odd))(v).sum())(x)
        .tolist(),
    ).toEqual([
      [10, 20],
      [30, 40],
    ]);
  });

  it('goes inside checkpoint and compile', async () => {
    const f = tl.compile((x: tl.Tensor) =>
      tl.grad((v: tl.Tensor) =>
        tl
          .checkpoint((u: tl.Tensor) => odd(u.sin()))(v)
          .sum(),
      )(x),
    );
    const [d] = await f(t([0.5])).data();
    expect(d).toBeCloseTo(10 * Math.sin(0.5) * Math.cos(0.5), 5);
  });

  it('refuses what does not fit', () => {
    const outside = tl.tensor([1], { requiresGrad: true });
    const captures = tl.customVjp(
      (x: tl.Tensor) => [x.mul(outside), null],
      (_, g) => [g],
    );
    expect(() => captures(t([1]))).toThrow('[customVjp] forward uses a tensor from outside that requires grad: f32[1]');
    const wrong = (gradients: unknown) => () =>
      tl.grad((x: tl.Tensor) =>
        tl
          .customVjp(
            (v: tl.Tensor) => [v.mul(2), null],
            () => gradients as tl.ArgumentGradients,
          )(x)
          .sum(),
      )(t([1, 2]));
    expect(wrong(null)).toThrow('[customVjp] backward returned object (expected a list of 1, one for each argument)');
    expect(wrong([])).toThrow('[customVjp] backward returned 0 gradients (expected a list of 1');
    expect(wrong([t([1])])).toThrow('[customVjp] gradient of argument 0 is f32[1] (expected f32[2])');
    expect(wrong([tl.ones(2, { dtype: 'i32' })])).toThrow('[customVjp] gradient of argument 0 is i32[2]');
    expect(wrong([[]])).toThrow('[customVjp] gradient of argument 0 has 0 tensors (expected 1, as the argument)');
  });
});

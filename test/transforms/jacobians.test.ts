import * as tl from 'tiller';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await tl.init({ engine: 'reference' });
});

const t = (data: tl.TensorData, shape?: number[]) => tl.tensor(data, shape && { shape });

for (const [name, jacobian] of [
  ['jacobian', tl.jacobian],
  ['jacrev', tl.jacrev],
  ['jacfwd', tl.jacfwd],
] as const) {
  describe(name, () => {
    it('has the axes of the output before those of the input', async () => {
      const a = tl.arange(6).cast('f32').reshape([3, 2]);
      const j = jacobian((x: tl.Tensor) => x.matmul(a))(t([1, 2, 3, 4, 5, 6], [2, 3]));
      expect(j.shape).toEqual([2, 2, 2, 3]);
      // d y[i, k] / d x[p, q] = (i = p) a[q, k]
      const expected = [0, 1].map((i) =>
        [0, 1].map((k) => [0, 1].map((p) => [0, 1, 2].map((q) => (i === p ? 2 * q + k : 0)))),
      );
      expect(await j.tolist()).toEqual(expected);
    });

    it('of a number and by a number', async () => {
      expect(await jacobian((x: tl.Tensor) => x.mul(x).sum())(t([1, 2])).tolist()).toEqual([2, 4]);
      const j = jacobian((x: tl.Tensor) => tl.stack([x, x.mul(x)]))(tl.full([], 3));
      expect(await j.tolist()).toEqual([1, 6]);
    });

    it('of structures by structures', async () => {
      const f = (p: { a: tl.Tensor; b: tl.Tensor }, scale: number) =>
        [p.a.mul(p.b).mul(scale), { s: p.a.sum() }] as const;
      const [first, { s }] = jacobian(f)({ a: t([1, 2]), b: t([3, 4]) }, 10);
      expect(await first.a.tolist()).toEqual([
        [30, 0],
        [0, 40],
      ]);
      expect(await first.b.tolist()).toEqual([
        [10, 0],
        [0, 20],
      ]);
      expect(await s.a.tolist()).toEqual([1, 1]);
      expect(await s.b.tolist()).toEqual([0, 0]);
    });

    it('of nothing', () => {
      expect(jacobian((x: tl.Tensor) => x.mul(2))(tl.zeros([0])).shape).toEqual([0, 0]);
      expect(jacobian((x: tl.Tensor) => x.sum(0))(tl.zeros([0, 2])).shape).toEqual([2, 0, 2]);
    });

    it('under vmap and compile', async () => {
      const f = (x: tl.Tensor) => x.mul(x.sum());
      const each = tl.compile(tl.vmap(jacobian(f)));
      expect(await each(t([1, 2, 3, 4], [2, 2])).tolist()).toEqual([
        [
          [4, 1],
          [2, 5],
        ],
        [
          [10, 3],
          [4, 11],
        ],
      ]);
    });
  });
}

describe('hessian', () => {
  it('is all second derivatives', async () => {
    const f = (x: tl.Tensor) => x.select(0, 0).pow(2).mul(x.select(0, 1)).add(x.select(0, 1).pow(3));
    expect(
      await tl
        .hessian(f)(t([2, 3]))
        .tolist(),
    ).toEqual([
      [6, 4],
      [4, 18],
    ]);
    expect(
      await tl
        .jacobian(tl.grad(f))(t([2, 3]))
        .tolist(),
    ).toEqual([
      [6, 4],
      [4, 18],
    ]);
    expect(
      await tl
        .jacfwd(tl.jacfwd(f))(t([2, 3]))
        .tolist(),
    ).toEqual([
      [6, 4],
      [4, 18],
    ]);
  });

  it('by structures has the blocks', async () => {
    const h = tl.hessian((p: { a: tl.Tensor; b: tl.Tensor }) => p.a.mul(p.a).mul(p.b).sum())({ a: t([2]), b: t([3]) });
    expect(await h.a.a.tolist()).toEqual([[6]]);
    expect(await h.a.b.tolist()).toEqual([[4]]);
    expect(await h.b.a.tolist()).toEqual([[4]]);
    expect(await h.b.b.tolist()).toEqual([[0]]);
  });

  it('times a vector is hvp', async () => {
    const f = (x: tl.Tensor, y: tl.Tensor) => x.mul(x).mul(y).sin().sum();
    const [x, y, v] = [t([0.5, 1.5, -1]), t([1, 2, 3]), t([1, -1, 0.5])];
    const direct = await tl.hessian(f)(x, y).matmul(v).data();
    const product = await tl.hvp(f, x, v, y).data();
    product.forEach((p, i) => {
      expect(p).toBeCloseTo(direct[i]!, 5);
    });
  });

  it('refuses functions of several numbers', () => {
    expect(() => tl.hessian((x: tl.Tensor) => x)(t([1]))).toThrow('[grad] the function returned [1]');
    expect(() => tl.hvp((x: tl.Tensor) => x.sum(), t([1, 2]), t([1]))).toThrow('[jvp] tangent has another shape: [1]');
  });
});

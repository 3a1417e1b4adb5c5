import * as tl from 'tiller';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await tl.init({ engine: 'reference' });
});

const t = (data: tl.TensorData, shape?: number[]) => tl.tensor(data, shape && { shape });
const cube = (x: tl.Tensor) => x.mul(x).mul(x);

describe('vjp', () => {
  it('gives the value and a pullback that can be called again', async () => {
    const [y, pullback] = tl.vjp(cube, t([1, 2]));
    expect(await y.tolist()).toEqual([1, 8]);
    expect(await pullback(t([1, 0])).tolist()).toEqual([3, 0]);
    expect(await pullback(t([0, 1])).tolist()).toEqual([0, 12]);
    expect(y.requiresGrad).toBe(false);
    expect(pullback(t([1, 1])).requiresGrad).toBe(false);
  });

  it('takes and gives structures, and passes other arguments on', async () => {
    const f = ({ a, b }: { a: tl.Tensor; b: tl.Tensor[] }, power: number) => ({
      sum: a.add(b[0]!),
      product: [a.mul(b[0]!).mul(power)],
    });
    const [y, pullback] = tl.vjp(f, { a: t([2]), b: [t([3])] }, 10);
    expect(await y.product[0]!.tolist()).toEqual([60]);
    const g = pullback({ sum: t([1]), product: [t([100])] });
    expect(await g.a.tolist()).toEqual([3001]);
    expect(await g.b[0]!.tolist()).toEqual([2001]);
  });

  it('is differentiated again', async () => {
    const slope = (x: tl.Tensor) => tl.vjp(cube, x)[1](tl.ones(2)).sum();
    expect(
      await tl
        .grad(slope)(t([1, 2]))
        .tolist(),
    ).toEqual([6, 12]);
  });

  it('gives zeros for inputs that the outputs do not depend on', async () => {
    const [, pullback] = tl.vjp(([a, b]: tl.Tensor[]) => a!.add(b!.detach()), [t([1]), t([2])]);
    const [, db] = pullback(t([5]));
    expect(await db!.tolist()).toEqual([0]);
  });

  it('refuses what does not fit', () => {
    const [, pullback] = tl.vjp((x: tl.Tensor) => ({ y: x }), t([1, 2]));
    expect(() => pullback({ y: t([1]) })).toThrow('[vjp] weight.y has another shape: [1] (expected [2])');
    expect(() => pullback({ y: tl.ones(2, { dtype: 'i32' }) })).toThrow('[vjp] weight.y is i32 (expected f32)');
    expect(() => pullback({} as never)).toThrow('[vjp] weight.y is missing (expected f32[2])');
    expect(() => pullback({ y: t([1, 2]), z: t([1]) } as never)).toThrow('[vjp] weight.z stands for nothing');
    expect(() => tl.vjp((x: tl.Tensor) => x.gt(0), t([1]))).toThrow(
      '[vjp] the function returned bool (expected a float)',
    );
    expect(() => tl.vjp((x: tl.Tensor) => x, tl.ones(1, { dtype: 'i32' }))).toThrow('[vjp] input is i32');
    expect(() => tl.vjp((x: { w: tl.Tensor }) => x.w, { w: tl.ones(1, { dtype: 'u32' }) })).toThrow(
      '[vjp] input.w is u32',
    );
    expect(() => tl.noGrad(() => tl.vjp(cube, t([1])))).toThrow('[vjp] called inside noGrad');
    expect(() => tl.vjp(() => 3 as never, t([1]))).toThrow('[vjp] not a tensor: number');
  });
});

describe('jvp', () => {
  it('gives the value and how it changes', async () => {
    const [y, dy] = tl.jvp(cube, t([1, 2]), t([1, 10]));
    expect(await y.tolist()).toEqual([1, 8]);
    expect(await dy.tolist()).toEqual([3, 120]);
    expect(dy.requiresGrad).toBe(false);
  });

  it('takes and gives structures', async () => {
    const f = (x: { a: tl.Tensor; b: tl.Tensor }, c: tl.Tensor) => [x.a.mul(x.b), x.a.mul(c)];
    const [, [dab, dac]] = tl.jvp(f, { a: t([2]), b: t([3]) }, { a: t([1]), b: t([10]) }, t([7])) as [
      unknown,
      tl.Tensor[],
    ];
    expect(await dab!.tolist()).toEqual([23]);
    expect(await dac!.tolist()).toEqual([7]);
  });

  it('does not see through detach, noGrad and integers', async () => {
    const f = (x: tl.Tensor) =>
      x
        .detach()
        .add(tl.noGrad(() => x.mul(3)))
        .add(x.argmax(0));
    expect(await tl.jvp(f, t([1, 2]), t([1, 1]))[1].tolist()).toEqual([0, 0]);
  });

  it('keeps nested directions apart', async () => {
    // d/dx [x · d/dy (x + y)] = 1, not 2.
    const outer = (x: tl.Tensor) => x.mul(tl.jvp((y: tl.Tensor) => x.add(y), tl.ones([]), tl.ones([]))[1]);
    expect(await tl.jvp(outer, tl.full([], 3), tl.ones([]))[1].item()).toBe(1);
    // x · d/dy (x · y) = x², whose slope is 2x.
    const square = (x: tl.Tensor) => x.mul(tl.jvp((y: tl.Tensor) => x.mul(y), tl.ones([]), tl.ones([]))[1]);
    expect(await tl.jvp(square, tl.full([], 3), tl.ones([]))[1].item()).toBe(6);
    expect(await tl.grad(square)(tl.full([], 3)).item()).toBe(6);
  });

  it('mixes with grad to every order', async () => {
    const f = (x: tl.Tensor) => x.pow(4).sum();
    const x = t([2, 3]);
    const v = t([1, 0]);
    const forwardOverReverse = tl.jvp(tl.grad(f), x, v)[1];
    const reverseOverForward = tl.grad((y: tl.Tensor) => tl.jvp(f, y, v)[1])(x);
    expect(await forwardOverReverse.tolist()).toEqual([48, 0]);
    expect(await reverseOverForward.tolist()).toEqual([48, 0]);
    const twice = (y: tl.Tensor) => tl.jvp((z: tl.Tensor) => tl.jvp(f, z, v)[1], y, v)[1];
    expect(await twice(x).item()).toBe(48);
    expect(await tl.grad(twice)(x).tolist()).toEqual([48, 0]);
  });

  it('refuses what does not fit', () => {
    expect(() => tl.jvp(cube, t([1, 2]), t([1]))).toThrow('[jvp] tangent has another shape: [1] (expected [2])');
    expect(() => tl.jvp((x: tl.Tensor[]) => x[1]!, [t([1]), t([1, 2])], [t([1]), t([1])])).toThrow(
      '[jvp] tangent[1] has another shape: [1] (expected [2])',
    );
    expect(() => tl.jvp((x: tl.Tensor[]) => x[0]!, [t([1])], [])).toThrow('[jvp] tangent[0] is missing');
    expect(() => tl.jvp(cube, t([1]), tl.ones(1, { dtype: 'i32' }))).toThrow('[jvp] tangent is i32 (expected f32)');
    expect(() => tl.jvp((x: tl.Tensor) => x.cast('i32'), t([1]), t([1]))).toThrow('[jvp] the function returned i32');
  });
});

describe('linearize', () => {
  it('takes many tangents through one call', async () => {
    let calls = 0;
    const f = (x: tl.Tensor) => {
      calls++;
      return cube(x);
    };
    const [y, push] = tl.linearize(f, t([1, 2]));
    expect(await y.tolist()).toEqual([1, 8]);
    expect(await push(t([1, 0])).tolist()).toEqual([3, 0]);
    expect(await push(t([0, 1])).tolist()).toEqual([0, 12]);
    expect(calls).toBe(1);
  });
});

describe('compiled functions inside transforms', () => {
  it('are the functions themselves', async () => {
    const square = tl.compile((x: tl.Tensor) => x.mul(x));
    expect(
      await tl
        .grad((x: tl.Tensor) => square(x).sum())(t([3]))
        .tolist(),
    ).toEqual([6]);
    expect(await tl.jvp(square, t([3]), t([1]))[1].tolist()).toEqual([6]);
    expect(
      await tl
        .vmap(square)(t([1, 2, 3]))
        .tolist(),
    ).toEqual([1, 4, 9]);
    expect(square.traces).toBe(0);
  });

  it('contain transforms', async () => {
    const f = tl.compile(
      (x: tl.Tensor) =>
        tl.jvp(
          tl.grad((y: tl.Tensor) => cube(y).sum()),
          x,
          tl.onesLike(x),
        )[1],
    );
    expect(await f(t([1, 2])).tolist()).toEqual([6, 12]);
    expect(await f(t([3, 4])).tolist()).toEqual([18, 24]);
    expect(f.traces).toBe(1);
  });
});

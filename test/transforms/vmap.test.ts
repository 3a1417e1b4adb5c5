import * as tl from 'tiller';
import * as nn from 'tiller/nn';
import { beforeAll, describe, expect, it } from 'vitest';
import { rebind } from '../../src/tensor/internal.js';

beforeAll(async () => {
  await tl.init({ engine: 'reference' });
});

const range = (...shape: number[]) =>
  tl
    .arange(shape.reduce((a, b) => a * b, 1))
    .cast('f32')
    .reshape(shape);
const list = (x: tl.Tensor) => x.tolist();

describe('vmap', () => {
  it('runs a function of one example on many, once', async () => {
    let calls = 0;
    const dot = (a: tl.Tensor, b: tl.Tensor) => {
      calls++;
      expect(a.shape).toEqual([3]);
      return a.mul(b).sum();
    };
    expect(await list(tl.vmap(dot)(range(2, 3), range(2, 3)))).toEqual([5, 50]);
    expect(calls).toBe(1);
  });

  it('takes axes by argument, from the end, and null', async () => {
    const f = (a: tl.Tensor, b: tl.Tensor) => a.sub(b);
    expect(await list(tl.vmap(f, [0, null])(range(2, 2), range(2)))).toEqual([
      [0, 0],
      [2, 2],
    ]);
    expect(await list(tl.vmap(f, [-1, null])(range(2, 3), range(2)))).toEqual([
      [0, 2],
      [1, 3],
      [2, 4],
    ]);
    expect(await list(tl.vmap(f, [1, 0])(range(2, 3), range(3, 2)))).toEqual([
      [0, 2],
      [-1, 1],
      [-2, 0],
    ]);
  });

  it('puts the examples where outAxes says', async () => {
    const f = (x: tl.Tensor) => ({ double: x.mul(2), sum: x.sum(), fixed: tl.ones(2) });
    const y = tl.vmap(f, 0, { double: 1, sum: 0, fixed: null })(range(3, 2));
    expect(await list(y.double)).toEqual([
      [0, 4, 8],
      [2, 6, 10],
    ]);
    expect(await list(y.sum)).toEqual([1, 5, 9]);
    expect(y.fixed.shape).toEqual([2]);
    const all = tl.vmap(f, 0, -1)(range(3, 2));
    expect(all.double.shape).toEqual([2, 3]);
    expect(all.fixed.shape).toEqual([2, 3]);
  });

  it('takes structures, whole or by part, and passes other values on', async () => {
    const f = (p: { w: tl.Tensor; b: tl.Tensor }, [x]: tl.Tensor[], scale: number, name: string) => {
      expect(name).toBe('mine');
      return p.w.mul(x!).add(p.b).mul(scale);
    };
    const params = { w: range(2, 3), b: tl.ones(3) };
    const y = tl.vmap(f, [{ w: 0, b: null }, [null], null, null])(params, [tl.full([3], 10)], 2, 'mine');
    expect(await list(y)).toEqual([
      [2, 22, 42],
      [62, 82, 102],
    ]);
    const z = tl.vmap(f, [0, 0, null, null])({ w: range(2, 3), b: tl.ones([2, 3]) }, [tl.ones([2, 3])], 1, 'mine');
    expect(await list(z)).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  it('nests, with the axes of both', async () => {
    const outer = tl.vmap(
      tl.vmap((a: tl.Tensor, b: tl.Tensor) => a.mul(b), [null, 0]),
      [0, null],
    );
    expect(await list(outer(range(3), range(2).add(1)))).toEqual([
      [0, 0],
      [1, 2],
      [2, 4],
    ]);
    const matmul = tl.vmap(
      tl.vmap((row: tl.Tensor, column: tl.Tensor) => row.mul(column).sum(), [null, 1]),
      [0, null],
    );
    const [a, b] = [range(2, 3), range(3, 4)];
    expect(await list(matmul(a, b))).toEqual(await list(a.matmul(b)));
  });

  it('works on no examples and on one', async () => {
    const f = tl.vmap((x: tl.Tensor) => x.matmul(tl.ones([3, 2])));
    expect(f(tl.zeros([0, 4, 3])).shape).toEqual([0, 4, 2]);
    expect(f(tl.zeros([1, 4, 3])).shape).toEqual([1, 4, 2]);
    const conv = tl.vmap((x: tl.Tensor, w: tl.Tensor) => tl.conv2d(x, w));
    expect(conv(tl.zeros([0, 1, 2, 5, 5]), tl.zeros([0, 3, 2, 3, 3])).shape).toEqual([0, 1, 3, 3, 3]);
  });

  it('draws other numbers for each example, and the same ones for value and gradient', async () => {
    tl.manualSeed(1);
    const draws = (await tl
      .vmap((x: tl.Tensor) => x.add(tl.rand([4])))(tl.zeros([3, 4]))
      .tolist()) as number[][];
    expect(new Set(draws.flat()).size).toBe(12);
    tl.manualSeed(1);
    expect(draws).toEqual(await tl.rand([3, 4]).tolist());
    const both = tl.vmap((x: tl.Tensor) => {
      const mask = tl.rand([4]);
      return tl.valueAndGrad((v: tl.Tensor) => v.mul(mask).sum())(x);
    });
    const [value, gradient] = both(tl.ones([3, 4]));
    expect(await list(value)).toEqual(await list(gradient.sum(1)));
    const nested = (await tl
      .vmap(tl.vmap((x: tl.Tensor) => x.add(tl.rand([2]))))(tl.zeros([2, 3, 2]))
      .data()) as Float32Array;
    expect(new Set(nested).size).toBe(12);
  });

  it('draws nothing inside for what is drawn outside', async () => {
    const noise = tl.rand([2]);
    const [a, b] = (await tl
      .vmap((x: tl.Tensor) => x.add(noise))(tl.zeros([2, 2]))
      .tolist()) as number[][];
    expect(a).toEqual(b);
  });
});

describe('vmap with gradients', () => {
  const loss = (w: tl.Tensor, x: tl.Tensor, label: tl.Tensor) =>
    tl.crossEntropy(x.matmul(w).reshape([1, 4]), label.reshape([1]));
  const w = tl.sin(range(3, 4));
  const x = tl.cos(range(5, 3));
  const labels = tl.tensor([0, 1, 2, 3, 1], { dtype: 'i32' });

  it('gives gradients by example', async () => {
    const all = tl.vmap(tl.grad(loss), [null, 0, 0])(w, x, labels);
    expect(all.shape).toEqual([5, 3, 4]);
    for (let i = 0; i < 5; i++) {
      expect(await list(all.select(0, i))).toEqual(await list(tl.grad(loss)(w, x.select(0, i), labels.select(0, i))));
    }
  });

  it('is differentiated', async () => {
    const mean = (v: tl.Tensor) => tl.vmap(loss, [null, 0, 0])(v, x, labels).mean();
    const direct = (v: tl.Tensor) => tl.crossEntropy(x.matmul(v), labels);
    const [a, b] = [await tl.grad(mean)(w).data(), await tl.grad(direct)(w).data()];
    a.forEach((v, i) => {
      expect(v).toBeCloseTo(b[i]!, 6);
    });
  });

  it('is differentiated with respect to the mapped argument, detach respected', async () => {
    const f = (v: tl.Tensor) =>
      tl
        .vmap((e: tl.Tensor) => e.mul(e.detach()).sum())(v)
        .sum();
    expect(await list(tl.grad(f)(range(2, 2)))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(await tl.jvp(f, range(2, 2), tl.ones([2, 2]))[1].item()).toBe(6);
  });

  it('goes inside jvp, jvp inside it, and both in grad', async () => {
    const cube = (v: tl.Tensor) => v.pow(3).sum();
    const v = range(2, 2);
    const ones = tl.ones([2, 2]);
    const inside = tl.vmap((e: tl.Tensor, d: tl.Tensor) => tl.jvp(cube, e, d)[1])(v, ones);
    const outside = tl.jvp(tl.vmap(cube), v, ones)[1];
    expect(await list(inside)).toEqual([3, 39]);
    expect(await list(outside)).toEqual([3, 39]);
    const total = (y: tl.Tensor) => tl.jvp(tl.vmap(tl.grad(cube)), y, ones)[1].sum();
    expect(await list(tl.grad(total)(v))).toEqual([
      [6, 6],
      [6, 6],
    ]);
  });

  it('goes through a module, to its parameters by backward()', async () => {
    const layer = new nn.Linear(3, 2);
    const apply = tl.vmap((e: tl.Tensor) => layer.forward(e));
    const y = apply(x);
    expect(await list(y)).toEqual(await list(layer.forward(x)));
    y.sum().backward();
    const { grad } = layer.weight;
    layer.weight.grad = null;
    layer.forward(x).sum().backward();
    expect(await list(grad!)).toEqual(await list(layer.weight.grad!));
  });

  it('is compiled, and compiles nothing inside', async () => {
    const f = tl.compile((a: tl.Tensor) => tl.vmap(tl.grad((e: tl.Tensor) => e.mul(e).sum()))(a));
    expect(await list(f(range(2, 2)))).toEqual([
      [0, 2],
      [4, 6],
    ]);
    expect(await list(f(range(2, 2).add(1)))).toEqual([
      [2, 4],
      [6, 8],
    ]);
    expect(f.traces).toBe(1);
  });

  it('leaves gradients off inside noGrad', async () => {
    const leaf = tl.ones([2, 2], { requiresGrad: true });
    const y = tl.noGrad(() => tl.vmap((e: tl.Tensor) => e.mul(2))(leaf));
    expect(y.requiresGrad).toBe(false);
    const z = tl.vmap((e: tl.Tensor) => tl.noGrad(() => e.mul(2)))(leaf);
    expect(z.requiresGrad).toBe(false);
  });
});

describe('vmap refuses', () => {
  const id = (x: tl.Tensor) => x;
  const cases: [string, () => unknown, new (m: string) => Error, string][] = [
    [
      'numbers of examples that differ',
      () => tl.vmap((a: tl.Tensor, b: { w: tl.Tensor }) => a.add(b.w), [0, 1])(tl.ones([3]), { w: tl.ones([2, 4]) }),
      tl.ShapeError,
      '[vmap] numbers of examples differ: 3 in argument 0 and 4 along axis 1 of argument 1.w, [2, 4]',
    ],
    [
      'a number as an example',
      () => tl.vmap(id)(tl.ones([])),
      tl.ShapeError,
      '[vmap] axis of argument 0 out of range: 0 (one number has no axis',
    ],
    [
      'an axis out of range',
      () => tl.vmap(id, 2)(tl.ones([2, 2])),
      tl.ShapeError,
      '[vmap] axis of argument 0 out of range: 2 (expected -2..1, or null)',
    ],
    [
      'nothing to map',
      () => tl.vmap(id, null)(tl.ones([2])),
      tl.ArgumentError,
      '[vmap] no argument has an axis of examples',
    ],
    [
      'too few axes',
      () => tl.vmap((a: tl.Tensor, _: tl.Tensor) => a, [0])(tl.ones([2]), tl.ones([2])),
      tl.ArgumentError,
      '[vmap] 1 inAxes for 2 arguments',
    ],
    [
      'a list for a tensor',
      () => tl.vmap(id, [[0]])(tl.ones([2])),
      tl.ArgumentError,
      '[vmap] argument 0 is one tensor with several axes',
    ],
    [
      'a part without an axis',
      () => tl.vmap((p: { a: tl.Tensor; b: tl.Tensor }) => p.a, [{ a: 0 }])({ a: tl.ones([2]), b: tl.ones([2]) }),
      tl.ArgumentError,
      '[vmap] argument 0 has no axis for b',
    ],
    [
      'a result that is no tensor',
      () => tl.vmap((_: tl.Tensor) => 3 as never)(tl.ones([2])),
      tl.ArgumentError,
      '[vmap] the result is no tensor',
    ],
    [
      'outAxes null for what differs',
      () => tl.vmap(id, 0, null)(tl.ones([2])),
      tl.ArgumentError,
      '[vmap] the result differs between the examples',
    ],
    [
      'an out axis out of range',
      () => tl.vmap(id, 0, 2)(tl.ones([2, 1])),
      tl.ShapeError,
      '[vmap] axis of the result out of range: 2',
    ],
    [
      'a promise',
      () => tl.vmap((async (x: tl.Tensor) => x) as never)(tl.ones([2])),
      tl.ArgumentError,
      '[vmap] the function returned a promise',
    ],
    [
      'backward inside',
      () =>
        tl.vmap((x: tl.Tensor) => {
          x.sum().backward();
          return x;
        })(tl.ones([2, 2], { requiresGrad: true })),
      tl.UnsupportedError,
      '[backward] called inside vmap',
    ],
  ];
  it.each(cases)('%s', (_, call, type, message) => {
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });

  it('reading a value inside, and using one that escaped', async () => {
    let escaped: tl.Tensor | null = null;
    let reading: Promise<unknown> | null = null;
    tl.vmap((x: tl.Tensor) => {
      escaped = x;
      reading = x.add(1).data();
      reading.catch(() => {});
      return x;
    })(tl.ones([2]));
    await expect(reading).rejects.toThrow('a tensor inside a function under vmap has no value while it is traced');
    await expect(escaped!.data()).rejects.toThrow('it was made inside a function under vmap and escaped from it');
  });

  it('changing a tensor from outside', () => {
    const running = tl.zeros([2]);
    const f = tl.vmap((x: tl.Tensor) => {
      rebind(running, running.add(x).node);
      return x;
    });
    expect(() => f(tl.ones([3, 2]))).toThrow(tl.UnsupportedError);
    expect(() => f(tl.ones([3, 2]))).toThrow('[vmap] a tensor from outside is changed inside: f32[2]');
  });
});

import * as tl from 'tiller';
import * as linalg from 'tiller/linalg';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await tl.init({ engine: 'reference' });
});

const close = (found: unknown, expected: unknown, digits = 5): void => {
  const [a, b] = [found, expected].map((x) => [x].flat(9) as number[]) as [number[], number[]];
  expect(a.length).toBe(b.length);
  a.forEach((x, i) => {
    expect(x).toBeCloseTo(b[i]!, digits);
  });
};

describe('what has no answer', () => {
  const singular = tl.tensor([
    [1, 2],
    [2, 4],
  ]);

  it('gives infinities and NaN, where PyTorch throws', async () => {
    const x = await linalg.inv(singular).data();
    expect([...x].every((v) => !Number.isFinite(v))).toBe(true);
    const y = await linalg.solve(singular, tl.tensor([1, 1])).data();
    expect([...y].some((v) => !Number.isFinite(v))).toBe(true);
    const l = await linalg.cholesky(tl.tensor([[-1]])).data();
    expect([...l]).toEqual([Number.NaN]);
    expect(await linalg.matrixExp(tl.tensor([[9000]])).tolist()).toEqual([[Number.NaN]]);
  });

  it.each(['reference', 'wasm', 'webgpu'] as const)(
    'makes all of them NaN of what is not finite, on %s',
    async (engine) => {
      await tl.init({ engine });
      try {
        for (const bad of [Number.NaN, Infinity]) {
          const a = tl.tensor([
            [bad, 1],
            [1, 2],
          ]);
          for (const part of [...linalg.eigh(a), ...linalg.svd(a), linalg.svdvals(a)]) {
            expect([...(await part.data())].every(Number.isNaN)).toBe(true);
          }
        }
      } finally {
        await tl.init({ engine: 'reference' });
      }
    },
  );

  it('has a determinant of 0 with a gradient all the same: the cofactors', async () => {
    const g = tl.grad((x: tl.Tensor) => linalg.det(x))(singular);
    close(await g.tolist(), [
      [4, -2],
      [-2, 1],
    ]);
    const zeros = tl.grad((x: tl.Tensor) => linalg.det(x))(tl.zeros([3, 3]));
    close(await zeros.tolist(), new Array(9).fill(0));
  });

  it('has a gradient of its eigenvalues where they are equal', async () => {
    const g = tl.grad((x: tl.Tensor) => linalg.eigvalsh(x).sum())(tl.eye(3));
    close(await g.tolist(), [1, 0, 0, 0, 1, 0, 0, 0, 1]);
  });
});

describe('gradients', () => {
  const a = tl.tensor([
    [3, 1, 0.5],
    [1, 2, -0.5],
    [0.5, -0.5, 1.5],
  ]);

  it('come after the value was read', async () => {
    const x = tl.mul(a, 1).detach();
    const leaf = tl.tensor(await x.data(), { shape: [3, 3], requiresGrad: true });
    const y = linalg.inv(leaf);
    const value = await y.tolist<number[][]>();
    y.sum().backward();
    const alone = tl.grad((m: tl.Tensor) => linalg.inv(m).sum())(a);
    close(await leaf.grad!.tolist(), await alone.tolist());
    close(value, await linalg.inv(a).tolist());
  });

  it('flow through a compiled function', async () => {
    const step = tl.compile((m: tl.Tensor) => tl.grad((x: tl.Tensor) => linalg.slogdet(x)[1])(m));
    for (let i = 1; i < 3; i++) {
      const m = tl.mul(a, i);
      close(await step(m).tolist(), await linalg.inv(m).transpose(0, 1).tolist());
    }
  });

  it('are taken again inside checkpoint', async () => {
    const f = (x: tl.Tensor) =>
      linalg
        .solve(x, tl.ones([3]))
        .square()
        .sum();
    const expected = await tl.grad(f)(a).tolist();
    close(
      await tl
        .grad((x: tl.Tensor) => tl.checkpoint(f)(x))(a)
        .tolist(),
      expected,
    );
  });

  it('nest: a Hessian, by examples', async () => {
    const logDet = (x: tl.Tensor) => linalg.slogdet(x)[1];
    const batch = tl.stack([a, tl.mul(a, 2)]);
    const found = await tl.vmap(tl.hessian(logDet))(batch).data();
    // d2 log|det A| / dA_ij dA_kl = -(A^-1)_li (A^-1)_jk
    const inverse = await linalg.inv(batch).tolist<number[][][]>();
    const expected = [0, 1].flatMap((e) =>
      [0, 1, 2].flatMap((i) =>
        [0, 1, 2].flatMap((j) =>
          [0, 1, 2].flatMap((k) => [0, 1, 2].map((l) => -inverse[e]![l]![i]! * inverse[e]![j]![k]!)),
        ),
      ),
    );
    close([...found], expected);
  });

  it('do not flow where they are not wanted', () => {
    const x = tl.tensor([[2]], { requiresGrad: true });
    expect(tl.noGrad(() => linalg.cholesky(x)).requiresGrad).toBe(false);
    expect(linalg.matrixRank(x).requiresGrad).toBe(false);
    expect(linalg.slogdet(x)[0].requiresGrad).toBe(false);
    expect(linalg.lu(x)[0].requiresGrad).toBe(false);
    expect(linalg.cholesky(x).requiresGrad).toBe(true);
  });
});

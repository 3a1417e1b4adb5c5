import * as tl from 'tiller';
import * as nn from 'tiller/nn';
import * as optim from 'tiller/optim';
import { describe, expect, it } from 'vitest';

const wave = (shape: number[], step = 0.37, scale = 1) => {
  const length = shape.reduce((a, b) => a * b, 1);
  return tl.tensor(
    Float32Array.from({ length }, (_, i) => scale * Math.sin(i * step)),
    { shape },
  );
};

/** Blocks of a transformer: attention and an MLP, each with a residual. */
function transformer(layers: number, width: number) {
  const block = (i: number) => ({
    qkv: wave([width, 3 * width], 0.11 + i, 0.2),
    out: wave([width, width], 0.13 + i, 0.2),
    up: wave([width, 4 * width], 0.17 + i, 0.2),
    down: wave([4 * width, width], 0.19 + i, 0.2),
  });
  type Block = ReturnType<typeof block>;
  const norm = (x: tl.Tensor) => {
    const centred = x.sub(x.mean(-1, { keepDim: true }));
    return centred.div(centred.square().mean(-1, { keepDim: true }).add(1e-5).sqrt());
  };
  const forward = (p: Block, x: tl.Tensor) => {
    const [q, k, v] = norm(x).matmul(p.qkv).split(width, -1) as [tl.Tensor, tl.Tensor, tl.Tensor];
    const scores = q.matmul(k.transpose(-1, -2)).mul(1 / Math.sqrt(width));
    const h = x.add(tl.softmax(scores, -1).matmul(v).matmul(p.out));
    return h.add(tl.gelu(norm(h).matmul(p.up)).matmul(p.down));
  };
  return { params: Array.from({ length: layers }, (_, i) => block(i)), forward };
}

/** Blocks of four layers. */
function mlp(blocks: number, width: number) {
  const block = (i: number) => ({
    weights: [0, 1, 2, 3].map((j) => wave([width, width], 0.1 + i + j / 7, 0.3)),
    bias: wave([width], 0.2 + i),
  });
  const forward = (p: ReturnType<typeof block>, x: tl.Tensor) =>
    p.weights.reduce((h, w) => h.matmul(w).add(p.bias).tanh(), x);
  return { params: Array.from({ length: blocks }, (_, i) => block(i)), forward };
}

type Model<P> = { params: P[]; forward: (p: P, x: tl.Tensor) => tl.Tensor };

/** The loss of a stack of blocks, each checkpointed or not. */
const lossOf =
  <P>({ forward }: Model<P>, x: tl.Tensor, kept: boolean) =>
  (params: P[]) => {
    const block = kept ? forward : tl.checkpoint(forward);
    return params
      .reduce((h, p) => block(p, h), x)
      .square()
      .mean();
  };

async function gradientsOf<P extends object>(model: Model<P>, x: tl.Tensor, kept: boolean): Promise<number[]> {
  const gradients = tl.grad(lossOf(model, x, kept))(model.params);
  const arrays = await Promise.all(
    gradients.flatMap((p) => Object.values(p).flat() as tl.Tensor[]).map((g) => g.data()),
  );
  return arrays.flatMap((a) => [...a]);
}

describe('checkpoint', () => {
  it('changes no bit of the gradients', async () => {
    await tl.init({ engine: 'reference' });
    const x = wave([2, 5, 8]);
    for (const model of [transformer(3, 8), mlp(2, 8)] as unknown as Model<never>[]) {
      const kept = await gradientsOf(model, x, true);
      expect(await gradientsOf(model, x, false)).toEqual(kept);
      expect(kept.filter((v) => v !== 0).length).toBeGreaterThan(kept.length / 2);
    }
  });

  it('agrees in kernels, which add in another order where other things are fused', async () => {
    await tl.init({ engine: 'wasm' });
    const model = transformer(2, 8) as unknown as Model<never>;
    const [kept, recomputed] = [
      await gradientsOf(model, wave([5, 8]), true),
      await gradientsOf(model, wave([5, 8]), false),
    ];
    recomputed.forEach((v, i) => {
      expect(Math.abs(v - kept[i]!)).toBeLessThan(1e-6 + 1e-5 * Math.abs(kept[i]!));
    });
  });

  it('has gradients of what the function uses from outside, by backward() too', async () => {
    await tl.init({ engine: 'reference' });
    const layers = [new nn.Linear(4, 4), new nn.Linear(4, 4)];
    const run = (wrap: boolean) => {
      let h = wave([3, 4]);
      for (const layer of layers) {
        const x = h;
        const f = () => layer.forward(x).relu();
        h = wrap ? tl.checkpoint(f)() : f();
      }
      h.sum().backward();
      const grads = layers.map((l) => l.weight.grad!);
      for (const layer of layers) {
        layer.weight.grad = null;
        layer.bias!.grad = null;
      }
      return Promise.all(grads.map((g) => g.tolist()));
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it('draws the same numbers again', async () => {
    await tl.init({ engine: 'reference' });
    const f = (x: tl.Tensor) => x.mul(tl.rand([50]).lt(0.5).cast('f32')).square();
    const [y, g] = tl.valueAndGrad((x: tl.Tensor) => tl.checkpoint(f)(x).sum())(tl.full([50], 3));
    const kept = await g.data();
    expect(await y.item()).toBe([...kept].filter((v) => v === 6).length * 9);
    expect(new Set(kept)).toEqual(new Set([0, 6]));
  });

  it('returns structures, integers among them', async () => {
    await tl.init({ engine: 'reference' });
    const f = tl.checkpoint((x: tl.Tensor) => ({ a: x.mul(x), top: x.argmax(0), b: [x.sin()] }));
    const loss = (x: tl.Tensor) => {
      const { a, top, b } = f(x);
      return a.sum().add(b[0]!.mul(3).sum()).add(top);
    };
    const [y, g] = tl.valueAndGrad(loss)(tl.tensor([1, 2]));
    expect(await y.item()).toBeCloseTo(6 + 3 * (Math.sin(1) + Math.sin(2)), 5);
    const [a, b] = await g.data();
    expect(a).toBeCloseTo(2 + 3 * Math.cos(1), 5);
    expect(b).toBeCloseTo(4 + 3 * Math.cos(2), 5);
  });

  it('nests, and goes with every other transform', async () => {
    await tl.init({ engine: 'reference' });
    const f = (x: tl.Tensor) => x.mul(x).sin();
    const c = tl.checkpoint((x: tl.Tensor) => tl.checkpoint(f)(x).mul(x));
    const d = (x: tl.Tensor) => f(x).mul(x);
    const x = tl.tensor([0.5, -1.25]);
    const each = (g: (x: tl.Tensor) => tl.Tensor) => (v: tl.Tensor) => g(v).sum();
    const uses: ((g: (x: tl.Tensor) => tl.Tensor) => tl.Tensor)[] = [
      (g) => tl.grad(each(g))(x),
      (g) => tl.jvp(g, x, tl.ones(2))[1],
      (g) => tl.vmap(tl.grad((v: tl.Tensor) => g(v)))(x),
      (g) => tl.grad(each(tl.vmap(g)))(x),
      (g) => tl.hessian(each(g))(x),
      (g) => tl.grad((v: tl.Tensor) => tl.grad(each(g))(v).sum())(x),
      (g) =>
        tl.grad((v: tl.Tensor) =>
          tl
            .vmap(tl.grad((e: tl.Tensor) => g(e)))(v)
            .sum(),
        )(x),
      (g) => tl.compile((v: tl.Tensor) => tl.grad(each(g))(v))(x),
    ];
    for (const use of uses) expect(await use(c).tolist()).toEqual(await use(d).tolist());
  });

  it('gives parameters that all examples share the sum of their gradients under vmap', async () => {
    await tl.init({ engine: 'reference' });
    const f = tl.checkpoint((w: tl.Tensor, x: tl.Tensor) => x.matmul(w).tanh());
    const loss = (w: tl.Tensor) =>
      tl
        .vmap(f, [null, 0])(w, wave([5, 2, 3]))
        .sum();
    const kept = (w: tl.Tensor) => wave([5, 2, 3]).matmul(w).tanh().sum();
    const [a, b] = [
      await tl
        .grad(loss)(wave([3, 4]))
        .data(),
      await tl
        .grad(kept)(wave([3, 4]))
        .data(),
    ];
    a.forEach((v, i) => {
      expect(v).toBeCloseTo(b[i]!, 5);
    });
  });
});

/** Peak of intermediates of one plan, in bytes. */
async function arenaOf(run: () => Promise<unknown>): Promise<number> {
  await tl.init({ engine: 'plan-only' });
  const before = tl.plans().length;
  await run();
  return Math.max(
    ...tl
      .plans()
      .slice(before)
      .map((p) => p.arenaBytes),
  );
}

describe('memory', () => {
  const stacks: [string, (blocks: number) => Model<never>, number[], number][] = [
    ['an MLP', (n) => mlp(n, 64) as unknown as Model<never>, [512, 64], 0.35],
    ['a transformer', (n) => transformer(n, 64) as unknown as Model<never>, [4, 64, 64], 0.15],
  ];
  it.each(stacks)(
    'of %s grows by one activation a block instead of all of its inside',
    async (_, make, shape, most) => {
      const activation = 4 * shape.reduce((a, b) => a * b, 1);
      const arena = (blocks: number, kept: boolean) => {
        const { params, forward } = make(blocks);
        const loss = lossOf({ params, forward }, wave(shape), kept);
        return arenaOf(() => tl.realize(tl.grad(loss)(params) as object));
      };
      const [kept6, kept12] = [await arena(6, true), await arena(12, true)];
      const [recomputed6, recomputed12] = [await arena(6, false), await arena(12, false)];
      expect((recomputed12 - recomputed6) / 6 / activation).toBeLessThanOrEqual(1);
      expect((kept12 - kept6) / 6 / activation).toBeGreaterThanOrEqual(4);
      expect(recomputed12).toBeLessThan(most * kept12);
    },
  );

  it('of a whole training step falls too, and its order gives gradients back as they are used', async () => {
    const arena = (wrap: boolean) =>
      arenaOf(async () => {
        const layers = Array.from({ length: 8 }, () => new nn.Linear(256, 256));
        const optimizer = new optim.Adam(
          layers.flatMap((l) => l.parameters()),
          { lr: 1e-3 },
        );
        const part = (from: number) => (x: tl.Tensor) =>
          layers.slice(from, from + 4).reduce((h, l) => l.forward(h).relu(), x);
        const [first, second] = [part(0), part(4)].map((f) => (wrap ? tl.checkpoint(f) : f));
        const x = tl.tensor(new Float32Array(512 * 256), { shape: [512, 256] });
        second!(first!(x)).square().mean().backward();
        await optimizer.step();
      });
    const activation = 4 * 512 * 256;
    // Seven activations are needed by the backward pass anyway; the eighth and one or two gradients at a time.
    expect(await arena(false)).toBeLessThanOrEqual(10 * activation);
    expect(await arena(true)).toBeLessThanOrEqual(6 * activation);
  });
});

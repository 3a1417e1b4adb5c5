import { readFileSync } from 'node:fs';
import { init, type Tensor, tanh, tensor } from 'tiller';
import { Adam, AdamW, type Optimizer, SGD } from 'tiller/optim';
import { beforeAll, describe, expect, it } from 'vitest';
import { TOLERANCES } from '../oracle/tolerances.js';
import { describeWebGPU } from '../setup/environment.js';

type Matrix = number[] | number[][];

interface Golden {
  name: string;
  kind: 'SGD' | 'Adam' | 'AdamW';
  options: Record<string, unknown>;
  losses: number[];
  params: Matrix[];
}

const goldens = JSON.parse(readFileSync(new URL('goldens/optimizers.json', import.meta.url), 'utf8')) as {
  x: number[][];
  y: number[][];
  start: Matrix[];
  configs: Golden[];
};

const KINDS = { SGD, Adam, AdamW };

/** PyTorch's options are in snake_case. */
const camelCase = (options: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()), value]),
  );

const newParams = () => goldens.start.map((values) => tensor(values, { requiresGrad: true }));

function lossOf([w1, b1, w2, b2]: Tensor[]): Tensor {
  const hidden = tanh(tensor(goldens.x).matmul(w1!.transpose(0, 1)).add(b1!));
  const difference = hidden.matmul(w2!.transpose(0, 1)).add(b2!).sub(tensor(goldens.y));
  return difference.mul(difference).mean();
}

/** The training of generate.py, from step `from` to step `to`. */
async function train(params: Tensor[], optimizer: Optimizer<{ lr: number }>, from = 0, to = 10): Promise<number[]> {
  const losses: number[] = [];
  for (let step = from; step < to; step++) {
    if (step === 5) optimizer.lr *= 0.5;
    const loss = lossOf(params);
    optimizer.zeroGrad();
    loss.backward();
    await optimizer.step();
    losses.push(await loss.item());
  }
  return losses;
}

function optimizerOf(golden: Golden, params: Tensor[]): Optimizer<{ lr: number }> {
  const Kind = KINDS[golden.kind] as unknown as new (p: Tensor[], o: object) => Optimizer<{ lr: number }>;
  return new Kind(params, camelCase(golden.options));
}

/** The engine's part of the row for compositions: ten steps of some thirty primitives. */
async function expectClose(actual: Tensor, expected: Matrix, kind: 'reference' | 'kernels'): Promise<void> {
  const { ulp, absolute } = TOLERANCES.compositions[kind];
  const values = await actual.data();
  const wanted = expected.flat(1);
  expect(values).toHaveLength(wanted.length);
  wanted.forEach((want, i) => {
    expect(Math.abs(values[i]! - want)).toBeLessThanOrEqual(ulp * 2 ** -23 * Math.abs(want) + absolute);
  });
}

function suite(engine: 'reference' | 'webgpu') {
  const kind = engine === 'reference' ? 'reference' : 'kernels';
  beforeAll(async () => {
    await init({ engine });
  });

  it.each(goldens.configs.map((golden) => [golden.name, golden] as const))('%s matches PyTorch', async (_, golden) => {
    const params = newParams();
    const losses = await train(params, optimizerOf(golden, params));
    await expectClose(tensor(losses), golden.losses, kind);
    for (const [i, p] of params.entries()) await expectClose(p, golden.params[i]!, kind);
  });
}

describe('on the reference engine', () => suite('reference'));
describeWebGPU('on WebGPU', () => suite('webgpu'));

describe('state', () => {
  beforeAll(async () => {
    await init({ engine: 'reference' });
  });

  it.each(goldens.configs.map((golden) => [golden.name, golden] as const))(
    'of %s can be saved and loaded',
    async (_, golden) => {
      const params = newParams();
      const before = optimizerOf(golden, params);
      await train(params, before, 0, 4);
      const copies = await Promise.all(params.map(async (p) => tensor(await p.tolist(), { requiresGrad: true })));
      const after = optimizerOf(golden, copies);
      await after.loadStateDict(before.stateDict());
      await train(copies, after, 4, 10);
      for (const [i, p] of copies.entries()) await expectClose(p, golden.params[i]!, 'reference');
    },
  );

  it('that does not fit is refused', async () => {
    const params = newParams();
    const adam = new Adam(params);
    await train(params, adam, 0, 1);
    const other = new Adam([tensor([1, 2], { requiresGrad: true })]);
    await expect(other.loadStateDict(adam.stateDict())).rejects.toThrow(
      /\[Adam\] groups differ: 4 parameters \(expected 1\)/,
    );
    const turned = new Adam([...newParams()].reverse());
    await expect(turned.loadStateDict(adam.stateDict())).rejects.toThrow(/expAvg of parameter 0 has shape \[4, 3\]/);
  });
});

describe('step', () => {
  beforeAll(async () => {
    await init({ engine: 'reference' });
  });

  const parameter = (values: number[]) => tensor(values, { requiresGrad: true });

  it('changes the parameters at once, and computes the loss from the old ones', async () => {
    const p = parameter([1, 2]);
    const sgd = new SGD([p], { lr: 0.5 });
    const loss = p.mul(p).sum();
    loss.backward();
    const done = sgd.step();
    expect(await p.tolist()).toEqual([0, 0]);
    await done;
    expect(await loss.item()).toBe(5);
    expect(p.requiresGrad).toBe(true);
  });

  it('computes metrics from the old parameters', async () => {
    const p = parameter([1, 2]);
    const sgd = new SGD([p], { lr: 0.5 });
    const square = p.mul(p);
    const large = p.mul(tensor(new Float32Array(2000).fill(3), { shape: [1000, 2] }));
    square.sum().backward();
    await sgd.step([square, large]);
    expect(await square.tolist()).toEqual([1, 4]);
    expect((await large.data()).slice(0, 4)).toEqual(Float32Array.of(3, 6, 3, 6));
  });

  it('makes what was built on the old parameters stale', async () => {
    const p = parameter([1, 2]);
    const sgd = new SGD([p], { lr: 0.5 });
    const doubled = p.mul(2);
    const loss = p.mul(p).sum();
    loss.backward();
    const { grad } = p;
    await sgd.step();
    await expect(doubled.data()).rejects.toThrow(/replaced since/);
    await expect(grad!.data()).rejects.toThrow(/replaced since/);
    // Forgetting zeroGrad() adds to a gradient of old parameters, which the step says instead of computing it.
    p.mul(p).sum().backward();
    expect(() => sgd.step()).toThrow(/replaced since/);
    sgd.zeroGrad();
    p.mul(p).sum().backward();
    await sgd.step();
    expect(await p.tolist()).toEqual([0, 0]);
  });

  it('skips parameters without a gradient and frozen ones', async () => {
    const [p, unused, frozen] = [parameter([1]), parameter([2]), parameter([3])];
    const adam = new Adam([p!, unused!, frozen!], { lr: 0.1 });
    p!.mul(frozen!).sum().backward();
    frozen!.requiresGrad = false;
    await adam.step();
    expect(await p!.item()).toBeCloseTo(0.9, 5);
    expect([await unused!.item(), await frozen!.item()]).toEqual([2, 3]);
    expect(Object.keys(adam.stateDict().state)).toEqual(['0']);
  });

  it('without any gradient computes nothing', async () => {
    const p = parameter([1]);
    await new SGD([p], { lr: 1 }).step();
    expect(await p.item()).toBe(1);
  });

  it('adds gradients until zeroGrad', async () => {
    const p = parameter([1]);
    const sgd = new SGD([p], { lr: 1 });
    p.mul(2).sum().backward();
    p.mul(3).sum().backward();
    await sgd.step();
    expect(await p.item()).toBe(-4);
  });

  it('trains computed parameters', async () => {
    const p = tensor([3]).mul(2);
    p.requiresGrad = true;
    const sgd = new SGD([p], { lr: 1 });
    p.mul(p).sum().backward();
    await sgd.step();
    expect(await p.item()).toBe(-6);
  });

  it('gives groups their own options', async () => {
    const [a, b] = [parameter([1]), parameter([1])];
    const sgd = new SGD([{ params: [a!] }, { params: [b!], lr: 0.25 }], { lr: 0.5 });
    a!.add(b!).sum().backward();
    await sgd.step();
    expect([await a!.item(), await b!.item()]).toEqual([0.5, 0.75]);
    sgd.lr = 1;
    expect(sgd.paramGroups.map(({ lr }) => lr)).toEqual([1, 1]);
  });
});

it('refuses parameters and options that make no sense', () => {
  const p = tensor([1], { requiresGrad: true });
  expect(() => new SGD([], { lr: 1 })).toThrow(/\[SGD\] no parameters given/);
  expect(() => new SGD([tensor([1])], { lr: 1 })).toThrow(/\[SGD\] parameter 0 does not require grad/);
  expect(() => new SGD([p, p], { lr: 1 })).toThrow(/\[SGD\] a parameter is given twice/);
  expect(() => new SGD([p], { lr: -1 })).toThrow(/\[SGD\] lr is -1/);
  expect(() => new SGD([p], { lr: 1, nesterov: true })).toThrow(/nesterov with momentum 0/);
  expect(() => new Adam([p], { betas: [0.9, 1] })).toThrow(/\[Adam\] betas\[1\] is 1/);
  expect(() => new AdamW([p], { lr: Number.NaN })).toThrow(/\[AdamW\] lr is NaN/);
  const untyped =
    (Kind: unknown, ...args: unknown[]) =>
    () =>
      new (Kind as new (...a: unknown[]) => unknown)(...args);
  expect(untyped(Adam)).toThrow(/\[Adam\] parameters are undefined \(expected a list/);
  expect(untyped(Adam, p)).toThrow(/\[Adam\] parameters are object/);
  expect(untyped(Adam, [p], 0.1)).toThrow(/\[Adam\] options are 0.1/);
  expect(untyped(Adam, [{ parameters: [p] }])).toThrow(/\[Adam\] entry 0 is neither a tensor nor a group/);
  expect(untyped(Adam, [null])).toThrow(/\[Adam\] entry 0/);
  expect(untyped(Adam, [p], { learningRate: 1 })).toThrow(/\[Adam\] unknown option: learningRate \(expected lr, betas/);
  expect(untyped(Adam, [{ params: [p], momentum: 1 }])).toThrow(/\[Adam\] unknown option: momentum/);
  expect(untyped(Adam, [p], { lr: '0.1' })).toThrow(/\[Adam\] lr is "0.1"/);
  expect(untyped(Adam, [p], { betas: 0.9 })).toThrow(/\[Adam\] betas are 0.9/);
  expect(untyped(SGD, [p])).toThrow(/\[SGD\] options are undefined/);
  expect(untyped(SGD, [p], {})).toThrow(/\[SGD\] lr is NaN/);
  expect(untyped(SGD, [p], { lr: 0.1, momentum: undefined })).not.toThrow();
  const adam = new Adam([p]);
  expect(() => {
    adam.lr = Number.NaN;
  }).toThrow(/\[Adam\] lr is NaN/);
  expect(adam.lr).toBe(0.001);
});

import { init, manualSeed, type Tensor, tensor, zeros } from 'tiller';
import { loadSafetensors, saveSafetensors } from 'tiller/formats';
import * as nn from 'tiller/nn';
import { SGD } from 'tiller/optim';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await init({ engine: 'reference' });
});

class Block extends nn.Module {
  first = new nn.Linear(3, 4);
  second = new nn.Linear(4, 3, { bias: false });
  forward(x: Tensor): Tensor {
    return x.add(this.second.forward(this.first.forward(x).relu()));
  }
}

class Net extends nn.Module {
  blocks = [new Block(), new Block()];
  scale = nn.parameter(tensor([1, 1, 1]));
  gates = [tensor([1], { requiresGrad: true }), tensor([2])];
  mean = this.registerBuffer('mean', zeros([3]));
  lastInput: Tensor | null = null;
  lastOutput: Tensor | null = null;
  forward(x: Tensor): Tensor {
    this.lastInput = x;
    const y = this.blocks.reduce((value, block) => block.forward(value), x.sub(this.mean));
    this.lastOutput = y.mul(this.scale).mul(this.gates[0]!);
    return this.lastOutput;
  }
}

const names = (list: readonly (readonly [string, unknown])[]) => list.map(([name]) => name);

const PARAMETERS = [
  'scale',
  'gates.0',
  'blocks.0.first.weight',
  'blocks.0.first.bias',
  'blocks.0.second.weight',
  'blocks.1.first.weight',
  'blocks.1.first.bias',
  'blocks.1.second.weight',
];

describe('Module', () => {
  it('finds modules and parameters in its fields', () => {
    const net = new Net();
    expect(names(net.namedParameters())).toEqual(PARAMETERS);
    expect(net.parameters()).toHaveLength(PARAMETERS.length);
    expect(names(net.namedModules())).toEqual([
      '',
      'blocks.0',
      'blocks.0.first',
      'blocks.0.second',
      'blocks.1',
      'blocks.1.first',
      'blocks.1.second',
    ]);
    expect(names(net.namedChildren())).toEqual(['blocks.0', 'blocks.1']);
    expect(names(net.namedBuffers())).toEqual(['mean']);
    expect(Object.keys(net.stateDict()).sort()).toEqual([...PARAMETERS, 'mean'].sort());
  });

  it('does not take activations that were kept in a field for parameters', async () => {
    const net = new Net();
    const y = net.forward(tensor([[1, 2, 3]]));
    expect(names(net.namedParameters())).toEqual(PARAMETERS);
    await y.data();
    expect(names(net.namedParameters())).toEqual(PARAMETERS);
    expect(Object.keys(net.stateDict())).not.toContain('lastInput');
  });

  it('counts a shared parameter once, but saves it under both names', () => {
    class Tied extends nn.Module {
      a = new nn.Linear(2, 2, { bias: false });
      b = new nn.Linear(2, 2, { bias: false });
      constructor() {
        super();
        this.b.weight = this.a.weight;
      }
    }
    const tied = new Tied();
    expect(names(tied.namedParameters())).toEqual(['a.weight']);
    expect(Object.keys(tied.stateDict())).toEqual(['a.weight', 'b.weight']);
  });

  it('does not follow a cycle forever', () => {
    class Child extends nn.Module {
      parent: nn.Module | null = null;
      weight = nn.parameter(tensor([1]));
    }
    class Parent extends nn.Module {
      child = new Child();
    }
    const parent = new Parent();
    parent.child.parent = parent;
    expect(names(parent.namedParameters())).toEqual(['child.weight']);
  });

  it('keeps frozen parameters in its state', () => {
    const layer = new nn.Linear(2, 3);
    layer.weight.requiresGrad = false;
    expect(names(layer.namedParameters())).toEqual(['weight', 'bias']);
    expect(Object.keys(layer.stateDict())).toEqual(['weight', 'bias']);
  });

  it('switches all its modules between training and evaluation', () => {
    const net = new Net();
    const modes = () => new Set(net.namedModules().map(([, module]) => module.training));
    expect(modes()).toEqual(new Set([true]));
    expect(net.eval()).toBe(net);
    expect(modes()).toEqual(new Set([false]));
    net.train();
    expect(modes()).toEqual(new Set([true]));
  });

  it('collects gradients in its parameters and forgets them', async () => {
    const net = new Net();
    net
      .forward(tensor([[1, 2, 3]]))
      .sum()
      .backward();
    for (const [name, p] of net.namedParameters()) expect(p.grad?.shape, name).toEqual(p.shape);
    net.zeroGrad();
    for (const p of net.parameters()) expect(p.grad).toBeNull();
  });

  it('refuses to take a parameter for a buffer', () => {
    expect(() => new Net().registerBuffer('x', tensor([1], { requiresGrad: true }))).toThrow(/'x' requires grad/);
  });
});

describe('state', () => {
  it('moves to another network, through a file too', async () => {
    const [from, direct, viaFile] = [new Net(), new Net(), new Net()];
    const x = tensor([[1, 2, 3]]);
    const expected = await from.forward(x).tolist();
    expect(await direct.forward(x).tolist()).not.toEqual(expected);
    direct.loadStateDict(from.stateDict());
    viaFile.loadStateDict(loadSafetensors(await saveSafetensors(from.stateDict())));
    expect(await direct.forward(x).tolist()).toEqual(expected);
    expect(await viaFile.forward(x).tolist()).toEqual(expected);
    expect(names(direct.namedParameters())).toEqual(PARAMETERS);
  });

  it('is a copy: training one network leaves the other alone', async () => {
    const [trained, copy] = [new nn.Linear(2, 1), new nn.Linear(2, 1)];
    const file = loadSafetensors(await saveSafetensors(trained.stateDict()));
    copy.loadStateDict(trained.stateDict());
    trained.loadStateDict(file);
    const before = await copy.weight.tolist();
    const sgd = new SGD(trained.parameters(), { lr: 0.5 });
    for (let i = 0; i < 2; i++) {
      sgd.zeroGrad();
      trained
        .forward(tensor([[1, 1]]))
        .sum()
        .backward();
      await sgd.step();
    }
    expect(await copy.weight.tolist()).toEqual(before);
    expect(await file.weight!.tolist()).toEqual(before);
    const [[w0, w1]] = before as [[number, number]];
    const after = (await trained.weight.data()) as Float32Array;
    expect([...after]).toEqual([Math.fround(w0 - 0.5) - 0.5, Math.fround(w1 - 0.5) - 0.5].map(Math.fround));
  });

  it('keeps the optimizer going after it was loaded', async () => {
    const layer = new nn.Linear(1, 1);
    const sgd = new SGD(layer.parameters(), { lr: 1 });
    layer.loadStateDict({ weight: tensor([[5]]), bias: tensor([2]) });
    layer
      .forward(tensor([[3]]))
      .sum()
      .backward();
    await sgd.step();
    expect([await layer.weight.item(), await layer.bias!.item()]).toEqual([2, 1]);
  });

  it('that does not fit is refused, and changes nothing', async () => {
    const layer = new nn.Linear(2, 3);
    const before = await layer.weight.tolist();
    const good = { weight: zeros([3, 2]), bias: zeros([3]) };
    expect(() => layer.loadStateDict({ weight: good.weight })).toThrow(/missing bias; unexpected none/);
    expect(() => layer.loadStateDict({ ...good, extra: zeros([1]) })).toThrow(/missing none; unexpected extra/);
    expect(() => layer.loadStateDict({ ...good, bias: zeros([2]) })).toThrow(
      /'bias' has shape \[2\] \(expected \[3\]\)/,
    );
    expect(() => layer.loadStateDict({ ...good, bias: zeros([3], { dtype: 'i32' }) })).toThrow(/'bias' is i32/);
    expect(await layer.weight.tolist()).toEqual(before);
    layer.loadStateDict({ weight: good.weight, extra: zeros([1]) }, { strict: false });
    expect(await layer.weight.tolist()).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });
});

/** Mean and variance of uniform -bound..bound are 0 and bound^2 / 3; five standard errors are allowed. */
async function expectUniform(weight: Tensor, bound: number): Promise<void> {
  const values = [...(await weight.data())];
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + v * v, 0) / values.length;
  expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound);
  expect(Math.abs(mean)).toBeLessThan((5 * bound) / Math.sqrt(3 * values.length));
  expect(Math.abs(variance - bound ** 2 / 3)).toBeLessThan(
    (5 * bound ** 2 * Math.sqrt(4 / 45)) / Math.sqrt(values.length),
  );
}

describe('layers', () => {
  it('Linear starts as in PyTorch: uniform within 1 / sqrt(inputs), by the seed', async () => {
    manualSeed(1);
    const layer = new nn.Linear(100, 80);
    expect([layer.weight.shape, layer.bias!.shape]).toEqual([[80, 100], [80]]);
    await expectUniform(layer.weight, 0.1);
    await expectUniform(layer.bias!, 0.1);
    manualSeed(1);
    expect(await new nn.Linear(100, 80).weight.data()).toEqual(await layer.weight.data());
    manualSeed(2);
    expect(await new nn.Linear(100, 80).weight.data()).not.toEqual(await layer.weight.data());
  });

  it('Linear multiplies by its transposed weight', async () => {
    const layer = new nn.Linear(2, 3);
    layer.loadStateDict({
      weight: tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      bias: tensor([0.5, 0, -1]),
    });
    expect(await layer.forward(tensor([[10, 1]])).tolist()).toEqual([[12.5, 34, 55]]);
    expect(() => layer.forward(zeros([2, 3]))).toThrow(/\[2, 3\]/);
  });

  it('Conv2d starts within 1 / sqrt(inputs of an output)', async () => {
    const layer = new nn.Conv2d(8, 16, [3, 5], { groups: 2 });
    expect([layer.weight.shape, layer.bias!.shape]).toEqual([[16, 4, 3, 5], [16]]);
    await expectUniform(layer.weight, 1 / Math.sqrt(4 * 3 * 5));
    expect(new nn.Conv2d(1, 2, 3, { bias: false }).bias).toBeNull();
  });

  it('Conv2d and MaxPool2d compute what they should', async () => {
    const conv = new nn.Conv2d(1, 1, 2, { padding: 1, stride: 2 });
    conv.loadStateDict({ weight: tensor([1, 10, 100, 1000], { shape: [1, 1, 2, 2] }), bias: tensor([0.5]) });
    const image = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], { shape: [1, 1, 3, 3] });
    // Windows start at -1 and 1, where row and column -1 are padding.
    expect(await conv.forward(image).tolist()).toEqual([
      [
        [
          [1000.5, 3200.5],
          [7040.5, 9865.5],
        ],
      ],
    ]);
    expect(await new nn.MaxPool2d(2, { stride: 1 }).forward(image).tolist()).toEqual([
      [
        [
          [5, 6],
          [8, 9],
        ],
      ],
    ]);
  });

  it('Dropout zeroes a share and scales the rest while training, and nothing under eval()', async () => {
    const dropout = new nn.Dropout(0.25);
    const x = tensor(new Float32Array(10_000).fill(3));
    const values = [...(await dropout.forward(x).data())];
    const kept = values.filter((v) => v !== 0);
    expect(new Set(kept)).toEqual(new Set([4]));
    // Five standard errors of a binomial.
    expect(Math.abs(kept.length - 7500)).toBeLessThan(5 * Math.sqrt(10_000 * 0.25 * 0.75));
    expect([...(await dropout.forward(x).data())]).not.toEqual(values);
    dropout.eval();
    expect(await dropout.forward(x).data()).toEqual(await x.data());
    expect(() => new nn.Dropout(1.5)).toThrow(/\[Dropout\] p is 1.5/);
  });

  it('Sequential chains layers and names them by position', async () => {
    const net = new nn.Sequential(
      new nn.Flatten(),
      new nn.Linear(4, 3),
      new nn.ReLU(),
      new nn.Linear(3, 2),
      new nn.Softmax(),
    );
    expect(names(net.namedParameters())).toEqual(['1.weight', '1.bias', '3.weight', '3.bias']);
    const y = net.forward(zeros([5, 2, 2]));
    expect(y.shape).toEqual([5, 2]);
    for (const row of (await y.tolist()) as number[][]) expect(row[0]! + row[1]!).toBeCloseTo(1, 6);
    expect(() => new nn.Sequential(((x: Tensor) => x) as unknown as nn.Layer)).toThrow(/argument 0 is no Module/);
  });

  it('losses are modules too', async () => {
    const scores = tensor([[0, Math.log(3)]]);
    expect(await new nn.CrossEntropyLoss().forward(scores, tensor(Int32Array.of(1))).item()).toBeCloseTo(
      Math.log(4 / 3),
      6,
    );
    expect(await new nn.MSELoss().forward(tensor([1, 2]), tensor([3, 5])).item()).toBe(6.5);
  });

  it.each([
    () => new nn.Linear(0, 3),
    () => new nn.Linear(2, 1.5),
    () => new nn.Conv2d(1, 1, 0),
    () => new nn.Conv2d(3, 4, 3, { groups: 2 }),
  ])('refuses sizes that make no sense: %s', (make) => {
    expect(make).toThrow(/^\[(Linear|Conv2d)\]/);
  });
});

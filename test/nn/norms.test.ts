import * as tl from 'tiller';
import * as nn from 'tiller/nn';
import { SGD } from 'tiller/optim';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await tl.init({ engine: 'reference' });
});

const BATCHES = [
  [
    [1, 10],
    [2, 20],
    [6, 60],
  ],
  [
    [-1, 5],
    [0, 5],
    [4, 8],
  ],
];

/** Mean and unbiased variance of each column. */
function statistics(rows: number[][]): { mean: number[]; variance: number[] } {
  const columns = rows[0]!.map((_, c) => rows.map((row) => row[c]!));
  const mean = columns.map((column) => column.reduce((a, b) => a + b, 0) / column.length);
  const variance = columns.map(
    (column, c) => column.reduce((sum, v) => sum + (v - mean[c]!) ** 2, 0) / (column.length - 1),
  );
  return { mean, variance };
}

function runningAfter(batches: number[][][], momentum: number): { mean: number[]; variance: number[] } {
  return batches.reduce(
    (running, rows) => {
      const batch = statistics(rows);
      const moved = (old: number[], now: number[]) => old.map((v, i) => v * (1 - momentum) + now[i]! * momentum);
      return { mean: moved(running.mean, batch.mean), variance: moved(running.variance, batch.variance) };
    },
    { mean: [0, 0], variance: [1, 1] },
  );
}

async function expectRunning(norm: nn.BatchNorm, expected: { mean: number[]; variance: number[] }): Promise<void> {
  const [mean, variance] = [await norm.runningMean!.tolist<number[]>(), await norm.runningVar!.tolist<number[]>()];
  mean.forEach((v, i) => {
    expect(v).toBeCloseTo(expected.mean[i]!, 4);
  });
  variance.forEach((v, i) => {
    expect(v).toBeCloseTo(expected.variance[i]!, 3);
  });
}

describe('BatchNorm', () => {
  it('follows the statistics of batches while training, and uses them under eval', async () => {
    const norm = new nn.BatchNorm1d(2, { momentum: 0.25 });
    for (const rows of BATCHES) await norm.forward(tl.tensor(rows)).data();
    const expected = runningAfter(BATCHES, 0.25);
    await expectRunning(norm, expected);
    expect(Object.keys(norm.stateDict())).toEqual(['weight', 'bias', 'runningMean', 'runningVar']);
    norm.eval();
    const [row] = await norm.forward(tl.tensor([[3, 4]])).tolist<number[][]>();
    row!.forEach((v, i) => {
      expect(v).toBeCloseTo(([3, 4][i]! - expected.mean[i]!) / Math.sqrt(expected.variance[i]! + 1e-5), 4);
    });
    await expectRunning(norm, expected);
  });

  for (const compiled of [false, true]) {
    it(`moves with ${compiled ? 'compiled' : 'plain'} optimizer steps`, async () => {
      const norm = new nn.BatchNorm1d(2);
      const opt = new SGD(norm.parameters(), { lr: 0.1 });
      const step = (x: tl.Tensor): tl.Tensor => {
        const loss = tl.mseLoss(norm.forward(x), tl.onesLike(x));
        opt.zeroGrad();
        loss.backward();
        void opt.step();
        return loss;
      };
      const run = compiled ? tl.compile(step) : step;
      const losses: number[] = [];
      for (let epoch = 0; epoch < 3; epoch++) {
        for (const rows of BATCHES) losses.push(await run(tl.tensor(rows)).item());
      }
      await expectRunning(norm, runningAfter([...BATCHES, ...BATCHES, ...BATCHES], 0.1));
      expect(losses.at(-1)!).toBeLessThan(losses[0]!);
    });
  }

  it('has no buffers where nothing is tracked', () => {
    const norm = new nn.BatchNorm2d(3, { affine: false, trackRunningStats: false });
    expect(norm.buffers()).toEqual([]);
    expect(norm.parameters()).toEqual([]);
    expect(norm.eval().forward(tl.randn([2, 3, 4, 4])).shape).toEqual([2, 3, 4, 4]);
  });
});

describe('modules are their functions', () => {
  const x = tl.tensor([
    [-7, -2, -0.5, 0],
    [0.3, 1, 2.5, 21],
  ]);
  const cases: [string, nn.Module & { forward(x: tl.Tensor): tl.Tensor }, (x: tl.Tensor) => tl.Tensor][] = [
    ['ReLU6', new nn.ReLU6(), tl.relu6],
    ['LeakyReLU', new nn.LeakyReLU(0.2), (v) => tl.leakyRelu(v, 0.2)],
    ['ELU', new nn.ELU(0.5), (v) => tl.elu(v, 0.5)],
    ['SELU', new nn.SELU(), tl.selu],
    ['CELU', new nn.CELU(2), (v) => tl.celu(v, 2)],
    ['SiLU', new nn.SiLU(), tl.silu],
    ['Mish', new nn.Mish(), tl.mish],
    ['Softplus', new nn.Softplus({ beta: 2 }), (v) => tl.softplus(v, { beta: 2 })],
    ['Softsign', new nn.Softsign(), tl.softsign],
    ['Hardtanh', new nn.Hardtanh(-2, 3), (v) => tl.hardtanh(v, -2, 3)],
    ['Hardswish', new nn.Hardswish(), tl.hardswish],
    ['Hardsigmoid', new nn.Hardsigmoid(), tl.hardsigmoid],
    ['LogSigmoid', new nn.LogSigmoid(), tl.logSigmoid],
    ['Tanhshrink', new nn.Tanhshrink(), tl.tanhshrink],
    ['Softshrink', new nn.Softshrink(1), (v) => tl.softshrink(v, 1)],
    ['Hardshrink', new nn.Hardshrink(1), (v) => tl.hardshrink(v, 1)],
    ['Threshold', new nn.Threshold(1, -4), (v) => tl.threshold(v, 1, -4)],
    ['PReLU', new nn.PReLU(4, 0.1), (v) => tl.leakyRelu(v, 0.1)],
    ['GLU', new nn.GLU(0), (v) => tl.glu(v, 0)],
    ['LogSoftmax', new nn.LogSoftmax(0), (v) => tl.logSoftmax(v, 0)],
    ['Softmin', new nn.Softmin(), tl.softmin],
    ['LayerNorm', new nn.LayerNorm(4), (v) => tl.layerNorm(v, 4)],
    ['RMSNorm', new nn.RMSNorm(4), (v) => tl.rmsNorm(v, 4)],
    ['GroupNorm', new nn.GroupNorm(2, 4), (v) => tl.groupNorm(v, 2)],
    ['InstanceNorm1d', new nn.InstanceNorm1d(2), (v) => tl.instanceNorm(v)],
  ];
  it.each(cases)('%s', async (name, module, fn) => {
    const input = name === 'InstanceNorm1d' ? x.reshape(1, 2, 4) : x;
    expect(await module.forward(input).tolist()).toEqual(await fn(input).tolist());
  });
});

describe('Embedding', () => {
  it('leaves the padding row as zeros, and untrained', async () => {
    const table = new nn.Embedding(4, 3, { paddingIdx: -3 });
    expect(await table.weight.select(0, 1).tolist()).toEqual([0, 0, 0]);
    const rows = table.forward(
      tl.tensor(
        [
          [1, 2],
          [3, 1],
        ],
        { dtype: 'i32' },
      ),
    );
    expect(rows.shape).toEqual([2, 2, 3]);
    rows.sum().backward();
    expect(await table.weight.grad!.sum(1).tolist()).toEqual([0, 0, 3, 3]);
    expect(() => new nn.Embedding(4, 3, { paddingIdx: 4 })).toThrow('[Embedding] paddingIdx is 4');
  });
});

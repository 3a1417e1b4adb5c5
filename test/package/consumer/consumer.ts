// A user's first file. Compiled under `strict` against the packed declarations, and run against the packed JavaScript.
import * as tl from 'tiller';
import * as data from 'tiller/data';
import * as fft from 'tiller/fft';
import * as formats from 'tiller/formats';
import * as linalg from 'tiller/linalg';
import * as nn from 'tiller/nn';
import * as optim from 'tiller/optim';
import * as random from 'tiller/random';

class Net extends nn.Module {
  fc = new nn.Linear(4, 2);
  forward(x: tl.Tensor): tl.Tensor {
    return this.fc.forward(x.relu());
  }
}

await tl.init({ engine: 'reference' });
tl.manualSeed(0);

const a: tl.Tensor = tl.tensor([
  [1, 2],
  [3, 4],
]);
const shape: readonly number[] = a.shape;
const product = await a.matmul(a).tolist();

const net = new Net();
const opt = new optim.SGD(net.parameters(), { lr: 0.1 });
const loss = net.forward(tl.ones([3, 4])).sum();
loss.backward();
await opt.step();
opt.zeroGrad();

const g = tl.grad((x: tl.Tensor) => x.mul(x).sum());
const slope: number = Number(await g(tl.tensor(3)).item());

// The last line of output is what the test reads.
console.log(
  JSON.stringify({
    shape,
    product,
    slope,
    modules: [data, formats, linalg, fft, random].every((m) => Object.keys(m).length > 0),
  }),
);

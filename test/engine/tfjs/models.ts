import * as tl from 'tiller';
import * as nn from 'tiller/nn';

/** A model whose training step is known on all engines: its parameters and the loss of step `i`, on data made from numbers. */
export interface Model {
  readonly net: nn.Module;
  loss(step: number): tl.Tensor;
}

const wave = (size: number, step: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(i * 0.7 + step * 1.3) + (((i * 7 + step) % 11) - 5) / 11);
const labels = (size: number, step: number, classes: number): tl.Tensor =>
  tl.tensor(Int32Array.from({ length: size }, (_, i) => (i * 3 + step) % classes));

export function mlp(): Model {
  const net = new nn.Sequential(
    new nn.Linear(24, 32),
    new nn.ReLU(),
    new nn.Linear(32, 16),
    new nn.Sigmoid(),
    new nn.Linear(16, 10),
  );
  const loss = (step: number) =>
    tl.crossEntropy(net.forward(tl.tensor(wave(32 * 24, step % 7), { shape: [32, 24] })), labels(32, step % 7, 10));
  return { net, loss };
}

export function cnn(): Model {
  const net = new nn.Sequential(
    new nn.Conv2d(1, 6, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(6, 8, 3),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Dropout(0.2),
    new nn.Linear(8 * 4 * 4, 10),
  );
  const loss = (step: number) =>
    tl.crossEntropy(
      net.forward(tl.tensor(wave(8 * 144, step % 5), { shape: [8, 1, 12, 12] })),
      labels(8, step % 5, 10),
    );
  return { net, loss };
}

/** One block of a transformer on token numbers: embedding, attention with a causal mask, GELU, layer norms. */
class Block extends nn.Module {
  readonly tokens = new nn.Embedding(11, 16);
  readonly places = new nn.Embedding(6, 16);
  readonly norms = [new nn.LayerNorm(16), new nn.LayerNorm(16)];
  readonly qkv = new nn.Linear(16, 48);
  readonly out = new nn.Linear(16, 16);
  readonly wide = new nn.Linear(16, 32);
  readonly narrow = new nn.Linear(32, 16);
  readonly head = new nn.Linear(16, 11);

  forward(tokens: tl.Tensor): tl.Tensor {
    const [batch, length] = tokens.shape as [number, number];
    let x = this.tokens.forward(tokens).add(this.places.forward(tl.arange(0, length)));
    const parts = this.qkv
      .forward(this.norms[0]!.forward(x))
      .reshape([batch, length, 3, 2, 8])
      .permute([2, 0, 3, 1, 4]);
    const [q, k, v] = [0, 1, 2].map((i) => parts.select(0, i)) as [tl.Tensor, tl.Tensor, tl.Tensor];
    const attended = tl.scaledDotProductAttention(q, k, v, { isCausal: true });
    x = x.add(this.out.forward(attended.permute([0, 2, 1, 3]).reshape([batch, length, 16])));
    x = x.add(this.narrow.forward(tl.gelu(this.wide.forward(this.norms[1]!.forward(x)))));
    return this.head.forward(x);
  }
}

export function transformer(): Model {
  const net = new Block();
  const loss = (step: number) => {
    const tokens = tl.tensor(
      Int32Array.from({ length: 24 }, (_, i) => (i * i + step) % 11),
      { shape: [4, 6] },
    );
    return tl.crossEntropy(net.forward(tokens).reshape([24, 11]), labels(24, step % 5, 11));
  };
  return { net, loss };
}

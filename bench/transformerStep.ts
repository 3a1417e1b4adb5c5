import { arange, crossEntropy, randint, scaledDotProductAttention, type Tensor } from 'tiller';
import * as nn from 'tiller/nn';
import * as optim from 'tiller/optim';

const [LAYERS, WIDTH, HEADS, LENGTH, BATCH, WORDS] = [4, 64, 4, 32, 8, 100] as const;

/** Causal attention and a perceptron, each after a normalisation and beside a residual. */
class Block extends nn.Module {
  readonly norm1 = new nn.LayerNorm(WIDTH);
  readonly attention = new nn.Linear(WIDTH, 3 * WIDTH);
  readonly out = new nn.Linear(WIDTH, WIDTH);
  readonly norm2 = new nn.LayerNorm(WIDTH);
  readonly up = new nn.Linear(WIDTH, 4 * WIDTH);
  readonly down = new nn.Linear(4 * WIDTH, WIDTH);

  forward(x: Tensor): Tensor {
    const heads = this.attention
      .forward(this.norm1.forward(x))
      .reshape(BATCH, LENGTH, 3, HEADS, WIDTH / HEADS)
      .permute(2, 0, 3, 1, 4);
    const [q, k, v] = [heads.select(0, 0), heads.select(0, 1), heads.select(0, 2)];
    const seen = scaledDotProductAttention(q, k, v, { isCausal: true });
    const y = x.add(this.out.forward(seen.transpose(1, 2).reshape(BATCH, LENGTH, WIDTH)));
    return y.add(this.down.forward(this.up.forward(this.norm2.forward(y)).gelu()));
  }
}

class Transformer extends nn.Module {
  readonly words = new nn.Embedding(WORDS, WIDTH);
  readonly places = new nn.Embedding(LENGTH, WIDTH);
  readonly blocks = Array.from({ length: LAYERS }, () => new Block());
  readonly norm = new nn.LayerNorm(WIDTH);
  readonly head = new nn.Linear(WIDTH, WORDS);

  forward(text: Tensor): Tensor {
    let x = this.words.forward(text).add(this.places.forward(arange(LENGTH)));
    for (const block of this.blocks) x = block.forward(x);
    return this.head.forward(this.norm.forward(x)).reshape(BATCH * LENGTH, WORDS);
  }
}

/** One training step, with AdamW, of a transformer that predicts the next word; resolves to the loss. */
export async function transformerStep(): Promise<number> {
  const net = new Transformer();
  const optimizer = new optim.AdamW(net.parameters(), { lr: 1e-3 });
  const text = randint(0, WORDS, [BATCH, LENGTH + 1]);
  const loss = crossEntropy(net.forward(text.narrow(1, 0, LENGTH)), text.narrow(1, 1, LENGTH).reshape(BATCH * LENGTH));
  optimizer.zeroGrad();
  loss.backward();
  await optimizer.step();
  return loss.item();
}

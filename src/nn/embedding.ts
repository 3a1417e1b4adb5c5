import { ArgumentError } from '../graph/index.js';
import { arange, embedding, eq, randn, type Tensor, unsqueeze, where } from '../tensor/index.js';
import { checkSize } from './linear.js';
import { Module } from './module.js';
import { parameter } from './parameter.js';

export interface EmbeddingOptions {
  /** A position whose row begins as zeros and is not trained. */
  paddingIdx?: number;
}

/** Rows of a trained table by i32 positions: [...] to [..., embeddingDim]. */
export class Embedding extends Module {
  /** [numEmbeddings, embeddingDim] */
  weight: Tensor;
  readonly paddingIdx: number | null;

  constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    options: EmbeddingOptions = {},
  ) {
    super();
    checkSize('Embedding', 'numEmbeddings', numEmbeddings);
    checkSize('Embedding', 'embeddingDim', embeddingDim);
    const rows = randn([numEmbeddings, embeddingDim]);
    const given = options.paddingIdx ?? null;
    this.paddingIdx = given !== null && given < 0 ? given + numEmbeddings : given;
    const { paddingIdx } = this;
    if (paddingIdx === null) {
      this.weight = parameter(rows);
      return;
    }
    if (!Number.isInteger(paddingIdx) || paddingIdx < 0 || paddingIdx >= numEmbeddings) {
      throw new ArgumentError(`[Embedding] paddingIdx is ${String(given)} (expected a row of ${numEmbeddings})`);
    }
    this.weight = parameter(where(unsqueeze(eq(arange(numEmbeddings), paddingIdx), 1), 0, rows));
  }

  forward(x: Tensor): Tensor {
    const rows = embedding(x, this.weight);
    return this.paddingIdx === null ? rows : where(unsqueeze(eq(x, this.paddingIdx), -1), rows.detach(), rows);
  }
}

import { ArgumentError } from '../graph/index.js';
import type { Dataset } from './dataset.js';
import { seededPermutation } from './shuffle.js';

export interface DataLoaderOptions {
  /** Samples a batch; 1 by default. */
  batchSize?: number;
  /** A new order each epoch; off by default. */
  shuffle?: boolean;
  /** Fixes the orders: the same seed and epoch give the same order. 0 by default. */
  seed?: number;
  /** Leaves out the last batch where it is smaller than the others, so that all batches have one shape; off by default. */
  dropLast?: boolean;
}

/**
 * Iterates over a dataset in batches; each `for await` loop is one epoch.
 *
 *     for await (const [x, y] of loader) { … }
 *
 * @throws ArgumentError for a batch size that is no positive integer
 */
export class DataLoader<Batch> implements AsyncIterable<Batch> {
  /** Number of the next epoch; set it to continue an interrupted training with the orders it would have had. */
  epoch = 0;
  readonly batchSize: number;
  /** Batches of one epoch. */
  readonly length: number;
  private readonly shuffle: boolean;
  private readonly seed: number;

  constructor(
    readonly dataset: Dataset<Batch>,
    options: DataLoaderOptions = {},
  ) {
    const { batchSize = 1, shuffle = false, seed = 0, dropLast = false } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ArgumentError(`[DataLoader] invalid batchSize: ${batchSize} (expected a positive integer)`);
    }
    if (!Number.isSafeInteger(seed)) {
      throw new ArgumentError(`[DataLoader] invalid seed: ${seed} (expected an integer)`);
    }
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.seed = seed;
    this.length = dropLast ? Math.floor(dataset.length / batchSize) : Math.ceil(dataset.length / batchSize);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    const count = this.dataset.length;
    const order = this.shuffle
      ? seededPermutation(count, this.seed, this.epoch)
      : Int32Array.from({ length: count }, (_, i) => i);
    this.epoch++;
    for (let i = 0; i < this.length; i++) {
      yield await this.dataset.batch(order.subarray(i * this.batchSize, (i + 1) * this.batchSize));
    }
  }
}

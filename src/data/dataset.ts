import {
  ArgumentError,
  type DType,
  type Shape,
  ShapeError,
  showShape,
  sizeOf,
  type TypedArray,
} from '../graph/index.js';
import { type Tensor, tensor } from '../tensor/index.js';
import { seededPermutation } from './shuffle.js';

/** Samples that can be fetched in batches. `Batch` is whatever a training step wants, usually a tuple of tensors. */
export interface Dataset<Batch> {
  /** Number of samples. */
  readonly length: number;
  /** The samples at these indices, stacked along a new first axis. */
  batch(indices: Int32Array): Batch | Promise<Batch>;
}

/** One column of an ArrayDataset: the samples one after another, and the shape of one sample ([] for a number). */
export interface ArrayColumn {
  readonly data: TypedArray;
  readonly shape?: Shape;
  /** The array's own by default: Float32Array f32, Int32Array i32, Uint32Array and Uint8Array u32. */
  readonly dtype?: DType;
}

type TensorsOf<Columns extends readonly unknown[]> = { -readonly [K in keyof Columns]: Tensor };

/**
 * Samples in typed arrays. Each batch is a tuple with one tensor [batch, ...shape] per column.
 *
 *     new ArrayDataset({ data: pixels, shape: [784] }, { data: labels })   // batches: [f32 [n, 784], i32 [n]]
 *
 * @throws ShapeError where the columns hold different numbers of samples
 */
export class ArrayDataset<const Columns extends readonly ArrayColumn[]> implements Dataset<TensorsOf<Columns>> {
  readonly length: number;
  private readonly columns: Columns;

  constructor(...columns: Columns) {
    const counts = columns.map(({ data, shape = [] }, i) => {
      const count = data.length / sizeOf(shape);
      if (!Number.isInteger(count)) {
        throw new ShapeError(
          `[ArrayDataset] column ${i} has ${data.length} elements (expected a multiple of ${sizeOf(shape)} for samples ${showShape(shape)})`,
        );
      }
      return count;
    });
    if (counts.length === 0) throw new ArgumentError('[ArrayDataset] no columns given (expected at least one)');
    if (counts.some((count) => count !== counts[0])) {
      throw new ShapeError(`[ArrayDataset] columns differ in length: ${counts.join(', ')} samples`);
    }
    this.length = counts[0]!;
    this.columns = columns;
  }

  batch(indices: Int32Array): TensorsOf<Columns> {
    return this.columns.map((column) => gatherRows(column, indices, this.length)) as TensorsOf<Columns>;
  }
}

function gatherRows({ data, shape = [], dtype }: ArrayColumn, indices: Int32Array, length: number): Tensor {
  const size = sizeOf(shape);
  const rows = data.slice(0, 0).constructor as new (length: number) => TypedArray;
  const out = new rows(indices.length * size);
  indices.forEach((index, row) => {
    if (index < 0 || index >= length)
      throw new ArgumentError(`[batch] index out of range: ${index} of ${length} samples`);
    if (size === 1) out[row] = data[index]!;
    else out.set(data.subarray(index * size, (index + 1) * size), row * size);
  });
  return tensor(out, { shape: [indices.length, ...shape], ...(dtype && { dtype }) });
}

/**
 * Samples in tensors that share their first axis; reads them to the host once, when the first batch is asked for.
 * @throws ShapeError where the first axes differ
 */
export class TensorDataset<const Tensors extends readonly Tensor[]> implements Dataset<TensorsOf<Tensors>> {
  readonly length: number;
  private readonly tensors: Tensors;
  private onHost: Promise<ArrayDataset<ArrayColumn[]>> | null = null;

  constructor(...tensors: Tensors) {
    if (tensors.length === 0) throw new ArgumentError('[TensorDataset] no tensors given (expected at least one)');
    const lengths = tensors.map(({ shape }) => shape[0]);
    if (lengths.some((length) => length === undefined || length !== lengths[0])) {
      throw new ShapeError(
        `[TensorDataset] first axes differ: ${tensors.map(({ shape }) => showShape(shape)).join(', ')} (expected one number of samples)`,
      );
    }
    this.length = lengths[0]!;
    this.tensors = tensors;
  }

  async batch(indices: Int32Array): Promise<TensorsOf<Tensors>> {
    this.onHost ??= this.read();
    return (await this.onHost).batch(indices) as unknown as TensorsOf<Tensors>;
  }

  private async read(): Promise<ArrayDataset<ArrayColumn[]>> {
    const data = await Promise.all(this.tensors.map((t) => t.data()));
    return new ArrayDataset<ArrayColumn[]>(
      ...this.tensors.map((t, i) => ({ data: data[i] as TypedArray, shape: t.shape.slice(1), dtype: t.dtype })),
    );
  }
}

/** Some samples of another dataset. */
export class Subset<Batch> implements Dataset<Batch> {
  readonly length: number;

  constructor(
    private readonly dataset: Dataset<Batch>,
    private readonly indices: Int32Array,
  ) {
    this.length = indices.length;
    for (const index of indices) {
      if (index < 0 || index >= dataset.length) {
        throw new ArgumentError(`[Subset] index out of range: ${index} of ${dataset.length} samples`);
      }
    }
  }

  batch(indices: Int32Array): Batch | Promise<Batch> {
    return this.dataset.batch(
      indices.map((i) => {
        const index = this.indices[i];
        if (index === undefined) throw new ArgumentError(`[batch] index out of range: ${i} of ${this.length} samples`);
        return index;
      }),
    );
  }
}

/**
 * Splits a dataset at random into parts of the given lengths: the same seed gives the same parts.
 * @throws ArgumentError where the lengths do not add up to the dataset's
 */
export function randomSplit<Batch>(
  dataset: Dataset<Batch>,
  lengths: readonly number[],
  { seed = 0 }: { seed?: number } = {},
): Subset<Batch>[] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total !== dataset.length || lengths.some((length) => !Number.isInteger(length) || length < 0)) {
    throw new ArgumentError(
      `[randomSplit] lengths do not add up: ${lengths.join(' + ')} = ${total} (expected ${dataset.length} samples)`,
    );
  }
  const order = seededPermutation(dataset.length, seed);
  let start = 0;
  return lengths.map((length) => new Subset(dataset, order.slice(start, (start += length))));
}

import { tensor } from 'tiller';
import {
  ArrayDataset,
  DataLoader,
  type Dataset,
  randomSplit,
  SeededRandom,
  Subset,
  seededPermutation,
  TensorDataset,
} from 'tiller/data';
import { describe, expect, it } from 'vitest';

/** Batches of plain numbers: what a loader asked for. */
class Indices implements Dataset<number[]> {
  constructor(readonly length: number) {}
  batch(indices: Int32Array): number[] {
    return [...indices];
  }
}

async function epoch<Batch>(loader: DataLoader<Batch>): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of loader) batches.push(batch);
  return batches;
}

const sorted = (values: Iterable<number>) => [...values].sort((a, b) => a - b);
const range = (length: number) => Array.from({ length }, (_, i) => i);

describe('DataLoader', () => {
  it('goes through the samples in order', async () => {
    const loader = new DataLoader(new Indices(7), { batchSize: 3 });
    expect(loader.length).toBe(3);
    expect(await epoch(loader)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });

  it('leaves out the smaller last batch under dropLast', async () => {
    const loader = new DataLoader(new Indices(7), { batchSize: 3, dropLast: true });
    expect(loader.length).toBe(2);
    expect(await epoch(loader)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });

  it('shuffles: each epoch another order of all samples, the same for the same seed', async () => {
    const make = (seed: number) => new DataLoader(new Indices(100), { batchSize: 10, shuffle: true, seed });
    const loader = make(1);
    const epochs = [await epoch(loader), await epoch(loader)].map((batches) => batches.flat());
    for (const order of epochs) expect(sorted(order)).toEqual(range(100));
    expect(epochs[0]).not.toEqual(range(100));
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect((await epoch(make(2))).flat()).not.toEqual(epochs[0]);

    const again = make(1);
    expect((await epoch(again)).flat()).toEqual(epochs[0]);
    expect((await epoch(again)).flat()).toEqual(epochs[1]);
    const resumed = make(1);
    resumed.epoch = 1;
    expect((await epoch(resumed)).flat()).toEqual(epochs[1]);
  });

  it('gives no batches for no samples, and refuses senseless sizes', async () => {
    expect(await epoch(new DataLoader(new Indices(0), { batchSize: 4 }))).toEqual([]);
    for (const batchSize of [0, -1, 1.5, Number.NaN]) {
      expect(() => new DataLoader(new Indices(4), { batchSize })).toThrow(/\[DataLoader\] invalid batchSize/);
    }
  });
});

describe('seededPermutation', () => {
  it('is uniform: every order of 4 turns up equally often', () => {
    const runs = 24_000;
    const counts = new Map<string, number>();
    for (let seed = 0; seed < runs; seed++) {
      const key = seededPermutation(4, seed).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // Chi-squared with 23 degrees of freedom exceeds 49.7 once in a thousand times.
    const expected = runs / 24;
    const chiSquared = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    expect(chiSquared).toBeLessThan(49.7);
  });

  it('takes all of a seed and of a stream into account', () => {
    const orders = [
      [0, 0],
      [1, 0],
      [0, 1],
      [-1, 0],
      [2 ** 40, 0],
      [2 ** 40 + 1, 0],
    ].map(([seed, stream]) => seededPermutation(50, seed!, stream).join());
    expect(new Set(orders).size).toBe(orders.length);
  });
});

it('SeededRandom draws uniform numbers', () => {
  const random = new SeededRandom(7);
  const values = Array.from({ length: 20_000 }, () => random.uniform(-1, 3));
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
  expect(Math.max(...values)).toBeLessThan(3);
  // Mean 1 and variance 4/3; five standard errors.
  expect(Math.abs(mean - 1)).toBeLessThan(5 * Math.sqrt(4 / 3 / values.length));
  expect(Math.abs(variance - 4 / 3)).toBeLessThan(5 * Math.sqrt(16 * (1 / 80 - 1 / 144) * (1 / values.length)) * 4);
});

describe('ArrayDataset', () => {
  it('stacks samples of several columns', async () => {
    const data = new ArrayDataset(
      { data: Float32Array.from([0, 1, 10, 11, 20, 21]), shape: [2] },
      { data: Int32Array.from([5, 6, 7]) },
      { data: Uint8Array.from([1, 0, 1]), dtype: 'bool' },
    );
    expect(data.length).toBe(3);
    const [x, y, flag] = data.batch(Int32Array.from([2, 0]));
    expect([x.shape, x.dtype]).toEqual([[2, 2], 'f32']);
    expect(await x.tolist()).toEqual([
      [20, 21],
      [0, 1],
    ]);
    expect([y.dtype, await y.tolist()]).toEqual(['i32', [7, 5]]);
    expect([flag.dtype, await flag.tolist()]).toEqual(['bool', [true, true]]);
  });

  it('refuses columns that do not fit', () => {
    expect(() => new ArrayDataset()).toThrow(/no columns/);
    expect(() => new ArrayDataset({ data: new Float32Array(5), shape: [2] })).toThrow(/column 0 has 5 elements/);
    expect(() => new ArrayDataset({ data: new Float32Array(4) }, { data: new Int32Array(3) })).toThrow(/4, 3 samples/);
    const data = new ArrayDataset({ data: new Float32Array(4) });
    expect(() => data.batch(Int32Array.from([4]))).toThrow(/index out of range: 4 of 4/);
  });
});

it('TensorDataset batches tensors', async () => {
  const x = tensor([
    [0, 1],
    [10, 11],
    [20, 21],
  ]);
  const dataset = new TensorDataset(x, tensor([true, false, true]));
  const loader = new DataLoader(dataset, { batchSize: 2 });
  const batches = await epoch(loader);
  expect(await batches[1]![0].tolist()).toEqual([[20, 21]]);
  expect(await batches[0]![1].tolist()).toEqual([true, false]);
  expect(() => new TensorDataset(x, tensor([1, 2]))).toThrow(/first axes differ: \[3, 2\], \[2\]/);
});

describe('randomSplit', () => {
  it('gives every sample to one part, by the seed', async () => {
    const [a, b] = randomSplit(new Indices(10), [7, 3], { seed: 4 });
    const rows = [await a!.batch(Int32Array.from(range(7))), await b!.batch(Int32Array.from(range(3)))];
    expect(sorted(rows.flat())).toEqual(range(10));
    const [again] = randomSplit(new Indices(10), [7, 3], { seed: 4 });
    expect(await again!.batch(Int32Array.from(range(7)))).toEqual(rows[0]);
    const [other] = randomSplit(new Indices(10), [7, 3], { seed: 5 });
    expect(await other!.batch(Int32Array.from(range(7)))).not.toEqual(rows[0]);
  });

  it('refuses lengths that do not add up, and indices outside', () => {
    expect(() => randomSplit(new Indices(10), [7, 2])).toThrow(/7 \+ 2 = 9 \(expected 10 samples\)/);
    expect(() => new Subset(new Indices(3), Int32Array.from([3]))).toThrow(/index out of range: 3 of 3/);
    const part = new Subset(new Indices(3), Int32Array.from([1]));
    expect(() => part.batch(Int32Array.from([1]))).toThrow(/index out of range: 1 of 1/);
  });
});

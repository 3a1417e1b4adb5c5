import * as tl from 'tiller';

let budget = 2 ** 31;

/** Starts an engine as another process would: with no plan in memory, and the cache in `folder`. */
export async function startEngine(folder: string, engine: 'wasm' | 'webgpu' | 'reference' = 'wasm'): Promise<void> {
  // Engines of equal options are shared, and this option changes no plan.
  await tl.init({ engine, cache: folder, memoryBudget: budget++ });
}

/** Softmax of a product, which takes several kernels, and what it should be. */
export async function work(): Promise<number[]> {
  const a = tl.arange(0, 12).reshape([3, 4]);
  const b = tl.arange(0, 20).reshape([4, 5]).mul(0.01);
  const values = await tl.softmax(a.matmul(b), 1).sum(0).cumsum(0).data();
  return [...values].map((value) => Math.round(value * 1e4) / 1e4);
}

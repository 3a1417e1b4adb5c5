// Runs in the page: plans that are kept in its IndexedDB.
import * as tl from 'tiller';
import { openDatabaseStore } from '../../src/compile/persist/databaseStore.js';

let budget = 2 ** 30;

async function work(cache: boolean | string): Promise<{ values: number[]; stats: object }> {
  // A budget of its own makes it an engine of its own, with no plan in memory.
  await tl.init({ engine: 'wasm', threads: 1, cache, memoryBudget: budget++ });
  const a = tl.arange(0, 12).reshape([3, 4]).mul(0.1);
  const values = [
    ...(await tl
      .softmax(a.matmul(tl.ones([4, 4])), 1)
      .cumsum(1)
      .data()),
  ];
  return { values, stats: tl.cacheStats() };
}

const names = async () => (await indexedDB.databases()).map(({ name }) => name);

const succeeded = (request: IDBRequest): Promise<void> =>
  new Promise((resolve) => {
    request.onsuccess = () => resolve();
  });

/** Overwrites all records of a database. */
async function damage(name: string): Promise<void> {
  const request = indexedDB.open(name, 1);
  await succeeded(request);
  const stores = request.result.transaction('records', 'readwrite');
  const records = stores.objectStore('records');
  const keys = records.getAllKeys();
  await succeeded(keys);
  const puts = keys.result.map((key, i) => succeeded(records.put(i % 2 === 0 ? new Uint8Array(64) : 'text', key)));
  await Promise.all(puts);
  request.result.close();
}

/** What tuning of a small product found, in this time. */
async function tune(seconds: number): Promise<readonly tl.TunedKernel[] | null> {
  await tl.init({ engine: 'webgpu', cache: 'tuned', memoryBudget: budget++ });
  const product = tl.compile((a: tl.Tensor, b: tl.Tensor) => a.matmul(b), { tune: { seconds } });
  await product.warmup(tl.ones([24, 16]), tl.ones([16, 32]));
  return product.tuning;
}

export const checks = {
  async off() {
    await work(false);
    return names();
  },
  cold: () => work('plans'),
  async warm() {
    // The record is written beside the work.
    await new Promise((resolve) => setTimeout(resolve, 200));
    return work('plans');
  },
  async damaged() {
    await damage('plans');
    return work('plans');
  },
  async repaired() {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return work('plans');
  },
  async tuned() {
    const [first] = (await tune(0.2))!;
    await new Promise((resolve) => setTimeout(resolve, 200));
    const [second] = (await tune(0))!;
    return [first, second];
  },
  async bounded() {
    const store = (await openDatabaseStore('bounded', 250))!;
    const kept: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) await store.write(name, new Uint8Array(100));
    for (const name of ['a', 'b', 'c', 'd']) if ((await store.read(name)) !== null) kept.push(name);
    await store.remove('d');
    return [kept, await store.read('d')];
  },
  async blocked() {
    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = () => {
      throw new DOMException('no storage in this window', 'SecurityError');
    };
    try {
      return await work('elsewhere');
    } finally {
      IDBFactory.prototype.open = open;
    }
  },
};

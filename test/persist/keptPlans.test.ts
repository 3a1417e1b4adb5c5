import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tl from 'tiller';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { isPlanOf, type Signature } from '../../src/compile/persist/check.js';
import { decodeRecord, encodeRecord, type RecordKey } from '../../src/compile/persist/record.js';
import type { CodedKernel, CodedPlan } from '../../src/engine/plan.js';
import { describeWebGPU } from '../setup/environment.js';
import { startEngine, work } from './engines.js';

const folders: string[] = [];
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'tiller-plans-'));
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const recordsIn = (folder: string): string[] => readdirSync(folder).map((file) => join(folder, file));

/** The key that a record says it has, read without the code under test. */
function keyOf(bytes: Uint8Array): RecordKey {
  const [, , length] = new Uint32Array(bytes.slice(0, 20).buffer);
  return JSON.parse(new TextDecoder().decode(bytes.subarray(20, 20 + length!)));
}

let expected: number[];
beforeEach(async () => {
  await tl.init({ engine: 'reference', cache: false });
  expected = await work();
});

function keepsPlans(engine: 'wasm' | 'webgpu'): void {
  it('plans once, and finds the plans at the next start', async () => {
    const folder = newFolder();
    await startEngine(folder, engine);
    expect(await work()).toEqual(expected);
    const first = tl.cacheStats();
    expect(first).toMatchObject({ loaded: 0 });
    expect(first.misses).toBeGreaterThan(0);
    const records = recordsIn(folder);
    expect(records).toHaveLength(first.misses);

    await startEngine(folder, engine);
    expect(await work()).toEqual(expected);
    expect(tl.cacheStats()).toEqual({ ...first, loaded: first.misses });
    expect(recordsIn(folder)).toEqual(records);
  });

  it('takes no plan of another structure, dtype, shape, constant or donation', async () => {
    const folder = newFolder();
    const variants = [
      () => tl.arange(0, 6).mul(2),
      () => tl.arange(0, 6).mul(3),
      () => tl.arange(0, 7).mul(2),
      () => tl.arange(0, 6).cast('f32').mul(2),
      () => tl.arange(0, 6).mul(2).neg(),
    ];
    const values = async () => Promise.all(variants.map(async (make) => [...(await make().data())]));
    await startEngine(folder, engine);
    const first = await values();
    await startEngine(folder, engine);
    expect(await values()).toEqual(first);
    expect(tl.cacheStats()).toMatchObject({ misses: 5, loaded: 5 });
  });

  it('plans anew where the record is damaged, and repairs it', async () => {
    const folder = newFolder();
    await startEngine(folder, engine);
    await work();
    const { misses } = tl.cacheStats();
    const whole = new Map(recordsIn(folder).map((path) => [path, new Uint8Array(readFileSync(path))]));
    const damages: ((bytes: Uint8Array) => Uint8Array)[] = [
      () => new Uint8Array(0),
      (bytes) => bytes.subarray(0, 16),
      (bytes) => bytes.subarray(0, bytes.length >> 1),
      (bytes) => bytes.subarray(0, bytes.length - 1),
      (bytes) => Uint8Array.of(...bytes, 0, 0, 0, 0),
      (bytes) => bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 1 : byte)),
      (bytes) => bytes.fill(0),
      () => new TextEncoder().encode('{"plan": "of somebody else"}'),
    ];
    for (const damage of damages) {
      for (const [path, bytes] of whole) writeFileSync(path, damage(bytes.slice()));
      await startEngine(folder, engine);
      expect(await work()).toEqual(expected);
      expect(tl.cacheStats()).toMatchObject({ misses, loaded: 0 });
      for (const [path, bytes] of whole) expect(readFileSync(path).equals(bytes)).toBe(true);
    }
  });

  it('plans anew where code does not compile, though the record is sound', async () => {
    const folder = newFolder();
    await startEngine(folder, engine);
    await work();
    const { misses } = tl.cacheStats();
    const breaks: ((code: Record<string, unknown>) => unknown)[] = [
      (code) => ({ ...code, bytes: Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 77), code: 'fn main( {' }),
      (code) => ({ ...code, phases: [], entryPoint: 'elsewhere' }),
      (code) => ({ ...code, bytes: 'text', workgroups: [1, 1] }),
      (code) => ({ ...code, threadScratchBytes: -4, workgroups: [1, -1, 1] }),
      () => null,
    ];
    for (const make of breaks) {
      for (const path of recordsIn(folder)) {
        const bytes = readFileSync(path);
        const key = keyOf(bytes);
        const plan = decodeRecord(bytes, key)!;
        const kernels = plan.kernels.map((kernel) => ({
          ...kernel,
          code: make(kernel.code as Record<string, unknown>),
        }));
        writeFileSync(path, encodeRecord(key, { ...plan, kernels }));
      }
      await startEngine(folder, engine);
      expect(await work()).toEqual(expected);
      expect(tl.cacheStats()).toMatchObject({ misses, loaded: 0 });
    }
  });
}

describe('kept plans on wasm', () => keepsPlans('wasm'));
describeWebGPU('kept plans on webgpu', () => keepsPlans('webgpu'));

describe('a record', () => {
  let bytes: Uint8Array;
  let key: RecordKey;
  let plan: CodedPlan;
  let signature: Signature;
  beforeEach(async () => {
    const folder = newFolder();
    await startEngine(folder);
    const x = tl.tensor([1, 2, 3]);
    const bound = tl.scalar(2);
    // A reduction over rows and a product: two kernels with an intermediate result.
    await tl.realize(
      x
        .reshape([3, 1])
        .matmul(x.reshape([1, 3]))
        .softmax(1)
        .matmul(x.reshape([3, 1]))
        .mul(bound),
    );
    bytes = new Uint8Array(readFileSync(recordsIn(folder)[0]!));
    key = keyOf(bytes);
    plan = decodeRecord(bytes, key)!;
    signature = { ...plan, donated: plan.inputs.map(({ donated }) => donated) };
  });

  it('comes back as it was', () => {
    expect(encodeRecord(key, plan)).toEqual(bytes);
    expect(isPlanOf(plan, signature)).toBe(true);
    expect(plan.kernels.length).toBeGreaterThan(1);
    expect(plan.arenaBytes).toBeGreaterThan(0);
    expect(plan.scalars).toEqual(['f32']);
  });

  it('is refused with any byte changed, and at any other length', () => {
    for (let i = 0; i < bytes.length; i++) {
      bytes[i] ^= 1 << (i % 8);
      if (decodeRecord(bytes, key) !== null) throw new Error(`accepted with byte ${i} changed`);
      bytes[i] ^= 1 << (i % 8);
    }
    for (let length = 0; length < bytes.length; length++) {
      if (decodeRecord(bytes.subarray(0, length), key) !== null) throw new Error(`accepted at ${length} bytes`);
    }
  });

  it('is refused where it is of another structure, engine or version', () => {
    expect(decodeRecord(bytes, { ...key, structure: `${key.structure} ` })).toBeNull();
    expect(decodeRecord(bytes, { ...key, target: `${key.target} ` })).toBeNull();
  });

  const kernel = (change: (kernel: CodedKernel) => object) => (of: CodedPlan) => ({
    ...of,
    kernels: of.kernels.map((each, i) => (i === 0 ? { ...each, ...change(each) } : each)),
  });
  const buffer = (kind: string, change: object) => (of: CodedPlan) => ({
    ...of,
    buffers: of.buffers.map((each) => (each.place.kind === kind ? { ...each, ...change } : each)),
  });
  it.each<[string, (of: CodedPlan) => object]>([
    ['no kernels', ({ kernels: _, ...rest }) => rest],
    ['a binding out of range', kernel(({ bindings }) => ({ bindings: [...bindings.slice(1), 99] }))],
    ['a negative binding', kernel(({ bindings }) => ({ bindings: [...bindings.slice(1), -1] }))],
    ['a binding that is no integer', kernel(({ bindings }) => ({ bindings: [...bindings.slice(1), 0.5] }))],
    ['one buffer bound twice', kernel(({ bindings }) => ({ bindings: bindings.map(() => bindings[0]) }))],
    ['a binding too few', kernel(({ bindings }) => ({ bindings: bindings.slice(1) }))],
    [
      'a kernel that reaches beyond its buffer',
      kernel((k) => ({ kernel: { ...k.kernel, buffers: k.kernel.buffers.map(() => ({ length: 1e6 })) } })),
    ],
    [
      'a scalar out of range',
      (of) => ({ ...of, kernels: of.kernels.map((k) => ({ ...k, params: k.params.map(() => 7) })) }),
    ],
    ['a scalar of another dtype', (of) => ({ ...of, scalars: ['i32'] })],
    ['an arena that is too small', (of) => ({ ...of, arenaBytes: 4 })],
    ['an arena without a size', (of) => ({ ...of, arenaBytes: null })],
    ['a place off the grid', buffer('arena', { place: { kind: 'arena', offset: 4 } })],
    ['a place of a kind that is not known', buffer('arena', { place: { kind: 'nowhere' } })],
    ['a size that is no number', buffer('arena', { bytes: '64' })],
    ['an input out of range', buffer('input', { place: { kind: 'input', index: 5 } })],
    ['an input of another size', buffer('input', { bytes: 4096 })],
    ['an output of another size', buffer('output', { bytes: 4096 })],
    [
      'an output in the arena',
      (of) => ({
        ...of,
        outputs: of.outputs.map((o) => ({ ...o, buffer: of.buffers.findIndex(({ place }) => place.kind === 'arena') })),
      }),
    ],
    ['an output that is an input', (of) => ({ ...of, outputs: of.outputs.map((o) => ({ ...o, buffer: 0 })) })],
    ['an output of another shape', (of) => ({ ...of, outputs: of.outputs.map((o) => ({ ...o, shape: [3] })) })],
    ['an input of another dtype', (of) => ({ ...of, inputs: of.inputs.map((i) => ({ ...i, dtype: 'u32' })) })],
    ['an input that may be overwritten', (of) => ({ ...of, inputs: of.inputs.map((i) => ({ ...i, donated: true })) })],
    ['an output too many', (of) => ({ ...of, outputs: [...of.outputs, ...of.outputs] })],
  ])('is refused with %s', (_, change) => {
    const changed = change(plan) as CodedPlan;
    expect(changed).not.toEqual(plan);
    expect(isPlanOf(changed, signature)).toBe(false);
  });
});

describe('init', () => {
  it.each([[1], [''], [null]])('refuses %j as a cache', async (cache) => {
    await expect(tl.init({ engine: 'wasm', cache: cache as never })).rejects.toThrow(/\[init\] cache is .*\(expected/);
  });

  it('refuses a folder that cannot be made', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    await expect(startEngine(join(file, 'below'))).rejects.toThrow(/^\[init\] no folder for cached plans at/);
  });

  it('keeps nothing where it is told so', async () => {
    const folder = newFolder();
    process.env.TILLER_CACHE = folder;
    await tl.init({ engine: 'wasm', cache: false, memoryBudget: 2 ** 30 });
    await work();
    expect(recordsIn(folder)).toEqual([]);
    await tl.init({ engine: 'wasm', memoryBudget: 2 ** 30 + 1 });
    await work();
    expect(recordsIn(folder)).not.toEqual([]);
    process.env.TILLER_CACHE = '0';
  });
});

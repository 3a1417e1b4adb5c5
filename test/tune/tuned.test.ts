/** `compile(fn, { tune })` as a user has it: what it finds, keeps and refuses, on the engines of this machine. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tl from 'tiller';
import * as nn from 'tiller/nn';
import * as optim from 'tiller/optim';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ContractionSchedule } from '../../kernels/families/contraction.js';
import { decodeChoice, encodeChoice } from '../../src/compile/persist/choices.js';
import type { Choice } from '../../src/engine/tuning.js';
import { startEngine } from '../persist/engines.js';
import { describeWebGPU } from '../setup/environment.js';

/** What stands in for parts of the contraction family, by the name of a schedule. */
const fake = vi.hoisted(() => ({
  /** What the heuristic would never think of it takes first. */
  isUpsideDown: false,
  /** Schedules there are at most: measuring all of them takes its time. */
  most: Infinity,
  /** Schedules whose code leaves most of the result out, and is therefore fast. */
  partial: new Set<string>(),
  /** Schedules whose code is none. */
  invalid: new Set<string>(),
  rendered: [] as string[],
  hasTimestamps: true,
}));

vi.mock('../../src/engine/webgpu/adapter.js', async (original) => {
  const real = await original<typeof import('../../src/engine/webgpu/adapter.js')>();
  const deviceDescriptor: typeof real.deviceDescriptor = (adapter) => {
    const { requiredFeatures = [], ...rest } = real.deviceDescriptor(adapter);
    const features = [...requiredFeatures].filter((name) => fake.hasTimestamps || name !== 'timestamp-query');
    return { ...rest, requiredFeatures: features };
  };
  return { ...real, deviceDescriptor };
});

vi.mock('../../kernels/families/contraction.js', async (original) => {
  const real = await original<typeof import('../../kernels/families/contraction.js')>();
  const ranked: typeof real.rankedContractionSpace = (kernel, caps) => {
    const space = real.rankedContractionSpace(kernel, caps);
    if (!fake.isUpsideDown) return space.slice(0, fake.most);
    // Of the smallest tile: it reads the most.
    const tile = ({ share, tm, tn }: ContractionSchedule): number => tm * tn + (share === 'none' ? 0 : 0.5);
    const [worst] = [...space].sort((a, b) => tile(a) - tile(b)) as [ContractionSchedule];
    return [worst, ...space.filter((schedule) => schedule !== worst)].slice(0, fake.most);
  };
  const render: typeof real.renderContraction = (kernel, schedule: ContractionSchedule) => {
    const name = real.scheduleName(schedule);
    fake.rendered.push(name);
    const rendered = real.renderContraction(kernel, schedule);
    if (fake.invalid.has(name)) return { ...rendered, code: 'fn main( {' };
    return fake.partial.has(name) ? { ...rendered, workgroups: [1, 1, 1] } : rendered;
  };
  return {
    ...real,
    rankedContractionSpace: ranked,
    chooseContractionSchedule: ((kernel, caps) =>
      ranked(kernel, caps)[0]!) satisfies typeof real.chooseContractionSchedule,
    renderContraction: render,
  };
});

const genuine = (): void => {
  fake.isUpsideDown = false;
  fake.most = 6;
  fake.hasTimestamps = true;
  fake.partial.clear();
  fake.invalid.clear();
  fake.rendered.length = 0;
};
beforeEach(genuine);

const folders: string[] = [];
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'tiller-tuned-'));
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const [M, K, N] = [96, 64, 80];
const data = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => ((i * 31) % 17) / 8 - 1);
const layer = (x: tl.Tensor, w: tl.Tensor): tl.Tensor => tl.relu(x.matmul(w));
const inputs = (): [tl.Tensor, tl.Tensor] => [
  tl.tensor(data(M * K), { shape: [M, K] }),
  tl.tensor(data(K * N), { shape: [K, N] }),
];

/** The product in float64: all numbers are multiples of 1/8. */
const expected = Array.from({ length: M * N }, (_, at) => {
  const [a, b] = [data(M * K), data(K * N)];
  const [row, column] = [Math.floor(at / N), at % N];
  let sum = 0;
  for (let k = 0; k < K; k++) sum += a[row * K + k]! * b[k * N + column]!;
  return Math.max(0, sum);
});

/** Calls the layer, compiled with this tuning, and checks what it computes. */
async function call(tune: tl.CompileOptions['tune']) {
  const compiled = tl.compile(layer, { tune });
  expect([...(await compiled(...inputs()).data())]).toEqual(expected);
  return compiled.tuning;
}

describe('options of tuning', () => {
  it.each<[string, unknown, RegExp]>([
    ['options', null, /^\[compile\] options is null \(expected an object/],
    ['tune', { tune: 5 }, /^\[compile\] tune is 5 \(expected true, false, or an object/],
    ['tune', { tune: null }, /^\[compile\] tune is null/],
    ['seconds', { tune: { seconds: -1 } }, /^\[compile\] tune\.seconds is -1 \(expected a number/],
    ['seconds', { tune: { seconds: NaN } }, /^\[compile\] tune\.seconds is NaN/],
    ['seconds', { tune: { seconds: '5' } }, /^\[compile\] tune\.seconds is 5/],
    ['again', { tune: { again: 1 } }, /^\[compile\] tune\.again is 1 \(expected true or false\)/],
  ])('refuse wrong %s', (_, options, message) => {
    expect(() => tl.compile(layer, options as tl.CompileOptions)).toThrow(message);
    expect(() => tl.compile(layer, options as tl.CompileOptions)).toThrow(tl.ArgumentError);
  });

  it.each(['wasm', 'reference'] as const)('are without effect on %s, which has one schedule', async (engine) => {
    await tl.init({ engine });
    expect(await call(true)).toEqual([]);
    expect(await call(false)).toBeNull();
    expect(await call(undefined)).toBeNull();
  });
});

describeWebGPU('tuning on webgpu', () => {
  it('tries every schedule, and all compute the same', async () => {
    fake.most = Infinity;
    await tl.init({ engine: 'webgpu' });
    const [row, ...others] = (await call({ seconds: Infinity }))!;
    expect(others).toEqual([]);
    expect(row).toMatchObject({ count: 1, rejected: 0, complete: true, recalled: false });
    expect(row!.candidates).toBeGreaterThan(10);
    expect(row!.measured).toBe(row!.candidates);
    expect(new Set(row!.trials.map(({ schedule }) => schedule)).size).toBe(row!.candidates);
    expect(row!.bucket).toMatch(/f32, m<=128\/8 n<=128\/8 k<=64\/8 batch<=1/);

    // Known by now, and not measured again.
    const [known] = (await call(true))!;
    expect(known).toEqual({ ...row, recalled: false });
  });

  it('finds nothing wrong with sound kernels of many kinds', async () => {
    await tl.init({ engine: 'webgpu' });
    fake.most = 4;
    const check = async <A extends tl.Tensor[]>(fn: (...args: A) => unknown, ...args: A): Promise<void> => {
      const compiled = tl.compile(fn, { tune: { seconds: 20 } });
      await compiled.warmup(...args);
      expect(compiled.tuning!.length).toBeGreaterThan(0);
      for (const row of compiled.tuning!) expect(row).toMatchObject({ measured: 4, rejected: 0, complete: true });
    };
    const product = (x: tl.Tensor, w: tl.Tensor): tl.Tensor => x.matmul(w);
    for (const dtype of ['i32', 'f16', 'u8'] as const) {
      await check(product, tl.zeros([12, 20], { dtype }), tl.zeros([20, 8], { dtype }));
    }
    // Indices among the inputs, and results that are not numbers.
    const table = tl.randn([10, 20]);
    await check(
      (at, w) => table.gather(0, at).matmul(w).log(),
      tl.zeros([12, 20], { dtype: 'i32' }),
      tl.zeros([20, 8]),
    );
    // Weights and their momentum are overwritten, by numbers that come from outside.
    const layer = new nn.Linear(20, 8);
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1, momentum: 0.9 });
    await check(
      (x) => {
        optimizer.zeroGrad();
        layer.forward(x).square().mean().backward();
        optimizer.step();
      },
      tl.randn([12, 20]),
    );
  });

  it('measures by the clock where the device has no timestamps', async () => {
    fake.most = 2;
    fake.hasTimestamps = false;
    await startEngine(newFolder(), 'webgpu');
    expect(tl.engineInfo().features).not.toContain('timestamp-query');
    expect(await call({ seconds: Infinity })).toMatchObject([{ measured: 2, rejected: 0, complete: true }]);
  });

  it('measures the heuristic whatever the budget, nothing without one, and no more than it needs to start with', async () => {
    await startEngine(newFolder(), 'webgpu');
    const [none] = (await call({ seconds: 0 }))!;
    expect(none).toMatchObject({ measured: 0, complete: false, bestMs: null, heuristicMs: null });
    expect(none!.best).toBe(none!.heuristic);
    expect(fake.rendered).toEqual([none!.heuristic]);

    const [least] = (await call({ seconds: 1e-9, again: true }))!;
    expect(least).toMatchObject({ measured: 1, complete: false, recalled: false });
    expect(least!.trials).toMatchObject([{ schedule: least!.heuristic, outcome: 'measured' }]);
    expect(least!.bestMs).toBeGreaterThan(0);
  });

  it('refuses and counts schedules whose code leaves results out or is invalid, fast as they are', async () => {
    await startEngine(newFolder(), 'webgpu');
    const [{ trials: all, heuristic }] = (await call({ seconds: Infinity, again: true })) as [tl.TunedKernel];
    const [partial, invalid, ...rest] = all.map(({ schedule }) => schedule).filter((name) => name !== heuristic);
    for (const name of [partial!, ...rest]) fake.partial.add(name);
    fake.invalid.add(invalid!);
    await startEngine(newFolder(), 'webgpu');
    const [row] = (await call({ seconds: Infinity })) as [tl.TunedKernel];
    expect(row).toMatchObject({ best: heuristic, measured: 1, rejected: all.length - 1, complete: true });
    const outcomes = new Map(row.trials.map(({ schedule, outcome }) => [schedule, outcome]));
    expect(outcomes.get(partial!)).toBe('wrong');
    expect(outcomes.get(invalid!)).toBe('failed');
  });

  describe('kept between processes', () => {
    let made: string;
    let folder: string;
    let choicePath: string;
    let planPath: string;
    let first: tl.TunedKernel;
    const pathsIn = (): string[] => readdirSync(folder).map((file) => join(folder, file));
    const isChoice = (path: string): boolean => readFileSync(path, 'latin1').startsWith('TTUN');
    const again = async (tune: tl.CompileOptions['tune'] = true): Promise<tl.TunedKernel> => {
      await startEngine(folder, 'webgpu');
      return (await call(tune))![0]!;
    };

    // The heuristic now picks what it thinks the worst, so that measuring is sure to find something else.
    beforeAll(async () => {
      genuine();
      fake.isUpsideDown = true;
      made = folder = newFolder();
      first = await again({ seconds: Infinity });
      expect(first).toMatchObject({ complete: true, recalled: false });
      expect(first.best).not.toBe(first.heuristic);
      expect(first.bestMs!).toBeLessThan(first.heuristicMs!);
    });
    beforeEach(() => {
      fake.isUpsideDown = true;
      folder = newFolder();
      cpSync(made, folder, { recursive: true });
      [choicePath] = pathsIn().filter(isChoice) as [string];
      [planPath] = pathsIn().filter((path) => !isChoice(path)) as [string];
      expect(pathsIn()).toHaveLength(2);
    });

    it('is used by a second process, which measures and renders nothing', async () => {
      expect(await again()).toEqual({ ...first, recalled: true });
      expect(tl.cacheStats()).toMatchObject({ misses: 1, loaded: 1 });
      expect(fake.rendered).toEqual([]);
    });

    it('is not used by a function that was not tuned, nor its code by one that is', async () => {
      await startEngine(folder, 'webgpu');
      expect(await call(false)).toBeNull();
      expect(tl.cacheStats()).toMatchObject({ misses: 1, loaded: 0 });
      expect(fake.rendered).toEqual([first.heuristic]);
      const untuned = pathsIn().filter((path) => !isChoice(path) && path !== planPath);
      expect(untuned).toHaveLength(1);
      rmSync(planPath);
      rmSync(choicePath);

      fake.rendered.length = 0;
      expect(await again({ seconds: 0 })).toMatchObject({ best: first.heuristic, complete: false });
      expect(tl.cacheStats()).toMatchObject({ misses: 1, loaded: 0 });
      expect(fake.rendered).toEqual([first.heuristic]);
      // A search that is not complete leaves no plan behind.
      expect(pathsIn()).toEqual(untuned);
    });

    it('is applied to other plans with a kernel of the bucket', async () => {
      await startEngine(folder, 'webgpu');
      const other = tl.compile(layer, { tune: { seconds: 0 } });
      await other.warmup(tl.zeros([M - 8, K]), tl.zeros([K, N + 16]));
      const [row] = other.tuning as [tl.TunedKernel];
      // Its tiles may be fitted to other extents.
      expect(row).toMatchObject({ bucket: first.bucket, keptAs: first.best, complete: true, recalled: true });
      expect(row.best).not.toBe(row.heuristic);
      expect(fake.rendered).toContain(row.best);
    });

    it('is not trusted where it is damaged, and then measured anew', async () => {
      const whole = readFileSync(choicePath);
      for (const damage of [
        whole.subarray(0, whole.length >> 1),
        whole.map((byte, i) => (i === whole.length >> 1 ? byte ^ 1 : byte)),
        new Uint8Array(0),
      ]) {
        writeFileSync(choicePath, damage);
        const row = await again({ seconds: 0 });
        expect(row).toMatchObject({ best: first.heuristic, measured: 0, recalled: false });
        expect(tl.cacheStats()).toMatchObject({ loaded: 0 });
        // Thrown away, as the plan that was rendered with it.
        expect(pathsIn()).toEqual([]);
        writeFileSync(choicePath, whole);
      }
      expect(await again()).toEqual({ ...first, recalled: true });
    });

    it('is not trusted where its schedule is none of the space, however sound the record', async () => {
      const { target, bucket, choice } = written(choicePath);
      expect(decodeChoice(readFileSync(choicePath), { target, bucket })).toEqual(choice);
      const schedule = { ...choice.schedule, kind: 'magic' };
      writeFileSync(choicePath, encodeChoice({ target, bucket }, { ...choice, schedule }));
      rmSync(planPath);
      expect(await again({ seconds: 0 })).toMatchObject({ best: first.heuristic, recalled: false });
    });

    it('takes the plan with it where another choice is made', async () => {
      const { target, bucket, choice } = written(choicePath);
      const other = choice.trials.find(
        ({ schedule, outcome }) => outcome === 'measured' && ![first.best, first.heuristic].includes(schedule),
      )!;
      writeFileSync(choicePath, encodeChoice({ target, bucket }, { ...choice, best: other.schedule }));
      await again();
      expect(tl.cacheStats()).toMatchObject({ loaded: 0 });
    });

    it('is measured anew where that is asked for', async () => {
      const row = await again({ seconds: Infinity, again: true });
      expect(row).toMatchObject({ complete: true, recalled: false });
      expect(new Set(fake.rendered).size).toBe(first.candidates);
      expect(tl.cacheStats()).toMatchObject({ loaded: 0 });
    });
  });
});

/** What a record says it is, read without the code under test. */
function written(path: string): { target: string; bucket: string; choice: Choice } {
  return JSON.parse(readFileSync(path).subarray(16).toString());
}

describe('a kept choice', () => {
  const key = { target: 'engine', bucket: 'contraction' };
  const choice: Choice = {
    schedule: { kind: 'register', tm: 4 },
    best: 'b',
    trials: [
      { schedule: 'a', ms: 2, heuristicMs: 2, outcome: 'measured' },
      { schedule: 'b', ms: 1, heuristicMs: 2, outcome: 'measured' },
      { schedule: 'c', ms: null, heuristicMs: null, outcome: 'wrong' },
    ],
    complete: true,
  };

  it('comes back as it was, for its own adapter and bucket', () => {
    const bytes = encodeChoice(key, choice);
    expect(decodeChoice(bytes, key)).toEqual(choice);
    expect(decodeChoice(bytes, { ...key, target: 'other' })).toBeNull();
    expect(decodeChoice(bytes, { ...key, bucket: 'other' })).toBeNull();
  });

  it('is refused with any byte changed, and at any other length', () => {
    const bytes = encodeChoice(key, choice);
    for (let i = 0; i < bytes.length; i++) {
      bytes[i]! ^= 1 << (i % 8);
      if (decodeChoice(bytes, key) !== null) throw new Error(`accepted with byte ${i} changed`);
      bytes[i]! ^= 1 << (i % 8);
    }
    for (let length = 0; length < bytes.length; length++) {
      if (decodeChoice(bytes.subarray(0, length), key) !== null) throw new Error(`accepted at ${length} bytes`);
    }
  });

  it.each<[string, object]>([
    ['no schedule', { schedule: null }],
    ['a best that was not tried', { best: 'd' }],
    ['a best that is wrong', { best: 'c' }],
    ['trials that are none', { trials: 'all' }],
    ['a time that is none', { trials: [{ ...choice.trials[1], ms: 0 }] }],
    ['a time of what was not measured', { trials: [...choice.trials, { ...choice.trials[2], ms: 1 }] }],
    ['an outcome that is none', { trials: [...choice.trials, { ...choice.trials[1], outcome: 'fine' }] }],
    ['no word on whether it is complete', { complete: undefined }],
  ])('is refused with %s', (_, change) => {
    expect(decodeChoice(encodeChoice(key, { ...choice, ...change } as Choice), key)).toBeNull();
  });
});

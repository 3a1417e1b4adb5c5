import * as tl from 'tiller';
import * as random from 'tiller/random';
import { Generator } from 'tiller/random';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { threefry2x32 } from '../../src/engine/reference/threefry.js';
import { randomBits, scalarNode } from '../../src/graph/index.js';
import { fromNode } from '../../src/tensor/internal.js';
import { correlation, kolmogorov } from './checks.js';
import { CONTINUOUS, DISCRETE } from './distributions.js';

const ENGINES = ['reference', 'wasm', 'webgpu'] as const;
const key = (value: number) => scalarNode({ dtype: 'u32', value });

/** Random123's known answers for threefry2x32-20: counter, key, result. */
const KNOWN = [
  [0, 0, 0, 0, 0x6b200159, 0x99ba4efe],
  [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7],
  [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xc4923a9c, 0x483df7a0],
] as const;

it.each(KNOWN)('threefry2x32 of counter %i, %i and key %i, %i is as published', (c0, c1, k0, k1, x0, x1) => {
  expect(threefry2x32(k0, k1, c0, c1)).toEqual([x0, x1]);
});

describe.each(ENGINES)('words on %s', (engine) => {
  beforeAll(async () => {
    await tl.init({ engine });
  });

  it('are those of threefry2x32 at counters 0, 1, 2, …', async () => {
    expect((await fromNode(randomBits(key(0), key(0), [1])).data())[0]).toBe(0x6b200159);
    const [k0, k1] = [0x13198a2e, 0x03707344];
    const words = await fromNode(randomBits(key(k0), key(k1), [7, 65])).data();
    expect([...words]).toEqual(Array.from({ length: 7 * 65 }, (_, i) => threefry2x32(k0, k1, i, 0)[0]));
  });
});

/** Of distributions that are drawn in one way, one goes to every engine. */
const ONCE =
  /^(gamma\((0.7|1|1000)|chi2|studentT\(1.5|beta\(2|truncatedNormal\((0.5|2.01)|poisson\((0.05|9.99|10|40)\)|binomial\((30|40|300))/;
const [EACH, COUNTS] = [
  CONTINUOUS.filter(({ name }) => !ONCE.test(name)),
  DISCRETE.filter(({ name }) => !ONCE.test(name)),
];

describe('distributions on every engine', () => {
  const SIZE = 3000;
  const drawn = new Map<string, Map<string, ArrayLike<number>>>();
  beforeAll(async () => {
    for (const engine of ENGINES) {
      await tl.init({ engine });
      const values = new Map<string, ArrayLike<number>>();
      for (const { name, draw } of [...EACH, ...COUNTS]) {
        tl.manualSeed(99);
        values.set(name, await draw({ shape: [SIZE] }).data());
      }
      drawn.set(engine, values);
    }
  }, 300_000);

  it.each(COUNTS.filter((d) => d.exact))('$name is the same to the bit', ({ name }) => {
    for (const engine of ENGINES) expect(drawn.get(engine)!.get(name)).toEqual(drawn.get('reference')!.get(name));
  });

  it.each(COUNTS.filter((d) => !d.exact))('$name is the same but for counts at a rounding', ({ name }) => {
    const reference = Array.from(drawn.get('reference')!.get(name)!);
    for (const engine of ENGINES) {
      const values = drawn.get(engine)!.get(name)!;
      expect(reference.filter((v, i) => values[i] !== v).length).toBeLessThanOrEqual(2);
    }
  });

  it.each(EACH)('$name is the same within rounding', ({ name, cdf, proposals }) => {
    const reference = Array.from(drawn.get('reference')!.get(name)!);
    for (const engine of ENGINES) {
      const values = drawn.get(engine)!.get(name)!;
      const far = reference.filter((v, i) => !(Math.abs(values[i]! - v) <= 2e-5 * Math.max(1e-30, Math.abs(v)) + 2e-6));
      expect(far.length).toBeLessThanOrEqual(proposals ? 2 : 0);
      expect(kolmogorov(values, cdf)).toBeLessThan(2.2253);
    }
  });
});

describe('a generator', () => {
  beforeEach(async () => {
    await tl.init({ engine: 'wasm' });
  });
  const draw = async (generator: Generator, n = 100): Promise<number[]> =>
    Array.from(await random.randint(-(2 ** 31), 2 ** 31, { shape: [n], generator }).data());

  it('repeats after the same seed, and only then', async () => {
    const gen = new Generator(5);
    const first = [await draw(gen), await draw(gen)];
    expect(first[0]).not.toEqual(first[1]);
    const again = new Generator(5);
    expect([await draw(again), await draw(again)]).toEqual(first);
    expect(await draw(gen.manualSeed(5))).toEqual(first[0]);
    for (const seed of [6, 5 + 2 ** 32, 0, 2 ** 53 - 1]) expect(await draw(new Generator(seed))).not.toEqual(first[0]);
    expect(await draw(new Generator())).not.toEqual(await draw(new Generator()));
  });

  it('does not touch the default one, nor that it', async () => {
    tl.manualSeed(3);
    const plain = await tl.rand([5]).tolist();
    const gen = new Generator(5);
    const own = await draw(gen);
    tl.manualSeed(3);
    gen.manualSeed(5);
    const interleaved = [await draw(gen), await tl.rand([5]).tolist()];
    expect(interleaved).toEqual([own, plain]);
  });

  it('splits into streams that are all different, and goes on itself', async () => {
    const gen = new Generator(1);
    const [alone] = [await draw(new Generator(1))];
    const children = [...gen.split(), ...gen.split(3), ...gen.split()[0]!.split()];
    expect(children.length).toBe(7);
    const streams = await Promise.all([...children, gen].map((g) => draw(g)));
    expect(new Set(streams.map(String)).size).toBe(8);
    expect(streams[7]).toEqual(alone);
    const again = new Generator(1);
    expect(await Promise.all(again.split().map((g) => draw(g)))).toEqual(streams.slice(0, 2));
    const all = streams.flat();
    expect(new Set(all).size).toBe(all.length);
  });

  it('has splits, and neighbouring seeds and draws, without correlation', async () => {
    const n = 200_000;
    const limit = 4.65 / Math.sqrt(n);
    const normal = async (generator: Generator) => random.normal(0, 1, { shape: [n], generator }).data();
    const gen = new Generator(11);
    const [a, b] = gen.split() as [Generator, Generator];
    const streams = await Promise.all(
      [gen, gen, a, b, a.split()[0]!, new Generator(12), new Generator(11 + 2 ** 32)].map(normal),
    );
    streams.forEach((x, i) => {
      for (let j = 0; j < i; j++) expect(Math.abs(correlation(x, streams[j]!))).toBeLessThan(limit);
      for (const lag of [1, 2, 64]) {
        expect(Math.abs(correlation(x.subarray(lag), x.subarray(0, -lag)))).toBeLessThan(limit * 1.01);
      }
    });
  });

  it('goes on at every call of a compiled function, as if the function ran', async () => {
    const plain = new Generator(21);
    const own = (generator: Generator) => (x: tl.Tensor) => {
      const [a, b] = generator.split() as [Generator, Generator];
      const fresh = new Generator(4);
      return [
        random.normal(0, 1, { shape: [4], generator }).mul(x),
        random.gamma(2, 1, { shape: [4], generator: a }),
        random.poisson(3, { shape: [4], generator: b }),
        random.uniform(0, 1, { shape: [4], generator: b.split()[1]! }),
        random.uniform(0, 1, { shape: [4], generator: fresh }),
      ];
    };
    const inside = new Generator(21);
    const compiled = tl.compile(own(inside));
    const x = tl.ones([4]);
    const seen: number[][] = [];
    for (let call = 0; call < 3; call++) {
      const expected = await Promise.all(own(plain)(x).map((t) => t.tolist()));
      const found = await Promise.all(compiled(x).map((t) => t.tolist()));
      expect(found.slice(2)).toEqual(expected.slice(2));
      for (const i of [0, 1])
        (found[i] as number[]).forEach((v, j) => {
          expect(v).toBeCloseTo((expected[i] as number[])[j]!, 5);
        });
      seen.push(found[0] as number[]);
    }
    expect(compiled.traces).toBe(1);
    expect(new Set(seen.map(String)).size).toBe(3);
    expect(await draw(inside)).toEqual(await draw(plain));
  });

  it('draws another number for each example of vmap', async () => {
    const gen = new Generator(2);
    const noisy = tl.vmap((x: tl.Tensor) => x.add(random.normal(0, 1, { shape: [3], generator: gen })));
    const rows = (await noisy(tl.zeros([4, 3])).tolist()) as number[][];
    expect(new Set(rows.flat()).size).toBe(12);
    const orders = (await tl
      .vmap((x: tl.Tensor) => random.permutation(x, { generator: gen }))(tl.arange(16).expand(5, 16))
      .tolist()) as number[][];
    for (const order of orders)
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i));
    expect(new Set(orders.map(String)).size).toBe(5);
  });

  it('starts from chance at every call, where a compiled function makes it without a seed', async () => {
    const draw = tl.compile(() => random.uniform(0, 1, { shape: [2], generator: new Generator() }));
    expect(await draw().tolist()).not.toEqual(await draw().tolist());
  });

  it('draws categories that there are, even by weights that are not numbers', async () => {
    const drawn = await random.multinomial(tl.tensor([Number.NaN, 2]), 5, { replacement: true }).data();
    expect(Math.max(...drawn)).toBeLessThan(2);
  });

  it('runs one plan for every draw', async () => {
    const gen = new Generator(2);
    const once = () => random.beta(2, 3, { shape: [10], generator: gen }).data();
    await once();
    const { misses } = tl.cacheStats();
    await once();
    await once();
    expect(tl.cacheStats().misses).toBe(misses);
  });
});

/** What choices are keyed by, and how one kernel's choice becomes another's. */
import { describe, expect, it } from 'vitest';
import {
  chooseContractionSchedule,
  contractionSpace,
  rankedContractionSpace,
  scheduleName,
} from '../../kernels/families/contraction.js';
import { contractionBucket, scheduleLike } from '../../kernels/families/contractionBucket.js';
import type { Expr } from '../../kernels/ir.js';
import {
  GPU,
  type KernelParts,
  type Product,
  productKernel,
  SOFTWARE,
  SOFTWARE_WITHOUT_SUBGROUPS,
} from '../kernels/contraction-harness.js';

const PRODUCT: Product = { batch: 1, m: 512, n: 512, k: 512 };
const bucketOf = (product: Partial<Product>, parts?: KernelParts): string =>
  contractionBucket(productKernel({ ...PRODUCT, ...product }, parts));

describe('a bucket', () => {
  it.each<[string, Partial<Product>, Partial<Product>]>([
    ['sizes below one power of two', { m: 264, n: 504, k: 480 }, {}],
    ['batches below one power of two', { batch: 5 }, { batch: 8 }],
    ['strides that come with that', { m: 504, transA: true }, { transA: true }],
  ])('holds %s', (_, one, other) => {
    expect(bucketOf(one)).toBe(bucketOf(other));
  });

  it.each<[string, Partial<Product>, Partial<Product>]>([
    ['m', { m: 256 }, {}],
    ['n', { n: 513 }, { n: 520 }],
    ['k', { k: 1024 }, {}],
    ['small sizes', { m: 4 }, { m: 3 }],
    ['alignment', { m: 510 }, { m: 508 }],
    ['batches', { batch: 8 }, { batch: 9 }],
    ['dtype', { dtype: 'i32' }, {}],
    ['the layout of a', { transA: true }, {}],
    ['the layout of b', { transB: true }, {}],
    ['the layout of both, the other way around', { transA: true }, { transB: true }],
  ])('tells apart %s', (_, one, other) => {
    expect(bucketOf(one)).not.toBe(bucketOf(other));
  });

  it('tells apart what is done before and after', () => {
    const unary = (fn: 'exp' | 'neg', x: Expr): Expr => ({ kind: 'unary', dtype: 'f32', fn, x });
    const heavy = (x: Expr): Expr => unary('exp', unary('exp', unary('exp', x)));
    const stored = (value: (acc: Expr) => Expr): KernelParts => ({
      epilogue: (acc, index) => [{ kind: 'store', buffer: 2, index, value: value(acc) }],
    });
    const plain = bucketOf({});
    expect(
      bucketOf(
        {},
        stored((acc) => acc),
      ),
    ).toBe(plain);
    expect(bucketOf({}, stored(heavy))).not.toBe(plain);
    expect(bucketOf({}, { a: heavy })).not.toBe(plain);
    expect(bucketOf({}, { b: heavy })).not.toBe(bucketOf({}, { a: heavy }));
  });
});

const KERNELS = [
  productKernel(PRODUCT),
  productKernel({ batch: 3, m: 1, n: 77, k: 300, transB: true }),
  productKernel({ batch: 1, m: 33, n: 2, k: 5 }),
];
const DEVICES = [SOFTWARE, SOFTWARE_WITHOUT_SUBGROUPS, GPU];

describe('the ranked space', () => {
  it('is the space, and begins with what the heuristic picks', () => {
    for (const kernel of KERNELS) {
      for (const caps of DEVICES) {
        const ranked = rankedContractionSpace(kernel, caps).map(scheduleName);
        expect(ranked[0]).toBe(scheduleName(chooseContractionSchedule(kernel, caps)));
        expect([...ranked].sort()).toEqual(contractionSpace(kernel, caps).map(scheduleName).sort());
      }
    }
  });
});

describe('a schedule that is kept', () => {
  it('is found again in the space that it is from, as data', () => {
    for (const kernel of KERNELS) {
      for (const caps of DEVICES) {
        const space = contractionSpace(kernel, caps);
        for (const schedule of space) {
          expect(scheduleLike(space, JSON.parse(JSON.stringify(schedule)))).toBe(schedule);
        }
      }
    }
  });

  it('becomes the like one of another kernel of its bucket, whose tiles are fitted to other extents', () => {
    const [one, other] = [productKernel({ ...PRODUCT, m: 128 }), productKernel({ ...PRODUCT, m: 88 })];
    expect(contractionBucket(one)).toBe(contractionBucket(other));
    const space = contractionSpace(other, SOFTWARE);
    let refitted = 0;
    for (const schedule of contractionSpace(one, SOFTWARE)) {
      const like = scheduleLike(space, { ...schedule });
      expect(like).toMatchObject({ kind: schedule.kind, share: schedule.share, wgX: schedule.wgX, wgY: schedule.wgY });
      if (scheduleName(like!) !== scheduleName(schedule)) refitted++;
    }
    expect(refitted).toBeGreaterThan(0);
  });

  it('is none where the space has nothing like it', () => {
    const space = contractionSpace(productKernel(PRODUCT), SOFTWARE);
    const [schedule] = space as [(typeof space)[number]];
    expect(scheduleLike(space, { ...schedule })).toBe(schedule);
    for (const change of [
      { kind: 'tensor-cores' },
      { wgX: 5 },
      { tm: schedule.tm * 16 },
      { tm: 0 },
      { tn: '4' },
      { tn: Number.NaN },
      { lanes: 2 },
      { share: undefined },
    ]) {
      expect(scheduleLike(space, { ...schedule, ...change })).toBeNull();
    }
    expect(scheduleLike(space, {})).toBeNull();
  });
});

import * as tl from 'tiller';
import { describe, expect, it } from 'vitest';

describe('tensor()', () => {
  it('takes nested arrays as f32', async () => {
    const a = tl.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(a.shape).toEqual([2, 3]);
    expect(a.dtype).toBe('f32');
    expect(a.ndim).toBe(2);
    expect(a.numel()).toBe(6);
    expect(await a.data()).toEqual(new Float32Array([1, 2, 3, 4, 5, 6]));
    expect(await a.tolist()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  it('takes a number', async () => {
    const a = tl.tensor(3);
    expect(a.shape).toEqual([]);
    expect(await a.item()).toBe(3);
    expect(await a.tolist()).toBe(3);
  });

  it.each<[string, tl.TensorData, tl.DType]>([
    ['Float32Array', new Float32Array([1, 2]), 'f32'],
    ['Float64Array', new Float64Array([1, 2]), 'f32'],
    ['Int32Array', new Int32Array([1, 2]), 'i32'],
    ['Int8Array', new Int8Array([1, 2]), 'i8'],
    ['Int16Array', new Int16Array([1, 2]), 'i32'],
    ['Uint32Array', new Uint32Array([1, 2]), 'u32'],
    ['Uint8Array', new Uint8Array([1, 2]), 'u8'],
    ['Uint8ClampedArray', new Uint8ClampedArray([1, 2]), 'u8'],
    ['rows of typed arrays', [new Int32Array([1]), new Int32Array([2])], 'i32'],
    ['booleans', [true, false], 'bool'],
  ])('infers the dtype of %s', (_, data, dtype) => {
    expect(tl.tensor(data).dtype).toBe(dtype);
  });

  it('gives the typed array of the dtype', async () => {
    expect(await tl.tensor([1, 2], { dtype: 'i32' }).data()).toEqual(new Int32Array([1, 2]));
    expect(await tl.tensor([1, 2], { dtype: 'u32' }).data()).toEqual(new Uint32Array([1, 2]));
    expect(await tl.tensor([0, 2, NaN], { dtype: 'bool' }).data()).toEqual(new Uint8Array([0, 1, 1]));
    expect(await tl.tensor([[true], [false]]).tolist()).toEqual([[true], [false]]);
    expect(await tl.tensor(true).item<boolean>()).toBe(true);
  });

  it('copies what it is given, and gives copies', async () => {
    const mine = new Float32Array([1, 2]);
    const a = tl.tensor(mine);
    mine[0] = 9;
    const first = await a.data();
    expect(first).toEqual(new Float32Array([1, 2]));
    first[1] = 9;
    expect(await a.data()).toEqual(new Float32Array([1, 2]));
  });

  it('reads flat data under a shape', async () => {
    expect(await tl.tensor([1, 2, 3, 4], { shape: [2, 2] }).tolist()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(
      await tl
        .tensor(
          [
            [1, 2],
            [3, 4],
          ],
          { shape: [4] },
        )
        .tolist(),
    ).toEqual([1, 2, 3, 4]);
  });

  it('keeps empty shapes', async () => {
    expect(tl.tensor([]).shape).toEqual([0]);
    expect(tl.tensor([[], []]).shape).toEqual([2, 0]);
    expect(await tl.tensor([[], []]).tolist()).toEqual([[], []]);
  });

  it('keeps NaN, infinities and the sign of zero', async () => {
    const values = [...(await tl.tensor([NaN, Infinity, -Infinity, -0]).data())];
    expect(values).toEqual([NaN, Infinity, -Infinity, -0]);
  });

  it.each<[string, () => unknown, new (message: string) => Error, RegExp]>([
    [
      'uneven rows',
      () => tl.tensor([[1, 2], [3]]),
      tl.ShapeError,
      /\[tensor\] ragged array: 1 elements at depth 1 \(expected 2\)/,
    ],
    [
      'a number among rows',
      () => tl.tensor([[1], 2]),
      tl.ShapeError,
      /ragged array: a number at depth 1 \(expected an array\)/,
    ],
    [
      'a row among numbers',
      () => tl.tensor([1, [2]]),
      tl.ShapeError,
      /ragged array: an array at depth 1 \(expected a number\)/,
    ],
    ['text', () => tl.tensor(['a'] as unknown as number[]), tl.ArgumentError, /not a number: string at element 0/],
    ['null', () => tl.tensor([1, null] as unknown as number[]), tl.ArgumentError, /not a number: null at element 1/],
    ['nothing', () => tl.tensor(undefined as unknown as number), tl.ArgumentError, /not numbers: undefined/],
    ['a tensor', () => tl.tensor(tl.ones(2) as unknown as number), tl.ArgumentError, /already a Tensor/],
    ['bigints', () => tl.tensor(new BigInt64Array(2) as unknown as number), tl.ArgumentError, /not numbers/],
    [
      'another size',
      () => tl.tensor([1, 2, 3], { shape: [2, 2] }),
      tl.ShapeError,
      /3 elements for \[2, 2\] \(4 expected\)/,
    ],
    ['a negative length', () => tl.zeros([-1]), tl.ShapeError, /\[zeros\] invalid shape: \[-1\]/],
    ['a fractional length', () => tl.zeros([1.5]), tl.ShapeError, /\[zeros\] invalid shape: \[1\.5\]/],
    ['a shape of text', () => tl.zeros('2' as unknown as number), tl.ArgumentError, /\[zeros\] not a shape: string/],
    [
      'an unknown dtype',
      () => tl.zeros(2, { dtype: 'f64' as tl.DType }),
      tl.DTypeError,
      /\[zeros\] unknown dtype: f64/,
    ],
    [
      'an i8 out of range',
      () => tl.full(2, 128, { dtype: 'i8' }),
      tl.ArgumentError,
      /\[full\] number out of range: 128 \(i8 holds -128..127\)/,
    ],
    [
      'a value out of range',
      () => tl.full(2, -1, { dtype: 'u32' }),
      tl.ArgumentError,
      /\[full\] number out of range: -1/,
    ],
    [
      'requiresGrad on integers',
      () => tl.tensor(new Int32Array(2), { requiresGrad: true }),
      tl.DTypeError,
      /\[requiresGrad\] .*i32/,
    ],
    [
      'requiresGrad on bools',
      () => tl.zeros(2, { dtype: 'bool', requiresGrad: true }),
      tl.DTypeError,
      /\[requiresGrad\]/,
    ],
    ['a step of 0', () => tl.arange(0, 1, 0), tl.ArgumentError, /\[arange\]/],
    ['an endless range', () => tl.arange(Infinity), tl.ArgumentError, /\[arange\]/],
    ['a negative count', () => tl.linspace(0, 1, -1), tl.ArgumentError, /\[linspace\] steps is -1/],
    ['an empty range of integers', () => tl.randint(3, 3, [2]), tl.ArgumentError, /\[randint\] range is 3 to 3/],
    ['probabilities of integers', () => tl.bernoulli(tl.arange(2)), tl.DTypeError, /\[bernoulli\]/],
    ['random integers by rand', () => tl.rand(2, { dtype: 'i32' }), tl.DTypeError, /\[rand\] dtype is i32/],
    ['a negative seed', () => tl.manualSeed(-1), tl.ArgumentError, /\[manualSeed\] seed is -1/],
    ['a scalar of text', () => tl.scalar('1' as unknown as number), tl.ArgumentError, /\[scalar\]/],
  ])('refuses %s', (_, make, type, message) => {
    expect(make).toThrow(type);
    expect(make).toThrow(message);
  });

  it('refuses item() of several elements', async () => {
    await expect(tl.tensor([1, 2]).item()).rejects.toThrow(tl.ShapeError);
    await expect(tl.tensor([1, 2]).item()).rejects.toThrow(/\[item\] .*\[2\]/);
  });
});

describe('other makers', () => {
  it.each<[string, tl.Tensor, readonly number[], tl.DType]>([
    ['zeros', tl.zeros([2, 3]), [2, 3], 'f32'],
    ['zeros of a number', tl.zeros(3, { dtype: 'bool' }), [3], 'bool'],
    ['ones', tl.ones([], { dtype: 'i32' }), [], 'i32'],
    ['full', tl.full([2], 7, { dtype: 'u32' }), [2], 'u32'],
    ['zerosLike', tl.zerosLike(tl.arange(4)), [4], 'i32'],
    ['onesLike', tl.onesLike(tl.arange(4), { dtype: 'f32' }), [4], 'f32'],
    ['fullLike', tl.fullLike(tl.zeros([1, 2]), 3), [1, 2], 'f32'],
    ['arange', tl.arange(5), [5], 'i32'],
    ['arange of two', tl.arange(2, 5), [3], 'i32'],
    ['arange of fractions', tl.arange(0, 1, 0.25), [4], 'f32'],
    ['arange downwards', tl.arange(5, 0, -2), [3], 'i32'],
    ['an empty arange', tl.arange(5, 2), [0], 'i32'],
    ['linspace', tl.linspace(0, 1, 5), [5], 'f32'],
    ['eye', tl.eye(3), [3, 3], 'f32'],
    ['eye of two', tl.eye(2, 3, { dtype: 'bool' }), [2, 3], 'bool'],
    ['rand', tl.rand([2, 2]), [2, 2], 'f32'],
    ['randn', tl.randn(4), [4], 'f32'],
    ['randn of nothing', tl.randn([0, 3]), [0, 3], 'f32'],
    ['randint', tl.randint(0, 10, [3]), [3], 'i32'],
    ['randLike', tl.randLike(tl.arange(3)), [3], 'f32'],
    ['randnLike', tl.randnLike(tl.arange(3)), [3], 'f32'],
    ['bernoulli', tl.bernoulli(tl.full(3, 0.5)), [3], 'f32'],
    ['randperm', tl.randperm(6), [6], 'i32'],
    ['scalar', tl.scalar(0.1), [], 'f32'],
  ])('%s has its shape and dtype', (_, x, shape, dtype) => {
    expect(x.shape).toEqual(shape);
    expect(x.dtype).toBe(dtype);
  });

  it('permutes every number once, anew each time and again after the same seed', async () => {
    tl.manualSeed(7);
    const first = [...(await tl.randperm(100).data())];
    const second = [...(await tl.randperm(100).data())];
    tl.manualSeed(7);
    expect([...(await tl.randperm(100).data())]).toEqual(first);
    expect(second).not.toEqual(first);
    expect(first).not.toEqual([...first].sort((a, b) => a - b));
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});

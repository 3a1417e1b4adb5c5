import * as tl from 'tiller';
import { describe, expect, it } from 'vitest';

// Expected texts are what PyTorch 1.13 prints for the same values, with tiller's words for dtype, shape and requiresGrad.
const range = (n: number) => Float32Array.from({ length: n }, (_, i) => i);

describe('printing', () => {
  it.each<[string, tl.Tensor, string]>([
    [
      'a matrix of whole numbers',
      tl.tensor([
        [1, 2],
        [3, 4],
      ]),
      'tensor([[1., 2.],\n        [3., 4.]])',
    ],
    ['a single whole number', tl.tensor(3), 'tensor(3.)'],
    ['a single fraction', tl.tensor(0.1), 'tensor(0.1000)'],
    ['columns of one width', tl.tensor([1.5, -2.25, 100.125]), 'tensor([  1.5000,  -2.2500, 100.1250])'],
    ['NaN and infinities', tl.tensor([NaN, Infinity, -Infinity, 1.5]), 'tensor([   nan,    inf,   -inf, 1.5000])'],
    ['NaN among whole numbers', tl.tensor([NaN, Infinity, -Infinity, 1]), 'tensor([nan, inf, -inf, 1.])'],
    ['nothing but NaN', tl.tensor([NaN, NaN]), 'tensor([nan, nan])'],
    ['the sign of zero', tl.tensor([-0, 0, 1]), 'tensor([-0., 0., 1.])'],
    ['the sign of zero among fractions', tl.tensor([-0, 0.5]), 'tensor([-0.0000, 0.5000])'],
    ['small numbers', tl.tensor([1e-5, 1]), 'tensor([1.0000e-05, 1.0000e+00])'],
    ['large numbers', tl.tensor([1e9, 1]), 'tensor([1.0000e+09, 1.0000e+00])'],
    ['numbers far apart', tl.tensor([0.5, 1000.5]), 'tensor([5.0000e-01, 1.0005e+03])'],
    ['whole numbers far apart', tl.tensor([1, 1001]), 'tensor([1.0000e+00, 1.0010e+03])'],
    ['the ends of the range', tl.tensor([1e-38, 1e38, 0]), 'tensor([1.0000e-38, 1.0000e+38, 0.0000e+00])'],
    ['large whole numbers', tl.tensor([12345678, 12345679]), 'tensor([12345678., 12345679.])'],
    [
      'integers',
      tl.tensor(
        [
          [1, -20],
          [300, 4],
        ],
        { dtype: 'i32' },
      ),
      'tensor([[  1, -20],\n        [300,   4]], dtype=i32)',
    ],
    ['bools', tl.tensor([[true, false]]), 'tensor([[ true, false]])'],
    ['an empty vector', tl.tensor([]), 'tensor([])'],
    ['an empty matrix', tl.tensor(new Float32Array(0), { shape: [0, 3] }), 'tensor([], shape=[0, 3])'],
    ['requiresGrad', tl.tensor([1, 2], { requiresGrad: true }), 'tensor([1., 2.], requiresGrad=true)'],
    [
      'three axes',
      tl.tensor(range(12), { shape: [2, 3, 2] }),
      `tensor([[[ 0.,  1.],
         [ 2.,  3.],
         [ 4.,  5.]],

        [[ 6.,  7.],
         [ 8.,  9.],
         [10., 11.]]])`,
    ],
    [
      'lines of 80 characters',
      tl.tensor(range(30).map((v) => v / 7)),
      `tensor([0.0000, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143, 0.8571, 1.0000, 1.1429,
        1.2857, 1.4286, 1.5714, 1.7143, 1.8571, 2.0000, 2.1429, 2.2857, 2.4286,
        2.5714, 2.7143, 2.8571, 3.0000, 3.1429, 3.2857, 3.4286, 3.5714, 3.7143,
        3.8571, 4.0000, 4.1429])`,
    ],
    [
      'lines of integers',
      tl.tensor(Int32Array.from(range(40))),
      `tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,
        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,
        36, 37, 38, 39], dtype=i32)`,
    ],
    [
      'the edges of a long vector',
      tl.tensor(range(2000)),
      `tensor([0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 1.9970e+03, 1.9980e+03,
        1.9990e+03])`,
    ],
    [
      'the edges of a large matrix',
      tl.tensor(range(2000), { shape: [100, 20] }),
      `tensor([[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 1.7000e+01, 1.8000e+01,
         1.9000e+01],
        [2.0000e+01, 2.1000e+01, 2.2000e+01,  ..., 3.7000e+01, 3.8000e+01,
         3.9000e+01],
        [4.0000e+01, 4.1000e+01, 4.2000e+01,  ..., 5.7000e+01, 5.8000e+01,
         5.9000e+01],
        ...,
        [1.9400e+03, 1.9410e+03, 1.9420e+03,  ..., 1.9570e+03, 1.9580e+03,
         1.9590e+03],
        [1.9600e+03, 1.9610e+03, 1.9620e+03,  ..., 1.9770e+03, 1.9780e+03,
         1.9790e+03],
        [1.9800e+03, 1.9810e+03, 1.9820e+03,  ..., 1.9970e+03, 1.9980e+03,
         1.9990e+03]])`,
    ],
  ])('prints %s', (_, x, expected) => {
    expect(String(x)).toBe(expected);
  });

  it('says what is known before the values are', () => {
    expect(String(tl.zeros([2, 3], { dtype: 'i32' }).add(1))).toBe('tensor(shape=[2, 3], dtype=i32, not read yet)');
    expect(`${tl.ones(2, { requiresGrad: true })}`).toBe(
      'tensor(shape=[2], dtype=f32, requiresGrad=true, not read yet)',
    );
  });

  it('prints after dispose', () => {
    const x = tl.tensor([1]);
    x.dispose();
    expect(JSON.stringify({ x })).toBe('{"x":"tensor(disposed)"}');
    expect(String(x)).toBe('tensor(disposed)');
  });

  it('refuses arithmetic on a tensor, which JavaScript would do on its text', () => {
    const a = tl.tensor([1, 2]) as unknown as number;
    expect(() => a + 1).toThrow(tl.ArgumentError);
    expect(() => `${a + 1}`).toThrow(/\[Tensor\] JavaScript operators/);
    expect(() => a * 2).toThrow(tl.TillerError);
    expect(() => a < 3).toThrow(tl.TillerError);
    expect(() => +a).toThrow(tl.TillerError);
    expect(`${a}`).toBe('tensor([1., 2.])');
  });
});

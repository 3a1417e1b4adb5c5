import * as tl from 'tiller';
import { describe, expect, it } from 'vitest';
import { functions, ints, js, type Mistake, throwsEach, z } from './mistakes.js';

/** An input with so many spatial axes, all of length 4. */
const image = (spatial: number, ...lead: number[]): tl.Tensor => z(...lead, ...new Array<number>(spatial).fill(4));

describe('pools of every kind', () => {
  for (const n of [1, 2, 3]) {
    throwsEach(
      [`maxPool${n}d`, `avgPool${n}d`, ...(n < 3 ? [`lpPool${n}d`] : [])].flatMap((op): Mistake[] => {
        const p = op.startsWith('lp') ? [2] : [];
        const call = (x: unknown, size: unknown, options?: unknown) => () => functions[op]!(x, ...p, size, options);
        const x = image(n, 1, 2);
        return [
          [`${op} of text`, call('x', 2), tl.ArgumentError, `[${op}] not a tensor: string`],
          [`${op} of a rank`, call(z(2), 2), tl.ShapeError, `[${op}] rank is 1: [2]`],
          [`${op} of i32`, call(x.cast('i32'), 2), tl.DTypeError, `[${op}] input is i32`],
          [`${op} of a size`, call(x, 0), tl.ArgumentError, `[${op}] kernelSize is 0`],
          [`${op} of sizes`, call(x, [1, 1, 1, 1]), tl.ArgumentError, `[${op}] kernelSize has 4 values`],
          [`${op} of a large window`, call(x, 9), tl.ShapeError, `[${op}] window does not fit`],
          [`${op} of a stride`, call(x, 2, { stride: 0 }), tl.ArgumentError, `[${op}] stride is 0`],
          [`${op} of nothing`, call(image(n, 1, 2).narrow(2, 0, 0), 1), tl.ShapeError, `[${op}] window does not fit`],
        ];
      }),
    );
    throwsEach(
      [`maxPool${n}d`, `avgPool${n}d`].flatMap((op): Mistake[] => [
        [
          `${op} of padding`,
          () => functions[op]!(image(n, 1, 2), 2, { padding: 2 }),
          tl.ArgumentError,
          `[${op}] padding is more than half the window: 2 of 2`,
        ],
      ]),
    );
    throwsEach(
      [`adaptiveAvgPool${n}d`, `adaptiveMaxPool${n}d`].flatMap((op): Mistake[] => {
        const call = (x: unknown, size: unknown) => () => functions[op]!(x, size);
        const x = image(n, 1, 2);
        return [
          [`${op} of text`, call('x', 2), tl.ArgumentError, `[${op}] not a tensor: string`],
          [`${op} of a rank`, call(z(2), 2), tl.ShapeError, `[${op}] rank is 1: [2]`],
          [`${op} of i32`, call(x.cast('i32'), 2), tl.DTypeError, `[${op}] input is i32`],
          [`${op} to 0`, call(x, 0), tl.ArgumentError, `[${op}] outputSize is 0`],
          [`${op} to sizes`, call(x, [1, 1, 1, 1]), tl.ArgumentError, `[${op}] outputSize is 1,1,1,1`],
          [`${op} to text`, call(x, 'x'), tl.ArgumentError, `[${op}] outputSize is x`],
          [`${op} of nothing`, call(x.narrow(2, 0, 0), 1), tl.ShapeError, `[${op}] nothing to pool`],
        ];
      }),
    );
    const op = `maxUnpool${n}d`;
    const x = image(n, 1, 2);
    const at = x.cast('i32');
    const call =
      (...args: unknown[]) =>
      () =>
        functions[op]!(...args);
    throwsEach([
      [`${op} of a rank`, call(z(2), ints(2), 2), tl.ShapeError, `[${op}] rank is 1`],
      [`${op} of i32`, call(at, at, 2), tl.DTypeError, `[${op}] input is i32`],
      [`${op} by f32`, call(x, x, 2), tl.DTypeError, `[${op}] index is f32`],
      [`${op} by other shapes`, call(x, ints(1), 2), tl.ShapeError, `[${op}] indices are [1]`],
      [
        `${op} to another size`,
        call(x, at, 2, { outputSize: [9, 9, 20].slice(-n) }),
        tl.ShapeError,
        `[${op}] outputSize is`,
      ],
      [`${op} of a size`, call(x, at, 0), tl.ArgumentError, `[${op}] kernelSize is 0`],
    ]);
  }
  throwsEach([
    [
      'divisorOverride',
      () => z(1, 1, 4, 4).avgPool2d(2, { divisorOverride: 0 }),
      tl.ArgumentError,
      '[avgPool2d] divisor',
    ],
    ['lpPool p', () => z(1, 1, 4).lpPool1d(0, 2), tl.ArgumentError, '[lpPool1d] p is 0'],
    ['dilation', () => z(1, 1, 4).maxPool1d(2, { dilation: 0 }), tl.ArgumentError, '[maxPool1d] dilation is 0'],
  ]);
});

describe('transposed convolution', () => {
  for (const n of [1, 2, 3]) {
    const op = `convTranspose${n}d`;
    const x = image(n, 1, 4);
    const w = (...lead: number[]) => z(...lead, ...new Array<number>(n).fill(3));
    const call =
      (...args: unknown[]) =>
      () =>
        functions[op]!(...args);
    throwsEach([
      [`${op} of ranks`, call(z(4), w(4, 2)), tl.ShapeError, `[${op}] ranks do not fit: input [4]`],
      [`${op} of a weight`, call(x, z(4, 2)), tl.ShapeError, `[${op}] ranks do not fit`],
      [`${op} of i32`, call(x.cast('i32'), w(4, 2)), tl.DTypeError, `[${op}] dtypes i32 and f32`],
      [`${op} of channels`, call(x, w(2, 2)), tl.ShapeError, `[${op}] channels do not fit`],
      [`${op} of groups`, call(x, w(4, 2), null, { groups: 3 }), tl.ShapeError, `[${op}] channels do not fit`],
      [`${op} of no groups`, call(x, w(4, 2), null, { groups: 0 }), tl.ArgumentError, `[${op}] groups is 0`],
      [`${op} of a bias`, call(x, w(4, 2), z(3)), tl.ShapeError, `[${op}] bias is [3] (expected [2])`],
      [`${op} of stride`, call(x, w(4, 2), null, { stride: 0 }), tl.ArgumentError, `[${op}] stride is 0`],
      [`${op} of dilation`, call(x, w(4, 2), null, { dilation: 0 }), tl.ArgumentError, `[${op}] dilation is 0`],
      [`${op} of padding`, call(x, w(4, 2), null, { padding: -1 }), tl.ArgumentError, `[${op}] padding is -1`],
      [`${op} of all cut`, call(x, w(4, 2), null, { padding: 4 }), tl.ShapeError, `[${op}] nothing is left`],
      [
        `${op} of outputPadding`,
        call(x, w(4, 2), null, { outputPadding: 1 }),
        tl.ArgumentError,
        `[${op}] outputPadding is 1 (expected less than stride 1 or dilation 1)`,
      ],
    ]);
  }
});

describe('resizing and sampling', () => {
  const x = z(1, 2, 4, 4);
  const grid = z(1, 3, 3, 2);
  throwsEach([
    ['of text', () => functions.interpolate!('x', { size: 2 }), tl.ArgumentError, '[interpolate] not a tensor'],
    ['of a rank', () => z(2, 2).interpolate({ size: 2 }), tl.ShapeError, '[interpolate] rank is 2: [2, 2]'],
    ['of i32', () => ints(1, 1, 2).interpolate({ size: 2 }), tl.DTypeError, '[interpolate] input is i32'],
    ['neither', () => x.interpolate({}), tl.ArgumentError, '[interpolate] neither size nor scaleFactor given'],
    [
      'both',
      () => x.interpolate({ size: 2, scaleFactor: 2 }),
      tl.ArgumentError,
      '[interpolate] both size and scaleFactor',
    ],
    ['mode', () => x.interpolate({ size: 2, mode: js('lanczos') }), tl.ArgumentError, '[interpolate] mode is lanczos'],
    [
      'mode of a rank',
      () => x.interpolate({ size: 2, mode: 'linear' }),
      tl.ArgumentError,
      '[interpolate] mode linear is for 1',
    ],
    [
      'alignCorners',
      () => x.interpolate({ size: 2, alignCorners: true }),
      tl.ArgumentError,
      '[interpolate] alignCorners has',
    ],
    ['size', () => x.interpolate({ size: 0 }), tl.ArgumentError, '[interpolate] size is 0'],
    ['sizes', () => x.interpolate({ size: [1, 2, 3] }), tl.ArgumentError, '[interpolate] size has 3 values'],
    ['scale', () => x.interpolate({ scaleFactor: -1 }), tl.ArgumentError, '[interpolate] scaleFactor is -1'],
    ['scales', () => x.interpolate({ scaleFactor: [2] }), tl.ArgumentError, '[interpolate] scaleFactor is 2'],
    [
      'to nothing',
      () => x.interpolate({ scaleFactor: 0.1 }),
      tl.ShapeError,
      '[interpolate] nothing there: [4, 4] to [0, 0]',
    ],
    ['grid of text', () => x.gridSample(js('x')), tl.ArgumentError, '[gridSample] not a tensor: string'],
    [
      'grid of a rank',
      () => x.gridSample(z(1, 3, 2)),
      tl.ShapeError,
      '[gridSample] input [1, 2, 4, 4], grid [1, 3, 2]',
    ],
    ['grid of coordinates', () => x.gridSample(z(1, 3, 3, 3)), tl.ShapeError, '[gridSample] input'],
    ['grid of a batch', () => x.gridSample(z(2, 3, 3, 2)), tl.ShapeError, '[gridSample] input'],
    ['grid of an empty image', () => z(1, 1, 0, 2).gridSample(grid), tl.ShapeError, '[gridSample] nothing to sample'],
    ['grid of i32', () => x.gridSample(ints(1, 3, 3, 2)), tl.DTypeError, '[gridSample] dtypes f32 and i32'],
    ['grid mode', () => x.gridSample(grid, { mode: js('area') }), tl.ArgumentError, '[gridSample] mode is area'],
    [
      'bicubic volumes',
      () => z(1, 1, 2, 2, 2).gridSample(z(1, 1, 1, 1, 3), { mode: 'bicubic' }),
      tl.ArgumentError,
      '[gridSample] mode is bicubic',
    ],
    [
      'grid padding',
      () => x.gridSample(grid, { paddingMode: js('wrap') }),
      tl.ArgumentError,
      '[gridSample] paddingMode is wrap',
    ],
    [
      'affineGrid',
      () => z(2, 3).affineGrid([1, 1, 2, 2]),
      tl.ShapeError,
      '[affineGrid] theta [2, 3] for size [1, 1, 2, 2]',
    ],
    [
      'affineGrid of sizes',
      () => z(1, 2, 3).affineGrid([1, 1, 2]),
      tl.ShapeError,
      '[affineGrid] theta [1, 2, 3] for size',
    ],
    ['affineGrid of 0', () => z(1, 2, 3).affineGrid([1, 1, 0, 2]), tl.ArgumentError, '[affineGrid] size is 0'],
    ['affineGrid of i32', () => ints(1, 2, 3).affineGrid([1, 1, 2, 2]), tl.DTypeError, '[affineGrid] theta is i32'],
  ]);
});

describe('patches and shuffles', () => {
  throwsEach([
    ['pixelShuffle', () => z(1, 3, 2, 2).pixelShuffle(2), tl.ShapeError, '[pixelShuffle] [1, 3, 2, 2] by 2'],
    ['pixelShuffle of a rank', () => z(4, 2).pixelShuffle(2), tl.ShapeError, '[pixelShuffle] [4, 2] by 2'],
    ['pixelShuffle by 0', () => z(1, 4, 2, 2).pixelShuffle(0), tl.ArgumentError, '[pixelShuffle] upscaleFactor is 0'],
    ['pixelUnshuffle', () => z(1, 1, 3, 2).pixelUnshuffle(2), tl.ShapeError, '[pixelUnshuffle] [1, 1, 3, 2] by 2'],
    ['pixelUnshuffle of a rank', () => z(4, 2).pixelUnshuffle(2), tl.ShapeError, '[pixelUnshuffle] [4, 2] by 2'],
    ['channelShuffle', () => z(1, 5, 2).channelShuffle(2), tl.ShapeError, '[channelShuffle] [1, 5, 2] in 2 groups'],
    ['channelShuffle of 0', () => z(1, 4, 2).channelShuffle(0), tl.ArgumentError, '[channelShuffle] groups is 0'],
    ['im2col', () => z(1, 1, 2, 2).im2col(3), tl.ShapeError, '[im2col] patches of [3, 3] do not fit: [2, 2]'],
    ['im2col of a rank', () => z(2, 2).im2col(1), tl.ShapeError, '[im2col] rank is 2'],
    ['im2col of i32', () => ints(1, 1, 2, 2).im2col(1), tl.DTypeError, '[im2col] input is i32'],
    ['im2col stride', () => z(1, 1, 2, 2).im2col(1, { stride: 0 }), tl.ArgumentError, '[im2col] stride is 0'],
    [
      'im2col padding',
      () => z(1, 1, 2, 2).im2col(1, { padding: [1] }),
      tl.ArgumentError,
      '[im2col] padding has 1 values',
    ],
    [
      'fold',
      () => z(1, 5, 4).fold(3, 2),
      tl.ShapeError,
      '[fold] input is [1, 5, 4] (expected [N, C * 4, 4], or without N)',
    ],
    ['fold of columns', () => z(1, 4, 5).fold(3, 2), tl.ShapeError, '[fold] input is [1, 4, 5]'],
    ['fold of a rank', () => z(4).fold(3, 2), tl.ShapeError, '[fold] input is [4]'],
    ['fold of i32', () => ints(1, 4, 4).fold(3, 2), tl.DTypeError, '[fold] input is i32'],
    ['fold size', () => z(1, 4, 4).fold(1, 2), tl.ShapeError, '[fold] patches of [2, 2] do not fit: [1, 1]'],
  ]);

  it('fold adds up what im2col takes apart', async () => {
    const x = tl.arange(1, 10, 1, { dtype: 'f32' }).reshape(1, 1, 3, 3);
    const counts = tl.onesLike(x).im2col(2).fold(3, 2);
    expect(await x.im2col(2).fold(3, 2).tolist()).toEqual(await x.mul(counts).tolist());
  });
});

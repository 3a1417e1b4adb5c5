import * as tl from 'tiller';
import { describe } from 'vitest';
import { bools, functions, ints, js, type Mistake, throwsEach, z } from './mistakes.js';

describe('reductions and running reductions name themselves in errors', () => {
  const reducing = ['aminmax', 'nansum', 'nanmean', 'varMean', 'stdMean'] as const;
  const lines = ['median', 'nanmedian', 'mode'] as const;
  const running = [
    'cumsum',
    'cumprod',
    'cummax',
    'cummin',
    'cummaxWithIndices',
    'cumminWithIndices',
    'logcumsumexp',
  ] as const;
  throwsEach([
    ...reducing.flatMap((op): Mistake[] => [
      [`${op} axis`, () => z(2, 3)[op](2), tl.ShapeError, `[${op}] axis out of range: 2`],
      [`${op} axes`, () => z(2, 3)[op]([0, 0]), tl.ShapeError, `[${op}] axis repeated: [0, 0]`],
      [`${op} dim`, () => z(2, 3)[op](js({})), tl.ArgumentError, `[${op}] dim is not a number`],
      [`${op} of a number`, () => functions[op]!(1), tl.ArgumentError, `[${op}] not a tensor: number`],
    ]),
    ...lines.flatMap((op): Mistake[] => [
      [`${op} axis`, () => z(2, 3)[op](2), tl.ShapeError, `[${op}] axis out of range: 2`],
      [`${op} of nothing`, () => z(3, 0)[op](1), tl.ShapeError, `[${op}] axis 1 of [3, 0] is empty`],
      [`${op} of bool`, () => bools(2)[op](), tl.DTypeError, `[${op}] dtype not allowed: bool`],
      [`${op} of a number`, () => functions[op]!(1), tl.ArgumentError, `[${op}] not a tensor: number`],
    ]),
    ...running.flatMap((op): Mistake[] => [
      [`${op} axis`, () => z(2, 3)[op](2), tl.ShapeError, `[${op}] axis out of range: 2`],
      [`${op} of a number`, () => functions[op]!(1, 0), tl.ArgumentError, `[${op}] not a tensor: number`],
    ]),
    ...(['quantile', 'nanquantile'] as const).flatMap((op): Mistake[] => [
      [`${op} q`, () => z(2)[op](1.5), tl.ArgumentError, `[${op}] q is 1.5 (expected 0..1)`],
      [`${op} list`, () => z(2)[op]([0, -1]), tl.ArgumentError, `[${op}] q is -1 (expected 0..1)`],
      [`${op} matrix`, () => z(2)[op](z(2, 2)), tl.ShapeError, `[${op}] q is [2, 2]`],
      [`${op} axis`, () => z(2)[op](0.5, 1), tl.ShapeError, `[${op}] axis out of range: 1`],
      [`${op} of nothing`, () => z(0)[op](0.5), tl.ShapeError, `[${op}] axis 0 of [0] is empty`],
      [`${op} of i32`, () => ints(2)[op](0.5), tl.DTypeError, `[${op}] dtype not allowed: i32 (expected f32)`],
      [
        `${op} interpolation`,
        () => z(2)[op](0.5, 0, { interpolation: js('cubic') }),
        tl.ArgumentError,
        `[${op}] interpolation is cubic`,
      ],
    ]),
    ['diff of a number', () => z().diff(), tl.ShapeError, '[diff] a single number has no neighbours'],
    ['diff n', () => z(3).diff(-1), tl.ArgumentError, '[diff] n is -1'],
    ['diff axis', () => z(3).diff(1, 1), tl.ShapeError, '[diff] axis out of range: 1'],
    ['diff prepend', () => z(2, 3).diff(1, 1, { prepend: z(3, 1) }), tl.ShapeError, '[diff] f32 [3, 1] does not fit'],
    ['diff append', () => z(2).diff(1, 0, { append: ints(1) }), tl.ShapeError, '[diff] i32 [1] does not fit'],
    ['trapezoid points', () => z(2, 3).trapezoid(z(2)), tl.ShapeError, '[trapezoid] x has 2 points (expected 3)'],
    ['trapezoid x', () => z(2, 3).trapezoid(z(3, 2)), tl.ShapeError, '[trapezoid] x is [3, 2] beside y [2, 3]'],
    ['trapezoid of a number', () => z().trapezoid(), tl.ShapeError, '[trapezoid] axis out of range: -1'],
    [
      'cumulativeTrapezoid x',
      () => z(2, 3).cumulativeTrapezoid(z(3, 2)),
      tl.ShapeError,
      '[cumulativeTrapezoid] x is [3, 2]',
    ],
    ['gradient of one', () => tl.gradient(z(1)), tl.ShapeError, '[gradient] axis 0 of [1] is too short (expected 2)'],
    [
      'gradient spacing',
      () => tl.gradient(z(2, 2), { spacing: [1] }),
      tl.ArgumentError,
      '[gradient] spacing has 1 values',
    ],
    ['gradient edge', () => tl.gradient(z(4), { edgeOrder: js(3) }), tl.ArgumentError, '[gradient] edgeOrder is 3'],
    ['dist', () => z(2).dist(z(3)), tl.ShapeError, '[dist] shapes do not broadcast: [2] and [3]'],
    ['renorm p', () => z(2, 2).renorm(0, 0, 1), tl.ArgumentError, '[renorm] p is 0'],
    ['renorm axis', () => z(2, 2).renorm(2, 2, 1), tl.ShapeError, '[renorm] axis out of range: 2'],
  ]);
});

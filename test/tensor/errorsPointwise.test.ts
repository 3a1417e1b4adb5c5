import * as tl from 'tiller';
import { describe, expect, it } from 'vitest';
import { bools, functions, ints, js, type Mistake, throwsEach, z } from './mistakes.js';

const PAIRS = [
  'copysign',
  'hypot',
  'logaddexp',
  'logaddexp2',
  'fmax',
  'fmin',
  'xlogy',
  'xlog1py',
  'ldexp',
  'floatPower',
  'nextafter',
  'heaviside',
] as const;

describe('pointwise functions name themselves in errors', () => {
  throwsEach(
    PAIRS.flatMap((op): Mistake[] => [
      [op, () => z(2)[op](z(3)), tl.ShapeError, `[${op}] shapes do not broadcast: [2] and [3]`],
      [`${op} of numbers`, () => functions[op]!(1, 2), tl.ArgumentError, `[${op}] only numbers given`],
      [`${op} of text`, () => z(2)[op](js('2')), tl.ArgumentError, `[${op}] not an operand: string`],
    ]),
  );
  const unary = [
    'positive',
    'frac',
    'signbit',
    'exp2',
    'asinh',
    'acosh',
    'atanh',
    'erfc',
    'erfinv',
    'lgamma',
    'digamma',
    'sinc',
    'entr',
    'logit',
    'ndtr',
    'ndtri',
    'angle',
    'nanToNum',
    'frexp',
    'celu',
    'selu',
    'hardtanh',
    'relu6',
    'hardsigmoid',
    'hardswish',
    'tanhshrink',
    'softshrink',
    'hardshrink',
    'softmin',
    'glu',
  ] as const;
  throwsEach(
    unary.map(
      (op): Mistake => [`${op} of a number`, () => functions[op]!(1), tl.ArgumentError, `[${op}] not a tensor: number`],
    ),
  );
  throwsEach([
    ['positive of bool', () => bools(2).positive(), tl.DTypeError, '[positive] dtype not allowed: bool'],
    ['frac of bool', () => bools(2).frac(), tl.DTypeError, '[frac] dtype not allowed: bool'],
    ['hardtanh of bool', () => bools(2).hardtanh(), tl.DTypeError, '[hardtanh] dtype not allowed: bool'],
    ['relu6 of bool', () => bools(2).relu6(), tl.DTypeError, '[relu6] dtype not allowed: bool'],
    ['threshold of bool', () => bools(2).threshold(0, 1), tl.DTypeError, '[threshold] dtype not allowed: bool'],
    ['gcd of f32', () => z(2).gcd(ints(2)), tl.DTypeError, '[gcd] dtype not allowed: f32'],
    ['lcm of f32', () => z(2).lcm(ints(2)), tl.DTypeError, '[lcm] dtype not allowed: f32'],
    ['gcd', () => ints(2).gcd(ints(3)), tl.ShapeError, '[gcd] shapes do not broadcast: [2] and [3]'],
    ['lcm', () => ints(2).lcm(ints(3)), tl.ShapeError, '[lcm] shapes do not broadcast: [2] and [3]'],
    ['lerp', () => z(2).lerp(z(3), 0.5), tl.ShapeError, '[lerp] shapes do not broadcast: [2] and [3]'],
    ['addcmul', () => z(2).addcmul(z(3), z(2)), tl.ShapeError, '[addcmul] shapes do not broadcast: [2] and [3]'],
    ['addcdiv', () => z(2).addcdiv(z(2), z(3)), tl.ShapeError, '[addcdiv] shapes do not broadcast: [2] and [3]'],
    ['isclose', () => z(2).isclose(z(3)), tl.ShapeError, '[isclose] shapes do not broadcast: [2] and [3]'],
    ['isclose rtol', () => z(2).isclose(z(2), { rtol: -1 }), tl.ArgumentError, '[isclose] rtol is -1'],
    ['div mode', () => z(2).div(2, { roundingMode: js('up') }), tl.ArgumentError, '[div] roundingMode is up'],
    ['round decimals', () => z(2).round({ decimals: 0.5 }), tl.ArgumentError, '[round] decimals is 0.5'],
    ['celu alpha', () => z(2).celu(0), tl.ArgumentError, '[celu] alpha is 0'],
    ['hardtanh bounds', () => z(2).hardtanh(1, -1), tl.ArgumentError, '[hardtanh] bounds are 1 and -1'],
    ['softshrink lambd', () => z(2).softshrink(-1), tl.ArgumentError, '[softshrink] lambd is -1'],
    ['prelu weight', () => z(2, 3).prelu(z(2)), tl.ShapeError, '[prelu] weight is [2] (expected 1 or 3 elements)'],
    ['glu of odd length', () => z(2, 3).glu(), tl.ShapeError, '[glu] axis -1 of [2, 3] has no halves'],
    ['glu axis', () => z(2, 4).glu(2), tl.ShapeError, '[glu] axis out of range: 2'],
    ['softmin axis', () => z(2, 4).softmin(2), tl.ShapeError, '[softmin] axis out of range: 2'],
    ['logit eps', () => z(2).logit(0.7), tl.ArgumentError, '[logit] eps is 0.7'],
    ['polygamma n', () => z(2).polygamma(-1), tl.ArgumentError, '[polygamma] n is -1'],
    ['polygamma 34', () => z(2).polygamma(34), tl.ArgumentError, '[polygamma] n is 34 (expected at most 33)'],
    ['i0', () => functions.i0!(1), tl.ArgumentError, '[i0] not a tensor: number'],
    ['i1e', () => functions.i1e!(1), tl.ArgumentError, '[i1e] not a tensor: number'],
    ['mvlgamma p', () => z(2).mvlgamma(0), tl.ArgumentError, '[mvlgamma] p is 0'],
  ]);

  it('rejects comparisons that do not fit', async () => {
    await expect(z(2).allclose(z(3))).rejects.toThrow('[allclose] shapes do not broadcast: [2] and [3]');
    await expect(z(2).equal(js(1))).rejects.toThrow('[equal] not a tensor: number');
  });
});

describe('comparisons of whole tensors', () => {
  it('tell what is near and what is equal', async () => {
    const x = tl.tensor([1, 2, Number.NaN]);
    const y = tl.tensor([1.000001, 2, Number.NaN]);
    expect(await x.allclose(y)).toBe(false);
    expect(await x.allclose(y, { equalNan: true })).toBe(true);
    expect(await x.at([0, 2]).equal(y.at([0, 2]))).toBe(false);
    expect(await x.at([1, 2]).equal(y.at([1, 2]))).toBe(true);
    expect(await x.equal(tl.tensor([1, 2]))).toBe(false);
  });
});

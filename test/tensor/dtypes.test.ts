import * as tl from 'tiller';
import { describe, expect, it } from 'vitest';

const of = (dtype: tl.DType) => tl.ones([2], { dtype });
const DTYPES: readonly tl.DType[] = ['bool', 'u32', 'i32', 'f32'];

describe('dtype promotion', () => {
  it.each<[tl.DType, tl.DType, tl.DType]>([
    ['f32', 'f32', 'f32'],
    ['f32', 'i32', 'f32'],
    ['f32', 'u32', 'f32'],
    ['f32', 'bool', 'f32'],
    ['i32', 'i32', 'i32'],
    ['i32', 'u32', 'i32'],
    ['i32', 'bool', 'i32'],
    ['u32', 'u32', 'u32'],
    ['u32', 'bool', 'u32'],
    ['bool', 'bool', 'i32'],
  ])('%s + %s is %s', (a, b, expected) => {
    expect(of(a).add(of(b)).dtype).toBe(expected);
    expect(of(b).mul(of(a)).dtype).toBe(expected);
  });

  it.each<[tl.DType, number, tl.DType]>([
    ['f32', 2, 'f32'],
    ['f32', 2.5, 'f32'],
    ['i32', 2, 'i32'],
    ['i32', 2.5, 'f32'],
    ['i32', Infinity, 'f32'],
    ['u32', 2, 'u32'],
    ['u32', 2.5, 'f32'],
    ['bool', 2, 'i32'],
    ['bool', 2.5, 'f32'],
  ])('%s + the number %d is %s', (dtype, value, expected) => {
    expect(of(dtype).add(value).dtype).toBe(expected);
    expect(tl.add(value, of(dtype)).dtype).toBe(expected);
  });

  it.each(DTYPES)('division of %s is f32', (dtype) => {
    expect(of(dtype).div(2).dtype).toBe('f32');
    expect(of(dtype).div(of('i32')).dtype).toBe('f32');
  });

  it.each(DTYPES)('comparisons of %s are bool', (dtype) => {
    for (const op of [tl.eq, tl.ne, tl.lt, tl.le, tl.gt, tl.ge]) expect(op(of(dtype), of('f32')).dtype).toBe('bool');
  });

  it.each(DTYPES)('functions of real numbers take %s', (dtype) => {
    for (const op of [tl.exp, tl.log, tl.sin, tl.sqrt, tl.sigmoid, tl.erf, tl.reciprocal]) {
      expect(op(of(dtype)).dtype).toBe('f32');
    }
  });

  it('reductions', () => {
    expect(of('bool').sum().dtype).toBe('i32');
    expect(of('i32').sum().dtype).toBe('i32');
    expect(of('bool').prod().dtype).toBe('i32');
    expect(of('i32').mean().dtype).toBe('f32');
    expect(of('i32').var().dtype).toBe('f32');
    expect(of('u32').max().dtype).toBe('u32');
    expect(of('bool').max().dtype).toBe('bool');
    expect(of('f32').argmax().dtype).toBe('i32');
    expect(of('f32').argmin(0).dtype).toBe('i32');
    expect(of('f32').any().dtype).toBe('bool');
    expect(of('i32').all().dtype).toBe('bool');
    expect(of('bool').countNonzero().dtype).toBe('i32');
  });

  it('choice, joining and products', () => {
    const mask = of('bool');
    expect(tl.where(mask, of('i32'), 2).dtype).toBe('i32');
    expect(tl.where(mask, of('i32'), 2.5).dtype).toBe('f32');
    expect(tl.where(mask, 1, 0).dtype).toBe('f32');
    expect(of('i32').where(mask, of('f32')).dtype).toBe('f32');
    expect(tl.concat([of('bool'), of('u32')]).dtype).toBe('u32');
    expect(tl.stack([of('i32'), of('f32')]).dtype).toBe('f32');
    expect(of('i32').matmul(of('u32')).dtype).toBe('i32');
    expect(of('i32').clamp(0, 1).dtype).toBe('i32');
    expect(of('i32').clamp(0.5).dtype).toBe('f32');
    expect(tl.oneHot(of('u32'), 3).dtype).toBe('i32');
    expect(of('i32').relu().dtype).toBe('i32');
    expect(of('i32').softmax().dtype).toBe('f32');
    expect(of('i32').floor().dtype).toBe('i32');
    expect(of('i32').isnan().dtype).toBe('bool');
    expect(of('f32').logicalNot().dtype).toBe('bool');
    expect(of('f32').logicalAnd(of('i32')).dtype).toBe('bool');
    expect(of('bool').bitwiseNot().dtype).toBe('bool');
    expect(of('i32').bitwiseAnd(1).dtype).toBe('i32');
    expect(of('f32').cast('u32').dtype).toBe('u32');
    expect(of('f32').to('i32').dtype).toBe('i32');
  });
});

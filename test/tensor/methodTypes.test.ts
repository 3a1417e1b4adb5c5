import * as tl from 'tiller';
import { describe, expectTypeOf, it } from 'vitest';

describe('methods have the overloads of their functions', () => {
  const x = tl.tensor([1, 0]);
  it('with one signature', () => {
    expectTypeOf(x.relu).returns.toEqualTypeOf<tl.Tensor>();
    expectTypeOf(x.relu).parameters.toEqualTypeOf<[]>();
    expectTypeOf(x.roll).parameter(0).toEqualTypeOf<number | readonly number[]>();
  });
  it('with two', () => {
    expectTypeOf(x.unique()).toEqualTypeOf<Promise<tl.Unique>>();
    expectTypeOf(x.unique({ size: 2 })).toEqualTypeOf<tl.Unique>();
    expectTypeOf(x.maskedSelect(x.ne(0), { size: 1 })).toEqualTypeOf<tl.Tensor>();
  });
  it('with four', () => {
    expectTypeOf(x.nonzero()).toEqualTypeOf<Promise<tl.Tensor>>();
    expectTypeOf(x.nonzero({ asTuple: true })).toEqualTypeOf<Promise<tl.Tensor[]>>();
    expectTypeOf(x.nonzero({ size: 2 })).toEqualTypeOf<tl.Tensor>();
    expectTypeOf(x.nonzero({ size: 2, asTuple: true })).toEqualTypeOf<tl.Tensor[]>();
  });
});

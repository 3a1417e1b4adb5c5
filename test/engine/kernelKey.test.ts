import { expect, it } from 'vitest';
import type { Expr, Index, IndexVar, LoopKernel } from '../../kernels/ir.js';
import { kernelKey } from '../../src/engine/kernelKey.js';
import { guardedNorm, negatedProduct, withEmptySegment } from './irKernels.js';

const variable = (name: string, extent: number): IndexVar => ({ name, extent });
const f32 = (value: number): Expr => ({ kind: 'const', dtype: 'f32', value });

/** out[i, j] = value, over 4 x 4 points. */
function storing(value: (i: Index, j: Index) => Expr, names = ['i', 'j'], at = (i: Index, _j: Index) => i): LoopKernel {
  const [vi, vj] = names.map((name) => variable(name, 4)) as [IndexVar, IndexVar];
  const [i, j]: [Index, Index] = [
    { kind: 'var', v: vi },
    { kind: 'var', v: vj },
  ];
  return {
    kind: 'loop',
    name: names.join(),
    buffers: [{ dtype: 'f32', length: 16, access: 'write' }],
    params: [],
    flops: names.length,
    segments: [{ parallel: [vi, vj], body: [{ kind: 'store', buffer: 0, index: at(i, j), value: value(i, j) }] }],
  };
}

it('is equal for kernels that differ in names alone', () => {
  expect(kernelKey(storing(() => f32(1), ['a', 'b']))).toBe(kernelKey(storing(() => f32(1))));
  expect(kernelKey(guardedNorm())).toBe(kernelKey(guardedNorm()));
  expect(kernelKey(negatedProduct())).toBe(kernelKey(negatedProduct()));
});

it('tells everything else', () => {
  const one = f32(1);
  const sum = (a: Expr, b: Expr): Expr => ({ kind: 'binary', dtype: 'f32', fn: 'add', a, b });
  const kernels = [
    storing(() => f32(0)),
    storing(() => f32(-0)),
    storing(() => f32(Number.NaN)),
    storing(() => f32(Infinity)),
    storing(() => f32(1)),
    storing(() => f32(1), ['i', 'i']),
    storing(
      () => f32(1),
      ['i', 'j'],
      (_, j) => j,
    ),
    storing(() => sum(one, one)),
    storing(() => sum(one, f32(11))),
    storing(() => sum(f32(11), one)),
    storing((i) => ({ kind: 'index', dtype: 'i32', index: i })),
    storing((i) => ({ kind: 'index', dtype: 'u32', index: i })),
    storing((_, j) => ({ kind: 'index', dtype: 'i32', index: j })),
    guardedNorm(),
    negatedProduct(),
    withEmptySegment(1),
    withEmptySegment(11),
  ];
  const keys = kernels.map(kernelKey);
  // Number 5 differs from number 4 in names alone.
  expect(keys[5]).toBe(keys[4]);
  expect(new Set(keys).size).toBe(kernels.length - 1);
});

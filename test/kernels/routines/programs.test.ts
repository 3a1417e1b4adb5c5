import { describe, expect, it } from 'vitest';
import { printKernel } from '../../../kernels/print.js';
import { routineKernel } from '../../../kernels/routines/index.js';
import { sizesOf } from '../../../kernels/routines/sizes.js';
import { verifyKernel } from '../../../kernels/verify.js';
import { ROUTINE_FNS } from '../../../src/graph/index.js';
import { errorOf, nodeOf, routineCases } from './cases.js';
import { interpretRoutine } from './interpret.js';

describe.each(ROUTINE_FNS)('%s in float64', (fn) => {
  // Jacobi rotations are exact to f32 only: the tolerance that ends them is that of f32.
  const tolerance = fn === 'eigh' || fn === 'svd' ? 3e-6 : 1e-6;
  const cases = routineCases(fn).filter(({ shapes }) => {
    const [m, n] = shapes[0]!.slice(-2) as [number, number];
    return m > 0 && n > 0 && (shapes[0]!.length === 2 ? n < 65 : n < 33);
  });
  it.each(cases.map((test) => [test.name, test] as const))('%s', (_, test) => {
    const kernel = routineKernel(test.attrs, sizesOf(nodeOf(test).node));
    verifyKernel(kernel);
    const buffers = kernel.buffers.map(({ length }, i) =>
      i < test.operands.length ? Float64Array.from(test.operands[i]!) : new Float64Array(length).fill(Number.NaN),
    );
    interpretRoutine(kernel, buffers);
    expect(errorOf(test, buffers[test.operands.length]!)).toBeLessThan(tolerance);
  });
});

it('prints as a program', () => {
  expect(printKernel(routineKernel({ fn: 'cholesky' }, { batch: 2, m: 3, n: 3, k: 0 }))).toMatchSnapshot();
});

import { describe, expect, it } from 'vitest';
import { printKernel } from '../../../kernels/print.js';
import { routineKernel } from '../../../kernels/routines/index.js';
import { add, indexFrom, integer, lt, Matrix, number, Program } from '../../../kernels/routines/program.js';
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

describe('the verifier', () => {
  /** A kernel that reads buffer 0 and writes buffer 1, both of 4 elements. */
  function check(write: (p: Program, read: Matrix, written: Matrix) => void): void {
    const p = new Program(8);
    const [read, written] = [0, 1].map((buffer) => new Matrix(p, buffer, { kind: 'const', value: 0 }, 1)) as [
      Matrix,
      Matrix,
    ];
    write(p, read, written);
    verifyKernel({
      kind: 'routine',
      name: 'test',
      buffers: [
        { dtype: 'f32', length: 4, access: 'read' },
        { dtype: 'f32', length: 4, access: 'write' },
      ],
      params: [],
      flops: 0,
      batch: { name: 'matrix', extent: 1 },
      body: p.body,
    });
  }

  it('takes what is right', () => {
    check((p, read, written) => {
      const x = p.let('x', read.at(0, 0));
      p.serial(0, 4, (i) => p.assign(x, add(x, read.at(i, 0))));
      p.once(() => p.if(lt(x, number(1)), () => written.set(0, 0, x)));
    });
  });

  const WRONG: Record<string, Parameters<typeof check>[0]> = {
    'a store outside of a loop of lanes': (_, __, written) => written.set(0, 0, number(1)),
    'loop of lanes under a condition': (p, read) => p.if(lt(read.at(0, 0), number(0)), () => p.once(() => {})),
    'loop that one lane runs': (p) => p.once(() => p.once(() => {})),
    'bound from memory': (p, read) => {
      const end = p.let('end', { kind: 'cast', dtype: 'i32', x: read.at(0, 0) });
      p.lanes(0, indexFrom(end), () => {});
    },
    'store to buffer 0, which is read-only': (p, read) => p.once(() => read.set(0, 0, number(1))),
    'assignment to x': (p) => {
      const x = p.let('x', number(0));
      p.lanes(0, 4, () => p.assign(x, number(1)));
    },
    'result out of scope': (p, _, written) => {
      let inner = number(0);
      p.serial(0, 2, () => {
        inner = p.let('inner', number(1));
      });
      p.once(() => written.set(0, 0, inner));
    },
    'as x of f32': (p) => {
      p.push({ kind: 'let', local: { name: 'x', dtype: 'f32' }, value: integer(1) });
    },
    'fold of i32': (p) => p.sum(0, 4, (k) => integer(k)),
    'param in a routine': (p) => p.let('x', { kind: 'param', dtype: 'f32', slot: 0 }),
    'declared twice': (p) => {
      const x = p.let('x', number(0));
      p.push({ kind: 'let', local: x.of, value: number(1) });
    },
  };
  it.each(Object.keys(WRONG))('refuses: %s', (message) => {
    expect(() => check(WRONG[message]!)).toThrow(message);
  });

  it('a loop of lanes in a serial loop whose bounds come from memory', () => {
    expect(() =>
      check((p, read) => {
        const end = p.let('end', { kind: 'cast', dtype: 'i32', x: read.at(0, 0) });
        p.serial(0, indexFrom(end), () => p.once(() => {}));
      }),
    ).toThrow('loop of lanes');
  });
});

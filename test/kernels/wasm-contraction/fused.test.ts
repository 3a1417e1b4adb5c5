import { describe, expect, it } from 'vitest';
import type { ContractionKernel, Expr } from '../../../kernels/ir.js';
import { lowerGroups } from '../../../kernels/lower/lower.js';
import { renderContractionToWasm } from '../../../kernels/render/wasm/contraction.js';
import { conv, flip, leaf, type Node, permute, UnsupportedError } from '../../../src/graph/index.js';
import {
  constant,
  floatsOf,
  load,
  modulo,
  numbers,
  over,
  plus,
  productKernel,
  times,
  variable,
  wordsOf,
} from '../contraction-harness.js';
import { atOnce, backwards, inThrees, Loaded, oneByOne, PLAIN, RELAXED, runOnce, SHARED } from './harness.js';

const floats = (values: readonly number[]) => Float32Array.from(values);
const zeros = (length: number) => new Float32Array(length);
const unary = (fn: 'neg' | 'abs' | 'sqrt' | 'exp', x: Expr): Expr => ({ kind: 'unary', dtype: x.dtype, fn, x });
const binary = (fn: 'add' | 'mul' | 'sub' | 'max' | 'div', a: Expr, b: Expr): Expr => ({
  kind: 'binary',
  dtype: a.dtype,
  fn,
  a,
  b,
});
const param = (slot: number): Expr => ({ kind: 'param', dtype: 'f32', slot });
const number = (value: number): Expr => ({ kind: 'const', dtype: 'f32', value });

function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, bound: number): void {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i++) {
    if (!(Math.abs(got[i]! - want[i]!) <= bound)) expect.fail(`at ${i}: ${got[i]} (expected ${want[i]})`);
  }
}

/** Shapes that take each of the ways to multiply. */
const SHAPES = [
  { name: 'blocks', m: 37, n: 43, k: 29 },
  { name: 'large blocks with parts of k', m: 70, n: 90, k: 1000 },
  { name: 'a row', m: 1, n: 75, k: 100 },
  { name: 'a column', m: 75, n: 1, k: 100 },
  { name: 'few rows', m: 3, n: 21, k: 50 },
  { name: 'few rows and a large operand', m: 3, n: 520, k: 520 },
  { name: 'few steps', m: 1, n: 75, k: 5 },
  { name: 'no steps', m: 9, n: 17, k: 0 },
  { name: 'parts of k summed apart', m: 5, n: 6, k: 40_000 },
];

describe('fused contractions', () => {
  for (const { name, m, n, k } of SHAPES) {
    it(`${name}: whole numbers wrap`, () => {
      for (const [transA, transB] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const) {
        for (const dtype of ['i32', 'u32'] as const) {
          const kernel = productKernel({ batch: 2, m, n, k, transA, transB, dtype });
          const a = Int32Array.from(numbers(2 * m * k, 1), (x) => x * 2 ** 32);
          const b = Int32Array.from(numbers(2 * k * n, 2), (x) => x * 2 ** 32);
          const got = runOnce(kernel, [wordsOf(a), wordsOf(b), new Uint32Array(2 * m * n)])[2]!;
          for (let z = 0; z < 2; z++) {
            for (let i = 0; i < m; i++) {
              for (let j = 0; j < n; j++) {
                let sum = 0;
                for (let q = 0; q < k; q++) {
                  const left = a[z * m * k + (transA ? q * m + i : i * k + q)]!;
                  sum = (sum + Math.imul(left, b[z * k * n + (transB ? j * k + q : q * n + j)]!)) | 0;
                }
                if (got[(z * m + i) * n + j] !== sum >>> 0) expect.fail(`${dtype} at ${z}, ${i}, ${j}`);
              }
            }
          }
        }
      }
    });

    it(`${name}: an Adam update in place, with a scaled and clipped left operand`, () => {
      // Buffers: a, b, moments m and v, parameters p; p, m and v are read and written at one place.
      const length = m * n;
      const extra = ['m', 'v', 'p'].map(() => ({ dtype: 'f32' as const, length, access: 'readwrite' as const }));
      const kernel = productKernel(
        { batch: 1, m, n, k, transA: true },
        {
          a: (x) => binary('max', binary('mul', x, param(0)), number(-0.1)),
          extra,
          outputs: 0,
          params: ['f32', 'f32'],
          epilogue: (acc, at) => {
            const first = binary('add', binary('mul', load(2, at), number(0.9)), binary('mul', acc, number(0.1)));
            const squared = binary('mul', acc, acc);
            const second = binary(
              'add',
              binary('mul', load(3, at), number(0.99)),
              binary('mul', squared, number(0.01)),
            );
            const step = binary('div', first, binary('add', unary('sqrt', second), number(1)));
            const next = binary('sub', load(4, at), binary('mul', step, param(1)));
            return [
              { kind: 'store', buffer: 4, index: at, value: next },
              { kind: 'store', buffer: 2, index: at, value: first },
              { kind: 'store', buffer: 3, index: at, value: second },
            ];
          },
        },
      );
      const [a, b] = [numbers(m * k, 1), numbers(k * n, 2)];
      const [mean, square, weights] = [numbers(length, 3), numbers(length, 4).map(Math.abs), numbers(length, 5)];
      const want = [zeros(length), zeros(length), zeros(length)] as const;
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let q = 0; q < k; q++) sum += Math.max(a[q * m + i]! * 0.5, -0.1) * b[q * n + j]!;
          const at = i * n + j;
          want[0][at] = mean[at]! * 0.9 + sum * 0.1;
          want[1][at] = square[at]! * 0.99 + sum * sum * 0.01;
          want[2][at] = weights[at]! - (want[0][at] / (Math.sqrt(want[1][at]) + 1)) * 0.25;
        }
      }
      const buffers = [a, b, mean, square, weights].map(wordsOf);
      const params = wordsOf(floats([0.5, 0.25]));
      for (const features of [RELAXED, PLAIN]) {
        const results = [atOnce, oneByOne, inThrees, backwards].map((split) =>
          runOnce(kernel, buffers, { params, split, features }).map(floatsOf),
        );
        for (const [i, expected] of want.entries()) {
          const sums = Math.max(...want[0].map(Math.abs), 1);
          expectClose(results[0]![2 + i]!, expected, (k + 20) * 1e-6 * sums);
          for (const result of results) expect(result[2 + i]).toEqual(results[0]![2 + i]);
        }
      }
    });

    it(`${name}: operands shared by batches, columns in another order, a bias along rows`, () => {
      const [batch, heads] = [6, 2];
      const kernel = productKernel(
        { batch, m, n, k },
        {
          extra: [{ dtype: 'f32', length: m, access: 'read' }],
          epilogue: (acc, at, { m: row }) => [
            { kind: 'store', buffer: 3, index: at, value: binary('add', acc, load(2, variable(row))) },
          ],
        },
      );
      // a belongs to pairs of batches, b to a batch of each pair, read backwards along n.
      const { batch: z, m: i, n: j, k: q } = kernel;
      const a: Expr = load(0, plus(times(over(variable(z), heads), m * k), times(variable(i), k), variable(q)));
      const column = { kind: 'sub' as const, a: constant(n - 1), b: variable(j) };
      const b: Expr = load(1, plus(times(modulo(variable(z), heads), k * n), times(variable(q), n), column));
      const buffers = kernel.buffers.map((spec, n) =>
        n === 0 ? { ...spec, length: 3 * m * k } : n === 1 ? { ...spec, length: 2 * k * n } : spec,
      );
      const lengths = [3 * m * k, 2 * k * n];
      const changed: ContractionKernel = {
        ...kernel,
        a,
        b,
        buffers: buffers.map((spec, at) => ({ ...spec, length: lengths[at] ?? spec.length })),
      };
      const [left, right, bias] = [numbers(lengths[0]!, 1), numbers(lengths[1]!, 2), numbers(m, 3)];
      const got = floatsOf(runOnce(changed, [left, right, bias, zeros(batch * m * n)].map(wordsOf))[3]!);
      const want = new Float64Array(batch * m * n);
      for (let at = 0; at < want.length; at++) {
        const [group, row, col] = [Math.floor(at / m / n), Math.floor(at / n) % m, at % n];
        let sum = bias[row]!;
        for (let step = 0; step < k; step++) {
          const x = left[Math.floor(group / heads) * m * k + row * k + step]!;
          sum += x * right[(group % heads) * k * n + step * n + (n - 1 - col)]!;
        }
        want[at] = sum;
      }
      expectClose(got, want, (k + 4) * 1e-6);
    });
  }

  it('reads operands through tables of rows, with a fill for those out of range', () => {
    const [m, n, k, table] = [9, 30, 20, 7];
    const kernel = productKernel({ batch: 1, m, n, k }, { extra: [{ dtype: 'i32', length: k, access: 'read' }] });
    const { k: q, n: j } = kernel;
    const index: Expr = load(2, variable(q), 'i32');
    const row = { kind: 'value' as const, expr: index };
    const b: Expr = {
      kind: 'guard',
      dtype: 'f32',
      conds: [{ kind: 'lt', a: row, b: constant(table) }],
      value: load(1, plus(times(row, n), variable(j)), 'f32', true),
      otherwise: 0.5,
    };
    const buffers = kernel.buffers.map((spec, at) => (at === 1 ? { ...spec, length: table * n } : spec));
    const [a, rows] = [numbers(m * k, 1), numbers(table * n, 2)];
    const places = Int32Array.from({ length: k }, (_, at) => (at % 5 === 4 ? -at : (at * 3) % (table + 2)));
    const got = floatsOf(
      runOnce({ ...kernel, b, buffers }, [wordsOf(a), wordsOf(rows), wordsOf(places), wordsOf(zeros(m * n))])[3]!,
    );
    const want = Float64Array.from({ length: m * n }, (_, at) => {
      let sum = 0;
      for (let step = 0; step < k; step++) {
        const place = places[step]!;
        const value = place >= 0 && place < table ? rows[place * n + (at % n)]! : 0.5;
        sum += a[Math.floor(at / n) * k + step]! * value;
      }
      return sum;
    });
    expectClose(got, want, (k + 4) * 1e-6);
  });

  it('multiplies with flipped and transposed filters, as input gradients do', () => {
    const [x, w] = [leaf({ shape: [2, 6, 9, 9], dtype: 'f32' }), leaf({ shape: [6, 5, 3, 3], dtype: 'f32' })] as [
      Node,
      Node,
    ];
    const turned = permute(flip(w, [2, 3]), [1, 0, 2, 3]);
    const two = (value: number) => [value, value];
    const anchor = conv(x, turned, {
      stride: two(1),
      padLow: two(1),
      padHigh: two(1),
      inputDilation: two(1),
      kernelDilation: two(1),
      groups: 1,
    });
    const inputs = new Map<Node, number>([
      [x, 0],
      [w, 1],
      [anchor as Node, 2],
    ]);
    const interior = new Set<Node>([anchor as Node, turned, turned.inputs[0]!]);
    const { kernel } = lowerGroups(
      [{ anchor: anchor as Node<'conv'>, outputs: [anchor as Node], interior, domain: null }],
      (node) => inputs.get(node) ?? null,
    );
    const [image, filter] = [numbers(2 * 6 * 81, 1), numbers(6 * 5 * 9, 2)];
    const got = floatsOf(runOnce(kernel as ContractionKernel, [image, filter, zeros(2 * 5 * 81)].map(wordsOf))[2]!);
    const want = new Float64Array(2 * 5 * 81);
    for (let at = 0; at < want.length; at++) {
      const [z, o, y, column] = [Math.floor(at / 405), Math.floor(at / 81) % 5, Math.floor(at / 9) % 9, at % 9];
      for (let c = 0; c < 6; c++) {
        for (let tap = 0; tap < 9; tap++) {
          const [sy, sx] = [y + Math.floor(tap / 3) - 1, column + (tap % 3) - 1];
          if (sy < 0 || sy >= 9 || sx < 0 || sx >= 9) continue;
          want[at]! += image[((z * 6 + c) * 9 + sy) * 9 + sx]! * filter[(c * 5 + o) * 9 + (8 - tap)]!;
        }
      }
    }
    expectClose(got, want, 60e-6);
  });

  it('multiplies small images whose channels lie next to each other', () => {
    const shape = [2, 5, 10, 9] as const;
    const [x, w] = [leaf({ shape, dtype: 'f32' }), leaf({ shape: [6, 9, 1, 1], dtype: 'f32' })] as [Node, Node];
    const channelsFirst = permute(x, [0, 3, 1, 2]);
    const [ones, none] = [
      [1, 1],
      [0, 0],
    ];
    const attrs = { stride: ones, padLow: none, padHigh: none, inputDilation: ones, kernelDilation: ones, groups: 1 };
    const anchor = conv(channelsFirst, w, attrs);
    const inputs = new Map<Node, number>([
      [x, 0],
      [w, 1],
      [anchor as Node, 2],
    ]);
    const group = {
      anchor: anchor as Node<'conv'>,
      outputs: [anchor as Node],
      interior: new Set([anchor as Node, channelsFirst]),
      domain: null,
    };
    const { kernel } = lowerGroups([group], (node) => inputs.get(node) ?? null);
    const [image, filter] = [numbers(2 * 50 * 9, 1), numbers(54, 2)];
    const got = floatsOf(runOnce(kernel as ContractionKernel, [image, filter, zeros(600)].map(wordsOf))[2]!);
    const want = Float64Array.from({ length: 600 }, (_, at) => {
      const [z, o, place] = [Math.floor(at / 300), Math.floor(at / 50) % 6, at % 50];
      let sum = 0;
      for (let c = 0; c < 9; c++) sum += image[(z * 50 + place) * 9 + c]! * filter[o * 9 + c]!;
      return sum;
    });
    expectClose(got, want, 15e-6);
  });

  it('has nothing to do for empty outputs', () => {
    for (const shape of [
      { batch: 0, m: 3, n: 3 },
      { batch: 2, m: 0, n: 3 },
      { batch: 2, m: 3, n: 0 },
    ]) {
      const { phases } = renderContractionToWasm(productKernel({ ...shape, k: 4 }), RELAXED);
      expect(phases.reduce((sum, { tasks }) => sum + tasks, 0)).toBe(0);
    }
  });

  it('has tasks for several threads, none of them long, whatever the shape', () => {
    for (const [m, n, k] of [
      [512, 512, 512],
      [1024, 1024, 1024],
      [128, 256, 784],
      [256, 784, 128],
      [64, 576, 100_352],
      [1, 4096, 4096],
    ] as const) {
      const { phases } = renderContractionToWasm(productKernel({ batch: 1, m, n, k, transB: true }), RELAXED);
      const multiply = phases.find((phase) => phase.name === 'multiply')!;
      expect(multiply.tasks).toBeGreaterThanOrEqual(8);
      expect(multiply.taskCost).toBeLessThan(2e6);
    }
  });

  it('runs on shared memory, with equal results', () => {
    const kernel = productKernel({ batch: 1, m: 40, n: 50, k: 60 });
    const buffers = [numbers(2400, 1), numbers(3000, 2), zeros(2000)].map(wordsOf);
    expect(new Loaded(kernel, SHARED).memory.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(runOnce(kernel, buffers, { features: SHARED })[2]).toEqual(runOnce(kernel, buffers)[2]);
  });

  it('refuses sums of bool', () => {
    const kernel = productKernel({ batch: 1, m: 2, n: 2, k: 2, dtype: 'bool' });
    expect(() => renderContractionToWasm(kernel, RELAXED)).toThrow(UnsupportedError);
  });

  it('gives NaN and infinity where the products do, and nowhere else', () => {
    const [m, n, k] = [9, 21, 11];
    const [a, b] = [numbers(m * k, 1), numbers(k * n, 2)];
    a[3 * k + 2] = Number.NaN;
    b[4 * n + 20] = Number.POSITIVE_INFINITY;
    const got = floatsOf(runOnce(productKernel({ batch: 1, m, n, k }), [a, b, zeros(m * n)].map(wordsOf))[2]!);
    got.forEach((value, at) => {
      const [row, column] = [Math.floor(at / n), at % n];
      if (row === 3) expect(value).toBeNaN();
      else if (column === 20) expect(Math.abs(value)).toBe(Number.POSITIVE_INFINITY);
      else expect(Number.isFinite(value)).toBe(true);
    });
  });
});

import { describe, expect, it } from 'vitest';
import type { Expr, IndexVar, LoopKernel } from '../../../kernels/ir.js';
import { threefry } from '../../../kernels/numerics/index.js';
import { renderLoopKernelToWasm } from '../../../kernels/render/wasm/loop.js';
import type { WasmFeatures } from '../../../kernels/render/wasm/rendered.js';
import { LOOP_TUNING, type LoopTuning } from '../../../kernels/render/wasm/tuning.js';
import {
  bin,
  forEach,
  guard,
  iadd,
  ic,
  idiv,
  imod,
  imul,
  isub,
  iv,
  kernelOf,
  load,
  lt,
  num,
  reduce,
  resultOf,
  rowMajor,
  store,
  term,
  un,
  variable,
  where,
} from '../build.js';
import { interpret } from '../interpret.js';
import { compile } from '../numerics/evaluate.js';
import { atOnce, inThree, oneByOneBackwards, plain, RunningKernel, relaxed, type Split } from './run.js';

const FEATURES = { 'without fused operations': plain, 'with fused operations': relaxed };
const LANES = ['points', 'inner'] as const;
const SPLITS: readonly Split[] = [atOnce, inThree, oneByOneBackwards];

const asFloats = (words: Uint32Array): Float32Array => new Float32Array(words.slice().buffer);

let seed = 7;
function random(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return (Math.imul(seed ^ (seed >>> 16), 0x45d9f3b) >>> 0) / 2 ** 32;
}
const randomFloats = (length: number, scale = 4): Float32Array =>
  Float32Array.from({ length }, () => (random() - 0.5) * scale);

/** Words of all buffers after a run. */
function run(
  kernel: LoopKernel,
  inputs: Readonly<Record<number, ArrayLike<number>>>,
  { features = plain, tuning = LOOP_TUNING, split = atOnce, params = [] as readonly number[] } = {},
): readonly Uint32Array[] {
  const running = new RunningKernel(kernel, renderLoopKernelToWasm(kernel, features, tuning), params);
  for (const [n, values] of Object.entries(inputs)) {
    const words = running.buffers[Number(n)]!;
    const dtype = kernel.buffers[Number(n)]!.dtype;
    if (dtype === 'f32') new Float32Array(words.buffer, words.byteOffset, words.length).set(values);
    else words.set(values);
  }
  running.run(split);
  running.check();
  return running.buffers;
}

/** Bits that are the same however the tasks are run. */
function runAllWays(kernel: LoopKernel, inputs: Parameters<typeof run>[1], features: WasmFeatures, tuning: LoopTuning) {
  const all = SPLITS.map((split) => run(kernel, inputs, { features, tuning, split }));
  for (const other of all.slice(1)) {
    other.forEach((words, i) => {
      const same = words.every((word, n) => word === all[0]![i]![n]);
      expect(same, `bits of buffer ${i}`).toBe(true);
    });
  }
  return all[0]!;
}

const at = (buffer: number, ...vars: IndexVar[]): Expr => load(buffer, rowMajor(...vars));

function softmax(rows: number, columns: number): LoopKernel {
  const row = variable('row', rows);
  const [c0, c1, c2] = [variable('c0', columns), variable('c1', columns), variable('c2', columns)];
  const max = term('max', at(0, row, c0), 'max');
  const shifted = (c: IndexVar) => un('exp', bin('sub', at(0, row, c), resultOf(max.result)));
  const sum = term('sum', shifted(c1), 'sum');
  const out = store(1, rowMajor(row, c2), bin('div', shifted(c2), resultOf(sum.result)));
  return kernelOf(
    [
      ['f32', rows * columns],
      ['f32', rows * columns, 'write'],
    ],
    [{ parallel: [row], body: [reduce([c0], max), reduce([c1], sum), forEach([c2], out)] }],
  );
}

describe.each(Object.entries(FEATURES))('%s', (_, features) => {
  describe.each(LANES)('lanes over %s', (lanes) => {
    const tuning: LoopTuning = { ...LOOP_TUNING, lanes, taskCost: 500 };

    it('softmax of rows of every length', () => {
      for (const columns of [...Array.from({ length: 40 }, (_, i) => i + 1), 127, 1000]) {
        const kernel = softmax(5, columns);
        const x = randomFloats(5 * columns, 20);
        const want = [Float64Array.from(x), new Float64Array(5 * columns)];
        interpret(kernel, want);
        const got = asFloats(runAllWays(kernel, { 0: x }, features, tuning)[1]!);
        got.forEach((value, i) => {
          const exact = want[1]![i]!;
          // Chains of at most 64 additions, then one of their sums; and some for exp and the quotient.
          const bound = (Math.min(columns, 64) + columns / 64) * 2 ** -24 + 4e-7;
          if (!(Math.abs(value - exact) <= bound * exact + 1e-37)) {
            throw new Error(`${columns} columns, element ${i}: got ${value}, expected ${exact}`);
          }
        });
      }
    });

    it('softmax spreads NaN over its row only', () => {
      const x = randomFloats(3 * 21);
      x[21 + 20] = Number.NaN;
      x[42] = -Infinity;
      const got = asFloats(run(softmax(3, 21), { 0: x }, { features, tuning })[1]!);
      got.forEach((value, i) => void expect(Number.isNaN(value), `element ${i}`).toBe(i >= 21 && i < 42));
      expect(got[42]).toBe(0);
    });

    it('maxima and minima of NaN, infinities and both zeros, and where they are', () => {
      const special = [0, -0, 1, -1, Infinity, -Infinity, Number.NaN, -0, 0];
      for (const columns of [1, 2, 3, 4, 5, 8, 13, 40]) {
        const rows = 64;
        const x = Float32Array.from({ length: rows * columns }, (_, i) =>
          i < 16 * columns ? [0, -0][Math.floor(random() * 2)]! : special[Math.floor(random() * special.length)]!,
        );
        for (let i = 16 * columns; i < 40 * columns; i++) if (Number.isNaN(x[i])) x[i] = -0;
        const [row, c] = [variable('row', rows), variable('c', columns)];
        const terms = (['max', 'min'] as const).map((fn) => term(fn, at(0, row, c), fn));
        const places = (['argmax', 'argmin'] as const).map((fn) => term(fn, at(0, row, c), fn));
        const kernel = kernelOf(
          [
            ['f32', rows * columns],
            ['f32', rows, 'write'],
            ['f32', rows, 'write'],
            ['i32', rows, 'write'],
            ['i32', rows, 'write'],
          ],
          [
            {
              parallel: [row],
              body: [
                reduce([c], ...terms),
                reduce([c], ...places),
                ...[...terms, ...places].map(({ result }, i) => store(i + 1, iv(row), resultOf(result))),
              ],
            },
          ],
        );
        const want = kernel.buffers.map(({ length }, i) => (i === 0 ? Float64Array.from(x) : new Float64Array(length)));
        interpret(kernel, want);
        const got = runAllWays(kernel, { 0: x }, features, tuning);
        expect([...asFloats(got[1]!)]).toEqual([...want[1]!]);
        expect([...asFloats(got[2]!)]).toEqual([...want[2]!]);
        expect([...got[3]!]).toEqual([...want[3]!]);
        expect([...got[4]!]).toEqual([...want[4]!]);
      }
    });

    it('long sums are more exact than a chain of additions', () => {
      const [row, c] = [variable('row', 8), variable('c', 50_001)];
      const sum = term('sum', lanes === 'inner' ? at(0, row, c) : at(0, c, row), 'sum');
      const kernel = kernelOf(
        [
          ['f32', 8 * 50_001],
          ['f32', 8, 'write'],
        ],
        [{ parallel: [row], body: [reduce([c], sum), store(1, iv(row), resultOf(sum.result))] }],
      );
      const x = Float32Array.from({ length: 8 * 50_001 }, () => random());
      const exact = Array.from({ length: 8 }, (_, r) => {
        let total = 0;
        for (let i = 0; i < 50_001; i++) total += x[lanes === 'inner' ? r * 50_001 + i : i * 8 + r]!;
        return total;
      });
      const got = asFloats(runAllWays(kernel, { 0: x }, features, tuning)[1]!);
      got.forEach((value, r) => void expect(Math.abs(value - exact[r]!) / exact[r]!).toBeLessThan(1e-6));
    });
  });
});

describe('long reductions of few points are split into tasks', () => {
  const N = 1_000_003;
  const x = Float32Array.from({ length: N }, () => random());
  x[700_001] = 2;
  x[900_000] = 2;
  const n = variable('n', N);

  it('a sum, a maximum and its first place', () => {
    const terms = [
      term('sum', at(0, n), 'sum'),
      term('max', at(0, n), 'max'),
      term('argmax', at(0, n), 'argmax'),
      term('argmin', num(-Infinity), 'argmin'),
    ];
    const kernel = kernelOf(
      [
        ['f32', N],
        ['f32', 1, 'write'],
        ['f32', 1, 'write'],
        ['i32', 1, 'write'],
        ['i32', 1, 'write'],
      ],
      [
        {
          parallel: [],
          body: [reduce([n], ...terms), ...terms.map(({ result }, i) => store(i + 1, ic(0), resultOf(result)))],
        },
      ],
    );
    const rendered = renderLoopKernelToWasm(kernel, plain);
    expect(rendered.phases.length).toBe(2);
    expect(rendered.phases[0]!.tasks).toBeGreaterThan(4);
    const got = runAllWays(kernel, { 0: x }, plain, LOOP_TUNING);
    const exact = x.reduce((sum, value) => sum + value, 0);
    expect(Math.abs(asFloats(got[1]!)[0]! - exact) / exact).toBeLessThan(3e-7);
    expect(asFloats(got[2]!)[0]).toBe(2);
    expect(got[3]![0]).toBe(700_001);
    expect(got[4]![0]).toBe(0);
  });

  it('a normalisation of one long row', () => {
    const [a, b, c] = [variable('a', N), variable('b', N), variable('c', N)];
    const sum = term('sum', at(0, a), 'sum');
    const mean = bin('mul', resultOf(sum.result), num(1 / N));
    const offset = (v: IndexVar) => bin('sub', at(0, v), mean);
    const squares = term('sum', bin('mul', offset(b), offset(b)), 'squares');
    const deviation = un('sqrt', bin('mul', resultOf(squares.result), num(1 / N)));
    const kernel = kernelOf(
      [
        ['f32', N],
        ['f32', N, 'write'],
        ['f32', 1, 'write'],
      ],
      [
        {
          parallel: [],
          body: [
            reduce([a], sum),
            reduce([b], squares),
            store(2, ic(0), deviation),
            forEach([c], store(1, iv(c), bin('div', offset(c), deviation))),
          ],
        },
      ],
    );
    const got = runAllWays(kernel, { 0: x }, relaxed, LOOP_TUNING);
    const exactMean = x.reduce((total, value) => total + value, 0) / N;
    const exactDeviation = Math.sqrt(x.reduce((total, value) => total + (value - exactMean) ** 2, 0) / N);
    expect(Math.abs(asFloats(got[2]!)[0]! - exactDeviation)).toBeLessThan(1e-6);
    asFloats(got[1]!).forEach((value, i) => {
      if (Math.abs(value - (x[i]! - exactMean) / exactDeviation) > 4e-6) throw new Error(`element ${i}: ${value}`);
    });
  });

  it('sums of few long columns', () => {
    const [rows, columns] = [20_001, 6];
    const [r, c] = [variable('r', rows), variable('c', columns)];
    const sum = term('sum', at(0, r, c), 'sum');
    const kernel = kernelOf(
      [
        ['f32', rows * columns],
        ['f32', columns, 'write'],
      ],
      [{ parallel: [c], body: [reduce([r], sum), store(1, iv(c), resultOf(sum.result))] }],
    );
    const tuning = { ...LOOP_TUNING, longCost: 1000, taskCost: 2000 };
    expect(renderLoopKernelToWasm(kernel, plain, tuning).phases.length).toBe(2);
    const got = asFloats(runAllWays(kernel, { 0: x.subarray(0, rows * columns) }, plain, tuning)[1]!);
    for (let column = 0; column < columns; column++) {
      let exact = 0;
      for (let row = 0; row < rows; row++) exact += x[row * columns + column]!;
      expect(Math.abs(got[column]! - exact) / exact).toBeLessThan(1e-6);
    }
  });
});

describe('transpositions', () => {
  it.each([
    [256, 256],
    [96, 1000],
    [210, 180],
    [17, 2048],
    [131, 257],
  ])('%i x %i', (rows, columns) => {
    const n = rows * columns;
    const p = variable('p', n);
    // The flat index of the output, as the lowering writes it.
    const index = iadd(imul(imod(iv(p), rows), columns), idiv(iv(p), rows));
    const kernel = kernelOf(
      [
        ['u32', n],
        ['u32', n, 'write'],
      ],
      [{ parallel: [p], body: [store(1, iv(p), load(0, index, 'u32'))] }],
    );
    const x = Uint32Array.from({ length: n }, (_, i) => i);
    const got = runAllWays(kernel, { 0: x }, plain, { ...LOOP_TUNING, taskCost: 5000 })[1]!;
    got.forEach((value, i) => {
      if (value !== (i % rows) * columns + Math.floor(i / rows)) throw new Error(`element ${i}: ${value}`);
    });
  });
});

it('random words are those of the definition', () => {
  const n = variable('n', 1003);
  const words: Expr = {
    kind: 'threefry',
    dtype: 'u32',
    key0: { kind: 'param', dtype: 'u32', slot: 0 },
    key1: num(12345, 'u32'),
    counter: iadd(iv(n), 7),
  };
  const kernel = kernelOf([['u32', 1003, 'write']], [{ parallel: [n], body: [store(0, iv(n), words)] }], ['u32']);
  const got = run(kernel, {}, { params: [99] })[0]!;
  const exact = compile(threefry);
  got.forEach((word, i) => void expect(word).toBe(exact(99, 12345, i + 7)));
});

it('a kernel without points has no tasks', () => {
  const [n, m] = [variable('n', 0), variable('m', 4)];
  const kernel = kernelOf(
    [
      ['f32', 0],
      ['f32', 0, 'write'],
    ],
    [{ parallel: [m, n], body: [store(1, iv(n), at(0, n))] }],
  );
  const rendered = renderLoopKernelToWasm(kernel, plain);
  expect(rendered.phases.reduce((sum, { tasks }) => sum + tasks, 0)).toBe(0);
  expect(WebAssembly.validate(rendered.bytes as Uint8Array<ArrayBuffer>)).toBe(true);
});

it('tasks are many where work is much, one where it is little', () => {
  const kernel = (size: number) => {
    const n = variable('n', size);
    return kernelOf(
      [
        ['f32', size],
        ['f32', size, 'write'],
      ],
      [{ parallel: [n], body: [store(1, iv(n), un('exp', at(0, n)))] }],
    );
  };
  const [small] = renderLoopKernelToWasm(kernel(1000), relaxed).phases;
  expect(small!.tasks).toBe(1);
  const [large] = renderLoopKernelToWasm(kernel(1 << 21), relaxed).phases;
  expect(large!.tasks).toBeGreaterThan(16);
  expect(large!.taskCost).toBeGreaterThan(10_000);
  expect(large!.taskCost).toBeLessThan(100_000);
});

it('exponentials of a softmax are computed once', () => {
  expect(renderLoopKernelToWasm(softmax(64, 1000), plain).threadScratchBytes).toBeGreaterThanOrEqual(4000);
  // What is light is computed again.
  const [row, a, b] = [variable('row', 8), variable('a', 100), variable('b', 100)];
  const twice = (v: IndexVar) => bin('mul', at(0, row, v), num(2));
  const sum = term('sum', twice(a), 'sum');
  const out = store(1, rowMajor(row, b), bin('sub', twice(b), resultOf(sum.result)));
  const light = kernelOf(
    [
      ['f32', 800],
      ['f32', 800, 'write'],
    ],
    [{ parallel: [row], body: [reduce([a], sum), forEach([b], out)] }],
  );
  expect(renderLoopKernelToWasm(light, plain).threadScratchBytes).toBe(0);
});

it('values of neighbouring stores are computed before the first of them is stored', () => {
  const n = variable('n', 37);
  const [a, b] = [at(0, n), at(1, n)];
  const kernel = kernelOf(
    [
      ['f32', 37, 'readwrite'],
      ['f32', 37, 'readwrite'],
    ],
    [{ parallel: [n], body: [store(0, iv(n), b), store(1, iv(n), a)] }],
  );
  const [x, y] = [randomFloats(37), randomFloats(37)];
  const got = runAllWays(kernel, { 0: x, 1: y }, plain, { ...LOOP_TUNING, taskCost: 5 });
  expect(asFloats(got[0]!)).toEqual(y);
  expect(asFloats(got[1]!)).toEqual(x);
});

it('reads at most three words beyond a buffer', () => {
  // A padded read at both ends of the memory that a kernel may look at.
  const n = variable('n', 23);
  const inner = isub(iv(n), 5);
  const value = guard([lt(inner, 9)], load(0, inner, 'f32', true), 7);
  const kernel = kernelOf(
    [
      ['f32', 9],
      ['f32', 23, 'write'],
    ],
    [{ parallel: [n], body: [store(1, iv(n), value)] }],
  );
  const { bytes, phases } = renderLoopKernelToWasm(kernel, plain);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const run = exports[phases[0]!.name] as (...args: number[]) => void;
  const words = new Uint32Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  for (const start of [16, 65536 - 48 - 4]) {
    // Table at 1024, output at 2048.
    words.set([start, 2048, 0], 256);
    floats.set([1, 2, 3, 4, 5, 6, 7, 8, 9], start / 4);
    run(0, phases[0]!.tasks, 1024, 0);
    const want = Array.from({ length: 23 }, (_, i) => (i >= 5 && i < 14 ? i - 4 : 7));
    expect([...floats.subarray(512, 512 + 23)]).toEqual(want);
  }
});

it('conditions on rows that are no whole vectors', () => {
  const [rows, columns] = [19, 21];
  const p = variable('p', rows * columns);
  const [r, c] = [idiv(iv(p), columns), imod(iv(p), columns)];
  const value = where(bin('lt', load(1, c), load(2, r)), load(0, iv(p)), bin('add', load(1, c), load(2, r)));
  const kernel = kernelOf(
    [
      ['f32', rows * columns],
      ['f32', columns],
      ['f32', rows],
      ['f32', rows * columns, 'write'],
    ],
    [{ parallel: [p], body: [store(3, iv(p), value)] }],
  );
  const inputs = { 0: randomFloats(rows * columns), 1: randomFloats(columns), 2: randomFloats(rows) };
  const got = asFloats(runAllWays(kernel, inputs, plain, { ...LOOP_TUNING, taskCost: 20 })[3]!);
  got.forEach((x, i) => {
    const [a, b] = [inputs[1][i % columns]!, inputs[2][Math.floor(i / columns)]!];
    expect(x).toBe(a < b ? inputs[0][i] : Math.fround(a + b));
  });
});

it.each(['left', 'right'])('an expression of thousands of nodes nested to the %s', (side) => {
  const n = variable('n', 6);
  let value: Expr = at(0, n);
  for (let i = 0; i < 3000; i++) {
    const x = load(0, imod(iadd(iv(n), i), 6));
    value = side === 'left' ? bin('add', value, x) : bin('add', x, value);
  }
  const kernel = kernelOf(
    [
      ['f32', 6],
      ['f32', 6, 'write'],
    ],
    [{ parallel: [n], body: [store(1, iv(n), value)] }],
  );
  const got = asFloats(run(kernel, { 0: [1, 2, 3, 4, 5, 6] })[1]!);
  expect([...got]).toEqual([1, 2, 3, 4, 5, 6].map((x) => 500 * 21 + x));
});

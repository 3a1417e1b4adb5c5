import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BufferSpec, IndexVar, LoopKernel } from '../../kernels/ir.js';
import { type LoopSchedule, packParams, renderLoopKernel, type SegmentSchedule } from '../../kernels/render/index.js';
import { verifyKernel } from '../../kernels/verify.js';
import type { WordDType } from '../../src/graph/index.js';
import { describeWebGPU } from '../setup/environment.js';
import {
  bin,
  castTo,
  choose,
  forEach,
  ge,
  guard,
  iadd,
  ic,
  idiv,
  imod,
  imul,
  indexAs,
  isub,
  iv,
  ivalue,
  kernelOf,
  load,
  lt,
  num,
  param,
  reduce,
  resultOf,
  rowMajor,
  store,
  term,
  un,
  variable,
  where,
} from './build.js';
import { type DawnDevice, openDawn } from './dawn.js';
import { interpret } from './interpret.js';

/** Words of random numbers of a dtype: small integers, or floats of both signs. */
function randomWords({ dtype, length }: BufferSpec, seed: number): Uint32Array {
  let state = seed * 2654435761 + 12345;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const words = new Uint32Array(length);
  const floats = new Float32Array(words.buffer);
  for (let i = 0; i < length; i++) {
    if (dtype === 'f32') floats[i] = next() * 4 - 2;
    else if (dtype === 'bool') words[i] = next() < 0.5 ? 1 : 0;
    else words[i] = Math.floor(next() * 16) - (dtype === 'i32' ? 8 : 0);
  }
  return words;
}

const decode = (words: Uint32Array, dtype: WordDType): Float64Array =>
  Float64Array.from(
    dtype === 'f32' ? new Float32Array(words.buffer) : dtype === 'i32' ? new Int32Array(words.buffer) : words,
  );

interface Spread {
  readonly workgroupSize: number;
  readonly segment: SegmentSchedule;
  readonly subgroups?: NonNullable<LoopSchedule['subgroups']>;
}

/** SwiftShader's subgroups. */
const FOURS = { size: 4, pinned: false };

const plans: Record<string, (size: number) => Spread> = {
  'a thread a point': () => ({ workgroupSize: 64, segment: { lanes: 1, vector: 'none' } }),
  'four points a thread': () => ({ workgroupSize: 32, segment: { lanes: 1, vector: 'parallel' } }),
  'a thread a point, in fours': () => ({ workgroupSize: 64, segment: { lanes: 1, vector: 'inner' } }),
  'a workgroup a point': () => ({ workgroupSize: 64, segment: { lanes: 64, vector: 'none' } }),
  'a small workgroup a point, in fours': () => ({ workgroupSize: 8, segment: { lanes: 8, vector: 'inner' } }),
  'a workgroup a point, joined by subgroups': () => ({
    workgroupSize: 64,
    segment: { lanes: 64, vector: 'none' },
    subgroups: { ...FOURS, pinned: true },
  }),
  'a workgroup a point, in fours, joined by subgroups': () => ({
    workgroupSize: 8,
    segment: { lanes: 8, vector: 'inner' },
    subgroups: FOURS,
  }),
  'a subgroup a point': () => ({ workgroupSize: 4, segment: { lanes: 4, vector: 'none' }, subgroups: FOURS }),
};

interface Case {
  readonly kernel: LoopKernel;
  readonly params?: readonly number[];
  /** Contents of buffers that must not be random. */
  readonly data?: Readonly<Record<number, Uint32Array>>;
  /** 'four points a thread' needs a multiple of four points and no argmax. */
  readonly not?: readonly string[];
  /** Compare bit by bit. */
  readonly exactly?: boolean;
}

const floatBits = (...values: number[]) => new Uint32Array(Float32Array.from(values).buffer);
const at = (buffer: number, ...vars: IndexVar[]) => load(buffer, rowMajor(...vars));

function cases(): Record<string, Case> {
  const [i, j, k] = [variable('i', 8), variable('j', 12), variable('k', 20)];
  const all: Record<string, Case> = {};

  {
    const value = bin('add', bin('mul', at(0, i, j), param(0)), at(1, j));
    const mask = bin('lt', value, param(1));
    all['elementwise with a broadcast operand, params and a bool output'] = {
      kernel: kernelOf(
        [
          ['f32', 96],
          ['f32', 12],
          ['f32', 96, 'write'],
          ['bool', 96, 'write'],
          ['i32', 96, 'write'],
        ],
        [
          {
            parallel: [i, j],
            body: [
              store(2, rowMajor(i, j), value),
              store(3, rowMajor(i, j), mask),
              store(4, rowMajor(i, j), where(mask, param(2, 'i32'), castTo(indexAs(rowMajor(j, i), 'u32'), 'i32'))),
            ],
          },
        ],
        ['f32', 'f32', 'i32'],
      ),
      params: [1.5, 0.25, -7],
    };
  }
  all['transposed and strided reads'] = {
    kernel: kernelOf(
      [
        ['f32', 96],
        ['f32', 96],
        ['f32', 96, 'write'],
      ],
      [
        {
          parallel: [j, i],
          body: [store(2, rowMajor(j, i), bin('sub', at(0, i, j), load(1, isub(ic(95), rowMajor(j, i)))))],
        },
      ],
    ),
  };
  {
    const inside = [ge(iv(i), 2), lt(iv(i), 7), ge(iv(j), 3)];
    const padded = guard(inside, load(0, iadd(imul(isub(iv(i), 2), 9), isub(iv(j), 3)), 'f32', true), -Infinity);
    const joined = choose([lt(iv(j), 5)], load(1, iadd(imul(iv(i), 5), iv(j)), 'f32', true), padded);
    all['guards of a pad and a concatenation'] = {
      kernel: kernelOf(
        [
          ['f32', 45],
          ['f32', 40],
          ['f32', 96, 'write'],
        ],
        [{ parallel: [i, j], body: [store(2, rowMajor(i, j), bin('max', joined, padded))] }],
      ),
    };
  }
  {
    const value = bin('add', at(0, i, k), bin('mul', at(1, i), num(2)));
    const terms = (['sum', 'max', 'min', 'prod'] as const).map((fn) => term(fn, value, fn));
    all['several reductions of a row'] = {
      kernel: kernelOf(
        [['f32', 160], ['f32', 8], ...terms.map(() => ['f32', 8, 'write'] as const)],
        [
          {
            parallel: [i],
            body: [reduce([k], ...terms), ...terms.map(({ result }, n) => store(n + 2, iv(i), resultOf(result)))],
          },
        ],
      ),
    };
  }
  {
    const [max, min] = [term('argmax', at(0, i, k), 'argmax'), term('argmin', at(0, i, k), 'argmin')];
    const integers = term('argmax', load(1, rowMajor(i, k), 'i32'), 'argmax');
    const data = randomWords({ dtype: 'f32', length: 160, access: 'read' }, 9);
    const floats = new Float32Array(data.buffer);
    floats.fill(-Infinity, 0, 20);
    floats.fill(1.5, 20, 40);
    floats[45] = Number.NaN;
    floats[59] = Number.NaN;
    all['argmax and argmin with ties, NaN and -inf'] = {
      kernel: kernelOf(
        [
          ['f32', 160],
          ['i32', 160],
          ['i32', 8, 'write'],
          ['i32', 8, 'write'],
          ['i32', 8, 'write'],
        ],
        [
          {
            parallel: [i],
            body: [
              reduce([k], max, min, integers),
              ...[max, min, integers].map(({ result }, n) => store(n + 2, iv(i), resultOf(result))),
            ],
          },
        ],
      ),
      data: { 0: data },
      not: ['four points a thread'],
    };
  }
  {
    const column = term('sum', at(0, k, j), 'column');
    all['column sums'] = {
      kernel: kernelOf(
        [
          ['f32', 240],
          ['f32', 12, 'write'],
        ],
        [{ parallel: [j], body: [reduce([k], column), store(1, iv(j), resultOf(column.result))] }],
      ),
    };
  }
  {
    const channels = term('sum', load(0, iadd(imul(rowMajor(k, i), 12), iv(j))), 'channel');
    all['sums over the first and the last axis'] = {
      kernel: kernelOf(
        [
          ['f32', 20 * 8 * 12],
          ['f32', 8, 'write'],
        ],
        [{ parallel: [i], body: [reduce([k, j], channels), store(1, iv(i), resultOf(channels.result))] }],
      ),
    };
  }
  {
    const [k2, k3] = [variable('k2', 20), variable('k3', 20)];
    const max = term('max', at(0, i, k), 'max');
    const sum = term('sum', un('exp', bin('sub', at(0, i, k2), resultOf(max.result))), 'sum');
    const out = bin('div', un('exp', bin('sub', at(0, i, k3), resultOf(max.result))), resultOf(sum.result));
    all['softmax of rows'] = {
      kernel: kernelOf(
        [
          ['f32', 160],
          ['f32', 160, 'write'],
          ['f32', 8, 'write'],
        ],
        [
          {
            parallel: [i],
            body: [
              reduce([k], max),
              reduce([k2], sum),
              forEach([k3], store(1, rowMajor(i, k3), out)),
              store(2, iv(i), resultOf(sum.result)),
            ],
          },
        ],
      ),
    };
  }
  {
    const long = variable('n', 5000);
    const sum = term('sum', un('abs', at(0, long)), 'sum');
    const max = term('max', at(0, long), 'max');
    all['a long reduction to one value'] = {
      kernel: kernelOf(
        [
          ['f32', 5000],
          ['f32', 2, 'write'],
        ],
        [
          {
            parallel: [],
            body: [
              reduce([long], sum, max),
              store(1, ic(0), resultOf(sum.result)),
              store(1, ic(1), resultOf(max.result)),
            ],
          },
        ],
      ),
      not: ['four points a thread'],
    };
  }
  {
    const [none, n] = [variable('none', 0), variable('n', 8)];
    const terms = (['sum', 'prod', 'max', 'min'] as const).map((fn) => term(fn, load(0, iv(none)), fn));
    const count = term('min', castTo(load(0, iv(none)), 'i32'), 'count');
    all['empty reductions'] = {
      kernel: kernelOf(
        [
          ['f32', 0],
          ['f32', 32, 'write'],
          ['i32', 8, 'write'],
        ],
        [
          {
            parallel: [n],
            body: [
              reduce([none], ...terms),
              reduce([none], count),
              ...terms.map(({ result }, place) => store(1, iadd(imul(iv(n), 4), place), resultOf(result))),
              store(2, iv(n), resultOf(count.result)),
            ],
          },
        ],
      ),
      not: ['four points a thread'],
    };
  }
  {
    const value = bin('add', load(0, rowMajor(i, j), 'f32'), at(1, i, j));
    all['an update in place'] = {
      kernel: kernelOf(
        [
          ['f32', 96, 'readwrite'],
          ['f32', 96],
          ['f32', 96, 'write'],
        ],
        [
          {
            parallel: [i, j],
            body: [
              store(0, rowMajor(i, j), value),
              store(2, rowMajor(i, j), bin('mul', load(0, rowMajor(i, j)), num(2))),
            ],
          },
        ],
      ),
      not: [],
    };
  }
  {
    const rows = indexAs(iv(i), 'u32');
    const picked = load(1, ivalue(load(0, iv(i), 'u32')), 'f32', true);
    const inRange = guard([lt(ivalue(load(0, iv(i), 'u32')), 6)], picked, Number.NaN);
    const counted = castTo(bin('and', bin('mul', rows, num(3, 'u32')), num(5, 'u32')), 'f32');
    all['a gather with an index out of range'] = {
      kernel: kernelOf(
        [
          ['u32', 8],
          ['f32', 6],
          ['f32', 8, 'write'],
          ['f32', 8, 'write'],
        ],
        [{ parallel: [i], body: [store(2, iv(i), inRange), store(3, iv(i), counted)] }],
      ),
      data: { 0: Uint32Array.of(0, 5, 6, 4294967295, 2, 1, 3, 4) },
    };
  }
  {
    const flat = variable('f', 96);
    const index = iadd(imul(imod(iv(flat), 12), 8), idiv(iv(flat), 12));
    const x = load(0, index);
    const folded = [
      bin('mul', x, num(0)),
      bin('add', x, num(0)),
      bin('sub', num(0), x),
      bin('mul', bin('mul', num(3e38), num(2)), un('neg', num(-0))),
      bin('mul', bin('mul', x, num(1e30)), num(1e30)),
      bin('sub', bin('add', x, num(1e6)), num(1e6)),
      bin('div', x, num(49)),
    ];
    all['constants that compilers like to fold'] = {
      kernel: kernelOf(
        [['f32', 96], ...folded.map(() => ['f32', 96, 'write'] as const)],
        [{ parallel: [flat], body: folded.map((value, n) => store(n + 1, iv(flat), value)) }],
      ),
      data: { 0: floatBits(...new Array(16).fill([-0, Number.POSITIVE_INFINITY, Number.NaN, 0, 49, 0.3]).flat()) },
      exactly: true,
    };
  }
  return all;
}

describeWebGPU('rendered loop kernels', () => {
  let device: DawnDevice;
  beforeAll(async () => {
    device = await openDawn();
  });
  afterAll(() => device.destroy());

  async function run(kernel: LoopKernel, schedule: LoopSchedule, inputs: Uint32Array[], params: readonly number[]) {
    const rendered = renderLoopKernel(kernel, schedule);
    const uniform = rendered.params
      ? { binding: rendered.params.binding, words: packParams(rendered.params, params) }
      : undefined;
    const results = await device.run({
      code: rendered.code,
      workgroups: rendered.workgroups,
      buffers: rendered.buffers.map((binding) => ({ binding, words: inputs[binding]! })),
      ...(uniform ? { uniform } : {}),
    });
    const after = [...inputs];
    rendered.buffers.forEach((buffer, n) => void (after[buffer] = results[n]!));
    return after;
  }

  function compare(kernel: LoopKernel, got: readonly Uint32Array[], want: readonly Float64Array[], exactly = false) {
    kernel.buffers.forEach(({ dtype, access, length }, n) => {
      if (access === 'read') return;
      const values = decode(got[n]!, dtype);
      for (let e = 0; e < length; e++) {
        const [x, y] = [values[e]!, want[n]![e]!];
        const exact = Math.fround(y);
        // Both sides round differently, but an error of the order of magnitude is a wrong element.
        const close = Object.is(x, exact) || (!exactly && Math.abs(x - y) <= 2e-5 * Math.max(1, Math.abs(y)));
        if (!close || Object.is(x, -0) !== Object.is(exact, -0)) {
          throw new Error(`buffer ${n}, element ${e}: got ${x}, expected ${y}`);
        }
      }
    });
  }

  for (const [name, { kernel, params = [], data = {}, not = [], exactly = false }] of Object.entries(cases())) {
    for (const [planName, plan] of Object.entries(plans)) {
      if (not.includes(planName)) continue;
      it(`${name}: ${planName}`, async () => {
        verifyKernel(kernel);
        const inputs = kernel.buffers.map((buffer, n) => data[n]?.slice() ?? randomWords(buffer, n + 1));
        const want = inputs.map((words, n) => decode(words, kernel.buffers[n]!.dtype));
        interpret(kernel, want, params);
        const { segment, ...rest } = plan(0);
        const schedule = { ...rest, segments: kernel.segments.map(() => segment) };
        compare(kernel, await run(kernel, schedule, inputs, params), want, exactly);
      });
    }
  }

  it('segments of different schedules in one launch', async () => {
    const [n, m, k, none] = [variable('n', 40), variable('m', 7), variable('k', 300), variable('none', 0)];
    const sum = term('sum', at(0, m, k), 'sum');
    const kernel = kernelOf(
      [
        ['f32', 2100],
        ['f32', 40],
        ['f32', 40, 'write'],
        ['f32', 7, 'write'],
        ['f32', 7, 'write'],
      ],
      [
        { parallel: [n], body: [store(2, iv(n), un('neg', at(1, n)))] },
        { parallel: [none], body: [store(2, iv(none), num(5))] },
        { parallel: [m], body: [reduce([k], sum), store(3, iv(m), resultOf(sum.result))] },
        { parallel: [m], body: [store(4, iv(m), at(1, m))] },
      ],
    );
    const inputs = kernel.buffers.map((buffer, i) => randomWords(buffer, i + 1));
    const want = inputs.map((words, i) => decode(words, kernel.buffers[i]!.dtype));
    interpret(kernel, want);
    const segments: SegmentSchedule[] = [
      { lanes: 1, vector: 'parallel' },
      { lanes: 1, vector: 'none' },
      { lanes: 32, vector: 'inner' },
      { lanes: 1, vector: 'none' },
    ];
    compare(kernel, await run(kernel, { workgroupSize: 32, segments }, inputs, []), want);
    compare(kernel, await run(kernel, { workgroupSize: 32, segments, subgroups: FOURS }, inputs, []), want);
  });

  it('more workgroups than a dimension holds', async () => {
    const n = variable('n', 70_003);
    const kernel = kernelOf(
      [
        ['u32', 70_003],
        ['u32', 70_003, 'write'],
      ],
      [{ parallel: [n], body: [store(1, iv(n), bin('add', load(0, iv(n), 'u32'), indexAs(iv(n), 'u32')))] }],
    );
    const inputs = kernel.buffers.map((buffer, i) => randomWords(buffer, i + 1));
    const want = inputs.map((words) => Float64Array.from(words));
    interpret(kernel, want);
    const schedule: LoopSchedule = { workgroupSize: 1, segments: [{ lanes: 1, vector: 'none' }] };
    expect(renderLoopKernel(kernel, schedule).workgroups).toEqual([35_002, 2, 1]);
    compare(kernel, await run(kernel, schedule, inputs, []), want);
  });
});

it('a kernel without points has no workgroups', () => {
  const [n, m] = [variable('n', 0), variable('m', 4)];
  const kernel = kernelOf(
    [
      ['f32', 0],
      ['f32', 0, 'write'],
    ],
    [{ parallel: [m, n], body: [store(1, iv(n), at(0, n))] }],
  );
  const rendered = renderLoopKernel(kernel, { workgroupSize: 64, segments: [{ lanes: 1, vector: 'none' }] });
  expect(rendered.workgroups).toEqual([0, 0, 0]);
  expect(rendered.buffers).toEqual([]);
});

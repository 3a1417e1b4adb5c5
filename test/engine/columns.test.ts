/** Kernels along one axis, line by line: the same as the reference engine, whatever the axis, the values and what is shared. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderRoutine } from '../../kernels/render/wgsl-routine.js';
import { makeRoutine } from '../../kernels/routines/index.js';
import { verifyKernel } from '../../kernels/verify.js';
import { buildPlan } from '../../src/compile/plan/build.js';
import type { KernelEngine } from '../../src/engine/engine.js';
import { evaluateNodes } from '../../src/engine/reference/index.js';
import { createWasmEngine } from '../../src/engine/wasm/index.js';
import { createWebGPUEngine } from '../../src/engine/webgpu/index.js';
import { renderKernel } from '../../src/engine/webgpu/rendering.js';
import {
  argsort,
  arrayOf,
  binary,
  CUMULATIVE_FNS,
  cumulative,
  expand,
  full,
  iota,
  leaf,
  type Node,
  reshape,
  SCATTER_FNS,
  scatter,
  sizeOf,
  type TypedArray,
  type WordDType,
  wordsOf,
} from '../../src/graph/index.js';
import { interpretPlan, verifyPlan } from '../compile/interpretPlan.js';
import { describeWebGPU } from '../setup/environment.js';

type Given = Map<Node, TypedArray>;
interface Case {
  readonly name: string;
  readonly node: Node;
  readonly given: Given;
}

const planOf = ({ node, given }: Case, engine: Pick<KernelEngine, 'capabilities'>) => {
  const inputs = [...given.keys()].map((x) => (x as Node<'leaf'>).attrs.source);
  const graph = { roots: [node], inputs, donated: inputs.map(() => false), scalars: [] };
  return buildPlan(graph, engine.capabilities, makeRoutine);
};

async function compute(engine: KernelEngine, test: Case, software = true): Promise<TypedArray> {
  const plan = planOf(test, { capabilities: { ...engine.capabilities, software } });
  for (const { kernel } of plan.kernels) verifyKernel(kernel);
  const program = await engine.prepare(plan);
  const given = [...test.given].map(([x, data]) => engine.upload(wordsOf(data, x.dtype)));
  const [output] = engine.run(program, given, []);
  const [bytes] = await engine.read([output!]);
  for (const buffer of [...given, output!]) engine.free(buffer);
  return arrayOf(bytes!, test.node.dtype, sizeOf(test.node.shape));
}

let seed = 1;
/** Whole numbers below n. */
const random = (n: number): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};

/** Few different values, so that they repeat; sums of them are exact. */
function values(dtype: WordDType, count: number): TypedArray {
  const list = Array.from({ length: count }, () => random(41) / 4 - 5);
  if (dtype === 'f32') return Float32Array.from(list, (x) => (x === 1 ? Number.NaN : x === 2 ? -0 : x));
  if (dtype === 'i32') return Int32Array.from(list, (x) => (x === 1 ? -(2 ** 31) : x));
  return dtype === 'u32' ? Uint32Array.from(list, (x) => x * 4e8) : Uint8Array.from(list, (x) => Number(x > 0));
}

const input = (given: Given, shape: readonly number[], data: TypedArray, dtype: WordDType): Node => {
  const x = leaf({ shape, dtype });
  given.set(x, data);
  return x;
};

/** Some out of range on either side. */
const places = (count: number, n: number): Int32Array => Int32Array.from({ length: count }, () => random(n + 4) - 2);

type Lines = readonly [head: readonly number[], n: number, tail: readonly number[]];
/** Sizes around the axis, and of the updates. */
const SCATTERED: readonly (readonly [Lines, number])[] = [
  [[[], 1, []], 7],
  [[[], 65, []], 65],
  [[[], 3, []], 1000],
  [[[], 5000, []], 3000],
  [[[3], 7, []], 65],
  [[[2, 2], 5, []], 7],
  [[[], 7, [65]], 65],
  [[[], 1000, [3]], 7],
  [[[3], 65, [7]], 65],
  [[[65], 3, [4]], 7],
  [[[], 0, [3]], 7],
  [[[], 3, [4]], 0],
];

function scatterCases(): Case[] {
  const dtypes: WordDType[] = ['f32', 'i32', 'u32', 'bool'];
  return SCATTERED.flatMap(([[head, n, tail], count], at) =>
    SCATTER_FNS.flatMap((fn, i) => {
      const dtype = dtypes[(at + i) % 4]!;
      if (fn === 'add' && dtype === 'bool') return [];
      const axis = head.length;
      const [shape, wide] = [
        [...head, n, ...tail],
        [...head, count, ...tail],
      ];
      const ones = (list: readonly number[]): number[] => list.map(() => 1);
      const shared = [
        { name: 'index', from: wide },
        { name: 'index shared by columns', from: [...head, count, ...ones(tail)] },
        { name: 'index shared by heads', from: [...ones(head), count, ...tail] },
      ][(at + i) % 3]!;
      const given: Given = new Map();
      const x = input(given, shape, values(dtype, sizeOf(shape)), dtype);
      const flat = input(given, [sizeOf(shared.from)], places(sizeOf(shared.from), n), 'i32');
      const updates = input(given, wide, values(dtype, sizeOf(wide)), dtype);
      const node = scatter(fn, x, expand(reshape(flat, shared.from), wide), updates, axis);
      return [{ name: `${fn} ${dtype} [${shape}] by ${count}, ${shared.name}`, node, given }];
    }),
  );
}

/** Operands that are computed, constant, positions, or smaller than what they are put into. */
function unusualScatters(): Case[] {
  const make = (name: string, build: (given: Given) => Node): Case => {
    const given: Given = new Map();
    return { name, node: build(given), given };
  };
  const floats = (given: Given, ...shape: number[]): Node => input(given, shape, values('f32', sizeOf(shape)), 'f32');
  const index = (given: Given, shape: readonly number[], n: number): Node =>
    input(given, shape, places(sizeOf(shape), n), 'i32');
  return [
    make('counts', (g) => scatter('add', full([9], 0, 'i32'), index(g, [40], 9), full([40], 1, 'i32'), 0)),
    make('numbers of updates', (g) => scatter('set', full([9], -1, 'i32'), index(g, [40], 9), iota([40], 0), 0)),
    make('into positions', (g) => scatter('max', iota([9], 0), index(g, [40], 9), index(g, [40], 9), 0)),
    make('into part of x', (g) => scatter('add', floats(g, 6, 9, 5), index(g, [4, 30, 3], 9), floats(g, 4, 30, 3), 1)),
    make('computed operands, and a use of the expanded index', (g) => {
      const x = floats(g, 9, 6);
      const flat = binary('add', index(g, [30], 9), full([30], 1, 'i32'));
      const wide = expand(reshape(flat, [30, 1]), [30, 6]);
      const sum = scatter(
        'add',
        binary('add', x, x),
        wide,
        binary('mul', floats(g, 30, 6), full([30, 6], 2, 'f32')),
        0,
      );
      return binary('add', sum, scatter('set', x, wide, reshape(floats(g, 6, 30), [30, 6]), 0));
    }),
  ];
}

const RUN: readonly Lines[] = [
  [[], 0, []],
  [[3], 1, []],
  [[], 65, []],
  [[7], 65, []],
  [[2], 1000, [3]],
  [[], 5000, []],
  [[], 4096, []],
  [[65], 17, [7]],
  [[2, 3], 129, [2, 4]],
];

function cumulativeCases(): Case[] {
  const dtypes = ['f32', 'i32', 'u32'] as const;
  return RUN.flatMap(([head, n, tail], at) =>
    CUMULATIVE_FNS.map((fn, i): Case => {
      const dtype = dtypes[(at + i) % 3]!;
      const shape = [...head, n, ...tail];
      const given: Given = new Map();
      // Products of signs and powers of two are exact.
      const factors = Float32Array.from({ length: sizeOf(shape) }, () => [1, 1, -1, 0.5, 2, -1][random(6)]!);
      const data = fn === 'prod' && dtype === 'f32' ? factors : values(dtype, sizeOf(shape));
      const node = cumulative(fn, input(given, shape, data, dtype), head.length);
      return { name: `cumulative ${fn} ${dtype} [${shape}] along ${head.length}`, node, given };
    }),
  );
}

const SORTED: readonly Lines[] = [
  [[], 0, []],
  [[3], 1, []],
  [[2], 33, [3]],
  [[7], 65, []],
  [[], 1000, [5]],
  [[2], 5000, []],
  [[40], 300, []],
];

function argsortCases(): Case[] {
  const dtypes = ['f32', 'i32', 'u32', 'bool'] as const;
  const noise = (n: number) => Float32Array.from({ length: n }, () => (random(1e6) - 5e5) * 10 ** (random(40) - 20));
  return SORTED.flatMap(([head, n, tail]) =>
    [...dtypes, 'noise' as const].flatMap((kind) =>
      [false, true].map((descending): Case => {
        const dtype = kind === 'noise' ? 'f32' : kind;
        const shape = [...head, n, ...tail];
        const given: Given = new Map();
        const data = kind === 'noise' ? noise(sizeOf(shape)) : values(kind, sizeOf(shape));
        const node = argsort(input(given, shape, data, dtype), head.length, descending);
        return { name: `argsort ${kind} [${shape}] along ${head.length} ${descending}`, node, given };
      }),
    ),
  );
}

const CASES = [...scatterCases(), ...unusualScatters(), ...cumulativeCases(), ...argsortCases()];
/** GPUs sort by comparisons: that is tested with the decompositions. */
const casesFor = (software: boolean): Case[] => CASES.filter(({ node }) => software || node.prim !== 'argsort');
const same = (x: TypedArray): number[] => [...x].map((v) => (v === 0 ? 0 : v));

function columnsOn(make: () => Promise<KernelEngine>, software = true): void {
  let engine: KernelEngine;
  beforeAll(async () => {
    engine = await make();
  });
  afterAll(() => engine.destroy());

  it('compute what the reference engine does', async () => {
    for (const test of casesFor(software)) {
      const [expected] = evaluateNodes([test.node], test.given);
      expect(same(await compute(engine, test, software)), test.name).toEqual(same(expected!));
    }
  });

  it('add in the order of the updates', async () => {
    const given: Given = new Map();
    const [n, count, width] = [20, 3000, 9];
    const noise = (length: number) => Float32Array.from({ length }, () => random(1e6) / 1e6);
    const [x, index, updates] = [noise(n * width), places(count, n), noise(count * width)];
    const wide = expand(reshape(input(given, [count], index, 'i32'), [count, 1]), [count, width]);
    const target = input(given, [n, width], x, 'f32');
    const node = scatter('add', target, wide, input(given, [count, width], updates, 'f32'), 0);
    const expected = Float32Array.from(x);
    index.forEach((place, u) => {
      if (place < 0 || place >= n) return;
      for (let c = 0; c < width; c++) expected[place * width + c]! += updates[u * width + c]!;
    });
    expect(await compute(engine, { name: '', node, given }, software)).toEqual(expected);
  });
}

describe('columns on wasm', () => columnsOn(() => createWasmEngine({ threads: 1 })));
describe('columns on several threads', () => columnsOn(() => createWasmEngine({ threads: 3, splitFrom: 0 })));
describeWebGPU('columns on webgpu', () => columnsOn(() => createWebGPUEngine({ validate: true })));
describeWebGPU('columns as on a GPU', () =>
  columnsOn(
    () =>
      createWebGPUEngine({
        validate: true,
        render: (kernel, capabilities) => {
          const gpu = { ...capabilities, software: false };
          return kernel.kind === 'routine' ? renderRoutine(kernel, gpu) : renderKernel(kernel, capabilities);
        },
      }),
    false,
  ),
);

it('take one kernel each', async () => {
  const engine = await createWasmEngine({ threads: 1 });
  const given: Given = new Map();
  const x = input(given, [100, 70], values('f32', 7000), 'f32');
  const rows = expand(reshape(input(given, [100], places(100, 100), 'i32'), [100, 1]), [100, 70]);
  const names = (node: Node) => planOf({ name: '', node, given }, engine).kernels.map(({ kernel }) => kernel.name);
  expect(names(scatter('add', x, rows, x, 0))).toEqual(['scatter_add']);
  expect(names(cumulative('sum', x, 1))).toEqual(['cumulative_sum']);
  expect(names(argsort(x, 1))).toEqual(['argsort']);
  // One line is cut: the last elements of pieces are run in turn, and added to the next ones.
  expect(names(cumulative('sum', reshape(x, [7000]), 0))).toHaveLength(4);
  engine.destroy();
});

it('plans are what they say', async () => {
  const engine = await createWasmEngine({ threads: 1 });
  for (const software of [true, false]) {
    for (const test of casesFor(software).filter(({ node }) => sizeOf(node.shape) < 1000)) {
      const plan = planOf(test, { capabilities: { ...engine.capabilities, software } });
      verifyPlan(plan, engine.capabilities.maxStorageBuffers);
      const [expected] = evaluateNodes([test.node], test.given);
      expect(
        interpretPlan(plan, [...test.given.values()])[0]!.map((x) => x + 0),
        test.name,
      ).toEqual(same(expected!));
    }
  }
  engine.destroy();
});

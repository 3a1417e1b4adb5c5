import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderRoutine } from '../../kernels/render/wgsl-routine.js';
import { makeRoutine } from '../../kernels/routines/index.js';
import { buildPlan } from '../../src/compile/plan/build.js';
import type { KernelEngine } from '../../src/engine/engine.js';
import { createPlanOnlyEngine } from '../../src/engine/plan-only/index.js';
import { createWasmEngine } from '../../src/engine/wasm/index.js';
import { createWebGPUEngine } from '../../src/engine/webgpu/index.js';
import { renderKernel } from '../../src/engine/webgpu/rendering.js';
import {
  binary,
  leaf,
  type Node,
  permute,
  ROUTINE_FNS,
  type RoutineAttrs,
  routine,
  sizeOf,
  unary,
} from '../../src/graph/index.js';
import { interpretPlan, verifyPlan } from '../compile/interpretPlan.js';
import { errorOf, nodeOf, noise, type RoutineCase, routineCases } from '../kernels/routines/cases.js';
import { describeWebGPU } from '../setup/environment.js';

/** Largest errors of results of size 1 or so, in f32. */
const TOLERANCE = { cholesky: 2e-5, lu: 2e-4, triangularSolve: 2e-5, qr: 2e-5, eigh: 2e-5, svd: 2e-5 };

async function computeGraph(
  engine: KernelEngine,
  root: Node,
  leaves: readonly Node<'leaf'>[],
  operands: readonly Float32Array[],
): Promise<Float32Array> {
  const inputs = leaves.map((l) => l.attrs.source);
  const graph = { roots: [root], inputs, donated: inputs.map(() => false), scalars: [] };
  const program = await engine.prepare(buildPlan(graph, engine.capabilities, makeRoutine));
  const given = operands.map((x) => engine.upload(x));
  const [output] = engine.run(program, given, []);
  const [bytes] = await engine.read([output!]);
  for (const buffer of [...given, output!]) engine.free(buffer);
  return new Float32Array(bytes!);
}

function compute(engine: KernelEngine, test: RoutineCase): Promise<Float32Array> {
  const { node, leaves } = nodeOf(test);
  return computeGraph(engine, node, leaves, test.operands);
}

/** One matrix, given by rows. */
function caseOf(fn: RoutineAttrs['fn'], rows: readonly (readonly number[])[], name = ''): RoutineCase {
  return { name, attrs: { fn }, shapes: [[rows.length, rows[0]!.length]], operands: [Float32Array.from(rows.flat())] };
}

const scaled = (rows: readonly (readonly number[])[], by: number) => rows.map((row) => row.map((x) => x * by));
const DEFECTIVE = [
  [1, 2, 3],
  [2, 4, 6],
  [1, 2, 3],
  [0, 0, 0],
];
const REPEATED = [
  [2, 0, 0, 0],
  [0, -2, 0, 0],
  [0, 0, 2, 0],
  [0, 0, 0, -2],
];
const EXCHANGE = [
  [0, 1, 0],
  [1, 0, 0],
  [0, 0, 0],
];

/** Whose singular or eigenvectors are not unique, or not orthogonal by themselves. */
const SPECIAL: readonly RoutineCase[] = [
  caseOf('svd', DEFECTIVE, 'svd of rank 1'),
  caseOf('svd', scaled(DEFECTIVE, 0), 'svd of zeros'),
  caseOf('svd', REPEATED, 'svd of equal values'),
  caseOf('svd', EXCHANGE, 'svd of an exchange'),
  caseOf('eigh', REPEATED, 'eigh of equal values'),
  caseOf('eigh', EXCHANGE, 'eigh of opposite values'),
  caseOf('eigh', scaled(REPEATED, 0), 'eigh of zeros'),
  caseOf('qr', EXCHANGE, 'qr of an exchange'),
  caseOf('lu', DEFECTIVE, 'lu of rank 1'),
];

const nan = (x: Float32Array): number => x.filter((v) => Number.isNaN(v)).length;

function routinesOn(make: () => Promise<KernelEngine>): void {
  let engine: KernelEngine;
  beforeAll(async () => {
    engine = await make();
  });
  afterAll(() => engine.destroy());

  describe.each(ROUTINE_FNS)('%s', (fn) => {
    it.each(routineCases(fn).map((test) => [test.name, test] as const))('%s', async (_, test) => {
      expect(errorOf(test, await compute(engine, test))).toBeLessThan(TOLERANCE[fn]);
    });
  });

  it.each(SPECIAL.map((test) => [test.name, test] as const))('%s', async (_, test) => {
    expect(errorOf(test, await compute(engine, test))).toBeLessThan(1e-6);
  });

  it.each(['eigh', 'svd', 'qr'] as const)('%s of very large and very small numbers', async (fn) => {
    for (const scale of [1e25, 1e-25]) {
      const rows = [
        [2, 1, 0.5],
        [1, 3, -1],
        [0.5, -1, 1],
      ];
      const [plain, other] = [
        await compute(engine, caseOf(fn, rows)),
        await compute(engine, caseOf(fn, scaled(rows, scale))),
      ];
      const isScaled = (i: number): boolean => (fn === 'eigh' ? i < 3 : fn === 'svd' ? i >= 9 && i < 12 : i % 6 >= 3);
      plain.forEach((x, i) => {
        expect(Math.abs(other[i]! / (isScaled(i) ? scale : 1) - x)).toBeLessThan(2e-6);
      });
    }
  });

  it('keeps NaN, and gives it where a matrix is not positive definite', async () => {
    const indefinite = caseOf('cholesky', [
      [4, 0, 0],
      [2, -1, 0],
      [1, 1, 9],
    ]);
    expect([...(await compute(engine, indefinite))]).toEqual([2, 0, 0, 1, NaN, 0, 0.5, NaN, NaN]);
    for (const fn of ROUTINE_FNS) {
      if (fn === 'triangularSolve') continue;
      const poisoned = await compute(
        engine,
        caseOf(fn, [
          [5, 0],
          [NaN, 5],
        ]),
      );
      expect(nan(poisoned), fn).toBeGreaterThan(0);
    }
  });

  it('runs between other kernels, on operands that are computed', async () => {
    const leaves = [[5, 7, 7] as const, [7, 5] as const].map((shape) => leaf({ shape, dtype: 'f32' }) as Node<'leaf'>);
    const a = noise(245, 1).map((x, i) => (Math.floor(i / 7) % 7 === i % 7 ? 8 + x : x));
    const b = noise(35, 2);
    // The transposed matrix, and half of the right-hand side in reverse order.
    const matrix = permute(leaves[0]!, [0, 2, 1]);
    const lower = routine({ fn: 'cholesky' }, [binary('add', matrix, leaves[0]!)]);
    const attrs = { fn: 'triangularSolve', lower: true, unitDiagonal: false, transpose: false } as const;
    const same = routine(attrs, [lower, lower]);
    const root = unary('neg', binary('add', same, binary('mul', lower, same)));
    const inputs = leaves.map((l) => l.attrs.source);
    const graph = { roots: [root], inputs, donated: [true, true], scalars: [] };
    const plan = buildPlan(graph, engine.capabilities, makeRoutine);
    verifyPlan(plan, engine.capabilities.maxStorageBuffers);
    expect(plan.kernels.filter(({ kernel }) => kernel.kind === 'routine')).toHaveLength(2);
    const [expected] = interpretPlan(plan, [a, b]);
    const actual = await computeGraph(engine, root, leaves, [a, b]);
    expected!.forEach((x, i) => {
      expect(Math.abs(actual[i]! - x)).toBeLessThan(1e-5);
    });
  });
}

describe('routines on wasm', () => {
  routinesOn(() => createWasmEngine({ threads: 1 }));

  it('give the same bits whatever the number of threads', async () => {
    const alone = await createWasmEngine({ threads: 1 });
    const together = await createWasmEngine({ threads: 3, splitFrom: 0 });
    try {
      for (const fn of ROUTINE_FNS) {
        for (const test of routineCases(fn).filter(({ shapes }) => shapes[0]![0] === 5 && shapes[0]!.length === 3)) {
          expect(await compute(together, test), `${fn} ${test.name}`).toEqual(await compute(alone, test));
        }
      }
    } finally {
      alone.destroy();
      together.destroy();
    }
  });
});

describeWebGPU('routines on webgpu', () => {
  routinesOn(() => createWebGPUEngine({ validate: true }));

  it('computes the same with the lanes of a GPU', async () => {
    const engine = await createWebGPUEngine({
      validate: true,
      render: (kernel, capabilities) => {
        const gpu = { ...capabilities, software: false };
        return kernel.kind === 'routine' ? renderRoutine(kernel, gpu) : renderKernel(kernel, capabilities);
      },
    });
    for (const fn of ROUTINE_FNS) {
      const cases = routineCases(fn).filter(({ shapes }) => shapes.every((shape) => sizeOf(shape) > 0));
      const sizes = new Set(['65,65', '5,33,33', '65,33', '5,7,3', '1,1']);
      for (const test of cases.filter(({ shapes }) => sizes.has(shapes[0]!.join()))) {
        expect(errorOf(test, await compute(engine, test)), `${fn} ${test.name}`).toBeLessThan(TOLERANCE[fn]);
      }
    }
    engine.destroy();
  });

  it('takes more matrices than there are workgroups in a row', async () => {
    const engine = await createWebGPUEngine({ validate: true });
    const count = 70_000;
    const operand = Float32Array.from({ length: count }, (_, i) => (i + 1) ** 2 / 1024);
    const test: RoutineCase = { name: '', attrs: { fn: 'cholesky' }, shapes: [[count, 1, 1]], operands: [operand] };
    const result = await compute(engine, test);
    engine.destroy();
    expect(result).toEqual(operand.map((x) => Math.sqrt(x)));
  });
});

it('plan-only lists routines', async () => {
  const engine = createPlanOnlyEngine();
  for (const fn of ROUTINE_FNS) {
    const { node, leaves } = nodeOf(routineCases(fn).find(({ shapes }) => shapes[0]!.at(-1) === 7)!);
    const inputs = leaves.map((l) => l.attrs.source);
    const graph = { roots: [node], inputs, donated: inputs.map(() => false), scalars: [] };
    const listing = engine.describe(await engine.prepare(buildPlan(graph, engine.capabilities, makeRoutine)));
    expect(listing.kernels.map(({ name }) => name)).toEqual([fn]);
    expect(listing.kernels[0]!.code).toContain('storageBarrier');
    expect(listing.kernels[0]!.ir).toContain('lanes');
    expect(listing.kernels[0]!.workgroups).toEqual([1, 1, 1]);
  }
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sizeOfKernel } from '../../kernels/lower/size.js';
import { makeRoutine } from '../../kernels/routines/index.js';
import { hostStorage } from '../../src/compile/index.js';
import { buildPlan } from '../../src/compile/plan/build.js';
import { snapshot, withoutData } from '../../src/compile/snapshot.js';
import type { Capabilities } from '../../src/engine/engine.js';
import type { Plan } from '../../src/engine/plan.js';
import { leaf, sizeOf } from '../../src/graph/index.js';
import { type Step, type StepRow, steps, stepsOf, withGradients } from './graphs.js';

const SHAPES = [[3], [2, 3], [4, 1], [2, 3, 2], [1, 7], [65]];

function planFor(list: readonly Step[], maxStorageBuffers: number): Plan {
  const leaves = SHAPES.map((shape) => leaf(hostStorage(new Float32Array(sizeOf(shape)), shape, 'f32'), true));
  const wanted = [...new Set(withGradients(leaves, list))].filter((n) => n.inputs.length > 0);
  const graph = withoutData(snapshot(wanted), []);
  const capabilities: Capabilities = {
    software: false,
    maxStorageBuffers,
    maxBindingBytes: 2 ** 27,
    maxBufferBytes: 2 ** 28,
    maxWorkgroupsPerDimension: 65_535,
    maxInvocationsPerWorkgroup: 256,
    maxWorkgroupMemoryBytes: 16_384,
    subgroups: false,
  };
  return buildPlan({ ...graph, donated: graph.inputs.map(() => false) }, capabilities, makeRoutine);
}

const most = (plan: Plan): number => Math.max(0, ...plan.kernels.map(({ bindings }) => bindings.length));

it('binds no more buffers than an adapter allows, views that are results included', () => {
  // Found by npm run fuzz: a kernel bound 13 buffers of at most 12.
  const list = stepsOf([
    ['unary', 0, 0, 0],
    ['softmax', 38, 0, 0],
    ['scatter', 101, 0, 0],
    ['unary', 0, 0, 0],
    ['unary', 0, 0, 0],
    ['unary', 7, 25, 0],
    ['slice', 178, 0, 1],
    ['unary', 69, 0, 0],
  ]);
  expect(most(planFor(list, 12))).toBeLessThanOrEqual(12);
});

/** Graphs that gave kernels of too many expressions, where none were cut. */
const LARGE: readonly (readonly [what: string, rows: readonly StepRow[]])[] = [
  [
    // Found by npm run fuzz: WebAssembly allows 50,000 locals. Running sums of that length are a kernel of their own now.
    'a long running sum',
    [
      ['unary', 0, 0, 0],
      ['unary', 0, 0, 0],
      ['cumulative', 55, 0, 0],
      ['unary', 0, 0, 0],
      ['unary', 0, 0, 0],
      ['unary', 205, 50, 0],
      ['unary', 70, 65, 0],
    ],
  ],
  [
    'short running sums of joined tensors (2,813 expressions)',
    [
      ['concat', 3, 31, 0],
      ['concat', 0, 0, 0],
      ['cumulative', 27, 45, 0],
      ['cumulative', 232, 57, 0],
    ],
  ],
  [
    'short running sums of windows of windows (4,691 expressions)',
    [
      ['cumulative', 30, 52, 0],
      ['window', 0, 0, 0],
      ['window', 0, 0, 0],
      ['window', 163, 43, 0],
      ['cumulative', 89, 0, 0],
      ['window', 0, 0, 0],
      ['cumulative', 129, 5, 0],
      ['window', 0, 0, 0],
    ],
  ],
];

it.each(LARGE)('keeps kernels of a size that engines compile, however often an element is computed: %s', (_, rows) => {
  const sizes = planFor(stepsOf(rows), 64).kernels.map(({ kernel }) => sizeOfKernel(kernel, 1e6));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(2000);
});

it.each([8, 10])('binds at most %i in random graphs and their gradients', (limit) => {
  fc.assert(
    fc.property(steps, (list) => most(planFor(list, limit)) <= limit),
    { numRuns: 200 },
  );
});

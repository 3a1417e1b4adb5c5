import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildPlan } from '../../src/compile/plan/build.js';
import { evaluateNodes } from '../../src/engine/reference/index.js';
import {
  ARRAYS,
  binary,
  conv,
  dot,
  gather,
  type LeafSource,
  leaf,
  type Node,
  reshape,
  sizeOf,
  TillerError,
  type TypedArray,
} from '../../src/graph/index.js';
import { randomGraphs } from '../simplify/randomGraph.js';
import { interpretPlan, verifyPlan } from './interpretPlan.js';
import { mlpStep } from './mlpStep.js';

const CAPABILITIES = {
  software: false,
  maxStorageBuffers: 8,
  maxBindingBytes: 2 ** 27,
  maxBufferBytes: 2 ** 28,
  maxWorkgroupsPerDimension: 65535,
  maxInvocationsPerWorkgroup: 256,
  maxWorkgroupMemoryBytes: 16384,
  subgroups: false,
};

const LEAVES: LeafSource[] = [
  { shape: [3], dtype: 'f32' },
  { shape: [2, 3], dtype: 'f32' },
  { shape: [4, 1], dtype: 'f32' },
  { shape: [2, 3, 2], dtype: 'f32' },
  { shape: [1], dtype: 'f32' },
  { shape: [0, 3], dtype: 'f32' },
  { shape: [2, 3], dtype: 'i32' },
  { shape: [3, 1], dtype: 'u32' },
  { shape: [2, 2], dtype: 'bool' },
];

/** Small whole numbers: sums and products are exact in any order, so results can be compared bit by bit. */
function valuesOf({ shape, dtype }: LeafSource, seed: number): TypedArray {
  const list = Array.from(
    { length: sizeOf(shape) },
    (_, i) => ((i * 7 + seed * 3) % 5) - (dtype === 'f32' || dtype === 'i32' ? 2 : 0),
  );
  return ARRAYS[dtype].from(dtype === 'bool' ? list.map((x) => x & 1) : list);
}

/** Functions whose results on small whole numbers are small whole numbers. */
const EXACT = new Set([
  'neg',
  'abs',
  'sign',
  'floor',
  'ceil',
  'round',
  'trunc',
  'isnan',
  'isinf',
  'isfinite',
  'logicalNot',
  'bitwiseNot',
  'add',
  'sub',
  'mul',
  'max',
  'min',
  'eq',
  'ne',
  'lt',
  'le',
  'and',
  'or',
  'xor',
  'floorDiv',
  'remainder',
  'fmod',
]);

const exact = (node: Node): boolean =>
  !('fn' in node.attrs) || node.prim === 'reduce' || EXACT.has(node.attrs.fn as string);

/** Products, convolutions and gathers of what a graph has. */
function withContractions(nodes: readonly Node[], pick: number): Node[] {
  const floats = nodes.filter((n) => n.dtype === 'f32' && sizeOf(n.shape) > 0 && sizeOf(n.shape) <= 24);
  const out = [...nodes];
  const at = (i: number): Node => floats[(pick + i) % floats.length]!;
  const attempt = (make: () => Node): void => {
    try {
      out.push(make());
    } catch (error) {
      if (!(error instanceof TillerError)) throw error;
    }
  };
  if (floats.length === 0) return out;
  const [a, b] = [at(0), at(1)];
  const [n, m] = [sizeOf(a.shape), sizeOf(b.shape)];
  attempt(() => dot(reshape(a, [n, 1]), reshape(b, [1, m])));
  attempt(() => dot(a, reshape(b, [a.shape.at(-1)!, m / a.shape.at(-1)!])));
  attempt(() => binary('add', dot(reshape(a, [1, n]), reshape(a, [n, 1])), reshape(at(2), [1, 1])));
  const attrs = {
    stride: [1 + (pick & 1)],
    padLow: [pick % 3],
    padHigh: [1],
    inputDilation: [1 + ((pick >> 1) & 1)],
    kernelDilation: [1],
    groups: 1,
  };
  attempt(() => conv(reshape(a, [1, 1, n]), reshape(b, [m > 4 ? m / 2 : 1, 1, m > 4 ? 2 : m]), attrs));
  const index = nodes.find((x) => x.dtype === 'i32' && x.shape.length === 2);
  const data = nodes.find((x) => x.dtype === 'f32' && x.shape.length === 2);
  if (index !== undefined && data !== undefined) attempt(() => gather(data, index, pick & 1));
  return out;
}

describe('buildPlan', () => {
  it('computes what the graph means, whatever is fused', () => {
    const graphs = randomGraphs(
      () => LEAVES.map((s) => leaf(s)),
      (n) => exact(n),
    );
    fc.assert(
      fc.property(graphs, fc.nat(1000), (made, pick) => {
        const roots = withContractions(made, pick).slice(-5);
        const plan = buildPlan(
          { roots, inputs: LEAVES, donated: LEAVES.map((_, i) => ((pick >> i) & 1) === 1), scalars: [] },
          CAPABILITIES,
        );
        verifyPlan(plan, CAPABILITIES.maxStorageBuffers);
        const inputs = LEAVES.map((s, i) => valuesOf(s, i));
        const given = new Map<Node, TypedArray>();
        const collect = (node: Node): void => {
          if (node.prim === 'leaf') given.set(node, inputs[LEAVES.indexOf((node as Node<'leaf'>).attrs.source)]!);
          node.inputs.forEach(collect);
        };
        roots.forEach(collect);
        const expected = evaluateNodes(roots, given);
        const actual = interpretPlan(plan, inputs);
        expect(actual).toEqual(expected.map((e) => [...e]));
      }),
      { numRuns: 400 },
    );
  });

  it('plans an MLP training step with Adam as at most 18 kernels, updating in place', () => {
    const plan = buildPlan(mlpStep(128, [784, 256, 128, 10]), CAPABILITIES);
    verifyPlan(plan, 8);
    expect(plan.kernels.length).toBeLessThanOrEqual(12);
    const written = plan.outputs.filter((o) => plan.buffers[o.buffer]!.place.kind === 'output');
    expect(written).toHaveLength(1); // the loss; all else took over the memory of what it replaces
  });
});

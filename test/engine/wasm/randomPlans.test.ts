import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildPlan } from '../../../src/compile/plan/build.js';
import type { EngineBuffer, KernelEngine } from '../../../src/engine/engine.js';
import type { Plan } from '../../../src/engine/plan.js';
import { evaluateNodes } from '../../../src/engine/reference/index.js';
import { createWasmEngine } from '../../../src/engine/wasm/index.js';
import {
  arrayOf,
  binary,
  conv,
  dot,
  gather,
  type LeafSource,
  leaf,
  type Node,
  reduce,
  reshape,
  sizeOf,
  TillerError,
  type TypedArray,
  wordsOf,
} from '../../../src/graph/index.js';
import { randomGraphs } from '../../simplify/randomGraph.js';

/** Rows that are longer and shorter than a vector, and no multiples of one. */
const LEAVES: LeafSource[] = [
  { shape: [64], dtype: 'f32' },
  { shape: [3, 17], dtype: 'f32' },
  { shape: [17], dtype: 'f32' },
  { shape: [3, 1], dtype: 'f32' },
  { shape: [2, 4, 8], dtype: 'f32' },
  { shape: [1], dtype: 'f32' },
  { shape: [0, 3], dtype: 'f32' },
  { shape: [3, 17], dtype: 'i32' },
  { shape: [2, 19], dtype: 'u32' },
  { shape: [5, 7], dtype: 'bool' },
];

/** Small whole numbers: sums and products are exact in any order. */
function valuesOf({ shape, dtype }: LeafSource, seed: number): TypedArray {
  const signed = dtype === 'f32' || dtype === 'i32';
  const list = Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7 + seed * 3) % 5) - (signed ? 2 : 0));
  if (dtype === 'bool') return Uint8Array.from(list, (x) => x & 1);
  return dtype === 'f32' ? Float32Array.from(list) : dtype === 'i32' ? Int32Array.from(list) : Uint32Array.from(list);
}

/** Functions whose results on whole numbers are whole numbers. */
const EXACT = new Set(
  (
    'neg abs sign floor ceil round trunc isnan isinf isfinite logicalNot bitwiseNot ' +
    'add sub mul max min eq ne lt le and or xor floorDiv remainder fmod'
  ).split(' '),
);

const exact = ({ prim, attrs }: Node): boolean =>
  prim === 'reduce' || !('fn' in attrs) || EXACT.has(attrs.fn as string);

/** Products, convolutions and gathers of what a graph has, with something before and after them. */
function withContractions(nodes: readonly Node[], pick: number): Node[] {
  const floats = nodes.filter((n) => n.dtype === 'f32' && sizeOf(n.shape) > 0);
  const out = [...nodes];
  const attempt = (make: () => Node): void => {
    try {
      out.push(make());
    } catch (error) {
      if (!(error instanceof TillerError)) throw error;
    }
  };
  if (floats.length === 0) return out;
  const at = (i: number): Node => floats[(pick + i) % floats.length]!;
  const [a, b] = [at(0), at(1)];
  const [n, m] = [sizeOf(a.shape), sizeOf(b.shape)];
  const outer = dot(reshape(a, [n, 1]), reshape(b, [1, m]));
  attempt(() => outer);
  attempt(() => reduce('sum', dot(outer, reshape(b, [m, 1])), [pick & 1]));
  attempt(() => dot(a, reshape(b, [a.shape.at(-1)!, m / a.shape.at(-1)!])));
  attempt(() => binary('max', dot(reshape(a, [1, n]), reshape(a, [n, 1])), reshape(at(2), [1, 1])));
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

/** All nodes that the roots need. */
function allNodes(roots: readonly Node[]): Node[] {
  const seen = new Set<Node>(roots);
  for (const node of seen) for (const input of node.inputs) seen.add(input);
  return [...seen];
}

/** Beyond this, sums of a hundred would no longer be exact in f32. */
const LARGEST = 2 ** 17;
const isSmall = (v: number): boolean => !Number.isFinite(v) || (Number.isInteger(v) && Math.abs(v) <= LARGEST);
const areSmall = (values: TypedArray): boolean => values.every(isSmall);

async function runOn(engine: KernelEngine, plan: Plan, inputs: readonly TypedArray[]): Promise<ArrayBuffer[]> {
  const program = await engine.prepare(plan);
  const given = inputs.map((values, i) => engine.upload(wordsOf(values, plan.inputs[i]!.dtype)));
  const outputs = engine.run(program, given, []);
  const results = await engine.read(outputs);
  for (const buffer of new Set<EngineBuffer>([...given, ...outputs])) engine.free(buffer);
  return results;
}

/** As numbers; zeros without their signs. */
const numbersOf = (words: ArrayBuffer, { dtype, shape }: Node): number[] =>
  Array.from(arrayOf(words, dtype, sizeOf(shape)), (v) => v + 0);

let alone: KernelEngine;
let threaded: KernelEngine;
beforeAll(async () => {
  alone = await createWasmEngine({ threads: 1 });
  threaded = await createWasmEngine({ threads: 3, splitFrom: 0 });
});
afterAll(() => {
  alone.destroy();
  threaded.destroy();
});

it('computes random graphs exactly, and to the same bits on any number of threads', async () => {
  const graphs = randomGraphs(() => LEAVES.map((s) => leaf(s)), exact);
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(graphs, fc.nat(1000), async (made, pick) => {
      const roots = withContractions(made, pick).slice(-5);
      const inputs = LEAVES.map((s, i) => valuesOf(s, i));
      const nodes = allNodes(roots);
      const given = new Map<Node, TypedArray>();
      for (const node of nodes) {
        if (node.prim === 'leaf') given.set(node, inputs[LEAVES.indexOf((node as Node<'leaf'>).attrs.source)]!);
      }
      fc.pre(evaluateNodes(nodes, given).every(areSmall));
      const donated = LEAVES.map((_, i) => ((pick >> i) & 1) === 1);
      const plan = buildPlan({ roots, inputs: LEAVES, donated, scalars: [] }, alone.capabilities);
      const results = await runOn(alone, plan, inputs);
      const expected = evaluateNodes(roots, given);
      expect(results.map((words, i) => numbersOf(words, roots[i]!))).toEqual(
        expected.map((values) => Array.from(values, (v) => v + 0)),
      );
      expect(await runOn(threaded, plan, inputs)).toEqual(results);
      compared++;
    }),
    { numRuns: 300 },
  );
  expect(compared).toBeGreaterThanOrEqual(300);
  expect(alone.memory()).toMatchObject({ buffers: threaded.memory().buffers });
});

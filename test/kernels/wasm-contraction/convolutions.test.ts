import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContractionKernel } from '../../../kernels/ir.js';
import { lowerGroups } from '../../../kernels/lower/lower.js';
import {
  binary,
  type ConvAttrs,
  conv,
  convOutputSize,
  leaf,
  type Node,
  sizeOf,
  unary,
} from '../../../src/graph/index.js';
import { floatsOf, numbers, wordsOf } from '../contraction-harness.js';
import { backwards, inThrees, PLAIN, RELAXED, runOnce } from './harness.js';

interface Case {
  readonly name: string;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly stride?: readonly number[];
  readonly low?: readonly number[];
  readonly high?: readonly number[];
  readonly inputDilation?: readonly number[];
  readonly kernelDilation?: readonly number[];
  readonly groups?: number;
}

function attrsOf({ x, stride, low, high, inputDilation, kernelDilation, groups }: Case): ConvAttrs {
  const ones = x.slice(2).map(() => 1);
  const zeros = x.slice(2).map(() => 0);
  return {
    stride: stride ?? ones,
    padLow: low ?? zeros,
    padHigh: high ?? low ?? zeros,
    inputDilation: inputDilation ?? ones,
    kernelDilation: kernelDilation ?? ones,
    groups: groups ?? 1,
  };
}

/** The definition: every output is a sum over channels and kernel positions, in float64. */
function convolve(x: Float32Array, w: Float32Array, c: Case): { shape: number[]; values: Float64Array } {
  const attrs = attrsOf(c);
  const spatial = c.x.length - 2;
  const places = c.w
    .slice(2)
    .map((size, i) => ({ size, input: c.x[i + 2]!, out: convOutputSize(c.x[i + 2]!, size, attrs, i) }));
  const shape = [c.x[0]!, c.w[0]!, ...places.map(({ out }) => out)];
  const values = new Float64Array(sizeOf(shape));
  const perGroup = c.w[0]! / attrs.groups;
  const point = (position: number, sizes: readonly number[]): number[] => {
    const at: number[] = [];
    for (let i = sizes.length - 1; i >= 0; i--) {
      at[i] = position % sizes[i]!;
      position = Math.floor(position / sizes[i]!);
    }
    return at;
  };
  const taps = c.w.slice(2);
  for (let o = 0; o < values.length; o++) {
    const [image, channel, ...place] = point(o, shape) as [number, number, ...number[]];
    const group = Math.floor(channel / perGroup);
    for (let i = 0; i < c.w[1]!; i++) {
      for (let t = 0; t < sizeOf(taps); t++) {
        const tap = point(t, taps);
        let at = image * c.x[1]! + group * c.w[1]! + i;
        let inside = true;
        for (let d = 0; d < spatial; d++) {
          const raw = place[d]! * attrs.stride[d]! + tap[d]! * attrs.kernelDilation[d]! - attrs.padLow[d]!;
          const step = attrs.inputDilation[d]!;
          const source = raw / step;
          inside &&= raw >= 0 && raw % step === 0 && source < places[d]!.input;
          at = at * places[d]!.input + source;
        }
        if (inside) values[o]! += x[at]! * w[(channel * c.w[1]! + i) * sizeOf(taps) + t]!;
      }
    }
  }
  return { shape, values };
}

/** Runs the kernel of a convolution with `after` fused behind it. */
function run(
  c: Case,
  x: Float32Array,
  w: Float32Array,
  { after = (result) => result, ...options }: { after?: (result: Node) => Node } & Parameters<typeof runOnce>[2] = {},
): Float32Array {
  const leaves = [leaf({ shape: c.x, dtype: 'f32' }), leaf({ shape: c.w, dtype: 'f32' })] as [Node, Node];
  const anchor = conv(...leaves, attrsOf(c)) as Node<'conv'>;
  const output = after(anchor as Node);
  const interior = new Set<Node>();
  for (const stack = [output]; stack.length > 0; ) {
    const node = stack.pop()!;
    if (leaves.includes(node) || interior.has(node)) continue;
    interior.add(node);
    stack.push(...node.inputs);
  }
  const storage = new Map([...leaves, output].map((node, i) => [node, i] as const));
  const group = { anchor, outputs: [output], interior, domain: null };
  const { kernel, bindings } = lowerGroups([group], (node) => storage.get(node) ?? null);
  const words = [wordsOf(x), wordsOf(w), new Uint32Array(sizeOf(output.shape)).fill(0x7fc00001)];
  // (Operands that no output depends on are not bound.)
  const buffers = bindings.map((number) => words[number]!);
  return floatsOf(runOnce(kernel as ContractionKernel, buffers, options)[bindings.indexOf(2)]!);
}

function expectClose(got: Float32Array, want: Float64Array, steps: number): void {
  expect(got.length).toBe(want.length);
  want.forEach((value, i) => {
    if (!(Math.abs(got[i]! - value) <= (steps + 4) * 1e-6)) throw new Error(`at ${i}: ${got[i]} (expected ${value})`);
  });
}

const CASES: Case[] = [
  { name: '3x3 padded', x: [2, 5, 12, 12], w: [9, 5, 3, 3], low: [1, 1] },
  { name: '3x3 padded, width 15', x: [1, 3, 10, 15], w: [4, 3, 3, 3], low: [1, 1] },
  { name: '3x3 padded, width 9, one channel', x: [3, 1, 9, 9], w: [8, 1, 3, 3], low: [1, 1] },
  { name: 'a small image, merged with the batch', x: [5, 6, 7, 7], w: [10, 6, 3, 3], low: [1, 1] },
  { name: 'a tiny image', x: [9, 3, 3, 3], w: [5, 3, 2, 2] },
  { name: 'one output position', x: [6, 3, 5, 5], w: [7, 3, 5, 5] },
  { name: 'stride 2', x: [2, 4, 17, 17], w: [6, 4, 3, 3], low: [1, 1], stride: [2, 2] },
  {
    name: 'unequal strides and paddings',
    x: [1, 2, 13, 22],
    w: [3, 2, 3, 4],
    low: [0, 2],
    high: [3, 1],
    stride: [1, 2],
  },
  { name: 'negative padding', x: [1, 2, 12, 16], w: [3, 2, 3, 3], low: [-1, -2], high: [1, -1] },
  { name: 'dilated kernel', x: [1, 3, 16, 16], w: [4, 3, 3, 3], low: [2, 2], kernelDilation: [2, 2] },
  { name: 'dilated input', x: [1, 4, 8, 8], w: [3, 4, 3, 3], low: [1, 1], high: [2, 2], inputDilation: [2, 2] },
  { name: 'dilated input, small', x: [2, 3, 3, 3], w: [2, 3, 3, 3], low: [2, 2], inputDilation: [2, 2] },
  { name: 'groups', x: [2, 8, 10, 10], w: [12, 2, 3, 3], low: [1, 1], groups: 4 },
  { name: 'depthwise', x: [2, 6, 11, 12], w: [6, 1, 3, 3], low: [1, 1], groups: 6 },
  { name: 'depthwise, stride 2, width 13', x: [1, 5, 13, 13], w: [5, 1, 3, 3], low: [1, 1], stride: [2, 2], groups: 5 },
  { name: 'depthwise 5x5, two outputs a channel', x: [1, 4, 12, 20], w: [8, 1, 5, 5], low: [2, 2], groups: 4 },
  { name: 'depthwise, small', x: [3, 4, 5, 5], w: [4, 1, 3, 3], low: [1, 1], groups: 4 },
  { name: '1x1', x: [2, 20, 9, 12], w: [17, 20, 1, 1] },
  { name: '1x1 of small images', x: [4, 10, 5, 5], w: [6, 10, 1, 1] },
  { name: 'one dimension', x: [2, 7, 100], w: [5, 7, 5], low: [2], stride: [1] },
  { name: 'one dimension, stride 3', x: [2, 3, 100], w: [5, 3, 7], low: [3], stride: [3] },
  { name: 'three dimensions', x: [1, 3, 6, 7, 8], w: [4, 3, 2, 3, 3], low: [0, 1, 1] },
  { name: 'a filter gradient: large kernel, few outputs', x: [3, 2, 18, 18], w: [4, 2, 16, 16] },
  { name: 'many steps, few outputs: parts of k', x: [1, 40, 31, 31], w: [8, 40, 29, 29] },
  { name: 'nothing to sum', x: [1, 0, 5, 5], w: [3, 0, 3, 3], low: [1, 1] },
  { name: 'a kernel of no positions', x: [1, 2, 5, 5], w: [3, 2, 0, 3], low: [1, 1] },
];

describe('convolutions', () => {
  for (const c of CASES) {
    it(c.name, () => {
      const [x, w] = [numbers(sizeOf(c.x), 1), numbers(sizeOf(c.w), 2)];
      const { values } = convolve(x, w, c);
      const steps = sizeOf(c.w.slice(1));
      for (const features of [RELAXED, PLAIN]) {
        const got = run(c, x, w, { features });
        expectClose(got, values, steps);
        for (const split of [inThrees, backwards]) expect(run(c, x, w, { split, features })).toEqual(got);
      }
    });
  }

  it('agree with their definition for any attributes', () => {
    const axis = fc.record({
      size: fc.integer({ min: 1, max: 19 }),
      kernel: fc.integer({ min: 1, max: 5 }),
      stride: fc.integer({ min: 1, max: 3 }),
      low: fc.integer({ min: -1, max: 3 }),
      high: fc.integer({ min: -1, max: 3 }),
      inputDilation: fc.integer({ min: 1, max: 2 }),
      kernelDilation: fc.integer({ min: 1, max: 2 }),
    });
    const random = fc.record({
      images: fc.integer({ min: 1, max: 5 }),
      groups: fc.integer({ min: 1, max: 3 }),
      channels: fc.integer({ min: 1, max: 6 }),
      outputs: fc.integer({ min: 1, max: 7 }),
      axes: fc.array(axis, { minLength: 1, maxLength: 2 }),
    });
    fc.assert(
      fc.property(random, ({ images, groups, channels, outputs, axes }) => {
        const c: Case = {
          name: '',
          x: [images, channels * groups, ...axes.map(({ size }) => size)],
          w: [outputs * groups, channels, ...axes.map(({ kernel }) => kernel)],
          stride: axes.map(({ stride }) => stride),
          low: axes.map(({ low }) => low),
          high: axes.map(({ high }) => high),
          inputDilation: axes.map(({ inputDilation }) => inputDilation),
          kernelDilation: axes.map(({ kernelDilation }) => kernelDilation),
          groups,
        };
        const [x, w] = [numbers(sizeOf(c.x), 1), numbers(sizeOf(c.w), 2)];
        const { values } = convolve(x, w, c);
        if (values.length > 0) expectClose(run(c, x, w), values, sizeOf(c.w.slice(1)));
      }),
      { numRuns: Number(process.env.CONVOLUTIONS ?? 150) },
    );
  });

  it('computes what is fused behind it', () => {
    const c: Case = { name: '', x: [2, 3, 9, 10], w: [5, 3, 3, 3], low: [1, 1] };
    const [x, w] = [numbers(sizeOf(c.x), 1), numbers(sizeOf(c.w), 2)];
    const { values } = convolve(x, w, c);
    const got = run(c, x, w, { after: (y) => unary('abs', binary('add', y, y)) });
    expectClose(
      got,
      values.map((value) => Math.abs(2 * value)),
      54,
    );
  });
});

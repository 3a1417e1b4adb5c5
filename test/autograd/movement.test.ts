import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backward } from '../../src/autograd/index.js';
import {
  binary,
  broadcastTo,
  concat,
  expand,
  flip,
  full,
  type Node,
  pad,
  permute,
  reshape,
  slice,
  unary,
  window,
} from '../../src/graph/index.js';
import { checkGradient, randomLeaf, randomNumbers } from './checkGradient.js';
import { evaluate64 } from './evaluate64.js';

const runs = { numRuns: 40 };
const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 });
const seeds = fc.integer({ min: 1, max: 1e6 });

/** A non-linear function of the result, so that second derivatives are not zero. */
const bend = (x: Node): Node => binary('mul', x, unary('sin', x));

function check(build: (x: Node) => Node, shape: readonly number[], seed: number): void {
  checkGradient((x) => bend(build(x!)), [randomLeaf(randomNumbers(seed), shape, -2, 2)], seed);
}

describe('gradients of movement', () => {
  it('reshape', () => {
    fc.assert(
      fc.property(shapes, seeds, (shape, seed) => {
        check((x) => reshape(x, [...shape].reverse().concat(1)), shape, seed);
      }),
      runs,
    );
  });

  it('permute', () => {
    fc.assert(
      fc.property(shapes, seeds, (shape, seed) => {
        const next = randomNumbers(seed);
        const order = shape.map((_, i) => ({ i, at: next() })).sort((a, b) => a.at - b.at);
        check(
          (x) =>
            permute(
              x,
              order.map((o) => o.i),
            ),
          shape,
          seed,
        );
      }),
      runs,
    );
    check((x) => permute(x, [2, 0, 1]), [2, 3, 1], 5);
  });

  it('expand, also to nothing, and broadcastTo', () => {
    fc.assert(
      fc.property(
        shapes,
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 3, maxLength: 3 }),
        seeds,
        (to, from, seed) => {
          const shape = to.map((d, i) => (from[i]! < 2 ? 1 : d));
          check((x) => expand(x, to), shape, seed);
        },
      ),
      runs,
    );
    check((x) => broadcastTo(x, [2, 3, 2]), [3, 1], 1);
    check((x) => expand(x, [0, 2]), [1, 2], 1);
  });

  const axis = fc.record({
    start: fc.integer({ min: 0, max: 2 }),
    size: fc.integer({ min: 0, max: 3 }),
    step: fc.integer({ min: 1, max: 3 }),
    rest: fc.integer({ min: 0, max: 2 }),
  });

  it('slice with steps', () => {
    fc.assert(
      fc.property(fc.array(axis, { minLength: 1, maxLength: 2 }), seeds, (axes, seed) => {
        const shape = axes.map((a) => a.start + (a.size === 0 ? 0 : (a.size - 1) * a.step + 1) + a.rest);
        const [start, size, step] = [axes.map((a) => a.start), axes.map((a) => a.size), axes.map((a) => a.step)];
        check((x) => slice(x, start, size, step), shape, seed);
      }),
      runs,
    );
  });

  it('pad with interior', () => {
    fc.assert(
      fc.property(fc.array(axis, { minLength: 1, maxLength: 2 }), seeds, (axes, seed) => {
        const spec = {
          low: axes.map((a) => a.start),
          high: axes.map((a) => a.rest),
          interior: axes.map((a) => a.step - 1),
          value: 0.5,
        };
        check(
          (x) => pad(x, spec),
          axes.map((a) => a.size),
          seed,
        );
      }),
      runs,
    );
  });

  it('flip', () => {
    fc.assert(
      fc.property(shapes, seeds, (shape, seed) => {
        check(
          (x) =>
            flip(
              x,
              shape.flatMap((_, i) => ((seed >> i) & 1 ? [i] : [])),
            ),
          shape,
          seed,
        );
      }),
      runs,
    );
  });

  it('concat', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }), seeds, (sizes, seed) => {
        const next = randomNumbers(seed);
        const along = seed % 2;
        const parts = sizes.map((d) => randomLeaf(next, along === 0 ? [d, 2] : [2, d], -2, 2));
        checkGradient((...xs) => bend(concat([...xs, xs[0]!], along)), parts, seed);
      }),
      runs,
    );
  });
});

describe('gradient of window', () => {
  const axis = fc.record({
    size: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
    dilation: fc.integer({ min: 1, max: 3 }),
    extra: fc.integer({ min: 0, max: 5 }),
  });

  it('adds overlapping, touching, gapped and dilated windows back', () => {
    fc.assert(
      fc.property(fc.array(axis, { minLength: 1, maxLength: 2 }), seeds, (list, seed) => {
        const lengths = list.map((a) => (a.size - 1) * a.dilation + 1 + a.extra);
        const spec = {
          axes: list.map((_, i) => i + 1),
          size: list.map((a) => a.size),
          stride: list.map((a) => a.stride),
          dilation: list.map((a) => a.dilation),
        };
        const x = randomLeaf(randomNumbers(seed), [2, ...lengths], -2, 2);
        const windows = window(x, spec);
        // Linear, so that against the definition is enough: every window's place adds to the element it came from.
        const g = randomLeaf(randomNumbers(seed + 1), windows.shape, -1, 1);
        const [gradient] = backward([windows], [g], [x]);
        const places = valuesByPlace(x.shape, spec);
        const [gv] = evaluate64([g]);
        const expected = new Array<number>(places.count).fill(0);
        places.of.forEach((place, i) => {
          expected[place]! += gv![i]!;
        });
        const [actual] = evaluate64([gradient!]);
        expected.forEach((e, i) => {
          expect(actual![i]!).toBeCloseTo(e, 10);
        });
        expect(gradient!.shape).toEqual(x.shape);
      }),
      { numRuns: 100 },
    );
  });

  /** For each element of the windows, in order, the element of x that it is: read off by windowing the numbers 0, 1, 2, … */
  function valuesByPlace(
    shape: readonly number[],
    spec: Parameters<typeof window>[1],
  ): { of: number[]; count: number } {
    const count = shape.reduce((a, b) => a * b, 1);
    const numbers = randomLeaf(() => 0, shape, 0, 0);
    (numbers.attrs.source as unknown as { values: number[] }).values = Array.from({ length: count }, (_, i) => i);
    return { of: evaluate64([window(numbers, spec)])[0]!, count };
  }

  it('agrees with differences to second order', () => {
    check((x) => window(x, { axes: [1], size: [3], stride: [2], dilation: [1] }), [2, 8], 3);
    check((x) => window(x, { axes: [0, 1], size: [2, 2], stride: [1, 3], dilation: [2, 1] }), [4, 5], 3);
  });

  it('is only movement where windows do not overlap', () => {
    const x = randomLeaf(randomNumbers(1), [1, 1, 5, 5], -1, 1);
    const y = window(x, { axes: [2, 3], size: [2, 2], stride: [2, 2], dilation: [1, 1] });
    const [g] = backward([y], [full(y.shape, 1, 'f32')], [x]);
    const prims = new Set<string>();
    for (let at: Node | undefined = g!; at !== undefined; at = at.inputs[0]) prims.add(at.prim);
    expect(prims.has('binary')).toBe(false);
    expect(prims.has('reduce')).toBe(false);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateNodes } from '../../src/engine/reference/index.js';
import {
  ARRAYS,
  BINARY_FNS,
  BINARY_RULES,
  binary,
  type ConvAttrs,
  concat,
  constant,
  conv,
  DTYPES,
  type DType,
  dot,
  expand,
  flip,
  full,
  gather,
  iota,
  leaf,
  type Node,
  pad,
  permute,
  REDUCE_FNS,
  randomBits,
  reduce,
  type Shape,
  scalarNode,
  sizeOf,
  slice,
  type TypedArray,
  UNARY_FNS,
  UNARY_RULES,
  unary,
  window,
} from '../../src/graph/index.js';
import { evaluate64, type TestSource } from '../autograd/evaluate64.js';
import { decode, loadCases } from '../oracle/fixtures.js';

/** Whole numbers, so that float64 and f32 agree to the last bit. */
function wholeLeaf(shape: Shape, seed: number, dtype: DType = 'f32', bound = 5): Node<'leaf'> {
  let state = seed + 1;
  const values = Array.from({ length: sizeOf(shape) }, () => {
    state = (state * 48271) % 2147483647;
    return (state % (2 * bound + 1)) - bound;
  });
  const source: TestSource = { shape, dtype, values };
  return leaf(source);
}

const arrayOf = (dtype: DType, values: readonly number[]): TypedArray => ARRAYS[dtype].from(values);

function check(node: Node, leaves: readonly Node<'leaf'>[]): void {
  const given = new Map<Node, TypedArray>(
    leaves.map((x) => [x, arrayOf(x.dtype, (x.attrs.source as TestSource).values)]),
  );
  const [expected] = evaluate64([node]);
  expect(evaluateNodes([node], given)).toEqual([arrayOf(node.dtype, expected!)]);
}

const seed = fc.integer({ min: 0, max: 1e6 });
const size = fc.integer({ min: 0, max: 4 });
const shapes = fc.array(size, { minLength: 1, maxLength: 4 });
const some = (min: number, max: number, n: number) =>
  fc.array(fc.integer({ min, max }), { minLength: n, maxLength: n });
const run = <T>(property: fc.IRawProperty<T, false>): void => fc.assert(property, { seed: 7, numRuns: 150 });

describe('tables', () => {
  it('every function takes the dtypes that its rule names', () => {
    const takes = (build: () => Node): boolean => {
      try {
        build();
        return true;
      } catch {
        return false;
      }
    };
    for (const dtype of DTYPES) {
      const x = full([3], 1, dtype);
      const built = [
        ...UNARY_FNS.filter((fn) => takes(() => unary(fn, x))).map((fn) => unary(fn, x)),
        ...BINARY_FNS.filter((fn) => takes(() => binary(fn, x, x))).map((fn) => binary(fn, x, x)),
        ...REDUCE_FNS.filter((fn) => takes(() => reduce(fn, x, [0]))).map((fn) => reduce(fn, x, [0])),
      ];
      expect(built.length).toBeGreaterThan(8);
      for (const node of built) expect(evaluateNodes([node])[0]).toBeInstanceOf(ARRAYS[node.dtype]);
    }
    expect(Object.keys(UNARY_RULES).length + Object.keys(BINARY_RULES).length).toBe(
      UNARY_FNS.length + BINARY_FNS.length,
    );
  });
});

describe('movement against its definition', () => {
  it('permute, flip', () => {
    run(
      fc.property(shapes, seed, (shape, s) => {
        const x = wholeLeaf(shape, s);
        const order = shape.map((_, i) => i).sort((a, b) => ((a * 7 + s) % 5) - ((b * 7 + s) % 5));
        check(permute(x, order), [x]);
        check(flip(permute(x, order), [s % shape.length]), [x]);
      }),
    );
  });

  it('expand', () => {
    run(
      fc.property(shapes, seed, (shape, s) => {
        const x = wholeLeaf(
          shape.map((d, i) => ((s >> i) & 1 ? 1 : d)),
          s,
        );
        check(expand(x, shape), [x]);
      }),
    );
  });

  it('slice', () => {
    run(
      fc.property(shapes, some(0, 3, 4), some(1, 3, 4), seed, (shape, starts, steps, s) => {
        const x = wholeLeaf(shape, s);
        const start = shape.map((d, i) => Math.min(starts[i]!, d));
        const count = shape.map((d, i) => Math.ceil((d - start[i]!) / steps[i]!));
        check(slice(x, start, count, steps.slice(0, shape.length)), [x]);
      }),
    );
  });

  it('pad', () => {
    run(
      fc.property(shapes, some(0, 2, 12), seed, (shape, amounts, s) => {
        const x = wholeLeaf(shape, s);
        const part = (k: number) => shape.map((_, i) => amounts[k * 4 + i]!);
        check(pad(x, { low: part(0), high: part(1), interior: part(2), value: 9 }), [x]);
      }),
    );
  });

  it('concat', () => {
    run(
      fc.property(shapes, some(0, 3, 3), seed, (shape, lengths, s) => {
        const axis = s % shape.length;
        const parts = lengths.map((length, k) =>
          wholeLeaf(
            shape.map((d, i) => (i === axis ? length : d)),
            s + k,
          ),
        );
        check(concat(parts, axis), parts);
      }),
    );
  });

  it('window', () => {
    run(
      fc.property(some(3, 6, 3), some(1, 2, 6), seed, (shape, options, s) => {
        const x = wholeLeaf(shape, s);
        const spec = {
          axes: [2, 0],
          size: options.slice(0, 2),
          stride: options.slice(2, 4),
          dilation: options.slice(4),
        };
        check(window(x, spec), [x]);
      }),
    );
  });

  it('gather, in and out of range', () => {
    run(
      fc.property(shapes, seed, fc.integer({ min: 0, max: 4 }), (shape, s, length) => {
        const axis = s % shape.length;
        const x = wholeLeaf(shape, s);
        const index = wholeLeaf(
          shape.map((d, i) => (i === axis ? length : Math.max(0, d - (s % 2)))),
          s + 1,
          'i32',
        );
        check(gather(x, index, axis), [x, index]);
      }),
    );
  });

  it('iota', () => {
    run(fc.property(shapes, seed, (shape, s) => check(iota(shape, s % shape.length), [])));
  });
});

describe('reductions against their definition', () => {
  for (const fn of REDUCE_FNS) {
    it(fn, () => {
      run(
        fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), seed, (shape, s) => {
          const one = fn === 'argmax' || fn === 'argmin';
          const axes = one ? [s % shape.length] : shape.map((_, i) => i).filter((i) => (s >> i) & 1);
          for (const dtype of ['f32', 'i32'] as const) {
            const x = wholeLeaf(shape, s, dtype, 2);
            check(reduce(fn, x, axes), [x]);
          }
        }),
      );
    });
  }

  it('sums in float64: 2^24 + 1 + 1 is not 2^24', () => {
    const x = leaf({ shape: [3], dtype: 'f32' });
    expect(evaluateNodes([reduce('sum', x, [0])], new Map([[x, Float32Array.of(2 ** 24, 1, 1)]]))).toEqual([
      Float32Array.of(2 ** 24 + 2),
    ]);
  });

  it('wraps sums of integers that float64 cannot hold', () => {
    const n = 2 ** 22 + 1;
    const x = leaf({ shape: [n], dtype: 'u32' });
    const [sum] = evaluateNodes([reduce('sum', x, [0])], new Map([[x, new Uint32Array(n).fill(2 ** 32 - 1)]]));
    expect(sum).toEqual(Uint32Array.of(2 ** 32 - n));
  });
});

describe('contractions against their definition', () => {
  it('dot', () => {
    run(
      fc.property(some(0, 9, 5), seed, ([batch, , m, k, n], s) => {
        for (const dtype of ['f32', 'i32'] as const) {
          const a = wholeLeaf([batch! % 3, 2, m!, k!], s, dtype);
          const b = wholeLeaf([batch! % 3, 2, k!, n!], s + 1, dtype);
          check(dot(a, b), [a, b]);
        }
      }),
    );
  });

  it('conv: padding that crops, dilation of input and kernel, groups', () => {
    run(
      fc.property(
        some(0, 3, 3),
        some(-2, 3, 4),
        some(1, 3, 6),
        some(1, 2, 3),
        some(0, 6, 4),
        seed,
        ([batch], pads, steps, [groups, channels, outs], lengths, s) => {
          const attrs: ConvAttrs = {
            stride: steps.slice(0, 2),
            padLow: pads.slice(0, 2),
            padHigh: pads.slice(2),
            inputDilation: steps.slice(2, 4),
            kernelDilation: steps.slice(4),
            groups: groups!,
          };
          const x = wholeLeaf([batch!, groups! * channels!, lengths[0]!, lengths[1]!], s);
          const w = wholeLeaf([groups! * outs!, channels!, lengths[2]! % 4, lengths[3]! % 4], s + 1);
          check(conv(x, w, attrs), [x, w]);
        },
      ),
    );
  });

  it('conv: padding counts as zeros, which infinity turns into NaN', () => {
    const x = leaf({ shape: [1, 1, 1], dtype: 'f32' });
    const w = leaf({ shape: [1, 1, 2], dtype: 'f32' });
    const attrs = { stride: [1], padLow: [1], padHigh: [0], inputDilation: [1], kernelDilation: [1], groups: 1 };
    const given = new Map<Node, TypedArray>([
      [x, Float32Array.of(2)],
      [w, Float32Array.of(Infinity, 3)],
    ]);
    expect(evaluateNodes([conv(x, w, attrs)], given)).toEqual([Float32Array.of(Number.NaN)]);
  });

  it('dot: zeros do not hide infinities', () => {
    const [a, b] = [full([1, 5], 0, 'f32'), full([5, 1], Infinity, 'f32')];
    expect(evaluateNodes([dot(a, b)])).toEqual([Float32Array.of(Number.NaN)]);
  });
});

describe('sources', () => {
  for (const oracle of loadCases('randomness')) {
    it(`randomBits ${oracle.name}`, () => {
      const [key0, key1] = oracle.inputs.map((key) => constant(decode(key)[0]!, 'u32'));
      const [output] = oracle.outputs;
      expect(evaluateNodes([randomBits(key0!, key1!, output!.shape)])).toEqual([decode(output!)]);
    });
  }

  it('a scalar has its value of now, rounded to its dtype', () => {
    const source = { dtype: 'f32' as const, value: 0.1 };
    const x = scalarNode(source);
    expect(evaluateNodes([x])).toEqual([Float32Array.of(0.1)]);
    source.value = -2.5;
    expect(evaluateNodes([x, binary('add', x, x)])).toEqual([Float32Array.of(-2.5), Float32Array.of(-5)]);
    const whole = scalarNode({ dtype: 'i32', value: 2 ** 31 });
    expect(evaluateNodes([whole])).toEqual([Int32Array.of(-(2 ** 31))]);
  });

  it('rounds after every primitive', () => {
    const x = full([1], 1, 'f32');
    const tiny = full([1], 2 ** -24, 'f32');
    const sum = binary('add', binary('add', x, tiny), tiny);
    expect(evaluateNodes([sum])).toEqual([Float32Array.of(1)]);
  });

  it('evaluates chains of 20,000 nodes', () => {
    let y: Node = full([1], 0, 'i32');
    const one = full([1], 1, 'i32');
    for (let i = 0; i < 20_000; i++) y = binary('add', y, one);
    expect(evaluateNodes([y])).toEqual([Int32Array.of(20_000)]);
  });

  it('does not look behind nodes whose values are given', () => {
    const behind = unary('exp', leaf({ shape: [2], dtype: 'f32' }));
    const y = binary('mul', behind, behind);
    expect(evaluateNodes([y], new Map([[behind, Float32Array.of(2, 3)]]))).toEqual([Float32Array.of(4, 9)]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Examples } from '../../src/autograd/index.js';
import { evaluateNodes } from '../../src/engine/reference/index.js';
import {
  ARRAYS,
  argsort,
  BINARY_FNS,
  BINARY_RULES,
  barrier,
  binary,
  CUMULATIVE_FNS,
  cast,
  composedRandomBits,
  constant,
  cumulative,
  type DType,
  dot,
  gather,
  leaf,
  type Node,
  REDUCE_FNS,
  randomBits,
  reduce,
  SCATTER_FNS,
  type Shape,
  scatter,
  sizeOf,
  type TypedArray,
  UNARY_FNS,
  UNARY_RULES,
  unary,
  verifyGraph,
  where,
} from '../../src/graph/index.js';
import { randomNumbers } from './checkGradient.js';

const EXAMPLES = 3;

interface Input {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Numbers from 0 up to this; 8 unless given. */
  readonly below?: number;
}

/**
 * Batches a function over each choice of its inputs on the reference engine, and compares with a loop over examples: every bit.
 * Rules that need derivatives are compared in checkGradient, at every shape that gradients are checked at.
 */
function checkBatch(build: (...inputs: Node[]) => Node, inputs: readonly Input[], seed: number): void {
  const next = randomNumbers(seed);
  for (let choice = 1; choice < 2 ** inputs.length; choice++) {
    const mapped = inputs.map((_, i) => ((choice >> i) & 1) === 1);
    const data = inputs.map(({ shape, dtype, below = 8 }, i) => {
      const length = sizeOf(shape) * (mapped[i] ? EXAMPLES : 1);
      return new ARRAYS[dtype](length).map(() => Math.floor(next() * (dtype === 'bool' ? 2 : below)));
    });
    const given = new Map<Node, TypedArray>();
    const known = ({ dtype }: Input, shape: Shape, values: TypedArray): Node => {
      const node = leaf({ shape, dtype });
      given.set(node, values);
      return node;
    };
    const partOf = (i: number, example: number): TypedArray => {
      const size = sizeOf(inputs[i]!.shape);
      return mapped[i] ? data[i]!.subarray(example * size, (example + 1) * size) : data[i]!;
    };
    const examples = new Examples(EXAMPLES, constant(0, 'f32').id);
    const ones = inputs.map((input, i) => {
      if (!mapped[i]) return known(input, input.shape, data[i]!);
      const one = leaf({ shape: input.shape, dtype: input.dtype });
      examples.put(one, known(input, [EXAMPLES, ...input.shape], data[i]!));
      return one;
    });
    const lifted = examples.lift([build(...ones)])[0]!;
    const all = examples.spread(lifted);
    verifyGraph([all]);
    const [batched] = evaluateNodes([all], given);
    const alone = Array.from({ length: EXAMPLES }, (_, e) => {
      given.clear();
      const output = build(...inputs.map((input, i) => known(input, input.shape, partOf(i, e))));
      const [values] = evaluateNodes([output], given);
      expect(all.shape).toEqual([EXAMPLES, ...output.shape]);
      return [...values!];
    });
    expect([...batched!]).toEqual(alone.flat());
  }
}

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });
const runs = { numRuns: 30 };
const seeds = fc.nat(1e6);
const DTYPES_OF = {
  float: 'f32',
  signed: 'i32',
  numeric: 'i32',
  bool: 'bool',
  integer: 'u32',
  bits: 'i32',
  any: 'bool',
} as const;

describe('batched, every bit as a loop over examples', () => {
  it.each(UNARY_FNS)('%s', (fn) => {
    checkBatch((x) => unary(fn, x!), [{ shape: [2, 3], dtype: DTYPES_OF[UNARY_RULES[fn].domain] }], 1);
  });

  it.each(BINARY_FNS)('%s', (fn) => {
    const input = { shape: [2, 3], dtype: DTYPES_OF[BINARY_RULES[fn].domain] };
    checkBatch((a, b) => binary(fn, a!, b!), [input, input], 2);
  });

  it('where and cast', () => {
    const ints: Input = { shape: [3], dtype: 'i32' };
    checkBatch((c, a, b) => where(c!, a!, b!), [{ shape: [3], dtype: 'bool' }, ints, ints], 3);
    for (const dtype of ['f32', 'i32', 'u32', 'bool'] as const) checkBatch((x) => cast(x!, dtype), [ints], 4);
  });

  it.each(REDUCE_FNS)('reduce %s', (fn) => {
    fc.assert(
      fc.property(shapes, fc.nat(2), seeds, (shape, at, seed) => {
        checkBatch((x) => reduce(fn, x!, [at % shape.length]), [{ shape, dtype: 'i32', below: 4 }], seed);
      }),
      runs,
    );
  });

  it.each(CUMULATIVE_FNS)('cumulative %s', (fn) => {
    fc.assert(
      fc.property(shapes, fc.nat(2), seeds, (shape, at, seed) => {
        checkBatch((x) => cumulative(fn, x!, at % shape.length), [{ shape, dtype: 'i32', below: 4 }], seed);
      }),
      runs,
    );
  });

  it('argsort, with ties', () => {
    fc.assert(
      fc.property(shapes, fc.nat(2), fc.boolean(), seeds, (shape, at, descending, seed) => {
        checkBatch((x) => argsort(x!, at % shape.length, descending), [{ shape, dtype: 'f32', below: 3 }], seed);
      }),
      runs,
    );
  });

  it('dot of integers, one matrix for all included', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(2), { maxLength: 2 }),
        fc.nat(3),
        fc.nat(3),
        fc.nat(3),
        seeds,
        (lead, m, k, n, seed) => {
          const inputs: Input[] = [
            { shape: [...lead, m, k], dtype: 'i32' },
            { shape: [...lead, k, n], dtype: 'i32' },
          ];
          checkBatch((a, b) => dot(a!, b!), inputs, seed);
        },
      ),
      runs,
    );
  });

  it('gather and scatter, out of range and repeated places included', () => {
    fc.assert(
      fc.property(
        shapes,
        fc.nat(2),
        fc.nat(4),
        fc.constantFrom(...SCATTER_FNS),
        seeds,
        (shape, at, picks, fn, seed) => {
          const axis = at % shape.length;
          const index: Input = {
            shape: shape.map((d, i) => (i === axis ? picks : d)),
            dtype: 'i32',
            below: shape[axis]! + 1,
          };
          checkBatch((x, i) => gather(x!, i!, axis), [{ shape, dtype: 'i32' }, index], seed);
          const updates: Input = { shape: index.shape, dtype: 'i32' };
          checkBatch((x, i, u) => scatter(fn, x!, i!, u!, axis), [{ shape, dtype: 'i32' }, index, updates], seed);
        },
      ),
      runs,
    );
  });

  it('random bits of a key for each example', () => {
    const key: Input = { shape: [], dtype: 'u32', below: 2 ** 32 };
    checkBatch((a, b) => randomBits(a!, b!, [2, 3]), [key, key], 5);
  });

  it('a barrier, before what is the same for all and what is not', () => {
    const input: Input = { shape: [2], dtype: 'i32' };
    checkBatch((x, after, y) => binary('add', barrier(x!, after!), y!), [input, input, input], 6);
  });

  it('nested', () => {
    const build = (x: Node, y: Node): Node => cumulative('sum', binary('mul', x, y), 0);
    const inner = (x: Node, y: Node): Node => {
      const examples = new Examples(2, constant(0, 'f32').id);
      const [one, other] = [leaf({ shape: [3], dtype: 'i32' }), leaf({ shape: [3], dtype: 'i32' })];
      examples.put(one, x);
      examples.put(other, y);
      return examples.lift([build(one, other)])[0]!.node;
    };
    const input: Input = { shape: [2, 3], dtype: 'i32' };
    checkBatch((x, y) => inner(x!, y!), [input, input], 7);
  });
});

describe('composed random bits', () => {
  it('are the bits of the primitive', () => {
    for (const [key0, key1] of [
      [0, 0],
      [1, 2],
      [2 ** 32 - 1, 123456789],
    ] as const) {
      const keys = [constant(key0, 'u32'), constant(key1, 'u32')] as const;
      const [a, b] = evaluateNodes([randomBits(...keys, [5, 7]), composedRandomBits(...keys, [5, 7])]);
      expect([...b!]).toEqual([...a!]);
    }
  });
});

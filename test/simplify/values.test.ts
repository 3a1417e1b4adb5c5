import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Interpreter } from '../../src/engine/reference/interpreter.js';
import {
  ARRAYS,
  BINARY_FNS,
  BINARY_RULES,
  binary,
  cast,
  constantValue,
  DTYPES,
  type DType,
  dot,
  full,
  isPrim,
  leaf,
  type Node,
  type Prim,
  printGraph,
  reduce,
  reshape,
  type Shape,
  simplify,
  sizeOf,
  type TypedArray,
  topologicalOrder,
  transposeLast,
  UNARY_FNS,
  UNARY_RULES,
  unary,
  verifyGraph,
} from '../../src/graph/index.js';
import { CONSTANTS, domainHas, randomGraphs } from './randomGraph.js';

const values = new Map<Node, TypedArray>();

function sourceOf(shape: Shape, dtype: DType, list: readonly number[]): Node {
  const node = leaf({ shape, dtype });
  const numbers = Array.from({ length: sizeOf(shape) }, (_, i) => list[i % list.length]!);
  values.set(node, new ARRAYS[dtype](numbers));
  return node;
}

function evaluate(roots: readonly Node[]): TypedArray[] {
  const order = topologicalOrder(roots);
  const leaves = order.filter((node) => isPrim(node, 'leaf'));
  return new Interpreter(order, leaves, roots).run(leaves.map((node) => values.get(node)!));
}

/** Bits, with one pattern for NaN. */
const bitsOf = (array: TypedArray): number[] =>
  array instanceof Float32Array
    ? Array.from(new Uint32Array(Float32Array.from(array, (v) => (Number.isNaN(v) ? Number.NaN : v)).buffer))
    : Array.from(array);

function expectSameBits(roots: readonly Node[]): void {
  const simple = simplify(roots);
  verifyGraph(simple);
  const [before, after] = [evaluate(roots), evaluate(simple)];
  roots.forEach((root, i) => {
    expect(simple[i]!.shape).toEqual(root.shape);
    expect(simple[i]!.dtype).toBe(root.dtype);
    const differs = `${printGraph([root])}\nbecame\n${printGraph([simple[i]!])}`;
    expect(bitsOf(after[i]!), differs).toEqual(bitsOf(before[i]!));
  });
  expect(printGraph(simplify(roots))).toBe(printGraph(simple));
  expect(workOf(simple)).toBeLessThanOrEqual(workOf(roots));
  expect(workOf(simplify(simple))).toBeLessThanOrEqual(workOf(simple));
}

/** Nodes that compute something, not counting constants (up to three nodes each) and movement; a power counts as the products it may become. */
const workOf = (roots: readonly Node[]): number =>
  topologicalOrder(roots).reduce((sum, node) => {
    if (constantValue(node) !== null || !WORK.has(node.prim)) return sum;
    return sum + (isPrim(node, 'binary') && node.attrs.fn === 'pow' ? 2 : 1);
  }, 0);

const WORK: ReadonlySet<Prim> = new Set<Prim>(['unary', 'binary', 'where', 'cast', 'reduce', 'dot']);

const SPECIAL = [1, -0, 0, -1, 0.5, Number.NaN, 3, Infinity, -2.5, -Infinity, 1e-40, 1e30, 7, 2];

const sources = (): Node[] => [
  sourceOf([2, 3], 'f32', SPECIAL),
  sourceOf([2, 3], 'f32', SPECIAL.slice(3)),
  sourceOf([3, 1, 2], 'f32', SPECIAL.slice(5)),
  sourceOf([4], 'f32', SPECIAL.slice(1)),
  sourceOf([2, 3], 'i32', [0, -1, 5, -(2 ** 31), 2 ** 31 - 1, 2]),
  sourceOf([2, 3], 'u32', [0, 1, 2 ** 32 - 1, 7, 2 ** 31, 3]),
  sourceOf([2, 3], 'bool', [1, 0, 0, 1, 1]),
  sourceOf([0, 2], 'f32', [1]),
];

/** Rounding differs by design: reductions of the same kind that merge, and cubes. */
function roundsDifferently(node: Node): boolean {
  const isSum = (n: Node): boolean =>
    isPrim(n, 'reduce') && n.dtype === 'f32' && (n.attrs.fn === 'sum' || n.attrs.fn === 'prod');
  if (isSum(node)) return topologicalOrder(node.inputs).some(isSum);
  return isPrim(node, 'binary') && node.attrs.fn === 'pow' && constantValue(simplify([node.inputs[1]!])[0]!) === 3;
}

describe('simplified graphs', () => {
  it('compute the same bits: NaN, infinities, -0 and subnormals included', () => {
    fc.assert(
      fc.property(
        randomGraphs(sources, (node) => !roundsDifferently(node)),
        expectSameBits,
      ),
      { numRuns: 1500 },
    );
  });

  it('compute the same bits of every function with every constant', () => {
    for (const dtype of DTYPES) {
      const x = sourceOf([7], dtype, CONSTANTS[dtype]);
      for (const fn of UNARY_FNS) {
        if (!domainHas(UNARY_RULES[fn].domain, dtype)) continue;
        for (const value of CONSTANTS[dtype]) expectSameBits([unary(fn, full([7], value, dtype))]);
        for (const inner of UNARY_FNS) {
          if (UNARY_RULES[inner].gives === undefined && domainHas(UNARY_RULES[inner].domain, dtype)) {
            expectSameBits([unary(fn, unary(inner, x))]);
          }
        }
      }
      for (const to of DTYPES) {
        for (const value of CONSTANTS[dtype]) expectSameBits([cast(full([7], value, dtype), to)]);
        for (const back of DTYPES) expectSameBits([cast(cast(x, to), back)]);
      }
    }
  });

  it('compute the same bits of every function of two operands, constant, negated, equal or not', () => {
    for (const dtype of DTYPES) {
      const x = sourceOf([13], dtype, CONSTANTS[dtype]);
      const y = sourceOf([13], dtype, CONSTANTS[dtype].slice(2).concat(CONSTANTS[dtype]));
      const b = sourceOf([13], 'bool', [0, 1, 1]);
      for (const fn of BINARY_FNS) {
        if (!domainHas(BINARY_RULES[fn].domain, dtype)) continue;
        const constants = CONSTANTS[dtype].map((value) => full([13], value, dtype));
        const negated = dtype === 'bool' ? [] : [unary('neg', x), unary('neg', y)];
        const operands = [x, y, cast(b, dtype), ...negated, ...constants];
        for (const p of operands) {
          for (const q of operands) {
            if (fn === 'pow' && dtype === 'f32' && constantValue(q) === 3) continue;
            expectSameBits([binary(fn, p, q)]);
          }
        }
      }
    }
  });

  it('compute the same bits of transposed products', () => {
    const a = sourceOf([2, 3, 4], 'f32', [0.1, -2.7, 3.3, 1e-3, 17.7]);
    const b = sourceOf([2, 4, 2], 'f32', [1.9, 0.3, -7.1]);
    expectSameBits([transposeLast(dot(a, b))]);
  });

  it('compute cubes to the last bit or the one before', () => {
    const x = sourceOf([5], 'f32', [1.1, -2.3, 0.7, 123.4, 3]);
    const cube = binary('pow', x, full([5], 3, 'f32'));
    const [exact, simple] = [evaluate([cube])[0]!, evaluate(simplify([cube]))[0]!];
    exact.forEach((v, i) => {
      expect(Math.abs(simple[i]! - v)).toBeLessThanOrEqual(Math.abs(v) * 2 ** -23);
    });
  });

  it('compute merged sums and products to rounding', () => {
    const list = Array.from({ length: 210 }, (_, i) => Math.sin(i) + 1.5);
    const x = sourceOf([5, 6, 7], 'f32', list);
    for (const fn of ['sum', 'prod'] as const) {
      const nested = reduce(fn, reshape(reduce(fn, x, [1]), [5, 7]), [1]);
      const simple = simplify([nested]);
      expect(topologicalOrder(simple).filter((n) => n.prim === 'reduce')).toHaveLength(1);
      const [expected, actual] = [evaluate([nested])[0]!, evaluate(simple)[0]!];
      // Each partial result of the nested form is rounded once: 7 of them and the last.
      expected.forEach((v, i) => {
        expect(Math.abs(actual[i]! - v)).toBeLessThanOrEqual(Math.abs(v) * 8 * 2 ** -24);
      });
    }
  });
});

import { describe, expect, it } from 'vitest';
import {
  alias,
  binary,
  cast,
  concat,
  constant,
  conv,
  type DType,
  dot,
  expand,
  flip,
  full,
  gather,
  iota,
  isPrim,
  type LeafSource,
  leaf,
  type Node,
  pad,
  permute,
  printGraph,
  reduce,
  reluNode,
  reshape,
  type Shape,
  scalarNode,
  simplify,
  slice,
  stopGradient,
  topologicalOrder,
  unary,
  verifyGraph,
  where,
  window,
} from '../../src/graph/index.js';

const input = (shape: Shape, dtype: DType = 'f32'): Node<'leaf'> => leaf({ shape, dtype });

function simple(node: Node): Node {
  const [result] = simplify([node]);
  verifyGraph([result!]);
  expect(result!.shape).toEqual(node.shape);
  expect(result!.dtype).toBe(node.dtype);
  return result!;
}

/** Same graph on the same leaves. */
const expectSame = (actual: Node, expected: Node): void => expect(printGraph([actual])).toBe(printGraph([expected]));
const becomes = (from: Node, to: Node): void => {
  const result = simple(from);
  expectSame(result, to);
  const leaves = (root: Node): Node[] => topologicalOrder([root]).filter((n) => isPrim(n, 'leaf'));
  expect(leaves(result)).toEqual(leaves(to));
};
const stays = (node: Node): void => becomes(node, node);

const x = input([2, 3]);
const y = input([2, 3]);
const i = input([2, 3], 'i32');
const u = input([2, 3], 'u32');
const b = input([2, 3], 'bool');
const c = input([2, 3], 'bool');
const f = (value: number): Node => full([2, 3], value, 'f32');
const fi = (value: number): Node => full([2, 3], value, 'i32');
const fb = (value: number): Node => full([2, 3], value, 'bool');

describe('constant folding', () => {
  it('folds elementwise functions of constants, rounded to the dtype', () => {
    becomes(binary('add', f(0.1), f(0.2)), f(Math.fround(Math.fround(0.1) + Math.fround(0.2))));
    becomes(unary('exp', f(1)), f(Math.exp(1)));
    becomes(unary('neg', binary('mul', f(3), f(2))), f(-6));
    becomes(binary('mul', fi(2 ** 30), fi(6)), fi(-(2 ** 31)));
    becomes(binary('lt', f(1), f(Number.NaN)), fb(0));
    becomes(where(fb(1), f(2), f(3)), f(2));
    becomes(cast(f(-3.7), 'i32'), fi(-3));
    becomes(cast(f(Number.NaN), 'i32'), fi(0));
    becomes(cast(f(1e20), 'i32'), fi(2 ** 31 - 1));
    becomes(cast(f(-1), 'u32'), full([2, 3], 0, 'u32'));
    becomes(cast(fi(-1), 'u32'), full([2, 3], 2 ** 32 - 1, 'u32'));
    becomes(cast(f(Number.NaN), 'bool'), fb(1));
  });

  it('keeps NaN and -0 apart from other numbers', () => {
    becomes(binary('mul', f(0), f(-1)), f(-0));
    expect(printGraph([simple(binary('mul', f(0), f(-1)))])).toContain('const -0');
    becomes(binary('sub', f(Infinity), f(Infinity)), f(Number.NaN));
  });

  it('moves constants', () => {
    becomes(reshape(f(2), [6]), full([6], 2, 'f32'));
    becomes(permute(f(2), [1, 0]), full([3, 2], 2, 'f32'));
    becomes(expand(full([1, 3], 2, 'f32'), [4, 3]), full([4, 3], 2, 'f32'));
    becomes(slice(f(2), [0, 1], [2, 2]), full([2, 2], 2, 'f32'));
    becomes(flip(f(2), [1]), f(2));
    becomes(pad(f(2), { low: [1, 0], high: [0, 0], value: 2 }), full([3, 3], 2, 'f32'));
    becomes(concat([f(2), f(2)], 0), full([4, 3], 2, 'f32'));
    becomes(window(f(2), { axes: [1], size: [2], stride: [1], dilation: [1] }), full([2, 2, 2], 2, 'f32'));
    stays(pad(f(2), { low: [1, 0], high: [0, 0], value: 0 }));
    stays(concat([f(0), f(-0)], 0));
    becomes(reshape(constant(1, 'f32'), [1, 1]), full([1, 1], 1, 'f32'));
  });

  it('reduces constants where that is exact', () => {
    becomes(reduce('sum', f(0.1), [0, 1]), full([1, 1], Math.fround(0.1) * 6, 'f32'));
    becomes(reduce('sum', f(-0), [0]), full([1, 3], 0, 'f32'));
    becomes(reduce('sum', fi(2 ** 30), [1]), full([2, 1], 3 * 2 ** 30 - 2 ** 32, 'i32'));
    becomes(reduce('sum', full([2 ** 24], 2 ** 31 - 1, 'i32'), [0]), full([1], -(2 ** 24), 'i32'));
    becomes(reduce('max', f(3), [1]), full([2, 1], 3, 'f32'));
    becomes(reduce('argmax', f(3), [1]), full([2, 1], 0, 'i32'));
    stays(reduce('prod', f(3), [1]));
    becomes(iota([3, 1], 1), full([3, 1], 0, 'i32'));
  });

  it('knows results without elements, and of nothing', () => {
    becomes(unary('exp', input([0, 3])), full([0, 3], 0, 'f32'));
    becomes(reduce('sum', input([0, 3]), [0]), full([1, 3], 0, 'f32'));
    becomes(reduce('max', input([0, 3]), [0]), full([1, 3], -Infinity, 'f32'));
    becomes(reduce('prod', input([0, 3], 'i32'), [0]), full([1, 3], 1, 'i32'));
    becomes(dot(input([2, 0]), input([0, 3])), f(0));
    const attrs = { stride: [1], padLow: [1], padHigh: [1], inputDilation: [1], kernelDilation: [1], groups: 1 };
    becomes(conv(input([1, 0, 2]), input([2, 0, 1]), attrs), full([1, 2, 4], 0, 'f32'));
    becomes(gather(input([0]), input([2], 'i32'), 0), full([2], Number.NaN, 'f32'));
    becomes(pad(input([0]), { low: [1], high: [2], value: 7 }), full([3], 7, 'f32'));
    const empty = input([0]);
    expect(simplify([empty])).toEqual([empty]);
  });

  it('does not fold what changes between runs', () => {
    const s = scalarNode({ dtype: 'f32', value: 2 });
    stays(binary('mul', s, constant(3, 'f32')));
    stays(binary('add', x, f(1)));
  });
});

describe('identities', () => {
  it('removes those that are exact for floats', () => {
    for (const node of [
      binary('mul', x, f(1)),
      binary('mul', f(1), x),
      binary('div', x, f(1)),
      binary('sub', x, f(0)),
      binary('add', x, f(-0)),
      binary('add', f(-0), x),
      binary('pow', x, f(1)),
      binary('max', x, x),
      binary('min', x, f(Infinity)),
      unary('neg', unary('neg', x)),
      where(b, x, x),
      alias(x),
    ]) {
      becomes(node, x);
    }
    becomes(unary('floor', unary('trunc', x)), unary('trunc', x));
    becomes(unary('abs', unary('neg', x)), unary('abs', x));
    becomes(binary('mul', x, f(-1)), unary('neg', x));
    becomes(binary('sub', f(-0), x), unary('neg', x));
    becomes(binary('add', x, unary('neg', y)), binary('sub', x, y));
    becomes(binary('sub', x, unary('neg', y)), binary('add', x, y));
    becomes(binary('mul', unary('neg', x), unary('neg', y)), binary('mul', x, y));
    becomes(binary('mul', unary('neg', x), f(2)), binary('mul', x, f(-2)));
    becomes(binary('div', x, f(4)), binary('mul', x, f(0.25)));
    becomes(binary('pow', x, f(2)), binary('mul', x, x));
    becomes(binary('pow', x, f(3)), binary('mul', binary('mul', x, x), x));
    becomes(binary('pow', x, f(0)), f(1));
  });

  it('keeps those that would lose -0, NaN or infinity', () => {
    for (const node of [
      binary('add', x, f(0)),
      binary('sub', x, f(-0)),
      binary('sub', f(0), x),
      binary('mul', x, f(0)),
      binary('sub', x, x),
      binary('div', x, x),
      binary('div', x, f(3)),
      binary('div', x, f(2 ** 127)),
      binary('div', x, f(0)),
      binary('eq', x, x),
      binary('pow', x, f(0.5)),
      unary('logicalNot', binary('lt', x, y)),
    ]) {
      stays(node);
    }
  });

  it('removes more for integers', () => {
    becomes(binary('add', i, fi(0)), i);
    becomes(binary('sub', i, i), fi(0));
    becomes(binary('mul', i, fi(0)), fi(0));
    becomes(binary('floorDiv', i, fi(1)), i);
    becomes(binary('remainder', i, fi(1)), fi(0));
    becomes(binary('and', i, fi(-1)), i);
    becomes(binary('or', u, full([2, 3], 0, 'u32')), u);
    becomes(binary('xor', i, i), fi(0));
    becomes(binary('shiftLeft', i, fi(0)), i);
    becomes(binary('le', i, i), fb(1));
    becomes(binary('lt', x, x), fb(0));
    becomes(unary('abs', u), u);
  });

  it('simplifies logic', () => {
    becomes(unary('logicalNot', unary('logicalNot', b)), b);
    becomes(unary('logicalNot', binary('eq', x, y)), binary('ne', x, y));
    becomes(binary('and', b, fb(1)), b);
    becomes(binary('and', fb(0), b), fb(0));
    becomes(binary('or', b, fb(1)), fb(1));
    becomes(binary('xor', b, fb(1)), unary('logicalNot', b));
    becomes(binary('eq', b, fb(0)), unary('logicalNot', b));
    becomes(binary('ne', cast(b, 'f32'), f(0)), b);
    becomes(binary('lt', f(0.5), cast(b, 'f32')), b);
    becomes(binary('lt', cast(b, 'f32'), f(0.5)), unary('logicalNot', b));
    becomes(binary('lt', cast(b, 'f32'), f(7)), fb(1));
    becomes(cast(cast(b, 'i32'), 'f32'), cast(b, 'f32'));
    becomes(cast(cast(b, 'f32'), 'bool'), b);
    stays(cast(cast(i, 'f32'), 'i32'));
  });

  it('simplifies choices, but leaves relu and its gradient', () => {
    becomes(where(fb(0), x, y), y);
    becomes(where(unary('logicalNot', b), x, y), where(b, y, x));
    becomes(where(b, where(b, x, f(1)), y), where(b, x, y));
    becomes(where(b, x, where(b, f(1), y)), where(b, x, y));
    becomes(where(b, fb(1), fb(0)), b);
    becomes(where(b, fb(0), fb(1)), unary('logicalNot', b));
    stays(where(b, x, where(c, x, y)));
    stays(reluNode(x));
    const zero = f(0);
    stays(where(binary('le', x, zero), zero, y));
  });
});

describe('movement', () => {
  it('merges movement of movement', () => {
    becomes(reshape(reshape(x, [6]), [3, 2]), reshape(x, [3, 2]));
    becomes(reshape(reshape(x, [6]), [2, 3]), x);
    const z = input([2, 3, 4]);
    becomes(permute(permute(z, [1, 2, 0]), [1, 2, 0]), permute(z, [2, 0, 1]));
    becomes(permute(permute(z, [1, 2, 0]), [2, 0, 1]), z);
    const one = input([1, 1]);
    becomes(expand(expand(one, [2, 1]), [2, 3]), expand(one, [2, 3]));
    becomes(flip(flip(x, [0, 1]), [1]), flip(x, [0]));
    becomes(flip(flip(x, [0]), [0]), x);
    const long = input([20]);
    becomes(slice(slice(long, [1], [6], [3]), [1], [2], [2]), slice(long, [4], [2], [6]));
    becomes(
      pad(pad(x, { low: [1, 0], high: [0, 2] }), { low: [0, 1], high: [1, 1] }),
      pad(x, { low: [1, 1], high: [1, 3] }),
    );
    stays(pad(pad(x, { low: [1, 0], high: [0, 2] }), { low: [0, 1], high: [1, 1], value: 1 }));
    stays(pad(pad(x, { low: [1, 0], high: [0, 2] }), { low: [0, 1], high: [1, 1], interior: [1, 0] }));
  });

  it('turns a transposed product into the product of the transposed', () => {
    const [p, q] = [input([5, 2, 3]), input([5, 3, 4])];
    becomes(permute(dot(p, q), [0, 2, 1]), dot(permute(q, [0, 2, 1]), permute(p, [0, 2, 1])));
    becomes(permute(dot(permute(x, [1, 0]), y), [1, 0]), dot(permute(y, [1, 0]), x));
    stays(permute(dot(p, q), [1, 0, 2]));
    const product = dot(p, q);
    const both = [permute(product, [0, 2, 1]), product];
    expect(printGraph(simplify(both))).toBe(printGraph(both));
  });

  it('turns movement of axes of size 1 into reshapes', () => {
    const z = input([1, 3, 1, 2]);
    becomes(permute(z, [1, 0, 3, 2]), reshape(z, [3, 1, 2, 1]));
    becomes(reshape(permute(z, [1, 3, 0, 2]), [3, 2]), reshape(z, [3, 2]));
    stays(permute(z, [3, 1, 0, 2]));
    becomes(flip(z, [0, 2]), z);
    becomes(flip(z, [0, 1]), flip(z, [1]));
    becomes(window(x, { axes: [1], size: [1], stride: [1], dilation: [1] }), reshape(x, [2, 3, 1]));
  });

  it('takes slices out of what they slice', () => {
    const padded = pad(x, { low: [1, 2], high: [1, 1], value: 5 });
    becomes(slice(padded, [1, 2], [2, 3]), x);
    becomes(slice(padded, [1, 3], [1, 2]), slice(x, [0, 1], [1, 2]));
    becomes(slice(padded, [0, 0], [4, 2]), full([4, 2], 5, 'f32'));
    stays(slice(padded, [1, 1], [2, 3]));
    const spread = pad(x, { low: [0, 1], high: [0, 0], interior: [0, 2] });
    becomes(slice(spread, [0, 1], [2, 3], [1, 3]), x);
    becomes(slice(spread, [0, 4], [2, 1]), slice(x, [0, 1], [2, 1]));
    stays(slice(spread, [0, 2], [2, 3]));
    stays(slice(spread, [0, 2], [2, 2], [1, 3]));
    const joined = concat([x, y], 1);
    becomes(slice(joined, [0, 3], [2, 3]), y);
    becomes(slice(joined, [0, 4], [2, 2]), slice(y, [0, 1], [2, 2]));
    stays(slice(joined, [0, 2], [2, 2]));
    becomes(concat([x, input([2, 0]), y], 1), joined);
    becomes(concat([input([0, 3]), x], 0), x);
  });
});

describe('reductions', () => {
  it('merges nested ones, across reshapes that drop axes of size 1', () => {
    const z = input([2, 3, 4]);
    becomes(reduce('sum', reduce('sum', z, [2]), [0]), reduce('sum', z, [0, 2]));
    becomes(reduce('max', reshape(reduce('max', z, [1]), [2, 4]), [1]), reshape(reduce('max', z, [1, 2]), [2, 1]));
    becomes(
      reshape(reduce('sum', reshape(reduce('sum', z, [1]), [2, 4]), [0, 1]), []),
      reshape(reduce('sum', z, [0, 1, 2]), []),
    );
    stays(reduce('max', reduce('sum', z, [2]), [0]));
    stays(reduce('argmax', reduce('argmax', z, [2]), [0]));
    stays(reduce('sum', reshape(reduce('sum', z, [0]), [2, 6]), [1]));
  });

  it('does not repeat a reduction that something else reads', () => {
    const z = input([2, 3, 4]);
    const inner = reduce('sum', z, [2]);
    const outer = reduce('sum', inner, [0]);
    expect(printGraph(simplify([outer, inner]))).toBe(printGraph([outer, inner]));
  });

  it('drops axes of size 1; a sum still turns -0 into 0', () => {
    const z = input([1, 3, 1]);
    becomes(reduce('max', z, [0, 2]), z);
    becomes(reduce('sum', z, [0, 1]), reduce('sum', z, [1]));
    becomes(reduce('sum', z, [0]), binary('add', z, full([1, 3, 1], 0, 'f32')));
    becomes(reduce('sum', reduce('sum', z, [1]), [0]), reduce('sum', z, [1]));
    const k = input([1], 'i32');
    becomes(reduce('sum', k, [0]), k);
    becomes(reduce('argmin', z, [0]), full([1, 3, 1], 0, 'i32'));
  });
});

describe('the whole graph', () => {
  const count = (roots: readonly Node[]): number => topologicalOrder(roots).length;

  it('merges equal nodes, by all of their structure', () => {
    const [p, q] = simplify([binary('add', unary('exp', x), y), binary('add', unary('exp', x), y)]);
    expect(p).toBe(q);
    const [r, s] = simplify([binary('mul', x, y), binary('mul', y, x)]);
    expect(r).toBe(s);
    const [d, e] = simplify([binary('sub', x, y), binary('sub', y, x)]);
    expect(d).not.toBe(e);
    const [k, l] = simplify([slice(x, [0, 0], [1, 3]), slice(x, [1, 0], [1, 3])]);
    expect(k).not.toBe(l);
    const [m, n] = simplify([binary('add', x, f(0)), pad(x, { low: [1, 0], high: [0, 0], value: -0 })]);
    expect(m).not.toBe(n);
    const [v, w] = simplify([
      pad(x, { low: [1, 0], high: [0, 0], value: 0 }),
      pad(x, { low: [1, 0], high: [0, 0], value: -0 }),
    ]);
    expect(v).not.toBe(w);
  });

  it('merges leaves of one source, and tells sources apart', () => {
    const source: LeafSource = { shape: [2], dtype: 'f32' };
    const [p, q, r] = simplify([leaf(source), leaf(source, true), leaf({ ...source })]);
    expect(p).toBe(q);
    expect(r).not.toBe(p);
  });

  it('takes realised nodes as leaves', () => {
    const inner = unary('exp', x);
    const outer = unary('neg', binary('mul', inner, f(1)));
    inner.realized = { shape: [2, 3], dtype: 'f32' };
    const [result] = simplify([outer]);
    expect(result!.inputs[0]).toBe(inner);
    const known = full([2, 3], 2, 'f32');
    known.realized = { shape: [2, 3], dtype: 'f32' };
    stays(unary('neg', known));
    expect(printGraph([unary('neg', known)])).toBe('%0: f32[2, 3] = realized #0\n%1: f32[2, 3] = neg %0\nreturn %1');
  });

  it('removes gradient markers, and gives nodes without grad where it makes new ones', () => {
    const w = leaf({ shape: [2, 3], dtype: 'f32' }, true);
    becomes(unary('exp', stopGradient(alias(w))), unary('exp', w));
    expect(simple(binary('mul', unary('exp', stopGradient(w)), f(1))).requiresGrad).toBe(false);
  });

  it('leaves a graph that is simple already as it is', () => {
    const roots = [unary('exp', binary('add', x, y)), dot(x, permute(y, [1, 0]))];
    expect(simplify(roots)).toEqual(roots);
    simplify(roots).forEach((root, at) => {
      expect(root).toBe(roots[at]);
    });
  });

  it('gives the same graph each time, and nothing more to do the second time', () => {
    const build = (): Node[] => {
      const z = binary('add', binary('mul', x, f(1)), unary('neg', reshape(reshape(y, [6]), [2, 3])));
      return [reduce('sum', z, [1]), binary('mul', z, binary('sub', y, x)), unary('exp', binary('mul', y, z))];
    };
    const once = simplify(build());
    expect(printGraph(simplify(build()))).toBe(printGraph(once));
    expect(printGraph(simplify(once))).toBe(printGraph(once));
  });

  it('copes with deep graphs', () => {
    let deep: Node = x;
    for (let n = 0; n < 20_000; n++) deep = n % 2 === 0 ? unary('exp', deep) : binary('mul', deep, f(1));
    const [result] = simplify([deep]);
    expect(count([result!])).toBe(10_001);
    let flips: Node = x;
    for (let n = 0; n < 20_000; n++) flips = unary('neg', flips);
    expect(simplify([flips])).toEqual([x]);
  });

  it('prints', () => {
    const node = reduce('sum', binary('mul', x, f(-0)), [1]);
    expect(printGraph([node, x])).toBe(
      [
        '%0: f32[2, 3] = leaf #0',
        '%1: f32[] = const -0',
        '%2: f32[1, 1] = reshape %1',
        '%3: f32[2, 3] = expand %2',
        '%4: f32[2, 3] = mul %0, %3',
        '%5: f32[2, 1] = reduce.sum %4 axes=[1]',
        'return %5, %0',
      ].join('\n'),
    );
  });
});

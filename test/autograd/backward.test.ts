import { describe, expect, it } from 'vitest';
import { backward } from '../../src/autograd/index.js';
import {
  alias,
  binary,
  cast,
  DTypeError,
  dropParents,
  full,
  type Node,
  ShapeError,
  stopGradient,
  topologicalOrder,
  unary,
  withoutGrad,
} from '../../src/graph/index.js';
import { valuesLeaf } from './checkGradient.js';
import { evaluate64 } from './evaluate64.js';

const ones = (x: Node): Node => full(x.shape, 1, 'f32');
const vector = (...values: number[]): Node<'leaf'> => valuesLeaf([values.length], values, 'f32', true);
const valuesAt = (nodes: (Node | null)[]): number[][] => evaluate64(nodes.map((n) => n!));

describe('backward', () => {
  it('walks a graph of 20,000 nodes without recursion', () => {
    const x = vector(0.5);
    let y: Node = x;
    for (let i = 0; i < 20_000; i++) y = unary('neg', y);
    expect(valuesAt(backward([y], [ones(y)], [x]))).toEqual([[1]]);
  });

  it('visits a shared node once however many paths lead to it', () => {
    const x = vector(1);
    let y: Node = x;
    for (let i = 0; i < 40; i++) y = binary('add', y, y);
    const [g] = backward([y], [ones(y)], [x]);
    expect(topologicalOrder([g!]).length).toBeLessThan(100);
    expect(valuesAt([g!])).toEqual([[2 ** 40]]);
  });

  it('sums over outputs, and takes outputs and intermediates as what to differentiate by', () => {
    const x = vector(3);
    const y = binary('mul', x, x);
    const z = binary('mul', y, x);
    expect(valuesAt(backward([y, z], [ones(y), ones(z)], [x, y, z]))).toEqual([[6 + 27], [1 + 3], [1]]);
  });

  it('returns null where nothing leads', () => {
    const [x, other] = [vector(3), vector(1)];
    const y = binary('mul', x, stopGradient(binary('mul', x, other)));
    const [gx, gOther] = backward([y], [ones(y)], [x, other]);
    expect(valuesAt([gx!])).toEqual([[3]]);
    expect(gOther).toBeNull();
    expect(backward([cast(cast(x, 'i32'), 'f32')], [ones(x)], [x])).toEqual([null]);
    const frozen = withoutGrad(() => unary('neg', x));
    expect(backward([frozen], [ones(x)], [x])).toEqual([null]);
  });

  it('passes through an alias and stops at what it stands for', () => {
    const x = valuesLeaf([1], [3]);
    const v = alias(x);
    const y = binary('mul', v, v);
    expect(valuesAt(backward([y], [ones(y)], [v]))).toEqual([[6]]);
  });

  it('walks through a realised node that kept its inputs, and ends at one that dropped them', () => {
    const x = vector(3);
    const y = binary('mul', x, x);
    y.realized = { shape: [1], dtype: 'f32' };
    const z = unary('neg', y);
    const [g] = backward([z], [ones(z)], [x]);
    y.realized = null;
    expect(valuesAt([g!])).toEqual([[-6]]);
    y.realized = { shape: [1], dtype: 'f32' };
    dropParents(y);
    expect(backward([z], [ones(z)], [x])).toEqual([null]);
  });

  it('gives gradients that can be differentiated again, but not those made without grad', () => {
    const x = vector(2);
    const y = binary('pow', x, full([1], 4, 'f32'));
    let g: Node = y;
    const values: number[] = [];
    for (let order = 1; order <= 4; order++) {
      g = backward([g], [ones(g)], [x])[0]!;
      values.push(valuesAt([g])[0]![0]!);
    }
    expect(values).toEqual([32, 48, 48, 24]);
    expect(withoutGrad(() => backward([y], [ones(y)], [x]))[0]!.requiresGrad).toBe(false);
  });

  it('refuses gradients of another shape, dtype or number', () => {
    const x = vector(1, 2);
    const y = unary('exp', x);
    expect(() => backward([y], [full([3], 1, 'f32')], [x])).toThrow(ShapeError);
    expect(() => backward([y], [full([2], 1, 'i32')], [x])).toThrow(DTypeError);
    expect(() => backward([y], [], [x])).toThrow('[backward] 0 gradients for 1 outputs');
  });
});

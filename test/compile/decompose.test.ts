import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decompose } from '../../src/compile/schedule/decompose.js';
import { evaluateNodes } from '../../src/engine/reference/index.js';
import {
  argsort,
  CUMULATIVE_FNS,
  cumulative,
  type DType,
  leaf,
  type Node,
  SCATTER_FNS,
  scatter,
  sizeOf,
  type TypedArray,
} from '../../src/graph/index.js';

const VALUES = [0, 1, -1, 2, 3, 3, Number.NaN, Infinity, -Infinity, -2];

function arrayOf(dtype: DType, list: number[]): TypedArray {
  if (dtype === 'f32') return Float32Array.from(list);
  const whole = list.map((v) => (Number.isFinite(v) ? v : 5));
  if (dtype === 'i32') return Int32Array.from(whole);
  return dtype === 'u32' ? Uint32Array.from(whole) : Uint8Array.from(whole, (v) => v & 1);
}

const picks = fc.array(fc.nat(VALUES.length - 1), { minLength: 40, maxLength: 40 });
const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 3 });

/** The same bits from the primitive and from what it is composed of. */
function same(node: Node, given: Map<Node, TypedArray>): void {
  const [composed] = decompose([node], true);
  expect([...evaluateNodes([composed!], given)[0]!]).toEqual([...evaluateNodes([node], given)[0]!]);
}

describe('decompositions', () => {
  it('of running reductions', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CUMULATIVE_FNS),
        fc.constantFrom<DType>('f32', 'i32', 'u32'),
        shapes,
        fc.nat(2),
        picks,
        (fn, dtype, shape, at, p) => {
          const x = leaf({ shape, dtype });
          const list = Array.from({ length: sizeOf(shape) }, (_, i) => VALUES[p[i % 40]!]!);
          same(cumulative(fn, x, at % shape.length), new Map([[x as Node, arrayOf(dtype, list)]]));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('of sorting: stable, NaN last, both directions, short and long', () => {
    const lengths = [0, 1, 2, 3, 7, 65, 1025, 1500, 1536];
    fc.assert(
      fc.property(
        fc.constantFrom<DType>('f32', 'i32', 'u32', 'bool'),
        fc.constantFrom(...lengths),
        fc.integer({ min: 1, max: 2 }),
        fc.boolean(),
        fc.boolean(),
        picks,
        (dtype, n, lines, first, descending, p) => {
          const shape = first ? [n, lines] : [lines, n];
          const x = leaf({ shape, dtype });
          const list = Array.from({ length: n * lines }, (_, i) => VALUES[p[(i * 7) % 40]!]! + (i % 13));
          same(argsort(x, first ? 0 : 1, descending), new Map([[x as Node, arrayOf(dtype, list)]]));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('of scattering: repeated, missing and out-of-range places', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SCATTER_FNS),
        fc.constantFrom<DType>('f32', 'i32', 'u32', 'bool'),
        shapes,
        fc.nat(2),
        fc.nat(4),
        fc.nat(1),
        picks,
        (fn, dtype, shape, at, count, less, p) => {
          if (fn === 'add' && dtype === 'bool') return;
          const axis = at % shape.length;
          const shapeOfIndex = shape.map((d, i) => (i === axis ? count : Math.max(0, d - less)));
          const [x, index, updates] = [
            leaf({ shape, dtype }),
            leaf({ shape: shapeOfIndex, dtype: 'i32' }),
            leaf({ shape: shapeOfIndex, dtype }),
          ];
          const values = (n: number, from: number): number[] =>
            Array.from({ length: n }, (_, i) => VALUES[p[(i + from) % 40]!]!);
          const places = Array.from(
            { length: sizeOf(shapeOfIndex) },
            (_, i) => (p[(i * 3) % 40]! % (shape[axis]! + 2)) - 1,
          );
          same(
            scatter(fn, x, index, updates, axis),
            new Map<Node, TypedArray>([
              [x, arrayOf(dtype, values(sizeOf(shape), 0))],
              [index, Int32Array.from(places)],
              [updates, arrayOf(dtype, values(sizeOf(shapeOfIndex), 11))],
            ]),
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});

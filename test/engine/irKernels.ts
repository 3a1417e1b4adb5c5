/** Small kernels of the IR. */
import type { ContractionKernel, Expr, Index, IndexVar, LoopKernel, Result } from '../../kernels/ir.js';

export const at = (v: IndexVar): Index => ({ kind: 'var', v });
const scaled = (v: IndexVar, b: number, w: IndexVar): Index => ({
  kind: 'add',
  a: { kind: 'mul', a: at(v), b },
  b: at(w),
});
export const load = (buffer: number, index: Index): Expr => ({
  kind: 'load',
  dtype: 'f32',
  buffer,
  index,
  clamp: false,
});
const f32 = (value: number): Expr => ({ kind: 'const', dtype: 'f32', value });
const binary = (fn: 'add' | 'mul' | 'max', a: Expr, b: Expr): Expr => ({ kind: 'binary', dtype: 'f32', fn, a, b });

/** Per row r: s = sum of squares; out = max(s, -0) * (1 + p0), but 7 in the last column. 2 x 3. */
export function guardedNorm(): LoopKernel {
  const r: IndexVar = { name: 'r', extent: 2 };
  const c: IndexVar = { name: 'c', extent: 3 };
  const sum: Result = { name: 's', dtype: 'f32' };
  const square = binary('mul', load(0, scaled(r, 3, c)), load(0, scaled(r, 3, c)));
  const total: Expr = { kind: 'result', dtype: 'f32', of: sum };
  const shared = binary('max', total, f32(-0));
  return {
    kind: 'loop',
    name: 'norm',
    buffers: [
      { dtype: 'f32', length: 6, access: 'read' },
      { dtype: 'f32', length: 6, access: 'write' },
    ],
    params: ['f32'],
    flops: 12,
    segments: [
      {
        parallel: [r],
        body: [
          { kind: 'reduce', vars: [c], terms: [{ fn: 'sum', value: square, result: sum }] },
          {
            kind: 'loop',
            vars: [c],
            body: [
              {
                kind: 'store',
                buffer: 1,
                index: scaled(r, 3, c),
                value: {
                  kind: 'guard',
                  dtype: 'f32',
                  conds: [{ kind: 'lt', a: at(c), b: { kind: 'const', value: 2 } }],
                  value: binary('add', shared, binary('mul', shared, { kind: 'param', dtype: 'f32', slot: 0 })),
                  otherwise: 7,
                },
              },
            ],
          },
        ],
      },
    ],
  };
}

/** Minus a 4 x 6 times a 6 x 5 matrix. */
export function negatedProduct(): ContractionKernel {
  const [batch, m, n, k] = [1, 4, 5, 6].map((extent, i) => ({ name: ['batch', 'm', 'n', 'k'][i], extent }));
  const acc: Result = { name: 'acc', dtype: 'f32' };
  return {
    kind: 'contraction',
    name: 'matmul',
    buffers: [24, 30, 20].map((length, i) => ({ dtype: 'f32', length, access: i < 2 ? 'read' : 'write' })),
    params: [],
    flops: 240,
    batch,
    m,
    n,
    k,
    dtype: 'f32',
    a: load(0, scaled(m, 6, k)),
    b: load(1, scaled(k, 5, n)),
    acc,
    epilogue: [
      {
        kind: 'store',
        buffer: 2,
        index: scaled(m, 5, n),
        value: { kind: 'unary', dtype: 'f32', fn: 'neg', x: { kind: 'result', dtype: 'f32', of: acc } },
      },
    ],
  };
}

/** Two segments that share one launch: out0 = x + 1, and a copy of an empty buffer that is not bound. */
export function withEmptySegment(length: number): LoopKernel {
  const i: IndexVar = { name: 'i', extent: length };
  const none: IndexVar = { name: 'none', extent: 0 };
  return {
    kind: 'loop',
    name: 'with_empty',
    buffers: [0, length, 0, length].map((elements, b) => ({
      dtype: 'f32',
      length: elements,
      access: b < 2 ? 'read' : 'write',
    })),
    params: ['f32'],
    flops: length,
    segments: [
      { parallel: [none], body: [{ kind: 'store', buffer: 2, index: at(none), value: load(0, at(none)) }] },
      {
        parallel: [i],
        body: [
          {
            kind: 'store',
            buffer: 3,
            index: at(i),
            value: binary('add', load(1, at(i)), { kind: 'param', dtype: 'f32', slot: 0 }),
          },
        ],
      },
    ],
  };
}

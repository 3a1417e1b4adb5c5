/** Short constructors of kernel IR for tests. */
import type { Cond, Expr, Index, IndexVar, LoopKernel, ReduceTerm, Result, Segment, Stmt } from '../../kernels/ir.js';
import type { BinaryFn, ReduceFn, UnaryFn, WordDType } from '../../src/graph/index.js';

export const variable = (name: string, extent: number): IndexVar => ({ name, extent });
export const iv = (v: IndexVar): Index => ({ kind: 'var', v });
export const ic = (value: number): Index => ({ kind: 'const', value });
export const iadd = (a: Index, b: Index | number): Index => ({ kind: 'add', a, b: typeof b === 'number' ? ic(b) : b });
export const isub = (a: Index, b: Index | number): Index => ({ kind: 'sub', a, b: typeof b === 'number' ? ic(b) : b });
export const imul = (a: Index, b: number): Index => ({ kind: 'mul', a, b });
export const idiv = (a: Index, b: number): Index => ({ kind: 'div', a, b });
export const imod = (a: Index, b: number): Index => ({ kind: 'mod', a, b });
export const ivalue = (expr: Expr): Index => ({ kind: 'value', expr });

/** Row-major index of variables. */
export function rowMajor(...vars: IndexVar[]): Index {
  let index: Index = ic(0);
  for (const v of vars) index = iadd(imul(index, v.extent), iv(v));
  return index;
}

export const lt = (a: Index, b: number): Cond => ({ kind: 'lt', a, b: ic(b) });
export const ge = (a: Index, b: number): Cond => ({ kind: 'ge', a, b: ic(b) });

export const num = (value: number, dtype: WordDType = 'f32'): Expr => ({ kind: 'const', dtype, value });
export const param = (slot: number, dtype: WordDType = 'f32'): Expr => ({ kind: 'param', dtype, slot });
export const load = (buffer: number, index: Index, dtype: WordDType = 'f32', clamp = false): Expr => ({
  kind: 'load',
  dtype,
  buffer,
  index,
  clamp,
});
export const un = (fn: UnaryFn, x: Expr, dtype: WordDType = x.dtype): Expr => ({ kind: 'unary', dtype, fn, x });
const GIVES_BOOL = new Set<BinaryFn>(['eq', 'ne', 'lt', 'le']);
export const bin = (fn: BinaryFn, a: Expr, b: Expr): Expr => ({
  kind: 'binary',
  dtype: GIVES_BOOL.has(fn) ? 'bool' : a.dtype,
  fn,
  a,
  b,
});
export const guard = (conds: Cond[], value: Expr, otherwise: number): Expr => ({
  kind: 'guard',
  dtype: value.dtype,
  conds,
  value,
  otherwise,
});
export const choose = (conds: Cond[], a: Expr, b: Expr): Expr => ({ kind: 'choose', dtype: a.dtype, conds, a, b });
export const castTo = (x: Expr, dtype: WordDType): Expr => ({ kind: 'cast', dtype, x });
export const indexAs = (index: Index, dtype: 'i32' | 'u32' = 'i32'): Expr => ({ kind: 'index', dtype, index });
export const where = (cond: Expr, a: Expr, b: Expr): Expr => ({ kind: 'where', dtype: a.dtype, cond, a, b });
export const resultOf = (of: Result): Expr => ({ kind: 'result', dtype: of.dtype, of });

export const store = (buffer: number, index: Index, value: Expr) => ({ kind: 'store' as const, buffer, index, value });
export const term = (fn: ReduceFn, value: Expr, name: string = fn): ReduceTerm => ({
  fn,
  value,
  result: { name, dtype: fn.startsWith('arg') ? 'i32' : value.dtype },
});
export const reduce = (vars: IndexVar[], ...terms: ReduceTerm[]): Stmt => ({ kind: 'reduce', vars, terms });
export const forEach = (vars: IndexVar[], ...body: ReturnType<typeof store>[]): Stmt => ({ kind: 'loop', vars, body });

type Buffers = readonly (readonly [dtype: WordDType, length: number, access?: 'read' | 'write' | 'readwrite'])[];

export function kernelOf(buffers: Buffers, segments: Segment[], params: WordDType[] = []): LoopKernel {
  return {
    kind: 'loop',
    name: 'test',
    buffers: buffers.map(([dtype, length, access = 'read']) => ({ dtype, length, access })),
    params,
    flops: 0,
    segments,
  };
}

import type { BinaryFn, UnaryFn, WordDType } from '../../src/graph/index.js';
import type { Expr, FoldStmt, ForStmt, Index, IndexVar, Range, Result, RoutineStmt } from '../ir.js';

export type { Expr } from '../ir.js';

/** A number, a variable, or an index made of them. */
export type IndexLike = number | Index | IndexVar;

const indexOf = (x: IndexLike): Index => {
  if (typeof x === 'number') return { kind: 'const', value: x };
  return 'kind' in x ? x : { kind: 'var', v: x };
};

export function plus(x: IndexLike, y: IndexLike): Index {
  const [a, b] = [indexOf(x), indexOf(y)];
  if (a.kind === 'const') return b.kind === 'const' ? indexOf(a.value + b.value) : a.value === 0 ? b : plus(b, a);
  return b.kind === 'const' && b.value === 0 ? a : { kind: 'add', a, b };
}
export const minus = (x: IndexLike, y: IndexLike): Index => ({ kind: 'sub', a: indexOf(x), b: indexOf(y) });
export function times(x: IndexLike, factor: number): Index {
  const a = indexOf(x);
  if (a.kind === 'const') return indexOf(a.value * factor);
  return factor === 1 ? a : { kind: 'mul', a, b: factor };
}
export const modulo = (x: IndexLike, by: number): Index => ({ kind: 'mod', a: indexOf(x), b: by });
export const quotient = (x: IndexLike, by: number): Index =>
  by === 1 ? indexOf(x) : { kind: 'div', a: indexOf(x), b: by };
/** An index from memory. */
export const indexFrom = (expr: Expr): Index => ({ kind: 'value', expr });

export const number = (value: number, dtype: WordDType = 'f32'): Expr => ({ kind: 'const', dtype, value });
/** The same bits as u32. */
export const natural = (x: IndexLike): Expr => ({ kind: 'index', dtype: 'u32', index: indexOf(x) });
export const integer = (x: IndexLike): Expr => ({ kind: 'index', dtype: 'i32', index: indexOf(x) });
export const castTo = (dtype: WordDType, x: Expr): Expr => (x.dtype === dtype ? x : { kind: 'cast', dtype, x });
export const toFloat = (x: Expr): Expr => castTo('f32', x);
/** The bits of an f32, as u32. */
export const bitsOf = (x: Expr): Expr => ({ kind: 'cast', dtype: 'u32', x, via: 'f32' });

const unary =
  (fn: UnaryFn) =>
  (x: Expr): Expr => ({ kind: 'unary', dtype: x.dtype, fn, x });
export const abs = unary('abs');
export const sqrt = unary('sqrt');
export const neg = unary('neg');
export const not = unary('logicalNot');
export const isnan = (x: Expr): Expr => ({ kind: 'unary', dtype: 'bool', fn: 'isnan', x });

const binary =
  (fn: BinaryFn) =>
  (a: Expr, b: Expr): Expr => ({ kind: 'binary', dtype: a.dtype, fn, a, b });
export const add = binary('add');
export const sub = binary('sub');
export const mul = binary('mul');
export const div = binary('div');
export const or = binary('or');
export const xor = binary('xor');
export const max = binary('max');
export const min = binary('min');
const comparison =
  (fn: BinaryFn) =>
  (a: Expr, b: Expr): Expr => ({ kind: 'binary', dtype: 'bool', fn, a, b });
export const lt = comparison('lt');
export const le = comparison('le');
export const eq = comparison('eq');
export const where = (cond: Expr, a: Expr, b: Expr): Expr => ({ kind: 'where', dtype: a.dtype, cond, a, b });

/** Elements of a buffer, from `start` on: element (i, j) lies at i * ofRow + j * ofColumn. */
export class Matrix {
  constructor(
    private readonly program: Program,
    private readonly buffer: number,
    private readonly start: Index,
    private readonly ofRow: number,
    private readonly ofColumn = 1,
  ) {}

  #index = (i: IndexLike, j: IndexLike): Index => plus(this.start, plus(times(i, this.ofRow), times(j, this.ofColumn)));

  get transposed(): Matrix {
    return new Matrix(this.program, this.buffer, this.start, this.ofColumn, this.ofRow);
  }

  at(i: IndexLike, j: IndexLike): Expr {
    return { kind: 'load', dtype: 'f32', buffer: this.buffer, index: this.#index(i, j), clamp: false };
  }

  set(i: IndexLike, j: IndexLike, value: Expr): void {
    this.program.push({ kind: 'store', buffer: this.buffer, index: this.#index(i, j), value });
  }
}

/** Elements of one column, by their place in it. */
export interface Elements {
  at(i: IndexLike): Expr;
  set(i: IndexLike, value: Expr): void;
}

/** Elements of a buffer: number i lies at start + i * step. */
export class Column implements Elements {
  constructor(
    private readonly program: Program,
    private readonly buffer: number,
    private readonly dtype: WordDType,
    private readonly start: Index,
    private readonly step: number,
  ) {}

  #index = (i: IndexLike): Index => plus(this.start, times(i, this.step));

  at(i: IndexLike): Expr {
    return { kind: 'load', dtype: this.dtype, buffer: this.buffer, index: this.#index(i), clamp: false };
  }

  set(i: IndexLike, value: Expr): void {
    this.program.push({ kind: 'store', buffer: this.buffer, index: this.#index(i), value });
  }
}

type Bounds = readonly [from: IndexLike, to: IndexLike];
type Body = (...vars: IndexVar[]) => void;

/** Writes the body of a routine, statement by statement; loops take their bodies as functions of their variables. */
export class Program {
  #body: RoutineStmt[] = [];

  /** @param extent at least the largest value that any loop variable reaches, plus one */
  constructor(private readonly extent: number) {}

  get body(): readonly RoutineStmt[] {
    return this.#body;
  }

  push(statement: RoutineStmt): void {
    this.#body.push(statement);
  }

  #inside(body: () => void): RoutineStmt[] {
    const outside = this.#body;
    const inside: RoutineStmt[] = [];
    this.#body = inside;
    body();
    this.#body = outside;
    return inside;
  }

  #range([from, to]: Bounds, name: string): Range {
    return { v: { name, extent: this.extent }, from: indexOf(from), to: indexOf(to) };
  }

  #for(order: ForStmt['order'], bounds: readonly Bounds[], body: Body): void {
    const ranges = bounds.map((b, i) => this.#range(b, 'ij'[i]!));
    this.push({ kind: 'for', order, ranges, body: this.#inside(() => body(...ranges.map(({ v }) => v))) });
  }

  serial(from: IndexLike, to: IndexLike, body: (v: IndexVar) => void): void {
    this.#for('serial', [[from, to]], body as Body);
  }

  independent(from: IndexLike, to: IndexLike, body: (v: IndexVar) => void): void {
    this.#for('independent', [[from, to]], body as Body);
  }

  lanes(from: IndexLike, to: IndexLike, body: (v: IndexVar) => void): void {
    this.#for('lanes', [[from, to]], body as Body);
  }

  /** All pairs of two ranges; neighbours along the second one should lie side by side in memory. */
  lanes2(rows: Bounds, columns: Bounds, body: (i: IndexVar, j: IndexVar) => void): void {
    this.#for('lanes', [rows, columns], body as Body);
  }

  /** One lane. */
  once(body: () => void): void {
    this.lanes(0, 1, body);
  }

  if(condition: Expr, body: () => void): void {
    this.push({ kind: 'if', condition, body: this.#inside(body) });
  }

  let(name: string, value: Expr): Expr & { readonly kind: 'result' } {
    const local: Result = { name, dtype: value.dtype };
    this.push({ kind: 'let', local, value });
    return { kind: 'result', dtype: local.dtype, of: local };
  }

  assign({ of }: Expr & { readonly kind: 'result' }, value: Expr): void {
    this.push({ kind: 'assign', local: of, value });
  }

  /** Sums or maxima of several values over one range. */
  fold(fn: 'sum' | 'max', from: IndexLike, to: IndexLike, values: (v: IndexVar) => readonly Expr[]): Expr[] {
    const range = this.#range([from, to], 'k');
    const terms = values(range.v).map((value, i): FoldStmt['terms'][number] => {
      return { fn, value, result: { name: `${fn}${i}`, dtype: 'f32' } };
    });
    this.push({ kind: 'fold', range, terms });
    return terms.map(({ result }) => ({ kind: 'result', dtype: 'f32', of: result }));
  }

  sum(from: IndexLike, to: IndexLike, value: (v: IndexVar) => Expr): Expr {
    return this.fold('sum', from, to, (v) => [value(v)])[0]!;
  }
}

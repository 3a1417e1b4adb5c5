import type { BinaryFn, PackedDType, ReduceFn, UnaryFn, WordDType } from '../src/graph/index.js';

/**
 * The kernel IR: a typed loop nest that every kernel engine renders (WGSL, WebAssembly). Nothing in it belongs to one engine:
 * how parallel points map to threads, vectors or workgroups is the renderer's schedule, never part of the kernel.
 */

/** A loop variable: u32 values 0 .. extent - 1. Compared by identity. */
export interface IndexVar {
  readonly name: string;
  readonly extent: number;
}

/**
 * u32 index arithmetic. `mul`, `div` and `mod` have a constant right side, div and mod a non-zero one. `sub` may wrap below zero:
 * a wrapped index only ever stands under a guard that is then false.
 */
export type Index =
  | { readonly kind: 'const'; readonly value: number }
  | { readonly kind: 'var'; readonly v: IndexVar }
  | { readonly kind: 'add' | 'sub'; readonly a: Index; readonly b: Index }
  | { readonly kind: 'mul' | 'div' | 'mod'; readonly a: Index; readonly b: number }
  /** A computed i32 or u32 value taken as u32 (a negative one wraps to a large number, which a guard refuses). */
  | { readonly kind: 'value'; readonly expr: Expr };

/** A condition on indices, compared as u32. */
export interface Cond {
  readonly kind: 'lt' | 'ge' | 'eq';
  readonly a: Index;
  readonly b: Index;
}

/** Scalar expressions; a DAG shared by object identity. */
export type Expr =
  | { readonly kind: 'const'; readonly dtype: WordDType; readonly value: number }
  /** Runtime scalar number `slot` of the kernel's params. */
  | { readonly kind: 'param'; readonly dtype: WordDType; readonly slot: number }
  | { readonly kind: 'index'; readonly dtype: 'i32' | 'u32'; readonly index: Index }
  /** Element `index` of buffer number `buffer`. `clamp` where the index may be out of range (under a false guard): it must not fault. */
  | {
      readonly kind: 'load';
      readonly dtype: WordDType;
      readonly buffer: number;
      readonly index: Index;
      readonly clamp: boolean;
    }
  /** `value` where all conditions hold, else the constant `otherwise`. */
  | {
      readonly kind: 'guard';
      readonly dtype: WordDType;
      readonly conds: readonly Cond[];
      readonly value: Expr;
      readonly otherwise: number;
    }
  /** `a` where all conditions hold, else `b` (pieces of a concatenation). */
  | {
      readonly kind: 'choose';
      readonly dtype: WordDType;
      readonly conds: readonly Cond[];
      readonly a: Expr;
      readonly b: Expr;
    }
  | { readonly kind: 'unary'; readonly dtype: WordDType; readonly fn: UnaryFn; readonly x: Expr }
  | { readonly kind: 'binary'; readonly dtype: WordDType; readonly fn: BinaryFn; readonly a: Expr; readonly b: Expr }
  | { readonly kind: 'where'; readonly dtype: WordDType; readonly cond: Expr; readonly a: Expr; readonly b: Expr }
  /**
   * `via` a packed dtype: f32 to f32 rounds to f16, f32 to u32 gives the bits of that, and u32 to f32 the number of the low bits; i32 to i32 wraps
   * to i8 or u8. `via` f32: f32 to u32 gives the bits.
   */
  | { readonly kind: 'cast'; readonly dtype: WordDType; readonly x: Expr; readonly via?: PackedDType | 'f32' }
  /** First word of threefry2x32 (20 rounds) with the key (key0, key1) and the counter words (counter, 0). */
  | {
      readonly kind: 'threefry';
      readonly dtype: 'u32';
      readonly key0: Expr;
      readonly key1: Expr;
      readonly counter: Index;
    }
  /** The result of a reduction term or of a contraction, by identity of its `Result`. */
  | { readonly kind: 'result'; readonly dtype: WordDType; readonly of: Result };

/** A value computed by an enclosing statement (a reduction, the accumulator of a contraction). */
export interface Result {
  readonly name: string;
  readonly dtype: WordDType;
}

export interface ReduceTerm {
  readonly fn: ReduceFn;
  /** Evaluated at every point of the reduction's variables. */
  readonly value: Expr;
  /** dtype: the value's, or i32 for argmax and argmin. */
  readonly result: Result;
}

/** The values of neighbouring stores are all computed before the first of them is stored: one may overwrite what another reads. */
export interface StoreStmt {
  readonly kind: 'store';
  readonly buffer: number;
  readonly index: Index;
  readonly value: Expr;
}

/** Reduces all terms over the cross product of `vars` in row-major order (argmax and argmin have one variable). An empty one gives the identities. */
export interface ReduceStmt {
  readonly kind: 'reduce';
  readonly vars: readonly IndexVar[];
  readonly terms: readonly ReduceTerm[];
}

/** Independent iterations: they only store. */
export interface LoopStmt {
  readonly kind: 'loop';
  readonly vars: readonly IndexVar[];
  readonly body: readonly StoreStmt[];
}

export type Stmt = StoreStmt | ReduceStmt | LoopStmt;

/** Independent points; at each, the statements run in order. Empty where some extent is 0. */
export interface Segment {
  readonly parallel: readonly IndexVar[];
  readonly body: readonly Stmt[];
}

export interface BufferSpec {
  /** u32 for packed dtypes: loads and stores take them apart and put them together. */
  readonly dtype: WordDType;
  /** 32-bit words. */
  readonly length: number;
  readonly access: 'read' | 'write' | 'readwrite';
}

interface KernelBase {
  /** For reports and debug output, e.g. `add_mul_sum`. */
  readonly name: string;
  /** Distinct storage; no two overlap. A `readwrite` buffer is read and written at equal indices of one point only (but see routines). */
  readonly buffers: readonly BufferSpec[];
  /** dtypes of the runtime scalars. */
  readonly params: readonly WordDType[];
  /** Floating-point operations of one run, for reports. */
  readonly flops: number;
}

/** Fused elementwise, reduction and row kernels; several segments are independent of each other and share one launch. */
export interface LoopKernel extends KernelBase {
  readonly kind: 'loop';
  readonly segments: readonly Segment[];
}

/**
 * acc(batch, m, n) = sum over k of a(batch, m, k) * b(batch, k, n); then the epilogue's stores run at every (batch, m, n).
 * `dot` and `conv` both lower to it (conv as implicit GEMM: its operand expressions do the index arithmetic).
 */
export interface ContractionKernel extends KernelBase {
  readonly kind: 'contraction';
  readonly batch: IndexVar;
  readonly m: IndexVar;
  readonly n: IndexVar;
  readonly k: IndexVar;
  readonly dtype: WordDType;
  readonly a: Expr;
  readonly b: Expr;
  readonly acc: Result;
  readonly epilogue: readonly StoreStmt[];
  /**
   * How an element of `a` and one of `b` meet, where that is not as a product: as the sum of the products of their four bytes, signed or not. The
   * operands are u32 then, the sums i32. Only renderers make such kernels, for devices that have the function.
   */
  readonly meet?: 'dot4I8' | 'dot4U8';
}

/** v = from, from + 1, … below `to`; from <= to <= v.extent. */
export interface Range {
  readonly v: IndexVar;
  readonly from: Index;
  readonly to: Index;
}

/**
 * A loop of a routine. `serial`: iterations in order. `independent`: in any order, also several at once, by whoever runs the statement.
 * `lanes`: independent ones over all ranges, spread over the lanes that work on one matrix; when the statement after it starts, all of them
 * are done. Loops of lanes stand in serial loops or outermost: their ranges, and those of the loops around them, use no value from memory.
 */
export interface ForStmt {
  readonly kind: 'for';
  readonly order: 'serial' | 'independent' | 'lanes';
  /** One or, for lanes, also two. */
  readonly ranges: readonly Range[];
  readonly body: readonly RoutineStmt[];
}

/** A new variable (`let`), or another value of one (`assign`: not of one from outside of an independent loop). */
export interface LocalStmt {
  readonly kind: 'let' | 'assign';
  readonly local: Result;
  readonly value: Expr;
}

/** New variables: sums and maxima of f32 values over a range (0 and -inf where it is empty). The order of summation is the engine's. */
export interface FoldStmt {
  readonly kind: 'fold';
  readonly range: Range;
  readonly terms: readonly (ReduceTerm & { readonly fn: 'sum' | 'max' })[];
}

/** Holds no loop of lanes. */
export interface IfStmt {
  readonly kind: 'if';
  readonly condition: Expr;
  readonly body: readonly RoutineStmt[];
}

/** Where lanes share an instance, stores stand in loops of lanes; all else outside of them is done alike by every lane. */
export type RoutineStmt = StoreStmt | ForStmt | LocalStmt | FoldStmt | IfStmt;

/**
 * An imperative program that is run for each matrix of a batch, on its own. Expressions are made of constants, indices, loads, unary and
 * binary functions, `where`, casts and variables (`result`). A buffer that is written may be read too, where it was written before.
 *
 * With `column` it is run for each column of each matrix, by one thread without lanes; it touches no memory that another column writes.
 * Neighbouring columns should lie side by side in memory.
 */
export interface RoutineKernel extends KernelBase {
  readonly kind: 'routine';
  readonly batch: IndexVar;
  readonly column?: IndexVar;
  readonly body: readonly RoutineStmt[];
}

export type Kernel = LoopKernel | ContractionKernel | RoutineKernel;

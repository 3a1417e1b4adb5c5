/** What kernels cost on a CPU, roughly, and how their accesses walk through memory. */
import type { Expr, Index, IndexVar, LoopStmt, ReduceStmt, ReduceTerm, Result, StoreStmt } from '../../ir.js';
import { binaryFns, casts, type Num, type NumericFn, threefry, unaryFns } from '../../numerics/index.js';
import { type Affine, affine } from '../affine.js';
import { childrenOf, exprsOfIndex } from '../uses.js';

/** A reduction as this renderer rewrites them. */
export interface ReducePass extends ReduceStmt {
  readonly terms: readonly ReducePassTerm[];
  /** Values on the way that are stored. */
  readonly stores?: readonly StoreStmt[];
  /** What argmax and argmin give, where it is not the variable itself. */
  readonly at?: Index;
}

export interface ReducePassTerm extends ReduceTerm {
  /** The value that an argmax or argmin found. */
  readonly best?: Result;
}

export type Statement = StoreStmt | ReducePass | LoopStmt;

export interface WasmSegment {
  readonly parallel: readonly IndexVar[];
  readonly body: readonly Statement[];
  /** Variables of the body in terms of the parallel ones and those of loops. */
  readonly indices?: ReadonlyMap<IndexVar, Index>;
}

const weights = new WeakMap<NumericFn, number>();

/** Vector instructions of a function, slow ones counted more than once. */
function weightOf(fn: NumericFn): number {
  let weight = weights.get(fn);
  if (weight !== undefined) return weight;
  weight = 0;
  const seen = new Set<object>();
  const stack: Num[] = [fn.body];
  while (stack.length > 0) {
    const num = stack.pop()!;
    if (seen.has(num)) continue;
    seen.add(num);
    if (num.kind === 'call') weight += weightOf(num.fn);
    if (num.kind === 'op') {
      const integer = num.args[0]!.type !== 'f32';
      const slow = num.op === 'div' || num.op === 'rem' || num.op === 'sqrt';
      weight += num.op.startsWith('bits') ? 0 : slow ? (integer ? 20 : 5) : 1;
    }
    if (num.kind === 'op' || num.kind === 'call') stack.push(...num.args);
    // Loops are mostly for rare arguments.
    if (num.kind === 'after') stack.push(...num.loop.init);
  }
  weights.set(fn, weight);
  return weight;
}

function ownWeight(expr: Expr): number {
  switch (expr.kind) {
    case 'unary':
      return weightOf(unaryFns[expr.fn][expr.x.dtype]!);
    case 'binary':
      return expr.a.dtype === 'f32' && (expr.fn === 'max' || expr.fn === 'min')
        ? 8
        : weightOf(binaryFns[expr.fn][expr.a.dtype]!);
    case 'cast':
      return weightOf(casts[expr.x.dtype][expr.dtype]);
    case 'threefry':
      return weightOf(threefry);
    case 'guard':
    case 'choose':
      return 2 + expr.conds.length;
    case 'where':
      return 2;
    default:
      return 0;
  }
}

/** All expressions below some, each once, those inside of indices included. */
export function exprsBelow(roots: readonly Expr[]): Expr[] {
  const seen = new Set<Expr>();
  const stack = [...roots];
  while (stack.length > 0) {
    const expr = stack.pop()!;
    if (seen.has(expr)) continue;
    seen.add(expr);
    stack.push(...childrenOf(expr));
  }
  return [...seen];
}

export const weightBelow = (roots: readonly Expr[]): number =>
  exprsBelow(roots).reduce((sum, expr) => sum + ownWeight(expr), 0);

/** Everything that a statement computes at its points. */
export function rootsOfStatement(statement: Statement): Expr[] {
  const ofStores = (stores: readonly StoreStmt[]) =>
    stores.flatMap(({ index, value }) => [...exprsOfIndex(index), value]);
  if (statement.kind === 'store') return ofStores([statement]);
  if (statement.kind === 'loop') return ofStores(statement.body);
  return [...statement.terms.map(({ value }) => value), ...ofStores(statement.stores ?? [])];
}

/** The indices that a statement loads from and stores to. */
export function accessesOf(statement: Statement): Index[] {
  const loads = exprsBelow(rootsOfStatement(statement)).flatMap((expr) => (expr.kind === 'load' ? [expr.index] : []));
  if (statement.kind === 'store') return [...loads, statement.index];
  const stores = statement.kind === 'loop' ? statement.body : (statement.stores ?? []);
  return [...loads, ...stores.map(({ index }) => index)];
}

/** How an access moves from one value of a variable to the next: by a constant, or in some other way (null). */
function stepOf(form: Affine, lane: IndexVar): number | null {
  let step = 0;
  for (const { atom, coefficient } of form.terms) {
    if (atom.kind === 'var') step += atom.v === lane ? coefficient : 0;
    else if (atom.kind === 'value') {
      // Whether a computed index moves would take looking inside; most come from memory next to each other.
      return null;
    } else if (stepOf(atom.a, lane) !== 0) return null;
  }
  return step;
}

/** How an access moves from one value of `v` to the next three, where `indices` give other variables in terms of it. */
export function accessStep(access: Index, v: IndexVar, indices: ReadonlyMap<IndexVar, Index>): number | null {
  const quad: IndexVar = { name: 'quad', extent: Math.max(Math.floor(v.extent / 4), 2) };
  const lane: IndexVar = { name: 'lane', extent: 4 };
  const first: Index = { kind: 'mul', a: { kind: 'var', v: quad }, b: 4 };
  const value: Index = { kind: 'add', a: first, b: { kind: 'var', v: lane } };
  return stepOf(
    affine(access, (other) => (other === v ? value : indices.get(other))),
    lane,
  );
}

/** Instructions for a vector of accesses along `v`: few where neighbours in v are neighbours in memory. */
export function accessWeight(accesses: readonly Index[], v: IndexVar, indices: ReadonlyMap<IndexVar, Index>): number {
  return accesses.reduce((sum, access) => {
    const step = accessStep(access, v, indices);
    return sum + (step === null ? 12 : step === 0 ? 0.5 : Math.abs(step) === 1 ? 1 : step === 2 ? 3 : 6);
  }, 0);
}

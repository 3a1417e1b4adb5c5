/** What kernels cost on a CPU, roughly, and how their accesses walk through memory. */
import type { Expr, Index, IndexVar, LoopStmt, ReduceStmt, ReduceTerm, Result, StoreStmt } from '../../ir.js';
import { binaryFns, castFn, type Num, type NumericFn, threefry, unaryFns } from '../../numerics/index.js';
import { type Affine, affine } from '../affine.js';
import { countUses, loadsBelow, rootsOf } from '../uses.js';
import { indexVar, plus, times, variable } from './indexTerms.js';

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
      return weightOf(castFn(expr));
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
export const exprsBelow = (roots: readonly Expr[]): Expr[] => [...countUses(roots).keys()];

export const weightBelow = (roots: readonly Expr[]): number =>
  exprsBelow(roots).reduce((sum, expr) => sum + ownWeight(expr), 0);

export function storesOf(statement: Statement): readonly StoreStmt[] {
  if (statement.kind === 'store') return [statement];
  return statement.kind === 'loop' ? statement.body : (statement.stores ?? []);
}

/** Everything that a statement computes at its points. */
export const rootsOfStatement = (statement: Statement): Expr[] =>
  rootsOf(statement.kind === 'reduce' ? [statement, ...storesOf(statement)] : [statement]);

/** The indices that a statement loads from and stores to. */
export const accessesOf = (statement: Statement): Index[] =>
  [...loadsBelow(rootsOfStatement(statement)), ...storesOf(statement)].map(({ index }) => index);

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
  const quad = indexVar('quad', Math.max(Math.floor(v.extent / 4), 2));
  const lane = indexVar('lane', 4);
  const value = plus(times(variable(quad), 4), variable(lane));
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

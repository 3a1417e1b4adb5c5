import type { Expr, Index, IndexVar, Range, Result, RoutineStmt } from '../../ir.js';
import { childrenOf, exprsOfIndex, loadsBelow } from '../uses.js';

/** index = coefficient * v + rest. */
export interface Split {
  readonly coefficient: number;
  readonly rest: Index;
}

const ZERO: Index = { kind: 'const', value: 0 };
const isZero = (index: Index): boolean => index.kind === 'const' && index.value === 0;

export function plus(a: Index, b: Index): Index {
  if (isZero(a)) return b;
  return isZero(b) ? a : { kind: 'add', a, b };
}

/** Takes a variable out of an index; null where the index is no multiple of it plus something else. */
export function splitIndex(index: Index, v: IndexVar): Split | null {
  switch (index.kind) {
    case 'const':
      return { coefficient: 0, rest: index };
    case 'var':
      return index.v === v ? { coefficient: 1, rest: ZERO } : { coefficient: 0, rest: index };
    case 'add':
    case 'sub': {
      const [a, b] = [splitIndex(index.a, v), splitIndex(index.b, v)];
      if (!a || !b) return null;
      if (index.kind === 'add') return { coefficient: a.coefficient + b.coefficient, rest: plus(a.rest, b.rest) };
      const rest: Index = isZero(b.rest) ? a.rest : { kind: 'sub', a: a.rest, b: b.rest };
      return { coefficient: a.coefficient - b.coefficient, rest };
    }
    case 'mul': {
      const a = splitIndex(index.a, v);
      if (!a) return null;
      const rest: Index = isZero(a.rest) ? ZERO : { kind: 'mul', a: a.rest, b: index.b };
      return { coefficient: a.coefficient * index.b, rest };
    }
    case 'div':
    case 'mod':
      return usesVar(index.a, v) ? null : { coefficient: 0, rest: index };
    case 'value':
      return exprUsesVar(index.expr, v) ? null : { coefficient: 0, rest: index };
  }
}

/** Whether an index depends on a variable, not counting variables of the program. */
export function usesVar(index: Index, v: IndexVar): boolean {
  switch (index.kind) {
    case 'const':
      return false;
    case 'var':
      return index.v === v;
    case 'add':
    case 'sub':
      return usesVar(index.a, v) || usesVar(index.b, v);
    case 'mul':
    case 'div':
    case 'mod':
      return usesVar(index.a, v);
    case 'value':
      return exprUsesVar(index.expr, v);
  }
}

function exprUsesVar(expr: Expr, v: IndexVar): boolean {
  if ((expr.kind === 'index' || expr.kind === 'load') && usesVar(expr.index, v)) return true;
  return childrenOf(expr).some((child) => exprUsesVar(child, v));
}

/** The variables of the program, and whether memory, that an index depends on. */
function sourcesOf(index: Index): { readonly locals: Set<Result>; readonly memory: boolean } {
  const locals = new Set<Result>();
  let memory = false;
  const visit = (expr: Expr): void => {
    if (expr.kind === 'result') locals.add(expr.of);
    if (expr.kind === 'load') memory = true;
    for (const child of childrenOf(expr)) visit(child);
  };
  for (const expr of exprsOfIndex(index)) visit(expr);
  return { locals, memory };
}

/** Whether an index stays the same while statements run that set these variables of the program. */
export function isFixed(index: Index, set: ReadonlySet<Result>): boolean {
  const { locals, memory } = sourcesOf(index);
  return !memory && ![...locals].some((local) => set.has(local));
}

/** The variables of the program that statements set. */
export function setBy(body: readonly RoutineStmt[], into: Set<Result> = new Set()): Set<Result> {
  for (const statement of body) {
    if (statement.kind === 'let' || statement.kind === 'assign') into.add(statement.local);
    if (statement.kind === 'fold') for (const { result } of statement.terms) into.add(result);
    if (statement.kind === 'if' || statement.kind === 'for') setBy(statement.body, into);
  }
  return into;
}

export const hasLoop = (body: readonly RoutineStmt[]): boolean =>
  body.some(
    (statement) =>
      statement.kind === 'for' || statement.kind === 'fold' || (statement.kind === 'if' && hasLoop(statement.body)),
  );

/** Where statements touch memory, those of inner loops included. */
export function accessesOf(body: readonly RoutineStmt[]): { buffer: number; index: Index }[] {
  return body.flatMap((statement) => {
    const loads = loadsBelow(rootsOf(statement)).map(({ buffer, index }) => ({ buffer, index }));
    if (statement.kind === 'store') return [...loads, { buffer: statement.buffer, index: statement.index }];
    return statement.kind === 'if' || statement.kind === 'for' ? [...loads, ...accessesOf(statement.body)] : loads;
  });
}

function rootsOf(statement: RoutineStmt): readonly Expr[] {
  switch (statement.kind) {
    case 'store':
      return [statement.value, ...exprsOfIndex(statement.index)];
    case 'let':
    case 'assign':
      return [statement.value];
    case 'fold':
      return statement.terms.map(({ value }) => value);
    case 'if':
      return [statement.condition];
    case 'for':
      return [];
  }
}

/** The variables of the program whose values may differ between neighbouring values of `v`. */
export function varyingBy(
  v: IndexVar,
  body: readonly RoutineStmt[],
): { varying: Set<Result>; varies: (e: Expr) => boolean } {
  const varying = new Set<Result>();
  const varies = (e: Expr): boolean => {
    if (e.kind === 'result') return varying.has(e.of);
    if ((e.kind === 'index' || e.kind === 'load') && usesVar(e.index, v)) return true;
    return childrenOf(e).some(varies);
  };
  const visit = (statement: RoutineStmt): void => {
    if (statement.kind === 'let' || statement.kind === 'assign') {
      if (varies(statement.value)) varying.add(statement.local);
    } else if (statement.kind === 'fold') for (const { result } of statement.terms) varying.add(result);
    else if (statement.kind === 'if' || statement.kind === 'for') for (const inner of statement.body) visit(inner);
  };
  // What one iteration assigns the next one reads.
  for (let before = -1; before < varying.size; ) {
    before = varying.size;
    for (const statement of body) visit(statement);
  }
  return { varying, varies };
}

/**
 * Whether four neighbouring values of `v` can be taken at once: they read and write elements that lie at most `stride` apart, or read the
 * same one.
 */
export function isVector(v: IndexVar, body: readonly RoutineStmt[], stride = 1): boolean {
  const { varying: set, varies } = varyingBy(v, body);
  const bound = ({ from, to }: Range): boolean =>
    [from, to].every((index) => !usesVar(index, v) && isFixed(index, set));
  const index = (of: Index, most: number, least = 0): boolean => {
    const split = splitIndex(of, v);
    return split !== null && split.coefficient <= most && split.coefficient >= least && isFixed(split.rest, set);
  };
  const expr = (e: Expr): boolean => {
    if (e.kind === 'load') return !e.clamp && index(e.index, stride);
    if (e.kind === 'index') return index(e.index, Number.MAX_SAFE_INTEGER);
    return childrenOf(e).every(expr);
  };
  const fits = (statement: RoutineStmt): boolean => {
    switch (statement.kind) {
      case 'store':
        return index(statement.index, stride, 1) && expr(statement.value);
      case 'let':
      case 'assign':
        return expr(statement.value);
      case 'fold':
        return bound(statement.range) && statement.terms.every(({ value }) => expr(value));
      case 'for':
        return statement.ranges.every(bound) && statement.body.every(fits);
      case 'if':
        return !varies(statement.condition) && expr(statement.condition) && statement.body.every(fits);
    }
  };
  return body.every(fits);
}

/**
 * A program for a range of independent columns at once: only its stores are done for each. Null where it keeps something for each column on
 * the way.
 */
export function overColumns(body: readonly RoutineStmt[], columns: Range): RoutineStmt[] | null {
  const { varying, varies } = varyingBy(columns.v, body);
  const isOne = (index: Index): boolean => !usesVar(index, columns.v) && !exprsOfIndex(index).some(varies);
  const isShared = (statement: RoutineStmt): boolean => {
    if (statement.kind === 'if') return !varies(statement.condition) && statement.body.every(isShared);
    if (statement.kind !== 'for') return true;
    return statement.ranges.every(({ from, to }) => isOne(from) && isOne(to)) && statement.body.every(isShared);
  };
  if (varying.size > 0 || !body.every(isShared)) return null;
  const each = (statement: RoutineStmt): RoutineStmt => {
    if (statement.kind === 'store') return { kind: 'for', order: 'independent', ranges: [columns], body: [statement] };
    if (statement.kind !== 'for' && statement.kind !== 'if') return statement;
    const inner = statement.body.map(each);
    return statement.kind === 'for' ? { ...statement, order: 'serial', body: inner } : { ...statement, body: inner };
  };
  return body.map(each);
}

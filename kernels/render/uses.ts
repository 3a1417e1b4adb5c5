import type { Cond, Expr, Index, Kernel, Stmt, StoreStmt } from '../ir.js';

/** The expressions directly under an expression, those inside of its indices and conditions included. */
export function childrenOf(expr: Expr): Expr[] {
  switch (expr.kind) {
    case 'const':
    case 'param':
    case 'result':
      return [];
    case 'index':
    case 'load':
      return exprsOfIndex(expr.index);
    case 'guard':
      return [...exprsOfConds(expr.conds), expr.value];
    case 'choose':
      return [...exprsOfConds(expr.conds), expr.a, expr.b];
    case 'unary':
    case 'cast':
      return [expr.x];
    case 'binary':
      return [expr.a, expr.b];
    case 'where':
      return [expr.cond, expr.a, expr.b];
    case 'threefry':
      return [expr.key0, expr.key1, ...exprsOfIndex(expr.counter)];
  }
}

const exprsOfConds = (conds: readonly Cond[]): Expr[] =>
  conds.flatMap(({ a, b }) => [...exprsOfIndex(a), ...exprsOfIndex(b)]);

/** The expressions whose values an index uses. */
export function exprsOfIndex(index: Index): Expr[] {
  switch (index.kind) {
    case 'const':
    case 'var':
      return [];
    case 'value':
      return [index.expr];
    case 'add':
    case 'sub':
      return [...exprsOfIndex(index.a), ...exprsOfIndex(index.b)];
    case 'mul':
    case 'div':
    case 'mod':
      return exprsOfIndex(index.a);
  }
}

/** All expressions that statements compute directly. */
export function rootsOf(statements: readonly Stmt[]): Expr[] {
  const ofStore = (store: StoreStmt): Expr[] => [...exprsOfIndex(store.index), store.value];
  return statements.flatMap((statement) => {
    if (statement.kind === 'store') return ofStore(statement);
    return statement.kind === 'reduce' ? statement.terms.map((term) => term.value) : statement.body.flatMap(ofStore);
  });
}

/** All expressions that a kernel computes directly and may share. Those of a routine are computed where they stand. */
export function rootsOfKernel(kernel: Kernel): Expr[] {
  if (kernel.kind === 'routine') return [];
  return kernel.kind === 'loop'
    ? kernel.segments.flatMap((segment) => rootsOf(segment.body))
    : [kernel.a, kernel.b, ...rootsOf(kernel.epilogue)];
}

/** How often each expression below `roots` is used. */
export function countUses(roots: readonly Expr[]): Map<Expr, number> {
  const uses = new Map<Expr, number>();
  const stack = [...roots];
  while (stack.length > 0) {
    const expr = stack.pop()!;
    const before = uses.get(expr) ?? 0;
    uses.set(expr, before + 1);
    if (before === 0) stack.push(...childrenOf(expr));
  }
  return uses;
}

/** `root` and what it is made of, parts before users; parts for which `done` holds are left out. Iterative: expressions may be deep. */
export function partsInOrder(root: Expr, done: (expr: Expr) => boolean): Expr[] {
  const order: Expr[] = [];
  const seen = new Set<Expr>();
  const stack: { expr: Expr; children: Expr[] }[] = [];
  const enter = (expr: Expr) => {
    if (seen.has(expr) || done(expr)) return;
    seen.add(expr);
    stack.push({ expr, children: childrenOf(expr) });
  };
  enter(root);
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const child = top.children.shift();
    if (child) enter(child);
    else order.push(stack.pop()!.expr);
  }
  return order;
}

/** The indices that an expression itself holds. */
export function indicesIn(expr: Expr): Index[] {
  switch (expr.kind) {
    case 'index':
    case 'load':
      return [expr.index];
    case 'threefry':
      return [expr.counter];
    case 'guard':
    case 'choose':
      return expr.conds.flatMap(({ a, b }) => [a, b]);
    default:
      return [];
  }
}

/** All loads below expressions. */
export function loadsBelow(roots: readonly Expr[]): (Expr & { kind: 'load' })[] {
  const loads: (Expr & { kind: 'load' })[] = [];
  for (const expr of countUses(roots).keys()) if (expr.kind === 'load') loads.push(expr);
  return loads;
}

import type { Cond, Expr, Index, IndexVar } from '../ir.js';

/** An index as a sum of `coef * atom` plus a constant; an atom is a variable, a quotient, a remainder or a computed value. */
export interface LinearIndex {
  readonly terms: readonly LinearTerm[];
  readonly c: number;
}

export interface LinearTerm {
  readonly atom: Index;
  readonly coef: number;
}

const varIds = new WeakMap<object, number>();
let nextVarId = 0;

function idOf(object: object): number {
  let id = varIds.get(object);
  if (id === undefined) {
    id = nextVarId++;
    varIds.set(object, id);
  }
  return id;
}

/** Equal for indices of equal structure over the same variables. */
export function indexKey(index: Index): string {
  switch (index.kind) {
    case 'const':
      return `${index.value}`;
    case 'var':
      return `v${idOf(index.v)}`;
    case 'add':
    case 'sub':
      return `(${indexKey(index.a)} ${index.kind} ${indexKey(index.b)})`;
    case 'mul':
    case 'div':
    case 'mod':
      return `(${indexKey(index.a)} ${index.kind} ${index.b})`;
    case 'value':
      return `e${idOf(index.expr)}`;
  }
}

/** Spreads sums, differences and constant factors; u32 wrap-around makes this exact. */
export function linearIndex(index: Index): LinearIndex {
  const terms = new Map<string, { atom: Index; coef: number }>();
  let c = 0;
  const visit = (x: Index, factor: number): void => {
    switch (x.kind) {
      case 'const':
        c += factor * x.value;
        return;
      case 'add':
        visit(x.a, factor);
        visit(x.b, factor);
        return;
      case 'sub':
        visit(x.a, factor);
        visit(x.b, -factor);
        return;
      case 'mul':
        visit(x.a, factor * x.b);
        return;
      default: {
        // A variable of extent 1 is always 0.
        if (x.kind === 'var' && x.v.extent <= 1) return;
        const key = indexKey(x);
        const old = terms.get(key);
        terms.set(key, { atom: x, coef: (old?.coef ?? 0) + factor });
      }
    }
  };
  visit(index, 1);
  return { terms: [...terms.values()].filter((t) => t.coef !== 0), c };
}

/** Constants of `c + strides[0] * vars[0] + strides[1] * vars[1] + …`. */
export interface Affine {
  readonly c: number;
  readonly strides: readonly number[];
}

/** The index as an affine function of `vars`, or null where it is none. */
export function affineIn(index: Index, vars: readonly IndexVar[]): Affine | null {
  const { terms, c } = linearIndex(index);
  const strides = vars.map(() => 0);
  for (const { atom, coef } of terms) {
    const at = atom.kind === 'var' ? vars.indexOf(atom.v) : -1;
    if (at < 0) return null;
    strides[at] = coef;
  }
  return { c, strides };
}

/** Answers which variables expressions depend on, remembering what it has seen. */
export class Dependences {
  private readonly exprs = new Map<Expr, ReadonlySet<IndexVar>>();

  ofIndex(index: Index): ReadonlySet<IndexVar> {
    switch (index.kind) {
      case 'const':
        return NONE;
      case 'var':
        return index.v.extent <= 1 ? NONE : new Set([index.v]);
      case 'add':
      case 'sub':
        return union(this.ofIndex(index.a), this.ofIndex(index.b));
      case 'mul':
      case 'div':
      case 'mod':
        return this.ofIndex(index.a);
      case 'value':
        return this.ofExpr(index.expr);
    }
  }

  ofCond(cond: Cond): ReadonlySet<IndexVar> {
    return union(this.ofIndex(cond.a), this.ofIndex(cond.b));
  }

  ofExpr(expr: Expr): ReadonlySet<IndexVar> {
    let found = this.exprs.get(expr);
    if (found === undefined) {
      found = NONE;
      for (const index of indicesOf(expr)) found = union(found, this.ofIndex(index));
      for (const child of childrenOf(expr)) found = union(found, this.ofExpr(child));
      this.exprs.set(expr, found);
    }
    return found;
  }
}

const NONE: ReadonlySet<IndexVar> = new Set();

function union(a: ReadonlySet<IndexVar>, b: ReadonlySet<IndexVar>): ReadonlySet<IndexVar> {
  if (a.size === 0 || a === b) return b;
  if (b.size === 0) return a;
  return new Set([...a, ...b]);
}

/** Direct operands of an expression. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'const':
    case 'param':
    case 'index':
    case 'load':
    case 'result':
      return [];
    case 'guard':
      return [expr.value];
    case 'choose':
      return [expr.a, expr.b];
    case 'unary':
    case 'cast':
      return [expr.x];
    case 'binary':
      return [expr.a, expr.b];
    case 'where':
      return [expr.cond, expr.a, expr.b];
    case 'threefry':
      return [expr.key0, expr.key1];
  }
}

/** Indices that an expression uses itself (not through its operands). */
export function indicesOf(expr: Expr): readonly Index[] {
  switch (expr.kind) {
    case 'index':
    case 'load':
      return [expr.index];
    case 'threefry':
      return [expr.counter];
    case 'guard':
    case 'choose':
      return expr.conds.flatMap((c) => [c.a, c.b]);
    default:
      return [];
  }
}

/** Every distinct expression reachable from `root`, operands and computed indices included. */
export function expressionsOf(root: Expr): readonly Expr[] {
  const seen = new Set<Expr>();
  const visitIndex = (index: Index): void => {
    if (index.kind === 'value') visit(index.expr);
    else if (index.kind !== 'const' && index.kind !== 'var') {
      visitIndex(index.a);
      if (index.kind === 'add' || index.kind === 'sub') visitIndex(index.b);
    }
  };
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    indicesOf(expr).forEach(visitIndex);
    childrenOf(expr).forEach(visit);
  };
  visit(root);
  return [...seen];
}

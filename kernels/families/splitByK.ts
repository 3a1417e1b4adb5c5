import type { Cond, Expr, Index, IndexVar, Result } from '../ir.js';
import { childrenOf, Dependences, indexKey, type LinearTerm, linearIndex } from './affine.js';

/** An index of k alone, taken out of an operand; `v` stands for it there. */
export interface KIndex {
  readonly v: IndexVar;
  readonly index: Index;
}

/** A value that depends on k (and the batch) alone, such as a scale per column; `result` stands for it in the operand. */
export interface KValue {
  readonly result: Result;
  readonly expr: Expr;
}

/**
 * An operand of a contraction with everything that only k decides taken out. All elements that a thread reads at one k share
 * those parts: a convolution's divisions by kernel sizes run once for each k, not once for each element. What is left is sums of
 * a part without k, which leaves the loop over k, and the taken-out parts.
 */
export interface SplitOperand {
  readonly expr: Expr;
  readonly kIndices: readonly KIndex[];
  readonly kValues: readonly KValue[];
}

/** Splits an operand read at (`row`, `k`), where `row` is m for the left operand and n for the right one. */
export function splitByK(root: Expr, row: IndexVar, k: IndexVar): SplitOperand {
  const splitter = new Splitter(row, k);
  return { expr: splitter.expr(root), kIndices: splitter.kIndices, kValues: splitter.kValues };
}

class Splitter {
  readonly kIndices: KIndex[] = [];
  readonly kValues: KValue[] = [];
  private readonly dependences = new Dependences();
  private readonly exprs = new Map<Expr, Expr>();
  private readonly indices = new Map<string, Index>();
  private readonly taken = new Map<string, IndexVar>();

  constructor(
    private readonly row: IndexVar,
    private readonly k: IndexVar,
  ) {}

  expr(expr: Expr): Expr {
    let out = this.exprs.get(expr);
    if (out === undefined) {
      out = this.splitExpr(expr);
      this.exprs.set(expr, out);
    }
    return out;
  }

  private splitExpr(expr: Expr): Expr {
    const vars = this.dependences.ofExpr(expr);
    if (!vars.has(this.k)) return expr;
    if (!vars.has(this.row)) {
      const result: Result = { name: `k${this.kValues.length}`, dtype: expr.dtype };
      this.kValues.push({ result, expr });
      return { kind: 'result', dtype: expr.dtype, of: result };
    }
    switch (expr.kind) {
      case 'const':
      case 'param':
      case 'result':
        return expr;
      case 'index':
      case 'load':
        return { ...expr, index: this.index(expr.index) };
      case 'guard':
        return { ...expr, conds: expr.conds.map((c) => this.cond(c)), value: this.expr(expr.value) };
      case 'choose':
        return { ...expr, conds: expr.conds.map((c) => this.cond(c)), a: this.expr(expr.a), b: this.expr(expr.b) };
      case 'unary':
      case 'cast':
        return { ...expr, x: this.expr(expr.x) };
      case 'binary':
        return { ...expr, a: this.expr(expr.a), b: this.expr(expr.b) };
      case 'where':
        return { ...expr, cond: this.expr(expr.cond), a: this.expr(expr.a), b: this.expr(expr.b) };
      case 'threefry':
        return { ...expr, key0: this.expr(expr.key0), key1: this.expr(expr.key1), counter: this.index(expr.counter) };
    }
  }

  private cond(cond: Cond): Cond {
    return { kind: cond.kind, a: this.index(cond.a), b: this.index(cond.b) };
  }

  private index(index: Index): Index {
    const key = indexKey(index);
    let out = this.indices.get(key);
    if (out === undefined) {
      out = this.splitIndex(index);
      this.indices.set(key, out);
    }
    return out;
  }

  private splitIndex(index: Index): Index {
    const { terms, c } = linearIndex(index);
    const alone: LinearTerm[] = [];
    const without: LinearTerm[] = [];
    const mixed: LinearTerm[] = [];
    for (const term of terms) {
      const vars = this.dependences.ofIndex(term.atom);
      if (!vars.has(this.k)) without.push(term);
      else if (!vars.has(this.row)) alone.push(term);
      else mixed.push({ atom: this.insideOf(term.atom), coef: term.coef });
    }
    const fixed = this.shared(sumOf(without, c));
    if (alone.length === 0) return add(fixed, sumOf(mixed, 0));
    const moving = add(sumOf(mixed, 0), { kind: 'var', v: this.take(sumOf(alone, 0)) });
    return add(fixed, moving);
  }

  private insideOf(atom: Index): Index {
    if (atom.kind === 'div' || atom.kind === 'mod') return { kind: atom.kind, a: this.index(atom.a), b: atom.b };
    if (atom.kind === 'value') return { kind: 'value', expr: this.expr(atom.expr) };
    return atom;
  }

  /** One object for equal indices, so that the writer computes them once. */
  private shared(index: Index): Index {
    const key = `shared ${indexKey(index)}`;
    const old = this.indices.get(key);
    if (old !== undefined) return old;
    this.indices.set(key, index);
    return index;
  }

  private take(index: Index): IndexVar {
    const key = indexKey(index);
    let v = this.taken.get(key);
    if (v === undefined) {
      v = { name: `k${this.kIndices.length}`, extent: 2 ** 32 };
      this.taken.set(key, v);
      this.kIndices.push({ v, index });
    }
    return v;
  }
}

function add(a: Index, b: Index): Index {
  if (a.kind === 'const' && a.value === 0) return b;
  if (b.kind === 'const' && b.value === 0) return a;
  return { kind: 'add', a, b };
}

/** `c + sum of coef * atom`, with subtractions where coefficients are negative. */
function sumOf(terms: readonly LinearTerm[], c: number): Index {
  const scaled = ({ atom, coef }: LinearTerm): Index => {
    const factor = Math.abs(coef);
    return factor === 1 ? atom : { kind: 'mul', a: atom, b: factor };
  };
  let sum: Index = { kind: 'const', value: Math.max(c, 0) };
  for (const term of terms) if (term.coef > 0) sum = add(sum, scaled(term));
  for (const term of terms) if (term.coef < 0) sum = { kind: 'sub', a: sum, b: scaled(term) };
  return c < 0 ? { kind: 'sub', a: sum, b: { kind: 'const', value: -c } } : sum;
}

/** Rough cost of evaluating an expression once, in scalar operations (a load counts as eight, a division as sixteen). */
export function costOf(root: Expr): number {
  const seen = new Set<Expr>();
  const indexCost = (index: Index): number => {
    switch (index.kind) {
      case 'const':
      case 'var':
        return 0;
      case 'add':
      case 'sub':
        return 1 + indexCost(index.a) + indexCost(index.b);
      case 'mul':
        return 1 + indexCost(index.a);
      case 'div':
      case 'mod':
        return 16 + indexCost(index.a);
      case 'value':
        return cost(index.expr);
    }
  };
  const cost = (expr: Expr): number => {
    if (seen.has(expr)) return 0;
    seen.add(expr);
    let sum =
      expr.kind === 'load' ? 8 : expr.kind === 'const' || expr.kind === 'param' || expr.kind === 'result' ? 0 : 2;
    if (
      expr.kind === 'unary' ||
      (expr.kind === 'binary' && expr.fn !== 'add' && expr.fn !== 'mul' && expr.fn !== 'sub')
    )
      sum += 10;
    if (expr.kind === 'threefry') sum += 120;
    if (expr.kind === 'load' || expr.kind === 'index') sum += indexCost(expr.index);
    if (expr.kind === 'threefry') sum += indexCost(expr.counter);
    if (expr.kind === 'guard' || expr.kind === 'choose') {
      for (const c of expr.conds) sum += 2 + indexCost(c.a) + indexCost(c.b);
    }
    for (const child of childrenOf(expr)) sum += cost(child);
    return sum;
  };
  return cost(root);
}

import type { Cond, Expr, Index } from '../../ir.js';
import { partsInOrder } from '../uses.js';

/** Expressions with other parts; what has none is the same object. `replace` gives the replacement of a part, if there is one. */
export class Rewriter {
  readonly #done = new Map<Expr, Expr>();

  constructor(private readonly replace: (expr: Expr) => Expr | null) {}

  expr(root: Expr): Expr {
    // Parts of what is replaced are not looked at.
    for (const part of partsInOrder(root, (expr) => this.#known(expr))) {
      if (!this.#done.has(part)) this.#done.set(part, this.#rebuilt(part));
    }
    return this.#done.get(root)!;
  }

  index(index: Index): Index {
    switch (index.kind) {
      case 'const':
      case 'var':
        return index;
      case 'value': {
        const expr = this.expr(index.expr);
        return expr === index.expr ? index : { kind: 'value', expr };
      }
      case 'add':
      case 'sub': {
        const [a, b] = [this.index(index.a), this.index(index.b)];
        return a === index.a && b === index.b ? index : { ...index, a, b };
      }
      default: {
        const a = this.index(index.a);
        return a === index.a ? index : { ...index, a };
      }
    }
  }

  #known(expr: Expr): boolean {
    if (this.#done.has(expr)) return true;
    const other = this.replace(expr);
    if (!other) return false;
    this.#done.set(expr, other);
    return true;
  }

  #rebuilt(expr: Expr): Expr {
    const of = (part: Expr) => this.#done.get(part)!;
    const same = <T>(a: readonly T[], b: readonly T[]) => a.every((part, i) => part === b[i]);
    switch (expr.kind) {
      case 'const':
      case 'param':
      case 'result':
        return expr;
      case 'index':
      case 'load': {
        const index = this.index(expr.index);
        return index === expr.index ? expr : { ...expr, index };
      }
      case 'guard': {
        const [value, conds] = [of(expr.value), this.#conds(expr.conds)];
        return value === expr.value && conds === expr.conds ? expr : { ...expr, conds, value };
      }
      case 'choose': {
        const [a, b, conds] = [of(expr.a), of(expr.b), this.#conds(expr.conds)];
        return same([a, b, conds], [expr.a, expr.b, expr.conds]) ? expr : { ...expr, conds, a, b };
      }
      case 'unary':
      case 'cast': {
        const x = of(expr.x);
        return x === expr.x ? expr : { ...expr, x };
      }
      case 'binary': {
        const [a, b] = [of(expr.a), of(expr.b)];
        return same([a, b], [expr.a, expr.b]) ? expr : { ...expr, a, b };
      }
      case 'where': {
        const [cond, a, b] = [of(expr.cond), of(expr.a), of(expr.b)];
        return same([cond, a, b], [expr.cond, expr.a, expr.b]) ? expr : { ...expr, cond, a, b };
      }
      case 'threefry': {
        const [key0, key1, counter] = [of(expr.key0), of(expr.key1), this.index(expr.counter)];
        const kept = key0 === expr.key0 && key1 === expr.key1 && counter === expr.counter;
        return kept ? expr : { ...expr, key0, key1, counter };
      }
    }
  }

  #conds(conds: readonly Cond[]): readonly Cond[] {
    const all = conds.map((cond) => {
      const [a, b] = [this.index(cond.a), this.index(cond.b)];
      return a === cond.a && b === cond.b ? cond : { ...cond, a, b };
    });
    return all.every((cond, i) => cond === conds[i]) ? conds : all;
  }
}

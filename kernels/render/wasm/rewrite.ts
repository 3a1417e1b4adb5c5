import type { Expr, Index, IndexVar } from '../../ir.js';
import { partsInOrder } from '../uses.js';
import { constant } from './indexTerms.js';

/** An object with other fields; the same object where all stay. */
export function mapFields<T extends object>(object: T, map: (field: string, value: unknown) => unknown): T {
  const changed: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(object)) {
    const other = map(field, value);
    if (other !== value) changed[field] = other;
  }
  return Object.keys(changed).length > 0 ? { ...object, ...changed } : object;
}

/** True for the fields of expressions that hold an index. */
export const isIndexField = (field: string): boolean => field === 'index' || field === 'counter';

/**
 * Expressions with other parts; what has none is the same object. `replace` gives the replacement of an expression, `vars` those of
 * variables.
 */
export class Rewriter {
  readonly #done = new Map<unknown, Expr>();

  constructor(
    private readonly replace: (expr: Expr) => Expr | null,
    private readonly vars: ReadonlyMap<IndexVar, Index> = new Map(),
  ) {}

  expr(root: Expr): Expr {
    // Parts of what is replaced are not looked at.
    for (const part of partsInOrder(root, (expr) => this.#known(expr))) {
      if (!this.#done.has(part))
        this.#done.set(
          part,
          mapFields(part, (field, value) => this.#field(field, value)),
        );
    }
    return this.#done.get(root)!;
  }

  index(index: Index): Index {
    if (index.kind === 'var') {
      const other = this.vars.get(index.v);
      return other ? this.index(other) : index;
    }
    return mapFields(index, (field, value) => {
      if (field === 'expr') return this.expr(value as Expr);
      return typeof value === 'object' ? this.index(value as Index) : value;
    });
  }

  #known(expr: Expr): boolean {
    if (this.#done.has(expr)) return true;
    const other = this.replace(expr);
    if (!other) return false;
    this.#done.set(expr, other);
    return true;
  }

  #field(field: string, value: unknown): unknown {
    if (isIndexField(field)) return this.index(value as Index);
    if (field !== 'conds') return this.#done.get(value) ?? value;
    const conds = value as readonly object[];
    const others = conds.map((cond) =>
      mapFields(cond, (_, side) => (typeof side === 'object' ? this.index(side as Index) : side)),
    );
    return others.every((cond, i) => cond === conds[i]) ? conds : others;
  }
}

/** An expression at a fixed value of a variable. */
export const atValue = (expr: Expr, v: IndexVar, value: number): Expr =>
  new Rewriter(() => null, new Map([[v, constant(value)]])).expr(expr);

import type { Cond, Expr, Index, IndexVar } from '../../ir.js';
import { affine } from '../affine.js';
import { childrenOf, partsInOrder } from '../uses.js';
import { exprsBelow } from './analysis.js';
import { indexVar, variable } from './indexTerms.js';
import { dependsOn } from './indices.js';
import { isIndexField } from './rewrite.js';

/** Numbers equal expressions of a row equally, whatever the variable that runs along it. */
export class Numbering {
  readonly #numbers = new Map<string, number>();
  readonly #known = new Map<Expr, number>();
  readonly #running = new Set<Expr>();
  readonly #column: IndexVar;

  constructor(extent: number) {
    this.#column = indexVar('column', extent);
  }

  /** The numbers of all expressions below those of a pass, whose variable is `v`. */
  numbersOf(roots: readonly Expr[], v: IndexVar): Map<number, Expr> {
    for (const root of roots) {
      for (const expr of partsInOrder(root, (part) => this.#known.has(part))) {
        const text = this.#describe(expr, v);
        const number = this.#numbers.get(text) ?? this.#numbers.size;
        this.#numbers.set(text, number);
        this.#known.set(expr, number);
      }
    }
    return new Map(exprsBelow(roots).map((expr) => [this.#known.get(expr)!, expr]));
  }

  numberOf(expr: Expr): number {
    return this.#known.get(expr)!;
  }

  /** Whether an expression of a pass differs from column to column. */
  runs(expr: Expr): boolean {
    return this.#running.has(expr);
  }

  #describe(expr: Expr, v: IndexVar): string {
    if (childrenOf(expr).some((child) => this.#running.has(child))) this.#running.add(expr);
    const form = (index: Index): string => {
      const inColumn = affine(index, (other) => (other === v ? variable(this.#column) : undefined));
      if (dependsOn(inColumn, this.#column)) this.#running.add(expr);
      return inColumn.key;
    };
    const describe = ([field, value]: [string, unknown]): unknown => {
      if (isIndexField(field)) return form(value as Index);
      if (field === 'conds') return (value as Cond[]).map(({ kind, a, b }) => `${form(a)}${kind}${form(b)}`);
      if (typeof value === 'object') return this.#known.get(value as Expr) ?? idOf(value!);
      return Object.is(value, -0) ? '-0' : value;
    };
    return Object.entries(expr).map(describe).join(' ');
  }
}

const ids = new WeakMap<object, string>();
let nextId = 0;
function idOf(object: object): string {
  if (!ids.has(object)) ids.set(object, `#${nextId++}`);
  return ids.get(object)!;
}

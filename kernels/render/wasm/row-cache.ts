import { type DType, InternalError } from '../../../src/graph/index.js';
import type { Cond, Expr, Index, IndexVar, LoopStmt, StoreStmt } from '../../ir.js';
import { affine } from '../affine.js';
import { childrenOf, partsInOrder } from '../uses.js';
import {
  exprsBelow,
  type ReducePass,
  rootsOfStatement,
  type Statement,
  type WasmSegment,
  weightBelow,
} from './analysis.js';
import { dependsOn } from './indices.js';
import { isIndexField, Rewriter } from './rewrite.js';
import type { ScratchBuffers } from './scratch.js';

/** Instructions that a value must take to be kept. */
const HEAVY = 12;
/** Shorter rows take more time to keep. One of a single point has no variable, which would order what is stored and loaded. */
const SHORTEST = 8;
/** Bytes of a row that stay close to the core. */
const MOST_BYTES = 128 * 1024;

type Pass = ReducePass | LoopStmt;

/** Numbers equal expressions of a row equally, whatever the variable that runs along it. */
class Numbering {
  readonly #numbers = new Map<string, number>();
  readonly #known = new Map<Expr, number>();
  readonly #running = new Set<Expr>();
  readonly #column: IndexVar;

  constructor(extent: number) {
    this.#column = { name: 'column', extent };
  }

  /** The numbers of all expressions below a pass. */
  numbersOf(pass: Pass): Map<number, Expr> {
    const v = pass.vars[0]!;
    const roots = rootsOfStatement(pass);
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
      const inColumn = affine(index, (other) => (other === v ? { kind: 'var', v: this.#column } : undefined));
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

/**
 * Keeps heavy values that one pass over a row computes and a later pass needs again (the exponentials of a softmax) in scratch of
 * the thread: they are computed once. For segments whose lanes run along the rows.
 */
export function keepRows(segment: WasmSegment, scratch: ScratchBuffers): WasmSegment {
  const passes = segment.body.filter(
    (statement): statement is Pass => statement.kind !== 'store' && statement.vars.length === 1,
  );
  const extent = passes.length > 0 ? passes[0]!.vars[0]!.extent : 0;
  const alike = passes.filter(({ vars }) => vars[0]!.extent === extent);
  if (alike.length < 2 || extent < SHORTEST || 4 * extent > MOST_BYTES) return segment;
  const numbering = new Numbering(extent);
  const numbers = alike.map((pass) => numbering.numbersOf(pass));
  /** The buffer of each number kept. */
  const kept = new Map<number, { buffer: number; dtype: DType }>();
  const filled = new Map<Pass, StoreStmt[]>();
  let bytes = 0;

  const rewriters = new Map<Pass, Rewriter>();

  const keep = (number: number, before: number): { buffer: number; dtype: DType } | null => {
    const known = kept.get(number);
    if (known) return known;
    const first = numbers.findIndex((some) => some.has(number));
    const pass = alike[first];
    if (!pass || first >= before || pass.kind !== 'reduce' || bytes + 4 * extent > MOST_BYTES) return null;
    const value = numbers[first]!.get(number)!;
    bytes += 4 * extent;
    const made = { buffer: scratch.add('thread', value.dtype, extent), dtype: value.dtype };
    const store: StoreStmt = {
      kind: 'store',
      buffer: made.buffer,
      index: { kind: 'var', v: pass.vars[0]! },
      value: rewriters.get(pass)!.expr(value),
    };
    filled.set(pass, [...(filled.get(pass) ?? []), store]);
    kept.set(number, made);
    return made;
  };

  const rewritten = new Map<Statement, Pass>();
  alike.forEach((pass, i) => {
    const v = pass.vars[0]!;
    const rewriter = new Rewriter((expr) => {
      const number = numbering.numberOf(expr);
      if (expr.kind === 'load' || !numbers.slice(0, i).some((earlier) => earlier.has(number))) return null;
      if (weightBelow([expr]) < HEAVY || !numbering.runs(expr)) return null;
      const found = keep(number, i);
      return found && { kind: 'load', ...found, index: { kind: 'var', v }, clamp: false };
    });
    rewriters.set(pass, rewriter);
    const stores = (some: readonly StoreStmt[]) =>
      some.map((store) => ({ ...store, index: rewriter.index(store.index), value: rewriter.expr(store.value) }));
    rewritten.set(
      pass,
      pass.kind === 'loop'
        ? { ...pass, body: stores(pass.body) }
        : { ...pass, terms: pass.terms.map((term) => ({ ...term, value: rewriter.expr(term.value) })) },
    );
  });
  if (kept.size === 0) return segment;
  const body = segment.body.map((statement): Statement => {
    const pass = rewritten.get(statement);
    const stores = filled.get(statement as Pass);
    if (!pass || !stores) return pass ?? statement;
    if (pass.kind !== 'reduce') throw new InternalError('[wasm] rows are kept by a loop');
    return { ...pass, stores };
  });
  return { ...segment, body };
}

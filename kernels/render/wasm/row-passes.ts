import { InternalError } from '../../../src/graph/index.js';
import type { Expr, IndexVar, LoopStmt, Result, StoreStmt } from '../../ir.js';
import { type ReducePass, rootsOfStatement, type Statement, type WasmSegment, weightBelow } from './analysis.js';
import { variable } from './indexTerms.js';
import { Numbering } from './numbering.js';
import { Rewriter } from './rewrite.js';
import type { ScratchBuffers } from './scratch.js';

/** Instructions that a value must take to be kept. */
const HEAVY = 12;
/** Shorter rows take more time to keep. One of a single point has no variable, which would order what is stored and loaded. */
const SHORTEST = 8;
/** Bytes of a row that stay close to the core. */
const MOST_BYTES = 128 * 1024;

type Pass = ReducePass | LoopStmt;
type Load = Pick<Expr & { kind: 'load' }, 'buffer' | 'dtype'>;

/**
 * What several passes over a row can save. Heavy values that one pass computes and a later one needs again (the exponentials of a
 * softmax) are kept in scratch of the thread. Exponentials of distances to the row's maximum are never of a positive number: they
 * join `nonPositive`, and are divided by their sum, which is at least 1, by multiplying. For segments whose lanes run along the rows.
 */
export function joinPasses(segment: WasmSegment, scratch: ScratchBuffers, nonPositive: Set<Expr>): WasmSegment {
  const passes = segment.body.filter(
    (statement): statement is Pass => statement.kind !== 'store' && statement.vars.length === 1,
  );
  const extent = passes.length > 0 ? passes[0]!.vars[0]!.extent : 0;
  const alike = passes.filter(({ vars }) => vars[0]!.extent === extent);
  return alike.length < 2 || extent < SHORTEST
    ? segment
    : new RowPasses(alike, extent, scratch, nonPositive).join(segment);
}

class RowPasses {
  readonly #numbering: Numbering;
  /** The expressions of each pass by number. */
  readonly #numbers: readonly Map<number, Expr>[];
  readonly #rewriters: readonly Rewriter[];
  /** The buffer of each number kept, and what fills them. */
  readonly #kept = new Map<number, Load>();
  readonly #filled = new Map<Pass, StoreStmt[]>();
  /** Numbers of exponentials of distances to the row's maximum, and their sums. */
  readonly #powers = new Set<number>();
  readonly #sums = new Set<Result>();
  #bytes = 0;

  constructor(
    private readonly passes: readonly Pass[],
    private readonly extent: number,
    private readonly scratch: ScratchBuffers,
    nonPositive: Set<Expr>,
  ) {
    this.#numbering = new Numbering(extent);
    this.#numbers = passes.map((pass) => this.#numbering.numbersOf(rootsOfStatement(pass), pass.vars[0]!));
    this.#findPowers(nonPositive);
    this.#rewriters = passes.map((pass, i) => new Rewriter((expr) => this.#replacement(expr, i, pass.vars[0]!)));
  }

  join(segment: WasmSegment): WasmSegment {
    const rewritten = new Map<Statement, Pass>(this.passes.map((pass, i) => [pass, this.#rewritten(pass, i)]));
    const body = segment.body.map((statement): Statement => {
      const pass = rewritten.get(statement);
      const stores = this.#filled.get(statement as Pass);
      if (!pass || !stores) return pass ?? statement;
      if (pass.kind !== 'reduce') throw new InternalError('[wasm] rows are kept by a loop');
      return { ...pass, stores };
    });
    return { ...segment, body };
  }

  #rewritten(pass: Pass, i: number): Pass {
    const rewriter = this.#rewriters[i]!;
    if (pass.kind === 'reduce') {
      return { ...pass, terms: pass.terms.map((term) => ({ ...term, value: rewriter.expr(term.value) })) };
    }
    const body = pass.body.map((store) => ({
      ...store,
      index: rewriter.index(store.index),
      value: rewriter.expr(store.value),
    }));
    return { ...pass, body };
  }

  #findPowers(nonPositive: Set<Expr>): void {
    const numberOf = (expr: Expr) => this.#numbering.numberOf(expr);
    const terms = this.passes.flatMap((pass) => (pass.kind === 'reduce' ? pass.terms : []));
    const maxima = new Map(terms.flatMap(({ fn, value, result }) => (fn === 'max' ? [[result, numberOf(value)]] : [])));
    for (const numbers of this.#numbers) {
      for (const [number, expr] of numbers) {
        if (expr.kind !== 'unary' || expr.fn !== 'exp' || expr.x.kind !== 'binary' || expr.x.fn !== 'sub') continue;
        const { a, b } = expr.x;
        if (b.kind !== 'result' || maxima.get(b.of) !== numberOf(a)) continue;
        this.#powers.add(number);
        nonPositive.add(expr);
      }
    }
    for (const { fn, value, result } of terms) {
      if (fn === 'sum' && this.#powers.has(numberOf(value))) this.#sums.add(result);
    }
  }

  /** What takes the place of an expression of pass `i`. */
  #replacement(expr: Expr, i: number, v: IndexVar): Expr | null {
    if (expr.kind === 'load') return null;
    const number = this.#numbering.numberOf(expr);
    if (expr.kind === 'binary' && expr.fn === 'div' && expr.b.kind === 'result') {
      if (this.#sums.has(expr.b.of) && this.#powers.has(this.#numbering.numberOf(expr.a))) {
        const inverse: Expr = { kind: 'unary', dtype: 'f32', fn: 'reciprocal', x: expr.b };
        return { ...expr, fn: 'mul', a: this.#rewriters[i]!.expr(expr.a), b: inverse };
      }
    }
    if (!this.#numbers.slice(0, i).some((earlier) => earlier.has(number))) return null;
    if (weightBelow([expr]) < HEAVY || !this.#numbering.runs(expr)) return null;
    const found = this.#keep(number, i);
    return found && { kind: 'load', ...found, index: variable(v), clamp: false };
  }

  /** Where the value of a number is kept, if a pass before `before` can store it. */
  #keep(number: number, before: number): Load | null {
    const known = this.#kept.get(number);
    if (known) return known;
    const first = this.#numbers.findIndex((some) => some.has(number));
    const pass = this.passes[first]!;
    this.#bytes += 4 * this.extent;
    if (first >= before || pass.kind !== 'reduce' || this.#bytes > MOST_BYTES) return null;
    const value = this.#numbers[first]!.get(number)!;
    const { dtype } = value;
    const made = { buffer: this.scratch.add('thread', dtype, this.extent), dtype };
    const store: StoreStmt = {
      kind: 'store',
      buffer: made.buffer,
      index: variable(pass.vars[0]!),
      value: this.#rewriters[first]!.expr(value),
    };
    this.#filled.set(pass, [...(this.#filled.get(pass) ?? []), store]);
    this.#kept.set(number, made);
    return made;
  }
}

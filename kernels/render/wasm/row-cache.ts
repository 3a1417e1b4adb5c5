import { type DType, InternalError } from '../../../src/graph/index.js';
import type { Expr, Index, IndexVar, LoopStmt, StoreStmt } from '../../ir.js';
import { affine } from '../affine.js';
import { indicesIn, partsInOrder } from '../uses.js';
import {
  exprsBelow,
  type ReducePass,
  rootsOfStatement,
  type Statement,
  type WasmSegment,
  weightBelow,
} from './analysis.js';
import { Rewriter } from './rewrite.js';
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
  readonly #column: IndexVar;

  constructor(extent: number) {
    this.#column = { name: 'column', extent };
  }

  /** The numbers of all expressions below a pass. */
  numbersOf(pass: Pass): Map<number, Expr> {
    const numbers = new Map<number, Expr>();
    const column: Index = { kind: 'var', v: this.#column };
    const v = pass.vars[0]!;
    const key = (index: Index) => affine(index, (other) => (other === v ? column : undefined)).key;
    for (const root of rootsOfStatement(pass)) {
      for (const expr of partsInOrder(root, (part) => this.#known.has(part))) {
        const text = this.#describe(expr, key);
        const number = this.#numbers.get(text) ?? this.#numbers.size;
        this.#numbers.set(text, number);
        this.#known.set(expr, number);
      }
    }
    for (const expr of exprsBelow(rootsOfStatement(pass))) numbers.set(this.#known.get(expr)!, expr);
    return numbers;
  }

  numberOf(expr: Expr): number {
    return this.#known.get(expr)!;
  }

  #describe(expr: Expr, key: (index: Index) => string): string {
    const of = (...parts: Expr[]) => parts.map((part) => this.#known.get(part)).join();
    const start = `${expr.kind} ${expr.dtype} `;
    switch (expr.kind) {
      case 'const':
        return start + (Object.is(expr.value, -0) ? '-0' : expr.value);
      case 'param':
        return start + expr.slot;
      case 'result':
        return start + idOf(expr.of);
      case 'index':
        return start + key(expr.index);
      case 'load':
        return `${start}${expr.buffer} ${expr.clamp} ${key(expr.index)}`;
      case 'guard':
      case 'choose': {
        const conds = expr.conds.map(({ kind, a, b }) => `${key(a)}${kind}${key(b)}`);
        const rest = expr.kind === 'guard' ? `${of(expr.value)} ${expr.otherwise}` : of(expr.a, expr.b);
        return `${start}${conds} ${rest}`;
      }
      case 'unary':
        return `${start}${expr.fn} ${of(expr.x)}`;
      case 'binary':
        return `${start}${expr.fn} ${of(expr.a, expr.b)}`;
      case 'where':
        return start + of(expr.cond, expr.a, expr.b);
      case 'cast':
        return `${start}${of(expr.x)}`;
      case 'threefry':
        return `${start}${of(expr.key0, expr.key1)} ${key(expr.counter)}`;
    }
  }
}

const ids = new WeakMap<object, number>();
let nextId = 0;
function idOf(object: object): number {
  if (!ids.has(object)) ids.set(object, nextId++);
  return ids.get(object)!;
}

/** Whether an expression differs from column to column. */
const runsAlong = (expr: Expr, v: IndexVar): boolean =>
  exprsBelow([expr]).some((part) => indicesIn(part).some((index) => mentions(index, v)));

function mentions(index: Index, v: IndexVar): boolean {
  switch (index.kind) {
    case 'const':
    case 'value':
      return false;
    case 'var':
      return index.v === v;
    case 'add':
    case 'sub':
      return mentions(index.a, v) || mentions(index.b, v);
    default:
      return mentions(index.a, v);
  }
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
      if (weightBelow([expr]) < HEAVY || !runsAlong(expr, v)) return null;
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

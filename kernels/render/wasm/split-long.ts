import type { Expr, Index, IndexVar, LoopStmt, ReduceTerm, Result, StoreStmt } from '../../ir.js';
import { flatten, pointsOf } from '../nest.js';
import { isArg } from './accumulator.js';
import type { ReducePass, Statement, WasmSegment } from './analysis.js';
import { constant, indexVar, plus, times, variable } from './indexTerms.js';
import { Rewriter } from './rewrite.js';
import type { ScratchBuffers } from './scratch.js';
import { chooseSchedule } from './segment-schedule.js';
import type { LoopTuning } from './tuning.js';

/** Segments of at least as many tasks keep all threads busy. */
const ENOUGH_TASKS = 16;

/**
 * Splits a segment of few points and long reductions or loops into phases: reductions leave partial results in shared scratch, and
 * whoever needs the result joins them, in order. Gives the segments of each phase.
 */
export function splitLong(segment: WasmSegment, scratch: ScratchBuffers, tuning: LoopTuning): WasmSegment[][] {
  const { tasks, taskCost } = chooseSchedule(segment, tuning);
  if (tasks >= ENOUGH_TASKS || tasks * taskCost < tuning.longCost) return [[segment]];
  const longest = Math.max(...segment.body.map(pointsOfStatement));
  const parts = Math.ceil((tasks * taskCost) / tuning.taskCost / pointsOf(segment.parallel));
  const length = Math.max(tuning.leastPart, Math.ceil(longest / parts / 256) * 256);
  if (longest < 2 * length) return [[segment]];
  return new LongSegment(segment, length, scratch).phases();
}

const pointsOfStatement = (statement: Statement): number => (statement.kind === 'store' ? 1 : pointsOf(statement.vars));

/** A range of the points of a statement: full parts of one length, or what is left after them. */
interface Parts {
  readonly parallel: readonly IndexVar[];
  /** Number of the part. */
  readonly part: Index;
  readonly v: IndexVar;
  readonly indices: ReadonlyMap<IndexVar, Index>;
}

class LongSegment {
  readonly #phases: WasmSegment[][] = [];
  /** Statements that every part needs: short reductions, and the joining of partial results. */
  readonly #before: Statement[] = [];
  readonly #indexOf = new Map<Result, Expr>();
  readonly #rewriter = new Rewriter((expr) => (expr.kind === 'result' ? (this.#indexOf.get(expr.of) ?? null) : null));
  /** Row-major number of the point. */
  readonly #point: Index;

  constructor(
    private readonly segment: WasmSegment,
    private readonly length: number,
    private readonly scratch: ScratchBuffers,
  ) {
    this.#point = segment.parallel.reduce((sum, v) => plus(times(sum, v.extent), variable(v)), constant(0));
  }

  phases(): WasmSegment[][] {
    const { body } = this.segment;
    for (let i = 0; i < body.length; i++) {
      const statement = body[i]!;
      const long = pointsOfStatement(statement) >= 2 * this.length;
      if (statement.kind === 'store') {
        const stores: Statement[] = [];
        for (let next: Statement | undefined = statement; next?.kind === 'store'; next = body[++i]) {
          stores.push(this.#store(next));
        }
        i--;
        this.#phases.push([this.#with(this.segment.parallel, stores)]);
      } else if (statement.kind === 'loop') {
        const loop: LoopStmt = { ...statement, body: statement.body.map((store) => this.#store(store)) };
        this.#phases.push(
          long
            ? this.#partsOf(loop.vars).map(({ parallel, v, indices }) =>
                this.#with(parallel, [{ ...loop, vars: [v] }], indices),
              )
            : [this.#with(this.segment.parallel, [loop])],
        );
      } else if (long) {
        this.#reduce(statement);
      } else {
        this.#before.push({ ...statement, terms: statement.terms.map((term) => this.#term(term)) });
      }
    }
    return this.#phases;
  }

  #with(
    parallel: readonly IndexVar[],
    statements: readonly Statement[],
    indices: ReadonlyMap<IndexVar, Index> = new Map(),
  ): WasmSegment {
    const all = new Map([...(this.segment.indices ?? []), ...indices]);
    return { parallel, body: [...this.#before, ...statements], indices: all };
  }

  #store(store: StoreStmt): StoreStmt {
    return { ...store, index: this.#rewriter.index(store.index), value: this.#rewriter.expr(store.value) };
  }

  #term(term: ReduceTerm): ReduceTerm {
    return { ...term, value: this.#rewriter.expr(term.value) };
  }

  /** The parts of the points of variables. */
  #partsOf(vars: readonly IndexVar[]): Parts[] {
    const { flat, indices } = flatten(vars, 'long');
    const count = Math.floor(flat.extent / this.length);
    const made = (extent: number, parts: number, first: number): Parts => {
      const part = indexVar('part', parts);
      const v = indexVar('k', extent);
      const number = plus(variable(part), constant(first));
      const index = plus(times(number, this.length), variable(v));
      return {
        parallel: [part, ...this.segment.parallel],
        part: number,
        v,
        indices: new Map([...indices, [flat, index]]),
      };
    };
    const rest = flat.extent % this.length;
    return [made(this.length, count, 0), ...(rest > 0 ? [made(rest, 1, count)] : [])];
  }

  #reduce({ vars, terms }: ReducePass): void {
    const points = pointsOf(this.segment.parallel);
    const parts = this.#partsOf(vars);
    const all = Math.ceil(pointsOf(vars) / this.length);
    const place = (part: Index) => plus(times(part, points), this.#point);
    const own = terms.map((term) => {
      const { dtype } = term.value;
      return {
        term: this.#term(term),
        best: { name: `${term.result.name}Best`, dtype },
        values: this.scratch.add('shared', dtype, all * points),
        places: isArg(term) ? this.scratch.add('shared', 'i32', all * points) : null,
      };
    });
    const result = (of: Result): Expr => ({ kind: 'result', dtype: of.dtype, of });
    this.#phases.push(
      parts.map(({ parallel, part, v, indices }) => {
        const stores = own.flatMap(({ term, best, values, places }): StoreStmt[] => {
          const store = (buffer: number, of: Result): StoreStmt => ({
            kind: 'store',
            buffer,
            index: place(part),
            value: result(of),
          });
          return places === null ? [store(values, term.result)] : [store(values, best), store(places, term.result)];
        });
        const reduce: ReducePass = {
          kind: 'reduce',
          vars: [v],
          terms: own.map(({ term, best, places }) => (places === null ? term : { ...term, best })),
          // The whole index, not that in the part.
          at: variable(vars[0]!),
        };
        return this.#with(parallel, [reduce, ...stores], indices);
      }),
    );
    const part = indexVar('part', all);
    const load = (buffer: number, index: Index, { dtype }: { dtype: Expr['dtype'] }): Expr => ({
      kind: 'load',
      dtype,
      buffer,
      index: place(index),
      clamp: false,
    });
    const joins = own.map(({ term, values, places }): ReduceTerm => {
      const value = load(values, variable(part), term.value);
      if (places === null) return { ...term, value };
      const first: Result = { name: `${term.result.name}Part`, dtype: 'i32' };
      this.#indexOf.set(term.result, load(places, { kind: 'value', expr: result(first) }, first));
      return { ...term, value, result: first };
    });
    this.#before.push({ kind: 'reduce', vars: [part], terms: joins });
  }
}

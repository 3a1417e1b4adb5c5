import type { IndexVar, LoopStmt, ReduceTerm, StoreStmt } from '../../ir.js';
import { flatten, indicesBelow, type Nest, pointsOf } from '../nest.js';
import { Accumulator, identityOf, isArg, isRounded, isTracked } from './accumulator.js';
import {
  type ReducePass,
  rootsOfStatement,
  type Statement,
  storesOf,
  type WasmSegment,
  weightBelow,
} from './analysis.js';
import { i32, minU, op, splatI32, type Value } from './encoder.js';
import { indexVar, times, variable } from './indexTerms.js';
import type { KernelFunction } from './kernel-module.js';
import type { WasmScope } from './scope.js';
import { splitLoops } from './split-vars.js';

/** How a segment's points map to lanes, and how many make a task. */
export interface SegmentSchedule {
  /** Lanes are neighbouring points, or neighbouring values of the innermost variable of each reduction and loop. */
  readonly lanes: 'points' | 'inner';
  /** Vectors of points at a time, where lanes are points. */
  readonly vectors: number;
  readonly pointsPerTask: number;
  readonly tasks: number;
  /** Nanoseconds. */
  readonly taskCost: number;
}

/** A sum of more terms than this is taken in blocks of it, whose sums are added: errors grow with the longer of the two chains. */
const BLOCK = 64;
/** Loops of at most this many points are written out. */
const UNROLLED = 8;

/** Scopes at the same place in the code that differ by a step of the vector variable, and the scope that they share. */
interface Places {
  readonly shared: WasmScope;
  readonly each: readonly WasmScope[];
}

/** The part of a loop's body that stands around each run of its innermost loop over a block. */
interface Blocks {
  readonly before: (scope: WasmScope) => void;
  readonly after: (scope: WasmScope) => void;
}

/** Writes the code of a segment: its tasks `begin` to `end` - 1. */
export class SegmentWriter {
  constructor(
    private readonly f: KernelFunction,
    private readonly segment: WasmSegment,
    private readonly schedule: SegmentSchedule,
  ) {}

  write(): void {
    const { f, schedule } = this;
    const { flat, indices } = flatten(this.segment.parallel, 'point');
    const n = flat.extent;
    const root = f.scope({ indices: new Map([...(this.segment.indices ?? []), ...indices]) });
    const single = schedule.tasks === 1;
    const point = (task: Value) => op('i32.mul', task, i32(schedule.pointsPerTask));
    const lo = single ? 0 : root.block.let(point(f.begin));
    const hi = single ? n : root.block.let(minU(root.block.let(point(f.end)), i32(n)));
    if (schedule.lanes === 'inner') {
      root.loop(flat, lo, hi, (inner) => this.#statements({ shared: inner, each: [inner] }, this.segment.body));
      return;
    }
    const { vectors } = schedule;
    const body = (shared: WasmScope, each: WasmScope[]) => this.#statements({ shared, each }, this.segment.body);
    const whole = n - (n % (4 * vectors));
    if (whole > 0) {
      const end = typeof hi === 'number' ? whole : root.block.let(minU(hi, i32(whole)));
      root.vectorLoop(flat, lo, end, vectors, body);
    }
    if (whole === n) return;
    if (typeof hi === 'number') {
      root.vectorRest(flat, whole, body);
      return;
    }
    const last = root.block.inner();
    root.child({}, last).vectorRest(flat, whole, body);
    root.block.placeIf(op('i32.gt_u', hi, i32(whole)), last);
  }

  #statements(places: Places, body: readonly Statement[]): void {
    for (let i = 0; i < body.length; i++) {
      const statement = body[i]!;
      if (statement.kind === 'reduce') {
        this.#reduce(places, statement);
      } else if (statement.kind === 'loop') {
        this.#loop(places, statement);
      } else {
        const stores: StoreStmt[] = [];
        for (let next: Statement | undefined = statement; next?.kind === 'store'; next = body[++i]) stores.push(next);
        i--;
        for (const scope of places.each) scope.stores(stores);
      }
    }
  }

  #loop(places: Places, statement: LoopStmt): void {
    if (pointsOf(statement.vars) === 0) return;
    this.#nest(places, statement, null, (each) => {
      for (const scope of each) scope.stores(statement.body);
    });
  }

  #reduce({ shared, each }: Places, statement: ReducePass): void {
    const { f } = this;
    const { vars, terms } = statement;
    if (pointsOf(vars) === 0) {
      for (const scope of each) {
        for (const term of terms) {
          const value = isArg(term) ? splatI32(0) : identityOf(f, term);
          scope.results.set(term.result, { value, uniform: true });
        }
      }
      return;
    }
    // A single point has no lanes to run over.
    const inner = this.schedule.lanes === 'inner' && pointsOf(vars) > 1;
    const chains = inner ? this.#vectorsOf(statement) : each.length;
    const make = (some: readonly ReduceTerm[]) =>
      Array.from({ length: chains }, () => some.map((term) => new Accumulator(f, term)));
    const start = (scope: WasmScope, accumulators: readonly (readonly Accumulator[])[]) =>
      accumulators.forEach((chain, i) => {
        for (const accumulator of chain) accumulator.start(scope.block, inner ? 4 * i : null);
      });
    const totals = make(terms);
    start(shared, totals);

    const blocked = terms.some(isRounded) && pointsOf(vars) > 2 * BLOCK * (inner ? 4 * chains : 1);
    const parts = blocked ? make(terms.filter(isRounded)) : [];
    const partOf = (chain: number, term: ReduceTerm) =>
      parts[chain]?.find((part) => part.term === term) ?? totals[chain]![terms.indexOf(term)]!;
    const blocks: Blocks = {
      before: (scope) => start(scope, parts),
      after: (scope) => {
        parts.forEach((chain, i) => {
          for (const part of chain) totals[i]![terms.indexOf(part.term)]!.merge(scope, { value: part.value, at: null });
        });
      },
    };
    const found = statement.at ?? variable(vars[0]!);
    this.#nest({ shared, each }, statement, blocked ? blocks : null, (scopes) => {
      scopes.forEach((scope, i) => {
        for (const term of terms) partOf(i % chains, term).take(scope, found, inner);
        if (statement.stores) scope.stores(statement.stores);
      });
    });

    for (const chain of totals) for (const accumulator of chain) accumulator.finish(shared);
    if (inner) this.#mergeChains(shared, totals);
    each.forEach((scope, i) => {
      totals[i]!.forEach(({ value, result }, t) => {
        const term = terms[t]!;
        const uniform = this.schedule.lanes === 'inner';
        scope.results.set(term.result, { value: result, uniform });
        if (term.best) scope.results.set(term.best, { value, uniform });
      });
    });
  }

  /** Joins all chains and lanes into the first chain, pairs first. */
  #mergeChains(scope: WasmScope, chains: readonly (readonly Accumulator[])[]): void {
    for (let width = chains.length; width > 1; width = Math.ceil(width / 2)) {
      const half = Math.ceil(width / 2);
      for (let i = 0; i + half < width; i++) {
        chains[i]!.forEach((accumulator, t) => void accumulator.merge(scope, chains[i + half]![t]!));
      }
    }
    for (const accumulator of chains[0]!) accumulator.mergeLanes(scope);
  }

  /** Vectors that an inner loop takes at a time: more for light bodies, whose chains of operations are long. */
  #vectorsOf(statement: Statement): number {
    const weight = weightBelow(rootsOfStatement(statement));
    if (weight > 30) return 2;
    return weight > 8 || hasTracked(statement) ? 4 : 8;
  }

  /** Runs `body` at all points of a statement; where lanes run over the innermost variable, at several vectors of it at a time. */
  #nest(
    { shared, each }: Places,
    statement: ReducePass | LoopStmt,
    blocks: Blocks | null,
    body: (each: readonly WasmScope[]) => void,
  ): void {
    const inner = this.schedule.lanes === 'inner';
    const nest = loopsOf(statement);
    const start = inner
      ? shared.child({ indices: nest.indices })
      : shared.beyondSteps({ indices: nest.indices }, shared.block);
    const leaf = (at: WasmScope) => body(inner ? [at] : each.map((scope) => scope.within(at)));
    const write = (at: WasmScope, loops: readonly IndexVar[]): void => {
      const [v, ...more] = loops;
      if (!v) {
        blocks?.before(at);
        leaf(at);
        blocks?.after(at);
      } else if (more.length > 0) {
        at.loop(v, 0, v.extent, (next) => write(next, more));
      } else if (inner) {
        this.#innermost(at, v, this.#vectorsOf(statement), blocks, body);
      } else if (v.extent <= UNROLLED && !blocks) {
        for (let n = 0; n < v.extent; n++) leaf(at.child({ vars: new Map([[v, n]]) }));
      } else {
        inBlocks(at, v.extent, BLOCK, blocks, (scope, from, to) => scope.loop(v, from, to, leaf));
      }
    };
    write(start, nest.loops);
  }

  /** Runs the innermost loop in vectors. */
  #innermost(
    at: WasmScope,
    v: IndexVar,
    most: number,
    blocks: Blocks | null,
    body: (each: readonly WasmScope[]) => void,
  ): void {
    let vectors = most;
    while (vectors > 1 && 4 * vectors > v.extent) vectors /= 2;
    const whole = v.extent - (v.extent % (4 * vectors));
    if (whole > 0) {
      inBlocks(at, whole, 4 * vectors * BLOCK, blocks, (scope, from, to) =>
        scope.vectorLoop(v, from, to, vectors, (_, steps) => body(steps)),
      );
    }
    if (whole === v.extent) return;
    const rest = at.child({});
    blocks?.before(rest);
    rest.vectorRest(v, whole, (_, steps) => body(steps));
    blocks?.after(rest);
  }
}

/** Each of these takes three of the machine's registers. */
export const hasTracked = (statement: Statement): boolean =>
  statement.kind === 'reduce' && statement.terms.some(isTracked);

/** The loops of a statement, split and joined so that memory is walked through in lines as long as possible. */
export function loopsOf(statement: ReducePass | LoopStmt): Nest {
  return splitLoops(statement.vars, [
    ...indicesBelow(rootsOfStatement(statement)),
    ...storesOf(statement).map(({ index }) => index),
  ]);
}

/** Runs `range` for 0 … extent in blocks of `size`, or at once where there are no blocks or only one. */
function inBlocks(
  at: WasmScope,
  extent: number,
  size: number,
  blocks: Blocks | null,
  range: (scope: WasmScope, from: Value | number, to: Value | number) => void,
): void {
  if (!blocks || extent <= size) {
    blocks?.before(at);
    range(at, 0, extent);
    blocks?.after(at);
    return;
  }
  const counter = indexVar('block', Math.ceil(extent / size));
  at.loop(counter, 0, counter.extent, (scope) => {
    blocks.before(scope);
    const from = scope.index(times(variable(counter), size));
    const next = scope.block.let(op('i32.add', from, i32(size)));
    range(scope, from, extent % size === 0 ? next : scope.block.let(minU(next, i32(extent))));
    blocks.after(scope);
  });
}

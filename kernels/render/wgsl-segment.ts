import { reduceIdentity, type WordDType } from '../../src/graph/index.js';
import type { IndexVar, LoopStmt, ReduceStmt, ReduceTerm, Result, Segment, Stmt, StoreStmt } from '../ir.js';
import { better, binaryFns, type NumericFn } from '../numerics/index.js';
import { flatten, indicesBelow, joinLoops, type Nest, pointsOf } from './nest.js';
import type { SegmentSchedule } from './schedule.js';
import { rootsOf } from './uses.js';
import { type Subgroups, shuffled, subgroupDirectives } from './wgsl-subgroups.js';
import { unwrap, type Width } from './wgsl-values.js';
import type { ScopeBindings, WgslModule, WgslScope, WgslValue } from './wgsl-writer.js';

export const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

/** A sum of this many terms is taken in blocks, whose sums are then added: rounding errors grow with the longer of the two. */
const BLOCK = 64;
/** Partial results that one thread joins before the last step, which every thread takes. */
const FAN_IN = 16;

/** Arrays in workgroup memory, of one element a thread (or a subgroup), shared by all reductions of a kernel. */
export class WorkgroupArrays {
  readonly #arrays: { name: string; dtype: WordDType }[] = [];
  #taken: string[] = [];

  constructor(readonly length: number) {}

  take(dtype: WordDType): string {
    let array = this.#arrays.find((one) => one.dtype === dtype && !this.#taken.includes(one.name));
    if (!array) {
      array = { name: `shared${this.#arrays.length}`, dtype };
      this.#arrays.push(array);
    }
    this.#taken.push(array.name);
    return array.name;
  }

  /** Gives all arrays back; true if there were any: then a barrier must come before they are written again. */
  release(): boolean {
    const any = this.#taken.length > 0;
    this.#taken = [];
    return any;
  }

  declarations(): string[] {
    return this.#arrays.map(({ name, dtype }) => `var<workgroup> ${name}: array<${dtype}, ${this.length}>;`);
  }
}

/** The running value of a reduction term; `at` is the index of an argmax or argmin. */
interface Accumulator {
  readonly term: ReduceTerm;
  name: string;
  readonly at: string | null;
  /** Sum of the current block, where sums are taken in blocks. */
  readonly part: string | null;
  width: Width;
}

/** Writes the code of one segment: what a thread does, given `group` (of the segment's workgroups) and `lane`. */
export class SegmentWriter {
  /** Workgroups that the segment needs. */
  readonly groups: number;
  /** After `body`: whether its code uses subgroups. */
  joinsSubgroups = false;
  readonly #threads: number;
  readonly #shared: boolean;

  constructor(
    private readonly module: WgslModule,
    private readonly arrays: WorkgroupArrays,
    private readonly segment: Segment,
    private readonly schedule: SegmentSchedule,
    private readonly workgroupSize: number,
    private readonly subgroups: Subgroups | null = null,
  ) {
    const points = pointsOf(segment.parallel);
    this.#shared = schedule.lanes > 1;
    this.#threads = schedule.vector === 'parallel' ? points / 4 : points;
    this.groups = this.#shared ? points : Math.ceil(this.#threads / workgroupSize);
  }

  body(): string[] {
    const { flat, indices } = flatten(this.segment.parallel, 'point');
    const inVectors = this.schedule.vector === 'parallel';
    const point = this.#shared ? 'group' : 'point';
    const bindings: ScopeBindings = inVectors
      ? { indices, vector: flat, quad: point }
      : { indices, vars: new Map([[flat, point]]) };
    const root = this.module.scope(bindings);
    this.arrays.release();
    this.#statements(root, this.segment.body);
    if (this.#shared) return root.lines;
    const exact = this.#threads % this.workgroupSize === 0;
    return [
      `let point = group * ${this.workgroupSize}u + lane;`,
      ...(exact ? [] : [`if (point >= ${this.#threads}u) { return; }`]),
      ...root.lines,
    ];
  }

  #statements(scope: WgslScope, body: readonly Stmt[]): void {
    for (let i = 0; i < body.length; i++) {
      const statement = body[i]!;
      if (statement.kind === 'reduce') {
        // What follows knows the results.
        const after = scope.child({ results: this.#reduce(scope, statement) });
        this.#statements(after, body.slice(i + 1));
        scope.lines.push(...after.lines);
        return;
      }
      if (statement.kind === 'loop') {
        this.#loop(scope, statement);
        continue;
      }
      const stores: StoreStmt[] = [];
      for (let next: Stmt | undefined = statement; next?.kind === 'store'; next = body[++i]) stores.push(next);
      i--;
      this.#rowStores(scope, stores);
    }
  }

  #rowStores(scope: WgslScope, stores: readonly StoreStmt[]): void {
    if (!this.#shared) {
      scope.stores(stores);
      return;
    }
    const once = scope.child({});
    once.stores(stores);
    scope.lines.push('if (lane == 0u) {', ...indent(once.lines), '}');
  }

  #loop(scope: WgslScope, { vars, body }: LoopStmt): void {
    if (pointsOf(vars) === 0) return;
    const nest = this.#nestOf(vars, rootsOf(body), body);
    const inVectors = this.#inVectors(nest);
    this.#loops(scope, nest, inVectors, null, (inner) => inner.stores(body));
  }

  /** Threads that share a point take every n-th of all points; else the loops are joined where that needs no division. */
  #nestOf(vars: readonly IndexVar[], roots: Parameters<typeof indicesBelow>[0], stores: readonly StoreStmt[]): Nest {
    if (this.#shared) {
      const { flat, indices } = flatten(vars, 'r');
      return { loops: [flat], indices };
    }
    return joinLoops(vars, [...indicesBelow(roots), ...stores.map(({ index }) => index)]);
  }

  #inVectors({ loops }: Nest): boolean {
    const inner = loops[loops.length - 1];
    return this.schedule.vector === 'inner' && inner !== undefined && inner.extent % 4 === 0;
  }

  /** Writes the loops of a nest into `scope`. `block` writes what stands around each run of the innermost loop over a block. */
  #loops(
    scope: WgslScope,
    { loops, indices }: Nest,
    inVectors: boolean,
    block: { before: () => string[]; after: () => string[] } | null,
    body: (inner: WgslScope, position: IndexVar | null) => void,
  ): void {
    const outer = scope.child({ indices });
    const write = (at: WgslScope, rest: readonly IndexVar[]): void => {
      const [v, ...more] = rest;
      if (!v) {
        body(at, loops[loops.length - 1] ?? null);
        return;
      }
      const name = this.module.fresh('k');
      const vector = inVectors && more.length === 0;
      const inner = at.child(vector ? { vector: v, quad: name } : { vars: new Map([[v, name]]) });
      write(inner, more);
      const trips = vector ? v.extent / 4 : v.extent;
      const step = this.#shared ? this.workgroupSize : 1;
      const start = this.#shared ? 'lane' : '0u';
      const next = (by: number) => (by === 1 ? `${name}++` : `${name} += ${by}u`);
      if (more.length > 0 || !block) {
        at.lines.push(`for (var ${name} = ${start}; ${name} < ${trips}u; ${next(step)}) {`);
        at.lines.push(...indent(inner.lines), '}');
        return;
      }
      const span = BLOCK * step;
      const blocked = trips > 2 * span;
      const end = trips % span === 0 ? `${name}b + ${span}u` : `min(${name}b + ${span}u, ${trips}u)`;
      const lines = [
        ...block.before(),
        blocked
          ? `for (var ${name} = ${name}b; ${name} < ${end}; ${next(step)}) {`
          : `for (var ${name} = ${start}; ${name} < ${trips}u; ${next(step)}) {`,
        ...indent(inner.lines),
        '}',
        ...block.after(),
      ];
      if (!blocked) at.lines.push(...lines);
      else {
        const all = `for (var ${name}b = ${start}; ${name}b < ${trips}u; ${name}b += ${span}u) {`;
        at.lines.push(all, ...indent(lines), '}');
      }
    };
    write(outer, loops);
    scope.lines.push(...outer.lines);
  }

  #reduce(scope: WgslScope, { vars, terms }: ReduceStmt): Map<Result, WgslValue> {
    const results = new Map<Result, WgslValue>();
    const identity = (term: ReduceTerm, width: Width = 1) =>
      this.module.constant(reduceIdentity(term.fn, term.value.dtype), term.value.dtype, width);
    if (pointsOf(vars) === 0) {
      for (const term of terms) results.set(term.result, { code: isArg(term) ? '0i' : identity(term), width: 1 });
      return results;
    }
    const nest = this.#nestOf(
      vars,
      terms.map((term) => term.value),
      [],
    );
    const inVectors = this.#inVectors(nest) && !terms.some(isArg);
    const trips = pointsOf(nest.loops) / (inVectors ? 4 : 1) / (this.#shared ? this.workgroupSize : 1);
    const isSum = ({ fn, value }: ReduceTerm) => (fn === 'sum' || fn === 'prod') && value.dtype === 'f32';
    const inBlocks = trips > 2 * BLOCK && terms.some(isSum);
    const accumulators = terms.map((term): Accumulator => {
      const part = inBlocks && isSum(term) ? this.module.fresh('p') : null;
      const at = isArg(term) ? this.module.fresh('r') : null;
      return { term, name: this.module.fresh('r'), at, part, width: 1 };
    });
    const parts = accumulators.filter(({ part }) => part !== null);
    const block = {
      before: () => parts.map(({ term, part, width }) => `var ${part} = ${identity(term, width)};`),
      after: () => parts.map(({ term, name, part, width }) => `${name} = ${this.#join(term, name, part!, width)};`),
    };
    const body = scope.child({});
    this.#loops(body, nest, inVectors, inBlocks ? block : null, (inner, position) => {
      for (const accumulator of accumulators) this.#accumulate(inner, accumulator, position, inVectors);
    });
    for (const { term, name, at, width } of accumulators) {
      scope.lines.push(`var ${name} = ${identity(term, width)};`);
      const first = this.#shared ? `select(2147483647i, i32(lane), lane < ${pointsOf(vars)}u)` : '0i';
      if (at) scope.lines.push(`var ${at} = ${first};`);
    }
    scope.lines.push(...body.lines);

    if (inVectors) for (const accumulator of accumulators) this.#joinLanes(scope, accumulator);
    if (this.#shared && this.subgroups) this.#joinSubgroups(scope, accumulators, this.subgroups);
    else if (this.#shared) this.#joinThreads(scope, accumulators);
    for (const { term, name, at, width } of accumulators) results.set(term.result, { code: at ?? name, width });
    return results;
  }

  #join({ fn, value }: ReduceTerm, a: string, b: string, width: Width): string {
    return unwrap(this.module.call(combiner(fn, value.dtype), [a, b], width));
  }

  #accumulate(inner: WgslScope, accumulator: Accumulator, position: IndexVar | null, inVectors: boolean): void {
    const { term, name, at, part } = accumulator;
    if (at) {
      const { fn, value } = term;
      const candidate = this.module.fresh('c');
      const takes = better(fn as 'argmax' | 'argmin', value.dtype);
      const index = position ? inner.index({ kind: 'var', v: position }) : '0u';
      inner.lines.push(
        `let ${candidate} = ${unwrap(inner.expr(value))};`,
        `if (${unwrap(this.module.call(takes, [candidate, name]))}) {`,
        `  ${name} = ${candidate};`,
        `  ${at} = i32(${index});`,
        '}',
      );
      return;
    }
    const value = inner.value(term.value);
    accumulator.width = inVectors ? 4 : value.width;
    const code = inner.valueOf(term.value, accumulator.width);
    const into = part ?? name;
    inner.lines.push(`${into} = ${this.#join(term, into, code, accumulator.width)};`);
  }

  /** Joins the four components of an accumulator. */
  #joinLanes(scope: WgslScope, accumulator: Accumulator): void {
    const { term, name } = accumulator;
    const [x, y, z, w] = ['x', 'y', 'z', 'w'].map((component) => `${name}.${component}`);
    const pairs = [this.#join(term, x!, y!, 1), this.#join(term, z!, w!, 1)].map((pair) => `(${pair})`);
    const joined = this.module.fresh('r');
    scope.lines.push(`let ${joined} = ${this.#join(term, pairs[0]!, pairs[1]!, 1)};`);
    Object.assign(accumulator, { name: joined, width: 1 });
  }

  /** Joins the accumulators of all threads, in a fixed order; every thread has the result. */
  #joinThreads(scope: WgslScope, accumulators: readonly Accumulator[]): void {
    const { lines } = scope;
    if (this.arrays.release()) lines.push('workgroupBarrier();');
    const arrays = accumulators.map(({ term, at }) => ({
      values: this.arrays.take(term.value.dtype),
      indices: at ? this.arrays.take('i32') : null,
    }));
    accumulators.forEach(({ name, at }, i) => {
      lines.push(`${arrays[i]!.values}[lane] = ${name};`);
      if (at) lines.push(`${arrays[i]!.indices}[lane] = ${at};`);
    });
    lines.push('workgroupBarrier();');
    let width = this.workgroupSize;
    if (width > FAN_IN) {
      width = Math.ceil(width / FAN_IN);
      const inner: string[] = [];
      accumulators.forEach((accumulator, i) => {
        const { values, indices } = arrays[i]!;
        const joined = this.#joinArray(inner, accumulator, arrays[i]!, 'lane', width, this.workgroupSize);
        inner.push(`${values}[lane] = ${joined.name};`);
        if (indices) inner.push(`${indices}[lane] = ${joined.at};`);
      });
      lines.push(`if (lane < ${width}u) {`, ...indent(inner), '}', 'workgroupBarrier();');
    }
    accumulators.forEach((accumulator, i) => {
      Object.assign(accumulator, this.#joinArray(lines, accumulator, arrays[i]!, '0u', 1, width));
    });
  }

  /**
   * The same by shuffles: first in each subgroup, in whose every invocation the same values meet, then the subgroups' results. No array is
   * used twice in a row of reductions, so each takes one barrier, and none where a subgroup is the workgroup.
   */
  #joinSubgroups({ lines }: WgslScope, accumulators: readonly Accumulator[], subgroups: Subgroups): void {
    const { size } = subgroups;
    this.joinsSubgroups = true;
    for (const directive of subgroupDirectives(subgroups)) this.module.functions.directives.add(directive);
    for (const accumulator of accumulators) {
      const { term, at, name } = accumulator;
      const joined = this.module.fresh('r');
      lines.push(`var ${joined} = ${name};`);
      for (let step = 1; step < size; step *= 2) {
        const other = shuffled(joined, term.value.dtype, step);
        if (at)
          lines.push(...this.#takeBetter(term, joined, at, other, shuffled(at, 'i32', step), this.module.fresh('k')));
        else lines.push(`${joined} = ${this.#join(term, joined, other, 1)};`);
      }
      accumulator.name = joined;
    }
    const count = this.workgroupSize / size;
    if (count === 1) return;
    const arrays = accumulators.map(({ term, at }) => ({
      values: this.arrays.take(term.value.dtype),
      indices: at ? this.arrays.take('i32') : null,
    }));
    const first = accumulators.flatMap(({ name, at }, i) => [
      `${arrays[i]!.values}[lane / ${size}u] = ${name};`,
      ...(at ? [`${arrays[i]!.indices}[lane / ${size}u] = ${at};`] : []),
    ]);
    lines.push(`if (lane % ${size}u == 0u) {`, ...indent(first), '}', 'workgroupBarrier();');
    accumulators.forEach((accumulator, i) => {
      Object.assign(accumulator, this.#joinArray(lines, accumulator, arrays[i]!, '0u', 1, count));
    });
  }

  /** Lines that take another value and its place in `name` and `at` where it is better, or equal and comes before. */
  #takeBetter(
    { fn, value }: ReduceTerm,
    name: string,
    at: string,
    other: string,
    place: string,
    own: string,
  ): string[] {
    const takes = (a: string, b: string): string =>
      this.module.call(better(fn as 'argmax' | 'argmin', value.dtype), [a, b]);
    return [
      `let ${own}v = ${other};`,
      `let ${own}i = ${place};`,
      `if (${takes(`${own}v`, name)} || (!${takes(name, `${own}v`)} && ${own}i < ${at})) {`,
      `  ${name} = ${own}v;`,
      `  ${at} = ${own}i;`,
      '}',
    ];
  }

  /** Joins the elements `first`, `first` + step, … below `end` of an array. */
  #joinArray(
    lines: string[],
    { term, at }: Accumulator,
    { values, indices }: { values: string; indices: string | null },
    first: string,
    step: number,
    end: number,
  ): { name: string; at: string | null } {
    const [name, j] = [this.module.fresh('r'), this.module.fresh('k')];
    const index = at ? this.module.fresh('r') : null;
    lines.push(`var ${name} = ${values}[${first}];`);
    if (index) lines.push(`var ${index} = ${indices}[${first}];`);
    const start = first === '0u' ? `${step}u` : `${first} + ${step}u`;
    lines.push(`for (var ${j} = ${start}; ${j} < ${end}u; ${j} += ${step}u) {`);
    if (index) {
      lines.push(...indent(this.#takeBetter(term, name, index, `${values}[${j}]`, `${indices}[${j}]`, j)));
    } else {
      lines.push(`  ${name} = ${this.#join(term, name, `${values}[${j}]`, 1)};`);
    }
    lines.push('}');
    return { name, at: index };
  }
}

const isArg = ({ fn }: ReduceTerm): boolean => fn === 'argmax' || fn === 'argmin';

/** The function that joins two values of a reduction. */
function combiner(fn: ReduceTerm['fn'], dtype: WordDType): NumericFn {
  const joins = { sum: 'add', prod: 'mul', max: 'max', min: 'min', argmax: 'max', argmin: 'min' } as const;
  return binaryFns[joins[fn]][dtype]!;
}

import { InternalError } from '../../../src/graph/index.js';
import type { Cond, Expr, Index, IndexVar, Result, StoreStmt } from '../../ir.js';
import { binaryFns, castFn, type NumericFn, threefry, unaryFns } from '../../numerics/index.js';
import { type Affine, affine, decide } from '../affine.js';
import { partsInOrder } from '../uses.js';
import { emitFunction } from './bodies.js';
import { type Block, i32, Local, op, splatI32, type Value } from './encoder.js';
import { expNonPositive } from './exponential.js';
import { constant, indexVar, plus, times, variable } from './indexTerms.js';
import { dependsOn, type Form, IndexWriter, type Placed, splatted } from './indices.js';
import { InductionVar } from './induction.js';
import type { KernelFunction } from './kernel-module.js';

/** The variable that lanes run over. */
export interface VectorBinding {
  readonly v: IndexVar;
  /** The variable's value in lane 0 of the first vector; a multiple of 4 * vectors unless it is a number. */
  readonly first: Value | InductionVar | number;
  /** Vectors that `steps` takes at a time; the scope's own code is about the first. */
  readonly vectors: number;
  /** Lanes that stand for points; the others may hold anything, and are not stored. */
  readonly lanes: number;
}

/** What a scope knows beyond its parent. */
export interface ScopeBindings {
  /** i32 values of index variables; numbers where they are constant. */
  readonly vars?: ReadonlyMap<IndexVar, Value | InductionVar | number>;
  /** At most one on a chain of scopes. Everything that depends on it differs by lane. */
  readonly vector?: VectorBinding;
  /** Variables in terms of others: points of a grid that one variable counts. */
  readonly indices?: ReadonlyMap<IndexVar, Index>;
  /** Vectors of results of enclosing statements. */
  readonly results?: ReadonlyMap<Result, LaneValue>;
}

/** A vector; the lanes of a uniform one are equal. */
export interface LaneValue {
  readonly value: Value;
  readonly uniform: boolean;
}

/** The vector variable is 4 * vectors * block + 4 * step + lane. */
export interface VectorParts {
  readonly binding: VectorBinding;
  readonly block: IndexVar;
  readonly step: IndexVar;
  readonly lane: IndexVar;
  readonly index: Index;
}

/**
 * A place in the code where some variables are known. All values are vectors of four lanes, at four consecutive values of the
 * vector variable; what does not depend on it has equal lanes. What does not depend on the innermost variables is computed further
 * out, in the block of the scope that knows enough: loops must be written so that a scope's block stays open while scopes inside of
 * it are used (`Block.inner` and `place…` do that, and so do the loops below).
 */
export class WasmScope {
  readonly values = new Map<Expr, Placed>();
  readonly results: Map<Result, LaneValue>;
  /** Index code by what it computes. */
  readonly indices = new Map<string, Value>();
  /** Scopes from the outermost to this one, by their level; a level may be missing. */
  readonly chain: readonly (WasmScope | undefined)[];
  readonly vector: VectorParts | null;
  readonly #forms = new Map<Index, Form>();
  readonly #writer: IndexWriter;
  /** Differs from step to step: see `steps`. */
  readonly stepped: boolean;

  constructor(
    readonly f: KernelFunction,
    outer: readonly (WasmScope | undefined)[],
    readonly level: number,
    readonly bindings: ScopeBindings,
    readonly block: Block,
    ofStep = false,
  ) {
    const chain = [...outer];
    chain[level] = this;
    this.chain = chain;
    this.results = new Map(bindings.results ?? []);
    const inherited = outer.reduce<VectorParts | null>((found, scope) => scope?.vector ?? found, null);
    this.vector = bindings.vector ? partsOf(bindings.vector) : inherited;
    this.#writer = new IndexWriter(this);
    this.stepped = ofStep || (outer[level - 1]?.stepped ?? false);
  }

  /** A scope inside of this one. */
  child(bindings: ScopeBindings, block: Block = this.block): WasmScope {
    return new WasmScope(this.f, this.chain, this.level + 1, bindings, block);
  }

  /** A scope of a single vector of v. */
  oneVector(v: IndexVar, first: Value | number, lanes: number, block = this.block): WasmScope {
    return this.child({ vector: { v, first, vectors: 1, lanes } }, block);
  }

  /** The scopes of the single vectors that the vector variable of this scope takes at a time. */
  steps(): WasmScope[] {
    const { step, binding } = this.vector!;
    return Array.from({ length: binding.vectors }, (_, n) => {
      const bindings = { vars: new Map([[step, n]]) };
      return new WasmScope(this.f, this.chain, this.level + 1, bindings, this.block, true);
    });
  }

  /** A scope for a loop that all `steps` of this one share: leaves their level out. */
  beyondSteps(bindings: ScopeBindings, block: Block): WasmScope {
    return new WasmScope(this.f, this.chain, this.level + 2, bindings, block);
  }

  /** This scope (a step, or anything outside of `inner`) and `inner` together. */
  within(inner: WasmScope): WasmScope {
    const chain: (WasmScope | undefined)[] = [];
    for (let level = 0; level <= inner.level; level++) chain[level] = inner.chain[level] ?? this.chain[level];
    return new WasmScope(this.f, chain, inner.level + 1, {}, inner.block, true);
  }

  /** The level of what depends on both: that of the inner one, but what differs by step belongs to no loop that the steps share. */
  join(a: number, b: number): number {
    let level = Math.max(a, b);
    const stepped = this.chain[a]!.stepped || this.chain[b]!.stepped;
    while (stepped && !this.chain[level]?.stepped) level++;
    return level;
  }

  /** The level of the scope that binds a variable. */
  levelOf(v: IndexVar | undefined): number {
    for (let level = this.level; level >= 0; level--) {
      const bindings = this.chain[level]?.bindings;
      if (v && (bindings?.vars?.has(v) || bindings?.vector?.v === v)) return level;
    }
    throw new InternalError(`[wasm] variable out of scope: ${v?.name}`);
  }

  /** Lanes that stand for points here. */
  get lanes(): number {
    return this.vector?.binding.lanes ?? 4;
  }

  /** An expression in all lanes: bits of f32, i32 or u32, or a mask for bool. To be used once. */
  value(expr: Expr): LaneValue {
    return this.place(expr);
  }

  /** As `value`, but a local or a constant, which may be used repeatedly. */
  named(expr: Expr): Placed {
    return this.#named(expr, this.place(expr));
  }

  /** An index as an i32; it must not depend on the vector variable. */
  index(index: Index): Value {
    return this.#writer.scalar(this.form(index)).value;
  }

  /** An index in each lane. */
  indexVector(index: Index): Value {
    return this.#writer.vector(this.form(index)).value;
  }

  /** Whether an index differs by lane. */
  moves(index: Index): boolean {
    return this.#writer.moves(this.form(index).form);
  }

  /** Appends the stores; all values are computed before the first is stored. */
  stores(stores: readonly StoreStmt[]): void {
    const values = stores.map(({ value }) => (stores.length > 1 ? this.named(value) : this.place(value)));
    stores.forEach(({ buffer, index, value: { dtype } }, i) => {
      const { value } = values[i]!;
      const words = dtype === 'bool' ? op('v128.and', value, splatI32(1)) : value;
      this.#writer.store(buffer, this.form(index), words);
    });
  }

  /** The normal form of an index in the variables that are known here. */
  form(index: Index): Form {
    let known = this.#forms.get(index);
    if (!known) {
      let level = 0;
      let byStep = false;
      const inThis = this.#affine(index, (at, isStep) => {
        level = Math.max(level, at);
        byStep ||= isStep;
        return true;
      });
      // Where the step cancels out, all steps share the value.
      if (byStep) {
        level = 0;
        const { step } = this.vector!;
        const symbolic = this.#affine(index, (at, isStep) => {
          if (!isStep) level = Math.max(level, at);
          return !isStep;
        });
        if (dependsOn(symbolic, step)) level = this.join(level, this.levelOf(step));
      }
      known = { form: inThis, level: this.join(level, this.#levelOfRange(index, inThis)) };
      this.#forms.set(index, known);
    }
    return known;
  }

  /**
   * An index may be free of the vector variable only because of the part of its range that this loop covers: i / 64 where i is below 64.
   * Then it belongs to the loop, because the vectors after it have another value.
   */
  #levelOfRange(index: Index, form: Affine): number {
    const { vector } = this;
    if (!vector || dependsOn(form, vector.block) || dependsOn(form, vector.lane)) return 0;
    const { v } = vector.binding;
    return dependsOn(
      this.#affine(index, () => true, v),
      v,
    )
      ? this.levelOf(v)
      : 0;
  }

  /** `replace` is asked, for variables that are constant here, whether to write the constant in their place; `kept` stays as it is. */
  #affine(index: Index, replace: (level: number, isStep: boolean) => boolean, kept?: IndexVar): Affine {
    return affine(index, (v) => {
      if (v === kept) return undefined;
      for (let level = this.level; level >= 0; level--) {
        const scope = this.chain[level];
        if (!scope) continue;
        const { vector, vars, indices } = scope.bindings;
        if (vector?.v === v) {
          if (typeof vector.first === 'number') replace(level, false);
          return scope.vector!.index;
        }
        const known = vars?.get(v);
        if (typeof known === 'number') {
          return replace(level, v === this.vector?.step) ? constant(known) : undefined;
        }
        if (known) return undefined;
        const other = indices?.get(v);
        if (other) return other;
      }
      return undefined;
    });
  }

  /** Computes an expression with all its parts, each in the outermost scope where its variables are known. */
  place(root: Expr): Placed {
    for (const expr of partsInOrder(root, (part) => this.#known(part) !== undefined)) {
      let placed = this.#compute(expr);
      if ((this.f.module.uses.get(expr) ?? 2) > 1) placed = this.#named(expr, placed);
      this.chain[placed.level]!.values.set(expr, placed);
    }
    const placed = this.#known(root)!;
    return placed.level < this.level ? this.#named(root, placed) : placed;
  }

  #known(expr: Expr): Placed | undefined {
    for (let level = this.level; level >= 0; level--) {
      const value = this.chain[level]?.values.get(expr);
      if (value) return value;
    }
    return undefined;
  }

  /** The value in a local of its own scope. */
  #named(expr: Expr, placed: Placed): Placed {
    if (placed.atom) return placed;
    const scope = this.chain[placed.level]!;
    const named = { ...placed, value: scope.block.let(placed.value), atom: true };
    scope.values.set(expr, named);
    return named;
  }

  /** Operands for use at the level of the innermost. */
  #operands(
    exprs: readonly Expr[],
    others: readonly Placed[] = [],
  ): { parts: Placed[]; level: number; uniform: boolean } {
    const known = exprs.map((expr) => this.#known(expr)!);
    const all = [...known, ...others];
    const level = all.reduce((sum, part) => this.join(sum, part.level), 0);
    const parts = known.map((part, i) => (part.level < level ? this.#named(exprs[i]!, part) : part));
    return { parts: [...parts, ...others], level, uniform: all.every(({ uniform }) => uniform) };
  }

  #compute(expr: Expr): Placed {
    switch (expr.kind) {
      case 'const':
        return splatted(this.f.constant(expr.value, expr.dtype), 0);
      case 'param':
        return splatted(this.f.param(expr.slot, expr.dtype), 0);
      case 'index':
        return this.#writer.vector(this.form(expr.index));
      case 'load':
        return this.#writer.load(expr.buffer, this.form(expr.index), expr.dtype, expr.clamp);
      case 'guard': {
        const fill: Expr = { kind: 'const', dtype: expr.dtype, value: expr.otherwise };
        return this.#choice(expr.conds, expr.value, fill);
      }
      case 'choose':
        return this.#choice(expr.conds, expr.a, expr.b);
      case 'unary': {
        const fn = this.f.module.nonPositive.has(expr)
          ? expNonPositive
          : functionOf(unaryFns[expr.fn], expr.fn, expr.x);
        return this.#call(fn, [expr.x]);
      }
      case 'binary':
        return this.#call(functionOf(binaryFns[expr.fn], expr.fn, expr.a), [expr.a, expr.b]);
      case 'cast':
        return this.#call(castFn(expr), [expr.x]);
      case 'where': {
        const { parts, level, uniform } = this.#operands([expr.cond, expr.a, expr.b]);
        const [cond, a, b] = parts.map(({ value }) => value) as [Value, Value, Value];
        return { value: this.choose(cond, a, b), level, uniform, atom: false };
      }
      case 'threefry':
        return this.#call(threefry, [expr.key0, expr.key1], this.#writer.vector(this.form(expr.counter)));
      case 'result':
        for (let level = this.level; level >= 0; level--) {
          const value = this.chain[level]?.results.get(expr.of);
          if (value) return { ...value, level, atom: true };
        }
        throw new InternalError(`[wasm] result out of scope: ${expr.of.name}`);
    }
  }

  /** Lanes of `a` where the mask is set, else of `b`. */
  choose(mask: Value, a: Value, b: Value): Value {
    return op(this.f.module.features.relaxedSimd ? 'i32x4.relaxed_laneselect' : 'v128.bitselect', a, b, mask);
  }

  /** The arguments of a function are used repeatedly: they get names. */
  #call(fn: NumericFn, exprs: readonly Expr[], ...others: Placed[]): Placed {
    const { parts, level, uniform } = this.#operands(exprs, others);
    const { block } = this.chain[level]!;
    const args = parts.map((part, i) => {
      const expr = exprs[i];
      if (part.atom || isSimple(fn)) return part.value;
      return expr ? this.#named(expr, part).value : block.let(part.value);
    });
    const value = emitFunction(this.f, block, fn, args);
    return { value, level, uniform, atom: value instanceof Local };
  }

  #reach({ form, level }: Form): number {
    return this.join(level, this.#writer.reach(form));
  }

  #choice(conds: readonly Cond[], a: Expr, b: Expr): Placed {
    const masks: Placed[] = [];
    // What is decided here may be decided otherwise in the next step or loop: the outcome belongs to the scope of the conditions.
    let decidedAt = 0;
    for (const cond of conds) {
      const [left, right] = [this.form(cond.a), this.form(cond.b)];
      const decided = decide(cond.kind, left.form, right.form);
      if (decided === null) masks.push(this.#writer.condition(cond.kind, left, right));
      else decidedAt = [left, right].reduce((at, of) => this.join(at, this.#reach(of)), decidedAt);
      if (decided === false) return this.#alone(b, decidedAt);
    }
    if (masks.length === 0) return this.#alone(a, decidedAt);
    if (b.kind === 'const') this.values.set(b, this.#compute(b));
    const { parts, level, uniform } = this.#operands([a, b], masks);
    const mask = parts
      .slice(2)
      .reduce((all, { value }) => (all ? op('v128.and', all, value) : value), null as Value | null)!;
    const value = this.choose(mask, parts[0]!.value, parts[1]!.value);
    return { value, level: this.join(level, decidedAt), uniform, atom: false };
  }

  #alone(expr: Expr, decidedAt: number): Placed {
    const placed = expr.kind === 'const' ? this.#compute(expr) : this.#named(expr, this.#known(expr)!);
    return { ...placed, level: this.join(placed.level, decidedAt) };
  }

  /**
   * Runs `body` for v = from … to - 1 (numbers or values of i32). The body's scope knows v; further vectors of an enclosing vector
   * variable are reached by `within`.
   */
  loop(v: IndexVar, from: Value | number, to: Value | number, body: (inner: WasmScope) => void, shared = false): void {
    this.#count(from, to, 1, (counter, block) => {
      const bindings = { vars: new Map([[v, counter]]) };
      body(shared ? this.beyondSteps(bindings, block) : this.child(bindings, block));
    });
  }

  /**
   * Runs `body` over whole blocks of `vectors` vectors of v: from, from + 4 * vectors, … while below `to`. Both are multiples of
   * 4 * vectors. `steps` are the scopes of the single vectors.
   */
  vectorLoop(
    v: IndexVar,
    from: Value | number,
    to: Value | number,
    vectors: number,
    body: (inner: WasmScope, steps: WasmScope[]) => void,
  ): void {
    this.#count(from, to, 4 * vectors, (first, block) => {
      const inner = this.child({ vector: { v, first, vectors, lanes: 4 } }, block);
      body(inner, inner.steps());
    });
  }

  /** The points from `first` to the end of v: whole vectors and at last one of fewer lanes, one after another. */
  vectorRest(v: IndexVar, first: number, body: (inner: WasmScope, steps: WasmScope[]) => void): void {
    const whole = Math.floor((v.extent - first) / 4);
    const lanes = (v.extent - first) % 4;
    if (whole > 0) {
      const inner = this.child({ vector: { v, first, vectors: whole, lanes: 4 } });
      body(inner, inner.steps());
    }
    if (lanes > 0) {
      const inner = this.oneVector(v, first + 4 * whole, lanes);
      body(inner, inner.steps());
    }
  }

  #count(
    from: Value | number,
    to: Value | number,
    step: number,
    body: (counter: InductionVar | number, block: Block) => void,
  ): void {
    if (typeof from === 'number' && typeof to === 'number' && to - from <= step) {
      // A single round; the scope still is one of its own.
      if (to > from) body(from, this.block);
      return;
    }
    const value = (bound: Value | number) => (typeof bound === 'number' ? i32(bound) : bound);
    const known = typeof from === 'number' && typeof to === 'number';
    const inner = this.block.inner();
    const counter = new InductionVar(this.block, value(from), step);
    body(counter, inner);
    counter.advance(inner);
    const again = op('i32.lt_u', counter.local, value(to));
    if (known) {
      this.block.placeLoop(inner, again);
      return;
    }
    const around = this.block.inner();
    around.placeLoop(inner, again);
    this.block.placeIf(op('i32.lt_u', counter.local, value(to)), around);
  }
}

function partsOf(binding: VectorBinding): VectorParts {
  const { v, first, vectors, lanes } = binding;
  const size = 4 * vectors;
  const block = indexVar(`${v.name}Block`, Math.max(Math.floor(v.extent / size), 1));
  const step = indexVar(`${v.name}Step`, vectors);
  const laneVar = indexVar('lane', lanes);
  const start = typeof first === 'number' ? constant(first) : times(variable(block), size);
  const index = plus(start, times(variable(step), 4), variable(laneVar));
  return { binding, block, step, lane: laneVar, index };
}

/** True if the body uses each argument once. */
const isSimple = ({ body }: NumericFn): boolean =>
  body.kind === 'op' && body.args.every(({ kind }) => kind === 'arg') && new Set(body.args).size === body.args.length;

function functionOf(
  table: Readonly<Partial<Record<Expr['dtype'], NumericFn>>>,
  name: string,
  { dtype }: Expr,
): NumericFn {
  const fn = table[dtype];
  if (!fn) throw new InternalError(`[wasm] no ${name} of ${dtype}`);
  return fn;
}

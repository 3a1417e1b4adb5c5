import { InternalError } from '../../../src/graph/index.js';
import type { Expr, FoldStmt, ForStmt, Index, IndexVar, Range, Result, RoutineKernel, RoutineStmt } from '../../ir.js';
import { binaryFns, castFn, type NumericFn, unaryFns } from '../../numerics/index.js';
import { emitFunction } from './bodies.js';
import {
  type Block,
  i32,
  Local,
  lane,
  load,
  loadLane,
  minU,
  op,
  shuffle,
  splatI32,
  type Value,
  v128,
} from './encoder.js';
import { type KernelFunction, WasmKernelModule } from './kernel-module.js';
import type { WasmFeatures, WasmKernel } from './rendered.js';
import { accessesOf, hasLoop, isFixed, isVector, overColumns, setBy, splitIndex } from './routine-analysis.js';

/** Nanoseconds of one floating-point operation, loads and stores included. */
const FLOP = 0.5;
/** A matrix takes some time, whatever its size. */
const LEAST_COST = 200;

/** Tasks that the columns of all matrices become, if there are as many pieces of them. */
const COLUMN_TASKS = 64;
/** Columns whose elements share a line of the cache. */
const COLUMNS_IN_LINE = 16;

/** Renders a routine to WebAssembly: a task for each matrix, or for some columns of one. */
export function renderRoutineToWasm(kernel: RoutineKernel, features: WasmFeatures): WasmKernel {
  const module = new WasmKernelModule(kernel, features);
  const { batch, column, body } = kernel;
  const columns = column?.extent ?? 1;
  const range = column && { first: { name: 'first', extent: columns + 1 }, end: { name: 'end', extent: columns + 1 } };
  const rows = range && overColumns(body, { v: column, from: variable(range.first), to: variable(range.end) });
  const step = rows ? COLUMNS_IN_LINE : 4;
  const width = step * Math.ceil(columns / step / Math.max(1, Math.floor(COLUMN_TASKS / batch.extent)));
  const parts = Math.ceil(columns / width);
  const tasks = batch.extent * parts;
  if (tasks > 0) {
    const f = module.function('matrices');
    const task = f.fn.local('i32');
    f.body.for(task, f.begin, f.end, 1, (block) => {
      const matrix = parts === 1 ? task : block.let(op('i32.div_u', task, i32(parts)));
      const writer = new RoutineWriter(f, batch, matrix);
      if (!range) {
        writer.body(body, block);
        return;
      }
      const start = block.let(scaled(op('i32.rem_u', task, i32(parts)), width));
      const whole = block.let(op('i32.add', start, i32(width)));
      const end = block.let(minU(whole, block.let(i32(columns))));
      writer.bind(range.first, start);
      writer.bind(range.end, end);
      if (rows) writer.body(rows, block);
      else writer.columns(column, start, end, body, block);
    });
    module.phase({ name: 'matrices', tasks, taskCost: LEAST_COST + (kernel.flops / tasks) * FLOP }, f);
  }
  return module.finish();
}

/** A loop without loops inside: addresses are pointers made before it, plus multiples of its variable. */
interface Innermost {
  readonly v: IndexVar;
  readonly pointers: ReadonlyMap<string, Local>;
}

/**
 * Writes statements. All values are vectors: four neighbouring points of a loop that runs over vectors, else one value in all four lanes.
 * Indices are single numbers.
 */
class RoutineWriter {
  readonly #vars = new Map<IndexVar, Local>();
  readonly #locals = new Map<Result, Local>();
  #innermost: Innermost | null = null;
  /** The variable that four values are taken of at a time. */
  #vector: IndexVar | null = null;

  constructor(
    private readonly f: KernelFunction,
    batch: IndexVar,
    matrix: Local,
  ) {
    this.#vars.set(batch, matrix);
  }

  body(body: readonly RoutineStmt[], block: Block): void {
    for (const statement of body) this.#statement(statement, block);
  }

  /** The columns from `start` on, each on its own. */
  columns(v: IndexVar, start: Local, end: Local, body: readonly RoutineStmt[], block: Block): void {
    this.#independent(v, start, end, body, block, Number.MAX_SAFE_INTEGER);
  }

  bind(v: IndexVar, value: Local): void {
    this.#vars.set(v, value);
  }

  #statement(statement: RoutineStmt, block: Block): void {
    switch (statement.kind) {
      case 'store': {
        const mask = this.#expr(statement.value, block);
        const value = statement.value.dtype === 'bool' ? op('v128.and', mask, splatI32(1)) : mask;
        const address = this.#address(statement.buffer, statement.index, block);
        const by = this.#stride(statement.index);
        if (by === 1) block.store(address, value);
        else if (by > 1) {
          const [first, vector] = [block.let(address), block.let(value)];
          for (let i = 0; i < 4; i++) block.storeLane('v128.store32_lane', i, first, vector, 4 * by * i);
        } else block.storeLane('v128.store32_lane', 0, address, value);
        return;
      }
      case 'let':
      case 'assign': {
        const value = this.#expr(statement.value, block);
        const known = this.#locals.get(statement.local);
        if (known) block.set(known, value);
        else this.#locals.set(statement.local, block.let(value));
        return;
      }
      case 'if': {
        const condition = lane('i32x4.extract_lane', 0, this.#expr(statement.condition, block));
        block.if(condition, (inner) => this.body(statement.body, inner));
        return;
      }
      case 'fold':
        this.#fold(statement, block);
        return;
      case 'for':
        this.#for(statement, statement.ranges, block);
    }
  }

  #for(statement: ForStmt, [range, ...more]: readonly Range[], block: Block): void {
    const { order, body } = statement;
    const { v, from, to } = range!;
    const [start, end] = [block.let(this.#index(from, block)), block.let(this.#index(to, block))];
    if (more.length > 0) {
      this.#count(v, start, end, 1, block, (inner) => this.#for(statement, more, inner));
      return;
    }
    if (order === 'serial') this.#loop(v, start, end, 1, body, block, (inner) => this.body(body, inner));
    else this.#independent(v, start, end, body, block);
  }

  #independent(v: IndexVar, start: Local, end: Local, body: readonly RoutineStmt[], block: Block, stride = 1): void {
    let rest = start;
    if (!this.#vector && isVector(v, body, stride)) {
      rest = block.let(wholeVectors(start, end));
      this.#vector = v;
      this.#loop(v, start, rest, 4, body, block, (inner) => this.body(body, inner));
      this.#vector = null;
    }
    this.#loop(v, rest, end, 1, body, block, (inner) => this.body(body, inner));
  }

  #fold({ range: { v, from, to }, terms }: FoldStmt, block: Block): void {
    const [start, end] = [block.let(this.#index(from, block)), block.let(this.#index(to, block))];
    const sums = terms.map(({ fn, result }) => {
      const first = this.f.constant(fn === 'sum' ? 0 : Number.NEGATIVE_INFINITY, 'f32');
      const sum = this.#locals.get(result) ?? this.f.fn.local('v128');
      this.#locals.set(result, sum);
      block.set(sum, first);
      return sum;
    });
    const combine = (i: number, value: Value, inner: Block) => {
      inner.set(sums[i]!, op(terms[i]!.fn === 'sum' ? 'f32x4.add' : 'f32x4.max', sums[i]!, value));
    };
    const steps: RoutineStmt[] = terms.map(({ value, result }) => ({ kind: 'let', local: result, value }));
    const step = (inner: Block) => {
      for (const [i, { value }] of terms.entries()) combine(i, this.#expr(value, inner), inner);
    };
    let rest = start;
    if (!this.#vector && isVector(v, steps)) {
      rest = block.let(wholeVectors(start, end));
      this.#vector = v;
      this.#loop(v, start, rest, 4, steps, block, step);
      this.#vector = null;
      // The lanes become one, which is the same in all of them.
      sums.forEach((sum, i) => {
        combine(i, shuffle(sum, sum, [2, 3, 0, 1]), block);
        combine(i, shuffle(sum, sum, [1, 0, 3, 2]), block);
      });
    }
    this.#loop(v, rest, end, 1, steps, block, step);
  }

  /** A loop whose addresses are pointers where it has no loops inside. */
  #loop(
    v: IndexVar,
    start: Local,
    end: Local,
    step: number,
    body: readonly RoutineStmt[],
    block: Block,
    write: (inner: Block) => void,
  ): void {
    const outer = this.#innermost;
    if (!hasLoop(body)) this.#innermost = { v, pointers: this.#pointers(v, body, block) };
    this.#count(v, start, end, step, block, write);
    this.#innermost = outer;
  }

  #count(v: IndexVar, start: Local, end: Local, step: number, block: Block, write: (inner: Block) => void): void {
    const counter = this.f.fn.local('i32');
    this.#vars.set(v, counter);
    block.for(counter, start, end, step, write);
  }

  #pointers(v: IndexVar, body: readonly RoutineStmt[], block: Block): Map<string, Local> {
    const pointers = new Map<string, Local>();
    const set = setBy(body);
    for (const { buffer, index } of accessesOf(body)) {
      const split = splitIndex(index, v);
      if (!split || !isFixed(split.rest, set)) continue;
      const key = this.#key(buffer, split.rest);
      if (!pointers.has(key)) pointers.set(key, block.let(this.#elementAddress(buffer, split.rest, block)));
    }
    return pointers;
  }

  #key(buffer: number, index: Index): string {
    const text = (i: Index): string => {
      switch (i.kind) {
        case 'const':
          return String(i.value);
        case 'var':
          return `v${this.#vars.get(i.v)!.index}`;
        case 'add':
        case 'sub':
          return `(${text(i.a)} ${i.kind} ${text(i.b)})`;
        case 'mul':
        case 'div':
        case 'mod':
          return `(${text(i.a)} ${i.kind} ${i.b})`;
        case 'value':
          if (i.expr.kind !== 'result') throw new InternalError('[wasm] a routine indexes by more than a variable');
          return `l${this.#locals.get(i.expr.of)!.index}`;
      }
    };
    return `${buffer}: ${text(index)}`;
  }

  /** How far the elements of neighbouring values of a vector lie apart; 0 for one value. */
  #stride(index: Index): number {
    return (this.#vector && splitIndex(index, this.#vector)?.coefficient) ?? 0;
  }

  #address(buffer: number, index: Index, block: Block): Value {
    const loop = this.#innermost;
    const split = loop && splitIndex(index, loop.v);
    const pointer = split && loop.pointers.get(this.#key(buffer, split.rest));
    if (!pointer) return this.#elementAddress(buffer, index, block);
    if (split.coefficient === 0) return pointer;
    return op('i32.add', pointer, scaled(this.#vars.get(loop.v)!, 4 * split.coefficient));
  }

  #elementAddress(buffer: number, index: Index, block: Block): Value {
    return op('i32.add', this.f.buffer(buffer), scaled(this.#index(index, block), 4));
  }

  #index(index: Index, block: Block): Value {
    switch (index.kind) {
      case 'const':
        return i32(index.value);
      case 'var':
        return this.#vars.get(index.v)!;
      case 'add':
      case 'sub':
        return op(`i32.${index.kind}`, this.#index(index.a, block), this.#index(index.b, block));
      case 'mul':
        return scaled(this.#index(index.a, block), index.b);
      case 'div':
        return isPower(index.b)
          ? op('i32.shr_u', this.#index(index.a, block), i32(Math.log2(index.b)))
          : op('i32.div_u', this.#index(index.a, block), i32(index.b));
      case 'mod':
        return isPower(index.b)
          ? op('i32.and', this.#index(index.a, block), i32(index.b - 1))
          : op('i32.rem_u', this.#index(index.a, block), i32(index.b));
      case 'value':
        return lane('i32x4.extract_lane', 0, this.#expr(index.expr, block));
    }
  }

  #expr(expr: Expr, block: Block): Value {
    switch (expr.kind) {
      case 'const':
        return this.f.constant(expr.value, expr.dtype);
      case 'index': {
        const first = op('i32x4.splat', this.#index(expr.index, block));
        const by = this.#stride(expr.index);
        return by === 0 ? first : op('i32x4.add', first, v128(0, by, 2 * by, 3 * by));
      }
      case 'load': {
        const address = this.#address(expr.buffer, expr.index, block);
        const by = this.#stride(expr.index);
        const first = by > 1 ? block.let(address) : address;
        let words = load(by === 1 ? 'v128.load' : 'v128.load32_splat', first);
        for (let i = 1; by > 1 && i < 4; i++) words = loadLane(i, first, words, 4 * by * i);
        return expr.dtype === 'bool' ? op('i32x4.ne', words, splatI32(0)) : words;
      }
      case 'unary':
        return this.#call(unaryFns[expr.fn][expr.x.dtype], [expr.x], block);
      case 'binary':
        return this.#call(binaryFns[expr.fn][expr.a.dtype], [expr.a, expr.b], block);
      case 'cast':
        return this.#call(castFn(expr), [expr.x], block);
      case 'where': {
        const [a, b, mask] = [expr.a, expr.b, expr.cond].map((part) => this.#expr(part, block)) as [
          Value,
          Value,
          Value,
        ];
        return op('v128.bitselect', a, b, mask);
      }
      case 'result':
        return this.#locals.get(expr.of)!;
      default:
        throw new InternalError(`[wasm] ${expr.kind} in a routine`);
    }
  }

  /** The arguments of a function may be used repeatedly: they get names. */
  #call(fn: NumericFn | undefined, exprs: readonly Expr[], block: Block): Value {
    if (!fn) throw new InternalError('[wasm] a function of another dtype in a routine');
    const args = exprs.map((expr) => {
      const value = this.#expr(expr, block);
      return value instanceof Local || expr.kind === 'const' ? value : block.let(value);
    });
    return emitFunction(this.f, block, fn, args);
  }
}

/** The end of the whole vectors of a range. */
const wholeVectors = (start: Local, end: Local): Value =>
  op('i32.add', start, op('i32.and', op('i32.sub', end, start), i32(-4)));

const variable = (v: IndexVar): Index => ({ kind: 'var', v });
const isPower = (value: number): boolean => Number.isInteger(Math.log2(value));

function scaled(value: Value, factor: number): Value {
  if (factor === 1) return value;
  const by = Math.log2(factor);
  return Number.isInteger(by) ? op('i32.shl', value, i32(by)) : op('i32.mul', value, i32(factor));
}

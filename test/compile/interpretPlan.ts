import type { Cond, Expr, Index, IndexVar, Kernel, Result, StoreStmt } from '../../kernels/ir.js';
import type { Plan } from '../../src/engine/plan.js';
import { evaluateNodes } from '../../src/engine/reference/index.js';
import {
  arrayOf,
  binary,
  cast,
  type DType,
  halfBits,
  halfValue,
  isPacked,
  leaf,
  type Node,
  reduceIdentity,
  roundToDType,
  sizeOf,
  type TypedArray,
  unary,
  where,
  wordsOf,
} from '../../src/graph/index.js';
import { interpretRoutine } from '../kernels/routines/interpret.js';

type Values = Float64Array;

/** One operation of the reference interpreter on single numbers. */
function scalarOperation(make: (...inputs: Node[]) => Node, ...values: { value: number; dtype: DType }[]): number {
  const leaves = values.map((v) => leaf({ shape: [1], dtype: v.dtype }));
  const arrays = values.map(({ value, dtype }): TypedArray => {
    if (dtype === 'f32') return Float32Array.of(value);
    if (dtype === 'i32') return Int32Array.of(value);
    return dtype === 'u32' ? Uint32Array.of(value) : Uint8Array.of(value);
  });
  return evaluateNodes([make(...leaves)], new Map(leaves.map((l, i) => [l as Node, arrays[i]!])))[0]![0]!;
}

const u32 = (x: number): number => x >>> 0;

/** A cast by way of a packed dtype. */
function viaPacked(value: number, from: DType, to: DType, via: DType): number {
  if (from === 'u32') return halfValue(value & 0xffff);
  return to === 'u32' ? halfBits(value) : roundToDType(value, via);
}

/** Runs kernels one point at a time, in float64 rounded to the dtype after every operation: slow, and nothing but the IR's meaning. */
class KernelInterpreter {
  private readonly vars = new Map<IndexVar, number>();
  private readonly results = new Map<Result, number>();

  constructor(
    private readonly kernel: Kernel,
    private readonly buffers: readonly Values[],
    private readonly params: readonly number[],
  ) {}

  run(): void {
    const { kernel } = this;
    if (kernel.kind === 'contraction') {
      this.loop([kernel.batch, kernel.m, kernel.n], () => {
        let sum = 0;
        this.loop([kernel.k], () => {
          const product = [kernel.a, kernel.b].map((e) => this.value(e));
          sum += kernel.dtype === 'f32' ? product[0]! * product[1]! : Math.imul(product[0]!, product[1]!);
        });
        this.results.set(kernel.acc, roundToDType(sum, kernel.dtype));
        this.stores(kernel.epilogue);
      });
      return;
    }
    if (kernel.kind === 'routine') {
      interpretRoutine(kernel, this.buffers, Math.fround);
      return;
    }
    for (const segment of kernel.segments) {
      this.loop(segment.parallel, () => {
        let pending: StoreStmt[] = [];
        for (const s of segment.body) {
          if (s.kind === 'store') {
            pending.push(s);
            continue;
          }
          this.stores(pending);
          pending = [];
          if (s.kind === 'loop') this.loop(s.vars, () => this.stores(s.body));
          else {
            for (const term of s.terms) {
              const values: number[] = [];
              this.loop(s.vars, () => values.push(this.value(term.value)));
              this.results.set(term.result, reduceValues(term.fn, term.value.dtype, values));
            }
          }
        }
        this.stores(pending);
      });
    }
  }

  private loop(vars: readonly IndexVar[], body: () => void): void {
    const [first, ...rest] = vars;
    if (first === undefined) {
      body();
      return;
    }
    for (let i = 0; i < first.extent; i++) {
      this.vars.set(first, i);
      this.loop(rest, body);
    }
  }

  private stores(list: readonly StoreStmt[]): void {
    const values = list.map((s) => this.value(s.value));
    list.forEach((s, i) => {
      const at = this.index(s.index);
      const buffer = this.buffers[s.buffer]!;
      if (at >= this.kernel.buffers[s.buffer]!.length) throw new RangeError(`store at ${at} of ${buffer.length}`);
      buffer[at] = values[i]!;
    });
  }

  private index(i: Index): number {
    switch (i.kind) {
      case 'const':
        return i.value;
      case 'var': {
        const value = this.vars.get(i.v);
        if (value === undefined) throw new RangeError(`variable ${i.v.name} out of scope`);
        return value;
      }
      case 'add':
        return u32(this.index(i.a) + this.index(i.b));
      case 'sub':
        return u32(this.index(i.a) - this.index(i.b));
      case 'mul':
        return u32(this.index(i.a) * i.b);
      case 'div':
        return Math.floor(this.index(i.a) / i.b);
      case 'mod':
        return this.index(i.a) % i.b;
      case 'value':
        return u32(this.value(i.expr));
    }
  }

  private holds(conds: readonly Cond[]): boolean {
    return conds.every((c) => {
      const [a, b] = [this.index(c.a), this.index(c.b)];
      return c.kind === 'lt' ? a < b : c.kind === 'ge' ? a >= b : a === b;
    });
  }

  private value(e: Expr): number {
    switch (e.kind) {
      case 'const':
        return e.value;
      case 'param':
        return this.params[e.slot]!;
      case 'index':
        return roundToDType(this.index(e.index), e.dtype);
      case 'load': {
        const { length } = this.kernel.buffers[e.buffer]!;
        const at = this.index(e.index);
        if (at >= length && !e.clamp) throw new RangeError(`load at ${at} of ${length}`);
        return this.buffers[e.buffer]![Math.min(at, length - 1)]!;
      }
      case 'guard':
        return this.holds(e.conds) ? this.value(e.value) : e.otherwise;
      case 'choose':
        return this.value(this.holds(e.conds) ? e.a : e.b);
      case 'unary':
        return scalarOperation((x) => unary(e.fn, x!), this.typed(e.x));
      case 'binary':
        return scalarOperation((a, b) => binary(e.fn, a!, b!), this.typed(e.a), this.typed(e.b));
      case 'where':
        return scalarOperation((c, a, b) => where(c!, a!, b!), this.typed(e.cond), this.typed(e.a), this.typed(e.b));
      case 'cast':
        if (e.via !== undefined) return viaPacked(this.value(e.x), e.x.dtype, e.dtype, e.via);
        return scalarOperation((x) => cast(x!, e.dtype), this.typed(e.x));
      case 'threefry':
        throw new RangeError('threefry is not interpreted');
      case 'result':
        return this.results.get(e.of)!;
    }
  }

  private typed = (e: Expr): { value: number; dtype: DType } => ({ value: this.value(e), dtype: e.dtype });
}

function reduceValues(fn: string, dtype: DType, values: readonly number[]): number {
  if (fn === 'argmax' || fn === 'argmin') {
    const best = values.findIndex((v) => Number.isNaN(v));
    if (best >= 0) return best;
    return values.indexOf(fn === 'argmax' ? Math.max(...values) : Math.min(...values));
  }
  if (values.length === 0) return reduceIdentity(fn as 'sum', dtype);
  if (fn === 'max') return Math.max(...values);
  if (fn === 'min') return Math.min(...values);
  if (dtype !== 'f32')
    return roundToDType(
      values.reduce((a, b) => (fn === 'sum' ? (a + b) | 0 : Math.imul(a, b))),
      dtype,
    );
  return roundToDType(
    values.reduce((a, b) => (fn === 'sum' ? a + b : a * b), fn === 'sum' ? 0 : 1),
    dtype,
  );
}

/** Runs a plan on the host. Storage is as the plan says: arena ranges that overlap share their words. */
export function interpretPlan(plan: Plan, inputs: readonly TypedArray[], scalars: readonly number[] = []): number[][] {
  const arena = new Float64Array(plan.arenaBytes / 4).fill(Number.NaN);
  const given = inputs.map((x, i) => {
    const { dtype } = plan.inputs[i]!;
    return Float64Array.from(isPacked(dtype) ? wordsOf(x, dtype) : x);
  });
  const storage = plan.buffers.map(({ bytes, place }): Values => {
    if (place.kind === 'input') return given[place.index]!;
    if (place.kind === 'output') return new Float64Array(bytes / 4).fill(Number.NaN);
    return arena.subarray(place.offset / 4, place.offset / 4 + bytes / 4);
  });
  for (const { kernel, bindings, params } of plan.kernels) {
    new KernelInterpreter(
      kernel,
      bindings.map((b) => storage[b]!),
      params.map((p) => scalars[p]!),
    ).run();
  }
  return plan.outputs.map(({ buffer, dtype, shape }) => {
    const values = storage[buffer]!;
    return [...(isPacked(dtype) ? arrayOf(Uint32Array.from(values).buffer, dtype, sizeOf(shape)) : values)];
  });
}

/** No two buffers of a kernel overlap, and what a kernel reads was written before. */
export function verifyPlan(plan: Plan, maxBindings: number): void {
  const range = (b: number): [string, number, number] => {
    const { place, bytes } = plan.buffers[b]!;
    return place.kind === 'arena'
      ? ['arena', place.offset, place.offset + bytes]
      : [`${place.kind}${place.index}`, 0, bytes];
  };
  const written = new Set(plan.buffers.map((_, i) => i).filter((i) => plan.buffers[i]!.place.kind === 'input'));
  for (const { kernel, bindings } of plan.kernels) {
    if (bindings.length > maxBindings) throw new Error(`${kernel.name} binds ${bindings.length} buffers`);
    bindings.forEach((x, i) => {
      const [home, begin, end] = range(x);
      if (begin === end) throw new Error(`${kernel.name} binds an empty buffer`);
      for (const y of bindings.slice(i + 1)) {
        const [other, from, to] = range(y);
        if (home === other && begin < to && from < end) throw new Error(`${kernel.name} binds overlapping storage`);
      }
      const { access } = kernel.buffers[i]!;
      if (access !== 'write' && !written.has(x))
        throw new Error(`${kernel.name} reads buffer ${x} before it is written`);
    });
    bindings.forEach((x, i) => {
      if (kernel.buffers[i]!.access !== 'read') written.add(x);
    });
  }
  for (const o of plan.outputs) {
    if (plan.buffers[o.buffer]!.bytes > 0 && !written.has(o.buffer)) throw new Error('an output is never written');
  }
}

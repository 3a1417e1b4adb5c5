/** Runs routines statement by statement in JavaScript numbers: nothing but what the IR means. */
import type { Expr, Index, IndexVar, Range, Result, RoutineKernel, RoutineStmt } from '../../../kernels/ir.js';
import type { WordDType } from '../../../src/graph/index.js';

const u32 = (value: number): number => value >>> 0;

/** @param round what every f32 value goes through: nothing for float64 */
export function interpretRoutine(
  kernel: RoutineKernel,
  buffers: readonly Float64Array[],
  round: (x: number) => number = (x) => x,
): void {
  const vars = new Map<IndexVar, number>();
  const locals = new Map<Result, number>();

  function index(i: Index): number {
    switch (i.kind) {
      case 'const':
        return i.value;
      case 'var':
        return vars.get(i.v)!;
      case 'add':
        return u32(index(i.a) + index(i.b));
      case 'sub':
        return u32(index(i.a) - index(i.b));
      case 'mul':
        return u32(index(i.a) * i.b);
      case 'div':
        return Math.floor(index(i.a) / i.b);
      case 'mod':
        return index(i.a) % i.b;
      case 'value':
        return u32(value(i.expr));
    }
  }

  const rounded = (dtype: WordDType, x: number): number => {
    if (dtype === 'f32') return round(x);
    return dtype === 'i32' ? x | 0 : dtype === 'u32' ? u32(x) : Number(x !== 0);
  };

  const place = (buffer: number, i: Index): number => {
    const at = index(i);
    if (at >= kernel.buffers[buffer]!.length) throw new RangeError(`element ${at} of buffer ${buffer}`);
    return at;
  };

  function value(e: Expr): number {
    switch (e.kind) {
      case 'const':
        return e.value;
      case 'index':
        return e.dtype === 'i32' ? index(e.index) | 0 : index(e.index);
      case 'load':
        return buffers[e.buffer]![place(e.buffer, e.index)]!;
      case 'unary':
        return rounded(e.dtype, UNARY[e.fn]!(value(e.x)));
      case 'binary':
        if (e.fn === 'mul' && e.dtype !== 'f32') return rounded(e.dtype, Math.imul(value(e.a), value(e.b)));
        return rounded(e.dtype, BINARY[e.fn]!(value(e.a), value(e.b)));
      case 'where': {
        // Both are computed, as by engines.
        const [a, b] = [value(e.a), value(e.b)];
        return value(e.cond) ? a : b;
      }
      case 'cast':
        if (e.via === 'f32') return new Uint32Array(Float32Array.of(value(e.x)).buffer)[0]!;
        return rounded(e.dtype, Math.trunc(value(e.x)));
      case 'result': {
        const known = locals.get(e.of);
        if (known === undefined) throw new RangeError(`${e.of.name} before its time`);
        return known;
      }
      default:
        throw new TypeError(e.kind);
    }
  }

  function count([first, ...rest]: readonly Range[], backwards: boolean, body: () => void): void {
    if (!first) {
      body();
      return;
    }
    const { v, from, to } = first;
    const [begin, end] = [index(from), index(to)];
    if (begin > end || end > v.extent) throw new RangeError(`${v.name} from ${begin} to ${end} of ${v.extent}`);
    for (let i = 0; i < end - begin; i++) {
      vars.set(v, backwards ? end - 1 - i : begin + i);
      count(rest, backwards, body);
    }
  }

  function run(body: readonly RoutineStmt[]): void {
    for (const s of body) {
      if (s.kind === 'store') buffers[s.buffer]![place(s.buffer, s.index)] = value(s.value);
      else if (s.kind === 'if') value(s.condition) && run(s.body);
      // The order of independent iterations must not matter: the last goes first.
      else if (s.kind === 'for') count(s.ranges, s.order !== 'serial', () => run(s.body));
      else if (s.kind === 'fold') {
        const sums = s.terms.map(({ fn }) => (fn === 'sum' ? 0 : Number.NEGATIVE_INFINITY));
        count([s.range], false, () => {
          s.terms.forEach(({ fn, value: term }, i) => {
            sums[i] = fn === 'sum' ? round(sums[i]! + value(term)) : Math.max(sums[i]!, value(term));
          });
        });
        s.terms.forEach(({ result }, i) => void locals.set(result, sums[i]!));
      } else locals.set(s.local, value(s.value));
    }
  }

  for (let i = 0; i < kernel.batch.extent; i++) {
    vars.set(kernel.batch, i);
    for (let j = 0; j < (kernel.column?.extent ?? 1); j++) {
      if (kernel.column) vars.set(kernel.column, j);
      run(kernel.body);
    }
  }
}

const UNARY: Record<string, (x: number) => number> = {
  abs: Math.abs,
  sqrt: Math.sqrt,
  neg: (x) => -x,
  logicalNot: (x) => 1 - x,
  isnan: (x) => Number(Number.isNaN(x)),
};

const BINARY: Record<string, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  eq: (a, b) => Number(a === b),
  max: Math.max,
  min: Math.min,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shiftRight: (a, b) => a >>> b,
};

/** Runs loop kernels point by point in JavaScript numbers: the oracle of the renderers. */
import type { Cond, Expr, Index, IndexVar, LoopKernel, ReduceTerm, Result, Stmt } from '../../kernels/ir.js';

export type Words = Float64Array;

const u32 = (value: number): number => ((value % 2 ** 32) + 2 ** 32) % 2 ** 32;

interface Point {
  readonly vars: Map<IndexVar, number>;
  readonly results: Map<Result, number>;
}

/** Runs a kernel on buffers of numbers (bool as 0 and 1), which it changes. */
export function interpret(kernel: LoopKernel, buffers: readonly Words[], params: readonly number[] = []): void {
  function index(i: Index, at: Point): number {
    switch (i.kind) {
      case 'const':
        return i.value;
      case 'var':
        return at.vars.get(i.v)!;
      case 'add':
        return u32(index(i.a, at) + index(i.b, at));
      case 'sub':
        return u32(index(i.a, at) - index(i.b, at));
      case 'mul':
        return u32(index(i.a, at) * i.b);
      case 'div':
        return Math.floor(index(i.a, at) / i.b);
      case 'mod':
        return index(i.a, at) % i.b;
      case 'value':
        return u32(value(i.expr, at));
    }
  }

  const holds = ({ kind, a, b }: Cond, at: Point): boolean => {
    const [x, y] = [index(a, at), index(b, at)];
    return kind === 'lt' ? x < y : kind === 'ge' ? x >= y : x === y;
  };

  function value(e: Expr, at: Point): number {
    switch (e.kind) {
      case 'const':
        return e.value;
      case 'param':
        return params[e.slot]!;
      case 'index':
        return e.dtype === 'i32' ? index(e.index, at) | 0 : index(e.index, at);
      case 'load': {
        const buffer = buffers[e.buffer]!;
        const place = index(e.index, at);
        if (place >= buffer.length && !e.clamp) throw new Error(`load of element ${place} of ${buffer.length}`);
        return buffer[Math.min(place, buffer.length - 1)] ?? 0;
      }
      case 'guard':
        return e.conds.every((cond) => holds(cond, at)) ? value(e.value, at) : e.otherwise;
      case 'choose':
        return e.conds.every((cond) => holds(cond, at)) ? value(e.a, at) : value(e.b, at);
      case 'unary':
        return unary(e.fn, value(e.x, at));
      case 'binary':
        return binary(e.fn, e.a.dtype, value(e.a, at), value(e.b, at));
      case 'where':
        return value(e.cond, at) ? value(e.a, at) : value(e.b, at);
      case 'cast': {
        const x = value(e.x, at);
        if (e.dtype === 'f32') return Math.fround(x);
        if (e.dtype === 'bool') return x !== 0 ? 1 : 0;
        return e.dtype === 'i32' ? Math.trunc(x) | 0 : Math.trunc(x) >>> 0;
      }
      case 'result':
        return at.results.get(e.of)!;
      case 'threefry':
        throw new Error('threefry has its own test');
    }
  }

  function visit(vars: readonly IndexVar[], at: Point, body: () => void): void {
    const [v, ...rest] = vars;
    if (!v) {
      body();
      return;
    }
    for (let i = 0; i < v.extent; i++) {
      at.vars.set(v, i);
      visit(rest, at, body);
    }
  }

  function run(body: readonly Stmt[], at: Point): void {
    for (let next = 0; next < body.length; next++) {
      const statement = body[next]!;
      if (statement.kind === 'store') {
        // Neighbouring stores happen at once.
        const stored: (() => void)[] = [];
        for (let store: Stmt | undefined = statement; store?.kind === 'store'; store = body[++next]) {
          const [buffer, place, x] = [store.buffer, index(store.index, at), value(store.value, at)];
          stored.push(() => void (buffers[buffer]![place] = x));
        }
        next--;
        for (const run of stored) run();
      } else if (statement.kind === 'loop') {
        visit(statement.vars, at, () => run(statement.body, at));
      } else {
        const states = statement.terms.map((term) => ({ term, best: identity(term), at: 0 }));
        visit(statement.vars, at, () => {
          for (const state of states) {
            const x = value(state.term.value, at);
            const { fn } = state.term;
            if (fn === 'argmax' || fn === 'argmin') {
              const better = fn === 'argmax' ? x > state.best : x < state.best;
              if (better || (Number.isNaN(x) && !Number.isNaN(state.best))) {
                state.best = x;
                state.at = at.vars.get(statement.vars[0]!)!;
              }
            } else {
              state.best = binary(
                ({ sum: 'add', prod: 'mul' } as const)[fn as 'sum'] ?? fn,
                state.term.value.dtype,
                state.best,
                x,
              );
            }
          }
        });
        for (const { term, best, at: place } of states) {
          at.results.set(term.result, term.fn.startsWith('arg') ? place : best);
        }
      }
    }
  }

  for (const { parallel, body } of kernel.segments) {
    const at: Point = { vars: new Map(), results: new Map() };
    visit(parallel, at, () => run(body, at));
  }
}

function identity({ fn, value: { dtype } }: ReduceTerm): number {
  if (fn === 'sum') return 0;
  if (fn === 'prod') return 1;
  const lowest = { f32: Number.NEGATIVE_INFINITY, i32: -(2 ** 31), u32: 0, bool: 0 }[dtype];
  const highest = { f32: Number.POSITIVE_INFINITY, i32: 2 ** 31 - 1, u32: 2 ** 32 - 1, bool: 1 }[dtype];
  return fn.endsWith('max') ? lowest : highest;
}

function unary(fn: string, x: number): number {
  const known: Record<string, (x: number) => number> = {
    neg: (v) => -v,
    abs: Math.abs,
    exp: Math.exp,
    sqrt: Math.sqrt,
    isnan: (v) => Number(Number.isNaN(v)),
    logicalNot: (v) => 1 - v,
  };
  return known[fn]!(x);
}

function binary(fn: string, dtype: string, a: number, b: number): number {
  const wrap = (x: number) => (dtype === 'i32' ? x | 0 : dtype === 'u32' ? x >>> 0 : Math.fround(x));
  const known: Record<string, (a: number, b: number) => number> = {
    add: (x, y) => wrap(x + y),
    sub: (x, y) => wrap(x - y),
    mul: (x, y) => wrap(dtype === 'f32' ? x * y : Math.imul(x, y)),
    div: (x, y) => wrap(x / y),
    max: Math.max,
    min: Math.min,
    lt: (x, y) => Number(x < y),
    le: (x, y) => Number(x <= y),
    eq: (x, y) => Number(x === y),
    and: (x, y) => wrap(x & y),
    remainder: (x, y) => ((x % y) + y) % y,
  };
  return known[fn]!(a, b);
}

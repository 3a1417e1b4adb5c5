import type { Cond, Expr, Index, IndexVar } from '../ir.js';

/**
 * Index algebra of the lowering: every index is kept as a sum of `coefficient * atom` plus a constant, where an atom is a
 * variable, a quotient, a remainder or a computed value. Views compose by substituting such sums; the rules below undo the
 * divisions that reshapes introduce, so a contiguous access through any chain of views ends as the bare variable again.
 *
 * Values may fall below zero only under a guard that is then false, so rules need to hold for values >= 0 only.
 */
export interface Lin {
  readonly terms: readonly Term[];
  readonly c: number;
  readonly key: string;
  /** Bounds over all values of the variables. */
  readonly min: number;
  readonly max: number;
}

export interface Term {
  readonly atom: Atom;
  readonly coef: number;
}

export type Atom =
  | { readonly kind: 'var'; readonly key: string; readonly max: number; readonly v: IndexVar }
  | { readonly kind: 'div' | 'mod'; readonly key: string; readonly max: number; readonly x: Lin; readonly d: number }
  | { readonly kind: 'value'; readonly key: string; readonly max: number; readonly expr: Expr };

const ids = new WeakMap<object, number>();
let nextId = 1;

function idOf(object: object): number {
  let id = ids.get(object);
  if (id === undefined) {
    id = nextId++;
    ids.set(object, id);
  }
  return id;
}

function make(terms: readonly Term[], c: number): Lin {
  const sorted = [...terms].sort((a, b) => (a.atom.key < b.atom.key ? -1 : a.atom.key > b.atom.key ? 1 : 0));
  let min = c;
  let max = c;
  let key = String(c);
  for (const { atom, coef } of sorted) {
    if (coef > 0) max += coef * atom.max;
    else min += coef * atom.max;
    key += `+${coef}*${atom.key}`;
  }
  return { terms: sorted, c, key, min, max };
}

export const linConst = (value: number): Lin => make([], value);
export const ZERO = linConst(0);

/** A variable; one of extent 1 is the constant 0. */
export function linVar(v: IndexVar): Lin {
  if (v.extent <= 1) return ZERO;
  return make([{ atom: { kind: 'var', key: `v${idOf(v)}`, max: v.extent - 1, v }, coef: 1 }], 0);
}

/** A computed i32 or u32 value, as u32. */
export function linValue(expr: Expr): Lin {
  return make([{ atom: { kind: 'value', key: `e${idOf(expr)}`, max: 2 ** 32 - 1, expr }, coef: 1 }], 0);
}

export function linAdd(a: Lin, b: Lin): Lin {
  if (a.terms.length === 0 && a.c === 0) return b;
  if (b.terms.length === 0 && b.c === 0) return a;
  const terms = new Map<string, Term>();
  for (const t of [...a.terms, ...b.terms]) {
    const old = terms.get(t.atom.key);
    terms.set(t.atom.key, old ? { atom: t.atom, coef: old.coef + t.coef } : t);
  }
  return recombine(
    [...terms.values()].filter((t) => t.coef !== 0),
    a.c + b.c,
  );
}

export const linAddConst = (a: Lin, c: number): Lin => (c === 0 ? a : make(a.terms, a.c + c));

export function linMul(a: Lin, k: number): Lin {
  if (k === 0) return ZERO;
  if (k === 1) return a;
  return make(
    a.terms.map((t) => ({ atom: t.atom, coef: t.coef * k })),
    a.c * k,
  );
}

/**
 * Undoes splits: k*(x mod a) + k*a*(x div a) is k*x, and k*(x mod a) + k*a*((x div a) mod b) is k*(x mod a*b).
 */
function recombine(terms: readonly Term[], c: number): Lin {
  for (const low of terms) {
    if (low.atom.kind !== 'mod') continue;
    const { x, d } = low.atom;
    const quotient = linDiv(x, d);
    for (const high of terms) {
      if (high === low || high.coef !== low.coef * d) continue;
      let merged: Lin | null = null;
      if (isAtom(quotient, high.atom)) merged = x;
      else if (high.atom.kind === 'mod' && high.atom.x.key === quotient.key) merged = linMod(x, d * high.atom.d);
      if (merged === null) continue;
      const rest = terms.filter((t) => t !== low && t !== high);
      return linAdd(make(rest, c), linMul(merged, low.coef));
    }
    // The quotient of a sum may itself be a sum; it is then spread over several terms.
    if (quotient.terms.length > 1 || (quotient.terms.length === 1 && quotient.c !== 0)) {
      const wanted = linMul(quotient, low.coef * d);
      if (wanted.terms.every((w) => terms.some((t) => t.atom.key === w.atom.key && t.coef === w.coef))) {
        const keys = new Set(wanted.terms.map((w) => w.atom.key));
        const rest = terms.filter((t) => t !== low && !keys.has(t.atom.key));
        return linAdd(make(rest, c - wanted.c), linMul(x, low.coef));
      }
    }
  }
  return make(terms, c);
}

const isAtom = (l: Lin, atom: Atom): boolean =>
  l.c === 0 && l.terms.length === 1 && l.terms[0]!.coef === 1 && l.terms[0]!.atom.key === atom.key;

const floorMod = (a: number, d: number): number => a - Math.floor(a / d) * d;

/** Splits x into d * quotient + rest with rest >= 0 everywhere, moving as much into the quotient as the bounds allow. */
function split(x: Lin, d: number): { quotient: Lin; rest: Lin } {
  const multiple = x.terms.filter((t) => t.coef % d === 0).map((t) => ({ atom: t.atom, coef: t.coef / d }));
  const others: Term[] = [];
  for (const t of x.terms) {
    if (t.coef % d === 0) continue;
    const whole = t.coef > d ? Math.floor(t.coef / d) : 0;
    if (whole > 0) multiple.push({ atom: t.atom, coef: whole });
    others.push({ atom: t.atom, coef: t.coef - whole * d });
  }
  const c = floorMod(x.c, d);
  const rest = make(others, c);
  if (rest.min >= 0) return { quotient: make(multiple, (x.c - c) / d), rest };
  const keepConst = make(others, x.c);
  if (keepConst.min >= 0) return { quotient: make(multiple, 0), rest: keepConst };
  return { quotient: ZERO, rest: x };
}

/** Floor of x / d. */
export function linDiv(x: Lin, d: number): Lin {
  if (d === 1) return x;
  const { quotient, rest } = split(x, d);
  if (rest.min >= 0 && rest.max < d) return quotient;
  return linAdd(quotient, divAtom(rest, d));
}

function divAtom(x: Lin, d: number): Lin {
  if (x.terms.length === 1 && x.c === 0 && x.terms[0]!.coef === 1) {
    const { atom } = x.terms[0]!;
    if (atom.kind === 'div') return linDiv(atom.x, atom.d * d);
    if (atom.kind === 'mod' && atom.d % d === 0) return linMod(linDiv(atom.x, d), atom.d / d);
  }
  const max = x.min < 0 ? 2 ** 32 - 1 : Math.floor(x.max / d);
  return make([{ atom: { kind: 'div', key: `(${x.key}/${d})`, max, x, d }, coef: 1 }], 0);
}

/** Remainder of x / d. */
export function linMod(x: Lin, d: number): Lin {
  if (d === 1) return ZERO;
  const { rest } = split(x, d);
  if (rest.min >= 0 && rest.max < d) return rest;
  if (rest.terms.length === 1 && rest.c === 0 && rest.terms[0]!.coef === 1) {
    const { atom } = rest.terms[0]!;
    if (atom.kind === 'mod' && atom.d % d === 0) return linMod(atom.x, d);
  }
  const max = rest.min < 0 ? d - 1 : Math.min(rest.max, d - 1);
  return make([{ atom: { kind: 'mod', key: `(${rest.key}%${d})`, max, x: rest, d }, coef: 1 }], 0);
}

/** Row-major position of an index vector. */
export function flatten(indices: readonly Lin[], shape: readonly number[]): Lin {
  let out = ZERO;
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    out = linAdd(out, linMul(indices[i]!, stride));
    stride *= shape[i]!;
  }
  return out;
}

/** Index vector of a row-major position. */
export function unflatten(position: Lin, shape: readonly number[]): Lin[] {
  const out = new Array<Lin>(shape.length);
  let rest = position;
  let first = 0;
  while (first < shape.length && shape[first] === 1) out[first++] = ZERO;
  for (let i = shape.length - 1; i >= first; i--) {
    const d = shape[i]!;
    if (d === 1) {
      out[i] = ZERO;
    } else if (i === first) {
      out[i] = rest;
    } else {
      out[i] = linMod(rest, d);
      rest = linDiv(rest, d);
    }
  }
  return out;
}

/** Renders the sum as IR. */
export function toIndex(x: Lin): Index {
  const positive = x.terms.filter((t) => t.coef > 0).sort((a, b) => b.coef - a.coef);
  const negative = x.terms.filter((t) => t.coef < 0);
  let out: Index | null = null;
  for (const t of positive) {
    const term = scaled(atomIndex(t.atom), t.coef);
    out = out === null ? term : { kind: 'add', a: out, b: term };
  }
  if (x.c > 0 || out === null) {
    const c: Index = { kind: 'const', value: Math.max(x.c, 0) };
    out = out === null ? c : { kind: 'add', a: out, b: c };
  }
  for (const t of negative) out = { kind: 'sub', a: out, b: scaled(atomIndex(t.atom), -t.coef) };
  if (x.c < 0) out = { kind: 'sub', a: out, b: { kind: 'const', value: -x.c } };
  return out;
}

const scaled = (index: Index, coef: number): Index => (coef === 1 ? index : { kind: 'mul', a: index, b: coef });

const atomCache = new WeakMap<Atom, Index>();

function atomIndex(atom: Atom): Index {
  let index = atomCache.get(atom);
  if (index === undefined) {
    if (atom.kind === 'var') index = { kind: 'var', v: atom.v };
    else if (atom.kind === 'value') index = { kind: 'value', expr: atom.expr };
    else index = { kind: atom.kind, a: toIndex(atom.x), b: atom.d };
    atomCache.set(atom, index);
  }
  return index;
}

/** `a < limit` as a condition; true or false where the bounds decide it. A wrapped (negative) a counts as large. */
export function lessThan(a: Lin, limit: number): Cond | boolean {
  if (a.min >= 0 && a.max < limit) return true;
  if (a.min >= limit) return false;
  return { kind: 'lt', a: toIndex(a), b: { kind: 'const', value: limit } };
}

export function atLeast(a: Lin, limit: number): Cond | boolean {
  if (a.min >= limit) return true;
  if (a.min >= 0 && a.max < limit) return false;
  return { kind: 'ge', a: toIndex(a), b: { kind: 'const', value: limit } };
}

export function isZero(a: Lin): Cond | boolean {
  if (a.terms.length === 0) return a.c === 0;
  if (a.min > 0) return false;
  return { kind: 'eq', a: toIndex(a), b: { kind: 'const', value: 0 } };
}

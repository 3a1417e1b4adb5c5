import type { Cond, Expr, Index, IndexVar } from '../ir.js';

/**
 * Index arithmetic in a normal form: constant + sum of coefficient * atom. u32 arithmetic wraps, so sums may be reordered freely;
 * div and mod are simplified only where the ranges show that nothing wrapped below them.
 */
export class Affine {
  #key: string | null = null;

  /** `min` and `max`: bounds of the exact (unwrapped) value. */
  constructor(
    readonly terms: readonly Term[],
    readonly constant: number,
    readonly min: number,
    readonly max: number,
  ) {}

  /** Equal for equal forms. Written when it is asked for: most forms are on the way to another one. */
  get key(): string {
    this.#key ??= [
      ...this.terms.map(({ atom, coefficient }) => `${coefficient}*${atom.key}`).sort(),
      this.constant,
    ].join('+');
    return this.#key;
  }

  /** With other terms and another constant, but these bounds. */
  with(terms: readonly Term[], constant: number, min = this.min): Affine {
    return new Affine(terms, constant, min, this.max);
  }
}

export interface Term {
  readonly atom: Atom;
  readonly coefficient: number;
}

export type Atom = { readonly key: string; readonly min: number; readonly max: number } & (
  | { readonly kind: 'var'; readonly v: IndexVar }
  | { readonly kind: 'div' | 'mod'; readonly a: Affine; readonly b: number }
  | { readonly kind: 'value'; readonly expr: Expr }
);

const U32_MAX = 2 ** 32 - 1;

let nextId = 0;
const ids = new WeakMap<object, number>();
function idOf(object: object): number {
  let id = ids.get(object);
  if (id === undefined) {
    id = nextId++;
    ids.set(object, id);
  }
  return id;
}

function make(terms: readonly Term[], constant: number): Affine {
  const isGone = ({ coefficient }: Term): boolean => coefficient === 0;
  const kept = terms.some(isGone) ? terms.filter((term) => !isGone(term)) : terms;
  let [min, max] = [constant, constant];
  for (const { atom, coefficient } of kept) {
    min += coefficient * (coefficient > 0 ? atom.min : atom.max);
    max += coefficient * (coefficient > 0 ? atom.max : atom.min);
  }
  return new Affine(kept, constant, min, max);
}

const ofConstant = (value: number): Affine => make([], value);
const ofAtom = (atom: Atom): Affine => make([{ atom, coefficient: 1 }], 0);

function sum(a: Affine, b: Affine, factor: number): Affine {
  const constant = a.constant + b.constant * factor;
  if (b.terms.length === 0) return make(a.terms, constant);
  const terms = [...a.terms];
  for (const { atom, coefficient } of b.terms) {
    const at = terms.findIndex((term) => term.atom.key === atom.key);
    if (at < 0) terms.push({ atom, coefficient: coefficient * factor });
    else terms[at] = { atom, coefficient: terms[at]!.coefficient + coefficient * factor };
  }
  return rejoin(make(terms, constant));
}

/** b * (a / b) + a % b is a. */
function rejoin(form: Affine): Affine {
  if (form.terms.length < 2) return form;
  for (const low of form.terms) {
    const { atom, coefficient } = low;
    if (atom.kind !== 'mod') continue;
    const [high, ...more] = quotient(atom.a, atom.b).terms;
    if (!high || more.length > 0 || high.coefficient !== 1) continue;
    const term = form.terms.find((other) => other.atom.key === high.atom.key);
    if (term?.coefficient !== coefficient * atom.b) continue;
    const others = form.terms.filter((other) => other !== term && other !== low);
    return sum(make(others, form.constant), atom.a, coefficient);
  }
  return form;
}

const times = (a: Affine, factor: number): Affine =>
  make(
    a.terms.map(({ atom, coefficient }) => ({ atom, coefficient: coefficient * factor })),
    a.constant * factor,
  );

/** True if the unwrapped value is the u32 value. */
const isExact = (a: Affine): boolean => a.min >= 0 && a.max <= U32_MAX;

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/** a = b * whole + rest, with all that b divides in `whole`. */
export function split(a: Affine, b: number): { whole: Affine; rest: Affine } {
  const whole: Term[] = [];
  const rest: Term[] = [];
  for (const { atom, coefficient } of a.terms) {
    if (coefficient % b === 0) whole.push({ atom, coefficient: coefficient / b });
    else rest.push({ atom, coefficient });
  }
  const low = ((a.constant % b) + b) % b;
  return { whole: make(whole, (a.constant - low) / b), rest: make(rest, low) };
}

/**
 * a = factor * high + low where factor divides b and 0 <= low < factor. Then a / b = high / (b / factor), and
 * a % b = factor * (high % (b / factor)) + low. Null where there is no such factor.
 */
function splitLow(a: Affine, b: number): { factor: number; high: Affine; low: Affine } | null {
  const shared = a.terms.reduce((g, { coefficient }) => gcd(g, coefficient), b);
  for (const factor of [...a.terms.map(({ coefficient }) => gcd(b, coefficient)), shared]) {
    if (factor === 1) continue;
    const { whole: high, rest: low } = split(a, factor);
    if (low.min >= 0 && low.max < factor && high.min >= 0) return { factor, high, low };
  }
  return null;
}

function quotient(a: Affine, b: number): Affine {
  if (b === 1) return a;
  if (!isExact(a)) return ofAtom({ kind: 'div', a, b, key: `(${a.key})/${b}`, min: 0, max: Math.floor(U32_MAX / b) });
  const { whole, rest } = split(a, b);
  if (rest.min < 0) return divAtom(a, b);
  if (rest.max < b) return whole;
  const parts = splitLow(rest, b);
  return sum(whole, parts ? quotient(parts.high, b / parts.factor) : divAtom(rest, b), 1);
}

function divAtom(a: Affine, b: number): Affine {
  const inner = a.terms.length === 1 && a.constant === 0 && a.terms[0]!.coefficient === 1 ? a.terms[0]!.atom : null;
  if (inner?.kind === 'div') return divAtom(inner.a, inner.b * b);
  const [min, max] = [Math.floor(a.min / b), Math.floor(a.max / b)];
  return ofAtom({ kind: 'div', a, b, key: `(${a.key})/${b}`, min, max });
}

function remainder(a: Affine, b: number): Affine {
  if (b === 1) return ofConstant(0);
  const atom = (of: Affine) => ofAtom({ kind: 'mod', a: of, b, key: `(${of.key})%${b}`, min: 0, max: b - 1 });
  if (!isExact(a)) return atom(a);
  const { rest } = split(a, b);
  if (rest.min < 0) return atom(a);
  if (rest.max < b) return rest;
  const parts = splitLow(rest, b);
  if (parts) return sum(parts.low, remainder(parts.high, b / parts.factor), parts.factor);
  return atom(rest);
}

/** Gives an index in terms of others in place of a variable, or undefined where the variable stays. */
export type Substitution = (v: IndexVar) => Index | undefined;

/** The normal form of an index. */
export function affine(index: Index, substitution: Substitution): Affine {
  const form = (part: Index) => affine(part, substitution);
  switch (index.kind) {
    case 'const':
      return ofConstant(index.value);
    case 'var': {
      const other = substitution(index.v);
      if (other) return form(other);
      if (index.v.extent <= 1) return ofConstant(0);
      return ofAtom({ kind: 'var', v: index.v, key: `v${idOf(index.v)}`, min: 0, max: index.v.extent - 1 });
    }
    case 'add':
      return sum(form(index.a), form(index.b), 1);
    case 'sub':
      return sum(form(index.a), form(index.b), -1);
    case 'mul':
      return times(form(index.a), index.b);
    case 'div':
      return quotient(form(index.a), index.b);
    case 'mod':
      return remainder(form(index.a), index.b);
    case 'value':
      return ofAtom({ kind: 'value', expr: index.expr, key: `e${idOf(index.expr)}`, min: 0, max: U32_MAX });
  }
}

/** Whether a condition holds at every point (true), at none (false) or at some (null), as far as the ranges tell. */
export function decide(kind: Cond['kind'], left: Affine, right: Affine): boolean | null {
  if (left.key === right.key) return kind !== 'lt';
  if (!isExact(left) || !isExact(right)) return null;
  if (kind === 'eq') return left.max < right.min || left.min > right.max ? false : null;
  const less = left.max < right.min ? true : left.min >= right.max ? false : null;
  return less === null ? null : kind === 'lt' ? less : !less;
}

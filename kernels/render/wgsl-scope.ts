import { type BinaryFn, InternalError, type WordDType } from '../../src/graph/index.js';
import type { Cond, Expr, Index, IndexVar, Result, StoreStmt } from '../ir.js';
import { binaryFns, castFn, type NumericFn, threefry, unaryFns } from '../numerics/index.js';
import { type Affine, type Atom, affine, decide, split, type Term } from './affine.js';
import { partsInOrder } from './uses.js';
import type { WgslModule } from './wgsl-module.js';
import { splat, unwrap, type Width, wgslType } from './wgsl-values.js';

/** A WGSL expression (an identifier, a literal or something in parentheses: safe to put next to any operator). */
export interface WgslValue {
  readonly code: string;
  readonly width: Width;
}

/** What a scope knows beyond its parent. */
export interface ScopeBindings {
  /** u32 expressions of index variables. */
  readonly vars?: ReadonlyMap<IndexVar, string>;
  /** Values of enclosing statements; a string is a value of width 1. */
  readonly results?: ReadonlyMap<Result, string | WgslValue>;
  /**
   * The vector variable: its code (given in `vars`) is the first of four consecutive values, a multiple of four; its extent is a
   * multiple of four too. Everything that depends on it comes out as a vec4. At most one on a chain of scopes.
   */
  readonly vector?: IndexVar;
  /** A quarter of the vector variable's first value, where the caller has code for it; `vars` may then lack the variable. */
  readonly quad?: string;
  /** Variables in terms of others: points of a grid that one variable counts. */
  readonly indices?: ReadonlyMap<IndexVar, Index>;
}

/** A rendered value and the depth of the innermost scope it depends on. */
interface Placed extends WgslValue {
  readonly depth: number;
  /** An identifier or a literal: need not be named to be used twice. */
  readonly atom: boolean;
}

const MAX_INLINE_LENGTH = 120;
const LANES = 'vec4<u32>(0u, 1u, 2u, 3u)';

/** The vector variable is 4 * quad + lane. */
interface Vector {
  readonly quad: IndexVar;
  readonly lane: IndexVar;
  readonly index: Index;
}

/** A place in the code where some variables are known. */
export class WgslScope {
  /** `let` lines (and stores) in order, without indentation. */
  readonly lines: string[] = [];
  readonly #depth: number;
  readonly #chain: readonly WgslScope[];
  readonly #values = new Map<Expr, Placed>();
  readonly #indices = new Map<string, string>();
  readonly #forms = new Map<Index, Affine>();
  readonly #vector: Vector | null;

  constructor(
    readonly module: WgslModule,
    readonly parent: WgslScope | null,
    private readonly bindings: ScopeBindings,
  ) {
    this.#chain = parent ? [...parent.#chain, this] : [this];
    this.#depth = this.#chain.length - 1;
    const inherited = parent ? parent.#vector : null;
    this.#vector = bindings.vector ? vectorOf(bindings.vector) : inherited;
  }

  /** A scope inside this one: a loop body, or the code after it. What it computes from this scope's variables alone goes to this scope's `lines`. */
  child(bindings: ScopeBindings): WgslScope {
    return new WgslScope(this.module, this, bindings);
  }

  /** An expression of width 1 (bool as WGSL bool); shared parts become `let` lines of the outermost scope that knows their variables. */
  expr(expr: Expr): string {
    const { code, width } = this.value(expr);
    if (width !== 1) throw new InternalError('[render] a vector where one value was expected');
    return code;
  }

  /** As `expr`, of whatever width the expression has here. */
  value(expr: Expr): WgslValue {
    return this.#place(expr);
  }

  /** As `value`, widened to `width`. */
  valueOf(expr: Expr, width: Width): string {
    return this.#widen(this.#place(expr), expr.dtype, width);
  }

  /** A u32 expression of width 1. */
  index(index: Index): string {
    const { code, width } = this.#index(this.#form(index));
    if (width !== 1) throw new InternalError('[render] a vector where one index was expected');
    return code;
  }

  /** Appends the stores; all values are computed before the first is stored. */
  stores(stores: readonly StoreStmt[]): void {
    const values = stores.map(({ value }) => {
      const placed = this.#place(value);
      return stores.length > 1 ? this.#named(value, placed) : placed;
    });
    stores.forEach((store, i) => void this.#store(store, values[i]!));
  }

  /** The normal form of an index in the variables that have code here. */
  #form(index: Index): Affine {
    let form = this.#forms.get(index);
    if (!form) {
      form = affine(index, (v) => {
        for (let depth = this.#depth; depth >= 0; depth--) {
          const { bindings } = this.#chain[depth]!;
          if (bindings.vector === v) return this.#chain[depth]!.#vector!.index;
          if (bindings.vars?.has(v)) return undefined;
          const other = bindings.indices?.get(v);
          if (other) return other;
        }
        return undefined;
      });
      this.#forms.set(index, form);
    }
    return form;
  }

  #known(expr: Expr): Placed | undefined {
    for (let i = this.#depth; i >= 0; i--) {
      const value = this.#chain[i]!.#values.get(expr);
      if (value) return value;
    }
    return undefined;
  }

  /** Renders an expression with all its parts, each at the depth where its variables are known. */
  #place(root: Expr): Placed {
    for (const expr of partsInOrder(root, (part) => this.#known(part) !== undefined)) {
      let placed = this.#render(expr);
      const shared = (this.module.uses.get(expr) ?? 2) > 1;
      if (!placed.atom && (shared || placed.code.length > MAX_INLINE_LENGTH)) placed = this.#named(expr, placed);
      this.#chain[placed.depth]!.#values.set(expr, placed);
    }
    const placed = this.#known(root)!;
    return placed.depth < this.#depth ? this.#named(root, placed) : placed;
  }

  /** The value under a name, at its own depth. */
  #named(expr: Expr, placed: Placed): Placed {
    if (placed.atom) return placed;
    const scope = this.#chain[placed.depth]!;
    const name = this.module.fresh('t');
    scope.lines.push(`let ${name} = ${unwrap(placed.code)};`);
    const named = { ...placed, code: name, atom: true };
    scope.#values.set(expr, named);
    return named;
  }

  /** A part for use at `depth`: what belongs further out gets its name there. */
  #part(expr: Expr, depth: number): Placed {
    const placed = this.#known(expr)!;
    return placed.depth < depth ? this.#named(expr, placed) : placed;
  }

  #widen({ code, width: from }: WgslValue, dtype: WordDType, width: Width): string {
    if (from === width) return code;
    if (from === 4) throw new InternalError('[render] a vector where one value was expected');
    return splat(code, dtype, width);
  }

  #render(expr: Expr): Placed {
    switch (expr.kind) {
      case 'const':
        return { code: this.module.constant(expr.value, expr.dtype), width: 1, depth: 0, atom: true };
      case 'param':
        return { code: this.#param(expr.slot, expr.dtype), width: 1, depth: 0, atom: false };
      case 'index': {
        const { code, width, depth } = this.#index(this.#form(expr.index));
        const type = wgslType(expr.dtype, width);
        return { code: expr.dtype === 'u32' ? code : `bitcast<${type}>(${code})`, width, depth, atom: false };
      }
      case 'load':
        return this.#load(expr);
      case 'guard':
        return this.#choice(expr, expr.conds, expr.value, null, expr.otherwise);
      case 'choose':
        return this.#choice(expr, expr.conds, expr.a, expr.b, 0);
      case 'unary':
        return this.#call(functionOf(unaryFns[expr.fn], expr.fn, expr.x.dtype), [expr.x]);
      case 'binary': {
        const fn = functionOf(binaryFns[expr.fn], expr.fn, expr.a.dtype);
        return this.#call(fn, [expr.a, expr.b], (constant, other) => isFoldable(expr.fn, constant, other));
      }
      case 'cast':
        return this.#call(castFn(expr), [expr.x]);
      case 'where': {
        const { parts, depth, width } = this.#parts([expr.cond, expr.a, expr.b]);
        return { code: `select(${parts[2]}, ${parts[1]}, ${parts[0]})`, width, depth, atom: false };
      }
      case 'threefry': {
        const counter = this.#index(this.#form(expr.counter));
        const keys = [expr.key0, expr.key1];
        const depth = Math.max(counter.depth, ...keys.map((key) => this.#known(key)!.depth));
        const placed = keys.map((key) => this.#part(key, depth));
        const width = Math.max(counter.width, ...placed.map((key) => key.width)) as Width;
        const args = [...placed, counter].map((arg) => this.#widen(arg, 'u32', width));
        return { code: this.module.call(threefry, args, width), width, depth, atom: false };
      }
      case 'result': {
        for (let depth = this.#depth; depth >= 0; depth--) {
          const value = this.#chain[depth]!.bindings.results?.get(expr.of);
          if (value === undefined) continue;
          return { ...(typeof value === 'string' ? { code: value, width: 1 } : value), depth, atom: true };
        }
        throw new InternalError(`[render] result out of scope: ${expr.of.name}`);
      }
    }
  }

  /** Operands, all of the widest width, for use at the depth of the deepest. */
  #parts(operands: readonly Expr[]): { parts: string[]; depth: number; width: Width } {
    const depth = Math.max(...operands.map((operand) => this.#known(operand)!.depth));
    const placed = operands.map((operand) => this.#part(operand, depth));
    const width = Math.max(...placed.map((part) => part.width)) as Width;
    return { parts: placed.map((part, i) => this.#widen(part, operands[i]!.dtype, width)), depth, width };
  }

  /**
   * WGSL evaluates an operation on literals alone when it compiles, and refuses overflow there. So those go through a function, and
   * constants for which `hide` holds are hidden from all compilers.
   */
  #call(fn: NumericFn, operands: readonly Expr[], hide?: (constant: Constant, other: Expr) => boolean): Placed {
    const { parts, depth, width } = this.#parts(operands);
    const { functions } = this.module;
    const allConstant = operands.every(({ kind }) => kind === 'const');
    const args = operands.map((operand, i) => {
      if (operand.kind !== 'const') return parts[i]!;
      if (allConstant) return functions.constant(operand.value, operand.dtype, width);
      if (!hide?.(operand, operands[1 - i]!)) return parts[i]!;
      const hidden = functions.hidden(operand.value);
      return splat(this.#chain[0]!.#namedIndex(hidden, hidden), 'f32', width);
    });
    const code = this.module.call(fn, args, width);
    // A function without operations is its argument.
    const atom = code === args[0] && operands.length === 1 && this.#known(operands[0]!)!.atom;
    return { code, width, depth, atom };
  }

  #param(slot: number, dtype: WordDType): string {
    const word = `params[${slot >> 2}].${'xyzw'[slot & 3]}`;
    return dtype === 'u32' ? word : dtype === 'bool' ? `(${word} != 0u)` : `bitcast<${dtype}>(${word})`;
  }

  #choice(expr: Expr, conds: readonly Cond[], then: Expr, other: Expr | null, otherwise: number): Placed {
    const forms = conds.map(({ kind, a, b }) => ({ kind, a: this.#form(a), b: this.#form(b) }));
    const open = forms.filter(({ kind, a, b }) => decide(kind, a, b) !== true);
    const never = open.some(({ kind, a, b }) => decide(kind, a, b) === false);
    if (open.length === 0) return this.#known(then)!;
    const constant: Placed = {
      code: this.module.constant(otherwise, expr.dtype),
      width: 1,
      depth: 0,
      atom: true,
    };
    if (never) return other ? this.#known(other)! : constant;
    const tests = open.map(({ kind, a, b }) => this.#test(kind, this.#index(a), this.#index(b)));
    const operands = other ? [then, other] : [then];
    const depth = Math.max(
      ...[...tests, ...operands.map((operand) => this.#known(operand)!)].map((part) => part.depth),
    );
    const values = operands.map((operand) => this.#part(operand, depth));
    if (!other) values.push(constant);
    const width = Math.max(...[...tests, ...values].map((part) => part.width)) as Width;
    const condition = tests
      .map((test) => (test.depth < depth ? this.#chain[test.depth]!.#namedIndex(test.code, test.code) : test.code))
      .map((code, i) => this.#widen({ code, width: tests[i]!.width }, 'bool', width))
      .join(' & ');
    const [yes, no] = values.map((value) => this.#widen(value, expr.dtype, width));
    return { code: `select(${no}, ${yes}, ${unwrap(condition)})`, width, depth, atom: false };
  }

  #test(kind: Cond['kind'], a: Placed, b: Placed): Placed {
    const width = Math.max(a.width, b.width) as Width;
    const [left, right] = [a, b].map((side) => this.#widen(side, 'u32', width));
    const operator = { lt: '<', ge: '>=', eq: '==' }[kind];
    return { code: `(${left} ${operator} ${right})`, width, depth: Math.max(a.depth, b.depth), atom: false };
  }

  // --- indices ---

  /** An index form; lanes: as a vec4 where it depends on the vector variable, else at the first of the four values. */
  #index(form: Affine, lanes = true): Placed {
    const terms = form.terms.flatMap((term) => this.#term(term, lanes));
    // Outermost first, and what is subtracted last.
    terms.sort((a, b) => a.depth - b.depth || b.coefficient - a.coefficient);
    if (terms.length === 0) return { code: `${word(form.constant)}u`, width: 1, depth: 0, atom: true };
    const sum = { code: '', key: '', width: 1 as Width, depth: terms[0]!.depth };
    const append = (code: string, factor: number) => {
      const part = factor === 1 || factor === -1 ? code : `(${code} * ${word(Math.abs(factor))}u)`;
      if (sum.code !== '') sum.code = `(${unwrap(sum.code)} ${factor < 0 ? '-' : '+'} ${part})`;
      else sum.code = factor < 0 ? `(0u - ${part})` : part;
      sum.key += `+${factor}*${code}`;
    };
    const outermost = terms.filter(({ depth }) => depth === sum.depth).length;
    terms.forEach((term, i) => {
      if (term.depth > sum.depth) {
        sum.code = this.#chain[sum.depth]!.#namedIndex(sum.key, sum.code);
        sum.depth = term.depth;
      }
      append(term.code, term.coefficient);
      sum.width = Math.max(sum.width, term.width) as Width;
      if (i === outermost - 1 && form.constant !== 0)
        append(`${word(Math.abs(form.constant))}u`, Math.sign(form.constant));
    });
    const code = this.#chain[sum.depth]!.#indices.get(sum.key) ?? sum.code;
    return { code, width: sum.width, depth: sum.depth, atom: isName(code) };
  }

  /** A name for index code in this scope; the key tells what it computes. */
  #namedIndex(key: string, code: string): string {
    if (isName(code)) return code;
    let name = this.#indices.get(key);
    if (!name) {
      name = this.module.fresh('i');
      this.lines.push(`let ${name} = ${unwrap(code)};`);
      this.#indices.set(key, name);
    }
    return name;
  }

  #term({ atom, coefficient }: Term, lanes: boolean): (Placed & { coefficient: number })[] {
    const vector = this.#vector;
    if (vector && atom.kind === 'var') {
      if (atom.v === vector.lane) {
        return lanes ? [{ code: LANES, width: 4, depth: 0, atom: true, coefficient }] : [];
      }
      if (atom.v === vector.quad) {
        const { first, quad, depth } = this.#vectorCode();
        // Four quads are the variable itself.
        if (coefficient % 4 === 0 && first) {
          return [{ code: first, width: 1, depth, atom: isName(first), coefficient: coefficient / 4 }];
        }
        return [{ code: quad, width: 1, depth, atom: isName(quad), coefficient }];
      }
    }
    return [{ ...this.#atom(atom, lanes), coefficient }];
  }

  /** Code of the vector variable's first value (if the caller gave it) and of a quarter of that. */
  #vectorCode(): { first: string | undefined; quad: string; depth: number } {
    const depth = this.#chain.findIndex(({ bindings }) => bindings.vector !== undefined);
    const { vars, vector, quad } = this.#chain[depth]!.bindings;
    const first = vars?.get(vector!);
    if (first === undefined && quad === undefined) throw new InternalError(`[render] no code for ${vector!.name}`);
    return { first, quad: quad ?? `(${first} >> 2u)`, depth };
  }

  #variable(v: IndexVar): Placed {
    for (let depth = this.#depth; depth >= 0; depth--) {
      const code = this.#chain[depth]!.bindings.vars?.get(v);
      if (code !== undefined) return { code, width: 1, depth, atom: isName(code) };
    }
    throw new InternalError(`[render] variable out of scope: ${v.name}`);
  }

  #atom(atom: Atom, lanes: boolean): Placed {
    switch (atom.kind) {
      case 'var':
        return this.#variable(atom.v);
      case 'value': {
        const placed = this.#place(atom.expr);
        const { dtype } = atom.expr;
        if (dtype === 'u32') return placed;
        if (dtype !== 'i32') throw new InternalError(`[render] an index of dtype ${dtype} (expected i32 or u32)`);
        return { ...placed, code: `bitcast<${wgslType('u32', placed.width)}>(${placed.code})`, atom: false };
      }
      case 'div':
      case 'mod': {
        const { code, width, depth } = this.#index(atom.a, lanes);
        const operation = this.#division(atom, this.#chain[depth]!, code, width);
        return { code: this.#chain[depth]!.#namedIndex(operation, operation), width, depth, atom: true };
      }
    }
  }

  /** Quotient or remainder by a constant. Division is slow on CPUs: remainders share the quotient, powers of two shift. */
  #division({ kind, a, b }: Atom & { kind: 'div' | 'mod' }, at: WgslScope, code: string, width: Width): string {
    const constant = (value: number) => splat(`${value}u`, 'u32', width);
    if ((b & (b - 1)) === 0) {
      return kind === 'div' ? `(${code} >> ${constant(Math.log2(b))})` : `(${code} & ${constant(b - 1)})`;
    }
    const value = at.#namedIndex(code, code);
    const magic = multiplier(a, b);
    const quotient = magic
      ? `((${value} * ${constant(magic.factor)}) >> ${constant(magic.shift)})`
      : `(${value} / ${constant(b)})`;
    if (kind === 'div') return quotient;
    return `(${value} - ${at.#namedIndex(quotient, quotient)} * ${constant(b)})`;
  }

  /** How an index moves with the vector variable: by a constant step, or in some other way (null). */
  #step(form: Affine): number | null {
    let step = 0;
    for (const { atom, coefficient } of this.#vector ? form.terms : []) {
      if (atom.kind === 'var') step += atom.v === this.#vector!.lane ? coefficient : 0;
      else if (this.#atom(atom, true).width === 4) return null;
    }
    return step;
  }

  /** Where an access goes: one element, an aligned vec4, or four elements. Codes are checked against the length if `clamp`. */
  #access(buffer: number, index: Index, clamp: boolean): Access {
    const { length } = this.module.kernel.buffers[buffer]!;
    const form = this.#form(index);
    const inRange = !clamp || (form.min >= 0 && form.max < length);
    const bounded = (code: string, last: number) => (inRange ? code : `min(${code}, ${last}u)`);
    const step = this.#step(form);
    const use = this.module.bufferUses[buffer]!;
    // Whole quads but for the lane.
    const quads = split(form, 4);
    if (step === 1 && quads.rest.constant === 0 && quads.rest.terms.length === 1) {
      use.vectors = true;
      if (this.module.isVec4(buffer)) {
        const { code, depth } = this.#index(quads.whole);
        return { depth, width: 4, codes: [bounded(unwrapAt(code, inRange), length / 4 - 1)] };
      }
    } else {
      use.elements = true;
    }
    if (this.module.isVec4(buffer)) throw new InternalError(`[render] buffer ${buffer} is read or written by elements`);
    if (step === 0) {
      const { code, depth } = this.#index(form);
      return { depth, width: 1, codes: [bounded(unwrapAt(code, inRange), length - 1)] };
    }
    const { code, depth } = step === null ? this.#index(form) : this.#index(form, false);
    const name = this.#chain[depth]!.#namedIndex(code, code);
    const codes = [0, 1, 2, 3].map((i) => {
      if (step === null) return `${name}.${'xyzw'[i]}`;
      return i === 0 ? name : `${name} + ${word(step * i)}u`;
    });
    return { depth, width: 4, codes: codes.map((element) => bounded(element, length - 1)) };
  }

  #load({ buffer, index, dtype, clamp }: Expr & { kind: 'load' }): Placed {
    if (this.module.kernel.buffers[buffer]!.length === 0) {
      // Nothing is there to read: it stands under a guard that is false.
      return { code: this.module.constant(0, dtype), width: 1, depth: 0, atom: true };
    }
    const { codes, depth, width } = this.#access(buffer, index, clamp);
    const loads = codes.map((code) => `b${buffer}[${code}]`);
    const type = wgslType(dtype === 'bool' ? 'u32' : dtype, width);
    const code = loads.length === 1 ? loads[0]! : `${type}(${loads.join(', ')})`;
    if (dtype !== 'bool') return { code, width, depth, atom: false };
    return { code: `(${code} != ${splat('0u', 'u32', width)})`, width, depth, atom: false };
  }

  #store({ buffer, index, value }: StoreStmt, placed: Placed): void {
    const { codes, width } = this.#access(buffer, index, false);
    let code = this.#widen(placed, value.dtype, width);
    if (value.dtype === 'bool') code = `select(${splat('0u', 'u32', width)}, ${splat('1u', 'u32', width)}, ${code})`;
    if (codes.length === 1) {
      this.lines.push(`b${buffer}[${codes[0]}] = ${unwrap(code)};`);
      return;
    }
    const name = this.module.fresh('t');
    this.lines.push(`let ${name} = ${unwrap(code)};`);
    codes.forEach((element, i) => void this.lines.push(`b${buffer}[${element}] = ${name}.${'xyzw'[i]};`));
  }
}

/** Element (or vec4) indices of an access: four where it is made of single elements. */
interface Access {
  readonly depth: number;
  readonly width: Width;
  readonly codes: readonly string[];
}

function vectorOf(v: IndexVar): Vector {
  const quad = { name: `${v.name}4`, extent: v.extent / 4 };
  const lane = { name: 'lane', extent: 4 };
  const first: Index = { kind: 'mul', a: { kind: 'var', v: quad }, b: 4 };
  return { quad, lane, index: { kind: 'add', a: first, b: { kind: 'var', v: lane } } };
}

/** a / b as (a * factor) >> shift, where the range of a leaves room for that. */
function multiplier({ min, max }: Affine, b: number): { factor: number; shift: number } | null {
  if (min < 0) return null;
  for (let shift = Math.ceil(Math.log2(b)); shift < 32; shift++) {
    const factor = Math.ceil(2 ** shift / b);
    if (factor * max >= 2 ** 32) return null;
    // What rounding the factor up adds must not reach the next quotient.
    if ((factor * b - 2 ** shift) * max < 2 ** shift) return { factor, shift };
  }
  return null;
}

/** An integer as a u32 word. */
const word = (value: number): number => ((value % 2 ** 32) + 2 ** 32) % 2 ** 32;
const isName = (code: string): boolean => /^\w+$/.test(code);
const unwrapAt = (code: string, alone: boolean): string => (alone ? unwrap(code) : code);

type Constant = Expr & { kind: 'const' };

/** Sums, and products: constants of neighbouring operations of one class are joined by compilers. */
const CLASSES: readonly (readonly BinaryFn[])[] = [
  ['add', 'sub'],
  ['mul', 'div'],
];

/**
 * True where compilers change what f32 arithmetic with a constant gives: x * 0 becomes 0 and x + 0 x, though x may be NaN or -0;
 * (x * 1e30) * 1e30 becomes x * inf, (1 + x) - 1 x; and x / c a product with 1 / c rounded.
 */
function isFoldable(fn: BinaryFn, constant: Constant, other: Expr): boolean {
  const operations = CLASSES.find((members) => members.includes(fn));
  if (!operations || constant.dtype !== 'f32') return false;
  if (constant.value === 0) return true;
  if (fn === 'div' && !Number.isInteger(Math.log2(Math.abs(constant.value)))) return true;
  if (other.kind !== 'binary' || !operations.includes(other.fn)) return false;
  return other.a.kind === 'const' || other.b.kind === 'const';
}

function functionOf(table: Partial<Record<WordDType, NumericFn>>, name: string, dtype: WordDType): NumericFn {
  const fn = table[dtype];
  if (!fn) throw new InternalError(`[render] no ${name} of ${dtype}`);
  return fn;
}

import { InternalError, type WordDType } from '../../../src/graph/index.js';
import type { Cond, IndexVar } from '../../ir.js';
import type { Affine, Atom, Term } from '../affine.js';
import { i32, Local, lane, load, loadLane, minU, op, shuffle, splatI32, type Value, v128 } from './encoder.js';
import { InductionVar } from './induction.js';
import type { WasmScope } from './scope.js';

/** A value and the level of the innermost scope that it depends on. */
export interface Placed {
  readonly value: Value;
  readonly level: number;
  /** All lanes are equal. */
  readonly uniform: boolean;
  /** A local or a constant: may be used repeatedly. */
  readonly atom: boolean;
}

type Scalar = Pick<Placed, 'value' | 'level'>;

/** A local or constant whose lanes are equal. */
export const splatted = (value: Value, level: number): Placed => ({ value, level, uniform: true, atom: true });

/** A local or constant whose lanes differ. */
const varied = ({ value, level }: Scalar): Placed => ({ value, level, uniform: false, atom: true });

/** An index in the variables of a scope, and the level of the innermost constant that went into it. */
export interface Form {
  readonly form: Affine;
  readonly level: number;
}

/** Offsets of loads and stores are kept far from overflowing. */
const MAX_OFFSET = 2 ** 30;

/** Code of indices, of the accesses they make and of the conditions on them, for one scope. */
export class IndexWriter {
  constructor(private readonly scope: WasmScope) {}

  /** True if the index differs by lane. */
  moves(form: Affine): boolean {
    return form.terms.some(({ atom }) => this.#atomMoves(atom));
  }

  #atomMoves(atom: Atom): boolean {
    if (atom.kind === 'var') return atom.v === this.scope.vector?.lane;
    return atom.kind === 'value' ? !this.scope.place(atom.expr).uniform : this.moves(atom.a);
  }

  /** The level of the innermost variable of an index, whose range says how large it gets. */
  reach({ terms }: Affine): number {
    return terms.reduce((level, { atom }) => this.scope.join(level, this.#atomReach(atom)), 0);
  }

  #atomReach(atom: Atom): number {
    const { vector } = this.scope;
    if (atom.kind === 'value') return this.scope.place(atom.expr).level;
    if (atom.kind !== 'var') return this.reach(atom.a);
    const ofVector = vector && (atom.v === vector.block || atom.v === vector.lane);
    return this.scope.levelOf(ofVector ? vector.binding.v : atom.v);
  }

  /** The index as an i32. */
  scalar({ form, level }: Form): Scalar {
    const sum = this.#sum(form.terms, 1, null);
    return this.#plus(sum, form.constant, level);
  }

  #plus(sum: Scalar, constant: number, level: number): Scalar {
    const at = this.scope.join(sum.level, level);
    if (constant === 0) return { value: sum.value, level: at };
    return this.#cached(`${codeKey(sum.value)}+${constant}`, at, () => op('i32.add', sum.value, i32(constant)));
  }

  /** A local of the scope at the level, made once. */
  #cached(key: string, level: number, value: () => Value): Scalar {
    const { indices, block } = this.scope.chain[level]!;
    let known = indices.get(key);
    if (!known) {
      known = block.let(value());
      indices.set(key, known);
    }
    return { value: known, level };
  }

  /** base + factor * sum of terms, with a local for what each level knows. */
  #sum(terms: readonly Term[], factor: number, base: Value | null): Scalar {
    const parts = terms.map(({ atom, coefficient }) => this.#term(atom, coefficient * factor));
    parts.sort((a, b) => a.level - b.level);
    let sum: Scalar = { value: base ?? i32(0), level: 0 };
    let empty = base === null;
    for (let i = 0; i < parts.length; ) {
      const at = this.scope.join(sum.level, parts[i]!.level);
      let value = sum.value;
      let key = codeKey(value);
      for (; i < parts.length && this.scope.join(at, parts[i]!.level) === at; i++) {
        const part = parts[i]!.value;
        key += `+${codeKey(part)}`;
        value = empty ? part : op('i32.add', value, part);
        empty = false;
      }
      sum = this.#cached(key, at, () => value);
    }
    return sum;
  }

  #term(atom: Atom, coefficient: number): Scalar {
    const { vector } = this.scope;
    if (atom.kind === 'var' && vector && atom.v === vector.block) {
      // The first value is 4 * vectors * block.
      const { first, vectors } = vector.binding;
      const level = this.scope.levelOf(vector.binding.v);
      const size = 4 * vectors;
      if (coefficient % size === 0) return this.#multiple(first, coefficient / size, level);
      const start = first instanceof InductionVar ? first.local : (first as Value);
      const block = this.#cached(`${codeKey(start)}/${size}`, level, () => divide('div', start, size));
      return this.#multiple(block.value, coefficient, level);
    }
    if (atom.kind === 'var') {
      const level = this.scope.levelOf(atom.v);
      return this.#multiple(this.scope.chain[level]!.bindings.vars!.get(atom.v)!, coefficient, level);
    }
    const { value, level } = this.#atom(atom);
    return this.#multiple(value, coefficient, level);
  }

  #multiple(value: Value | InductionVar | number, factor: number, level: number): Scalar {
    if (typeof value === 'number') return { value: i32(value * factor), level };
    if (value instanceof InductionVar) return { value: value.times(factor), level };
    if (factor === 1) return { value, level };
    return this.#cached(`${codeKey(value)}*${factor}`, level, () => op('i32.mul', value, i32(factor)));
  }

  #atom(atom: Exclude<Atom, { kind: 'var' }>): Scalar {
    if (atom.kind === 'value') {
      const { value, level, uniform } = this.scope.named(atom.expr);
      if (!uniform) throw new InternalError('[wasm] an index that differs by lane');
      return this.#cached(`lane ${codeKey(value)}`, level, () => lane('i32x4.extract_lane', 0, value));
    }
    const { value, level } = this.scalar({ form: atom.a, level: 0 });
    return this.#cached(`${codeKey(value)}${atom.kind}${atom.b}`, level, () => divide(atom.kind, value, atom.b));
  }

  /** The index in each lane, as a local or constant. */
  vector({ form, level }: Form): Placed {
    if (!this.moves(form)) {
      const scalar = this.scalar({ form, level });
      const { value } = this.#cached(`splat ${codeKey(scalar.value)}`, scalar.level, () =>
        op('i32x4.splat', scalar.value),
      );
      return splatted(value, scalar.level);
    }
    const still = form.terms.filter(({ atom }) => !this.#atomMoves(atom));
    const moving = form.terms.filter(({ atom }) => this.#atomMoves(atom));
    let sum: Placed | null = null;
    const add = (part: Placed) => {
      sum = sum ? this.#vectorCached('+', [sum, part], (a, b) => op('i32x4.add', a!, b!)) : part;
    };
    let step = 0;
    for (const { atom, coefficient } of moving) {
      if (atom.kind === 'var') {
        step += coefficient;
        continue;
      }
      const part = this.#vectorAtom(atom);
      add(
        coefficient === 1
          ? part
          : this.#vectorCached(`*${coefficient}`, [part], (a) => op('i32x4.mul', a!, this.scope.f.word(coefficient))),
      );
    }
    if (step !== 0) add(this.#lanes(step, form.constant));
    else if (form.constant !== 0) add(splatted(this.scope.f.word(form.constant), 0));
    if (still.length > 0) add(this.vector({ form: form.with(still, 0), level: 0 }));
    const { value, level: own } = sum!;
    const vectorLevel = this.scope.vector ? this.scope.levelOf(this.scope.vector.binding.v) : 0;
    return varied({ value, level: this.scope.join(own, this.scope.join(level, vectorLevel)) });
  }

  /** constant + step * lane. */
  #lanes(step: number, constant: number): Placed {
    const words = LANES.map((n) => (constant + step * n) | 0) as [number, number, number, number];
    return varied({ value: this.scope.f.once(`words ${words}`, () => v128(...words)), level: 0 });
  }

  #vectorCached(key: string, parts: readonly Placed[], value: (...values: Value[]) => Value): Placed {
    const level = parts.reduce((all, part) => this.scope.join(all, part.level), 0);
    const values = parts.map((part) => part.value);
    return varied(this.#cached(`v${key}(${values.map(codeKey)})`, level, () => value(...values)));
  }

  #vectorAtom(atom: Exclude<Atom, { kind: 'var' }>): Placed {
    if (atom.kind === 'value') return this.scope.named(atom.expr);
    const { a, b } = atom;
    const step = this.#step(a);
    if (step !== null && step > 0 && 3 * step < b && a.min >= 0 && a.max + 3 * step < 2 ** 31) {
      // Lanes pass at most one multiple of b: the first lane's quotient and remainder tell all.
      const first = this.scalar({ form: this.#withoutLane(a), level: 0 });
      const quotient = this.#cached(`${codeKey(first.value)}div${b}`, first.level, () => divide('div', first.value, b));
      const rest = this.#cached(`${codeKey(first.value)}mod${b}`, first.level, () =>
        op('i32.sub', first.value, op('i32.mul', quotient.value, i32(b))),
      );
      const { f } = this.scope;
      const remainders = this.#vectorCached(
        `%${b}`,
        [splatted(rest.value, rest.level), this.#lanes(step, 0)],
        (r, lanes) => op('i32x4.add', op('i32x4.splat', r!), lanes!),
      );
      const past = this.#vectorCached(`past${b}`, [remainders], (r) => op('i32x4.gt_s', r!, f.word(b - 1)));
      if (atom.kind === 'mod') {
        return this.#vectorCached(`mod${b}`, [remainders, past], (r, p) =>
          op('i32x4.sub', r!, op('v128.and', p!, f.word(b))),
        );
      }
      return this.#vectorCached('div', [splatted(quotient.value, quotient.level), past], (q, p) =>
        op('i32x4.sub', op('i32x4.splat', q!), p!),
      );
    }
    const whole = this.vector({ form: a, level: 0 });
    const shift = Math.log2(b);
    if (Number.isInteger(shift)) {
      return this.#vectorCached(`${atom.kind}${b}`, [whole], (x) =>
        atom.kind === 'div' ? op('i32x4.shr_u', x!, i32(shift)) : op('v128.and', x!, this.scope.f.word(b - 1)),
      );
    }
    return this.#vectorCached(`${atom.kind}${b}`, [whole], (x) => {
      const at = (n: number) => divide(atom.kind, lane('i32x4.extract_lane', n, x!), b);
      return [1, 2, 3].reduce((all, n) => lane('i32x4.replace_lane', n, all, at(n)), op('i32x4.splat', at(0)));
    });
  }

  /** The index in lane 0. */
  #withoutLane(form: Affine): Affine {
    const terms = form.terms.filter(({ atom }) => atom.kind !== 'var' || !this.#atomMoves(atom));
    return form.with(
      terms,
      form.constant,
      terms.reduce((sum, term) => sum + least(term), form.constant),
    );
  }

  /** How far an index moves from lane to lane, or null where that is not constant. */
  #step(form: Affine): number | null {
    let step = 0;
    for (const { atom, coefficient } of form.terms) {
      if (!this.#atomMoves(atom)) continue;
      if (atom.kind !== 'var') return null;
      step += coefficient;
    }
    return step;
  }

  /** A condition as a mask. */
  condition(kind: Cond['kind'], left: Form, right: Form): Placed {
    const signed = [left, right].every(({ form }) => form.min >= 0 && form.max < 2 ** 31) ? 's' : 'u';
    const name = kind === 'eq' ? 'eq' : (`${kind}_${signed}` as const);
    if (!this.moves(left.form) && !this.moves(right.form)) {
      const [a, b] = [this.scalar(left), this.scalar(right)];
      const level = this.scope.join(a.level, b.level);
      const key = `${codeKey(a.value)}${name}${codeKey(b.value)}`;
      const holds = op(`i32.${name}`, a.value, b.value);
      const { value } = this.#cached(key, level, () => op('i32x4.splat', op('i32.sub', i32(0), holds)));
      return splatted(value, level);
    }
    return this.#vectorCached(name, [this.vector(left), this.vector(right)], (a, b) => op(`i32x4.${name}`, a!, b!));
  }

  /** Byte address and constant offset of an element; the address stays in range by itself. */
  address(buffer: number, { form, level }: Form): Scalar & { offset: number } {
    const base = this.scope.f.buffer(buffer);
    const sum = this.#sum(form.terms, 4, base);
    const bytes = 4 * form.constant;
    // An address wraps, address + offset does not.
    if (form.min >= form.constant && form.constant >= 0 && bytes < MAX_OFFSET) {
      return { value: sum.value, level: this.scope.join(sum.level, level), offset: bytes };
    }
    return { ...this.#plus(sum, bytes, level), offset: 0 };
  }

  load(buffer: number, { form, level }: Form, dtype: WordDType, clamp: boolean): Placed {
    const { length } = this.scope.f.module.buffers[buffer]!;
    // Nothing is there to read: it stands under a guard that is false.
    if (length === 0) return splatted(this.scope.f.constant(0, dtype), 0);
    const loaded = this.#loadWords(buffer, { form, level }, clamp && (form.min < 0 || form.max >= length), length);
    return dtype === 'bool' ? { ...loaded, value: op('i32x4.ne', loaded.value, splatI32(0)), atom: false } : loaded;
  }

  #loadWords(buffer: number, at: Form, clamp: boolean, length: number): Placed {
    const { scope } = this;
    const step = this.#step(at.form);
    const loaded = (value: Value, level: number): Placed => ({ value, level, uniform: step === 0, atom: false });
    if (step === 0) {
      const { value, level, offset } = clamp ? this.#clampedAddress(buffer, at, 0, length) : this.address(buffer, at);
      return loaded(load('v128.load32_splat', value, offset), level);
    }
    const level = this.#vectorLevel(at);
    const first = this.#withoutLane(at.form);
    if (step === 1) {
      const form = { form: first, level };
      // Moves by at most three elements out of the buffer, where some lane may be inside; other lanes are not looked at.
      const from = clamp ? this.#clampedAddress(buffer, form, 3, length) : this.address(buffer, form);
      return loaded(load('v128.load', from.value, from.offset), from.level);
    }
    if ((step === -1 || step === 2) && !clamp && scope.lanes === 4) {
      const from = this.address(buffer, { form: shifted(first, Math.min(3 * step, 0)), level });
      const vector = (number: number) => load('v128.load', from.value, from.offset + 16 * number);
      if (step === 2) return loaded(shuffle(vector(0), vector(1), [0, 2, 4, 6]), from.level);
      const named = scope.chain[from.level]!.block.let(vector(0));
      return loaded(shuffle(named, named, [3, 2, 1, 0]), from.level);
    }
    const each = this.#addresses(buffer, at, step, clamp);
    const lanes = each.addresses
      .slice(1, scope.lanes)
      .reduce<Value>(
        (all, { value: address, offset }, n) => loadLane(n + 1, address, all, offset),
        load('v128.load32_splat', each.addresses[0]!.value, each.addresses[0]!.offset),
      );
    return loaded(lanes, each.level);
  }

  /** Address of an element of a buffer, or of one up to `beyond` before or behind it. */
  #clampedAddress(buffer: number, at: Form, beyond: number, length: number): Scalar & { offset: number } {
    const { value: index, level } = this.#plus(this.scalar(at), beyond, at.level);
    const most = length - 1 + beyond;
    const bounded = this.#cached(`${codeKey(index)}<=${most}`, level, () => minU(index, i32(most))).value;
    const base = this.scope.f.buffer(buffer);
    const end = this.#cached(`${codeKey(base)}[${codeKey(bounded)}]`, level, () =>
      op('i32.add', base, op('i32.shl', bounded, i32(2))),
    );
    return { ...this.#plus(end, -4 * beyond, level), offset: 0 };
  }

  /** The level of a vector of the form. */
  #vectorLevel({ level }: Form): number {
    return this.scope.join(level, this.scope.levelOf(this.scope.vector?.binding.v));
  }

  /** The addresses of four lanes. */
  #addresses(
    buffer: number,
    at: Form,
    step: number | null,
    clamp: boolean,
  ): { addresses: { value: Value; offset: number }[]; level: number } {
    const { scope } = this;
    const level = this.#vectorLevel(at);
    if (step !== null && !clamp) {
      const first = this.#withoutLane(at.form);
      const each = LANES.slice(0, scope.lanes).map((n) =>
        this.address(buffer, { form: shifted(first, step * n), level }),
      );
      return { addresses: each, level: each.reduce((all, one) => scope.join(all, one.level), level) };
    }
    const { f } = scope;
    let index = this.vector(at);
    if (clamp) {
      const last = f.module.buffers[buffer]!.length - 1;
      index = this.#vectorCached(`<=${last}`, [index], (x) => op('i32x4.min_u', x!, f.word(last)));
    }
    const base = f.once(`splat buffer ${buffer}`, () => op('i32x4.splat', f.buffer(buffer)));
    const bytes = this.#vectorCached(`[${buffer}]`, [index], (x) => op('i32x4.add', base, op('i32x4.shl', x!, i32(2))));
    const addresses = LANES.map((n) => ({ value: lane('i32x4.extract_lane', n, bytes.value), offset: 0 }));
    return { addresses, level: scope.join(bytes.level, level) };
  }

  /** Stores the lanes that stand for points; those of an index that does not move, once. */
  store(buffer: number, at: Form, words: Value): void {
    const { scope } = this;
    const { block, lanes } = scope;
    const step = this.#step(at.form);
    if (step === 0 || step === 1 || (step !== null && lanes === 1)) {
      const { value, offset } = this.address(buffer, { ...at, form: this.#withoutLane(at.form) });
      storeLanes(scope, value, words, offset, step === 1 ? lanes : 1);
      return;
    }
    const named = words instanceof Local ? words : block.let(words);
    const { addresses } = this.#addresses(buffer, at, step, false);
    addresses.slice(0, lanes).forEach(({ value, offset }, n) => {
      block.storeLane('v128.store32_lane', n, value, named, offset);
    });
  }
}

/** Stores the first lanes of a vector next to each other. */
export function storeLanes({ block }: WasmScope, address: Value, vector: Value, offset: number, lanes: number): void {
  if (lanes === 4) {
    block.store(address, vector, offset);
    return;
  }
  const named = vector instanceof Local ? vector : block.let(vector);
  if (lanes >= 2) block.storeLane('v128.store64_lane', 0, address, named, offset);
  if (lanes !== 2) block.storeLane('v128.store32_lane', lanes - 1, address, named, offset + 4 * (lanes - 1));
}

const LANES = [0, 1, 2, 3];

/** A form that is larger by a number. */
const shifted = (form: Affine, by: number): Affine => form.with(form.terms, form.constant + by, form.min + by);

const least = ({ atom, coefficient }: Term): number => coefficient * (coefficient > 0 ? atom.min : atom.max);

function divide(kind: 'div' | 'mod', value: Value, by: number): Value {
  const shift = Math.log2(by);
  if (Number.isInteger(shift)) {
    return kind === 'div' ? op('i32.shr_u', value, i32(shift)) : op('i32.and', value, i32(by - 1));
  }
  return op(kind === 'div' ? 'i32.div_u' : 'i32.rem_u', value, i32(by));
}

/** Tells equal code; code made anew for the same purpose is short. */
const codeKey = ({ code }: Value): string => code.flat(8).join('.');

/** Whether a variable is left in a form. */
export const dependsOn = ({ terms }: Affine, v: IndexVar): boolean =>
  terms.some(({ atom }) => (atom.kind === 'var' ? atom.v === v : atom.kind !== 'value' && dependsOn(atom.a, v)));

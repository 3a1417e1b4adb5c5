/**
 * Random loop kernels whose results are exact whatever the order of operations: floats are small whole numbers, products are of
 * powers of two, integers wrap. A renderer must then agree with the interpreter bit for bit.
 */
import type { Cond, Expr, Index, IndexVar, LoopKernel, ReduceTerm, Segment, Stmt } from '../../../kernels/ir.js';
import type { ReduceFn, WordDType } from '../../../src/graph/index.js';
import {
  bin,
  castTo,
  choose,
  forEach,
  guard,
  iadd,
  ic,
  idiv,
  imod,
  imul,
  indexAs,
  isub,
  iv,
  ivalue,
  load,
  lt,
  num,
  param,
  reduce,
  resultOf,
  store,
  term,
  un,
  variable,
  where,
} from '../build.js';

export interface RandomKernel {
  readonly kernel: LoopKernel;
  readonly params: readonly number[];
  readonly data: readonly Uint32Array[];
}

interface Buffer {
  dtype: WordDType;
  length: number;
  access: 'read' | 'write' | 'readwrite';
  values: () => number;
}

const NUMBERS = ['f32', 'i32', 'u32'] as const;

/** Deterministic for a seed. */
export function randomKernel(seed: number): RandomKernel {
  return new Generator(seed).kernel();
}

class Generator {
  #state: number;
  readonly #buffers: Buffer[] = [];
  readonly #params: WordDType[] = [];

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) >>> 0;
    for (let i = 0; i < 8; i++) this.#next();
  }

  #next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return (Math.imul(this.#state ^ (this.#state >>> 16), 0x45d9f3b) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to n - 1. */
  #below(n: number): number {
    return Math.floor(this.#next() * n);
  }

  #chance(p: number): boolean {
    return this.#next() < p;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)]!;
  }

  kernel(): RandomKernel {
    const segments = Array.from({ length: this.#chance(0.3) ? 2 : 1 }, () => this.#segment());
    const kernel: LoopKernel = {
      kind: 'loop',
      name: 'random',
      buffers: this.#buffers.map(({ dtype, length, access }) => ({ dtype, length, access })),
      params: this.#params,
      flops: 0,
      segments,
    };
    const params = this.#params.map((dtype) => (dtype === 'u32' ? this.#below(5) : this.#below(9) - 4));
    const data = this.#buffers.map(({ dtype, length, values }) => {
      const words = new Uint32Array(length);
      const view = dtype === 'f32' ? new Float32Array(words.buffer) : words;
      for (let i = 0; i < length; i++) view[i] = values();
      return words;
    });
    return { kernel, params, data };
  }

  #values(dtype: WordDType): () => number {
    if (dtype === 'bool') return () => this.#below(2);
    return () => (dtype === 'u32' ? this.#below(6) : this.#below(7) - 3);
  }

  #buffer(dtype: WordDType, length: number, access: Buffer['access'] = 'read', values = this.#values(dtype)): number {
    return this.#buffers.push({ dtype, length, access, values }) - 1;
  }

  /** Points that a segment may still multiply. */
  #room = 0;

  #extent(): number {
    const extent = this.#chance(0.04) ? 300 + this.#below(100) : this.#anyExtent();
    if (extent > this.#room) return 1;
    this.#room /= extent;
    return extent;
  }

  #anyExtent(): number {
    return this.#pick([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 17, 20, 24, 31, 32, 33]);
  }

  #segment(): Segment {
    const none = this.#chance(0.04);
    const vars = Array.from({ length: this.#pick([0, 1, 1, 2, 2, 3]) }, (_, i) =>
      variable(`p${i}`, none && i === 0 ? 0 : this.#extent()),
    );
    this.#only.length = 0;
    this.#room = 4000;
    const body: Stmt[] = [];
    const results: Expr[] = [];
    if (this.#chance(0.6)) {
      for (let i = this.#pick([1, 1, 2, 3]); i > 0; i--) body.push(this.#reduce(vars, results));
    }
    if (results.length === 0 || this.#chance(0.5)) {
      if (body.length > 0 && this.#chance(0.7)) {
        for (let i = this.#pick([0, 1]); i > 0; i--) body.push(this.#store(vars, vars, results));
        const inner = Array.from({ length: this.#pick([1, 1, 2]) }, (_, i) => variable(`l${i}`, this.#extent()));
        const stores = Array.from({ length: this.#pick([1, 1, 2]) }, () =>
          this.#store([...vars, ...inner], vars, results),
        );
        body.push(forEach(inner, ...stores));
        return { parallel: vars, body };
      }
    }
    for (let i = this.#pick([1, 1, 2, 3]); i > 0; i--) body.push(this.#store(vars, vars, results));
    return { parallel: vars, body };
  }

  #reduce(vars: readonly IndexVar[], results: Expr[]): Stmt {
    const empty = this.#chance(0.05);
    const arg = this.#chance(0.25);
    const inner = Array.from({ length: arg ? 1 : this.#pick([1, 1, 1, 2]) }, (_, i) =>
      variable(`r${i}`, empty ? 0 : this.#extent()),
    );
    const all = [...vars, ...inner];
    const terms = Array.from({ length: this.#pick([1, 1, 2, 3]) }, (_, i): ReduceTerm => {
      const fn: ReduceFn =
        arg && i === 0 ? this.#pick(['argmax', 'argmin']) : this.#pick(['sum', 'max', 'min', 'prod']);
      const dtype: WordDType = fn === 'sum' || fn === 'prod' ? this.#pick(NUMBERS) : this.#pick([...NUMBERS, 'bool']);
      const name = `${fn}${results.length}${i}`;
      if (fn === 'prod' && dtype === 'f32') {
        const values = () => this.#pick([1, 1, 1, 1, 1, -1, -1, -1, 2, 0.5]);
        return term(fn, this.#plainLoad('f32', all, values), name);
      }
      return term(fn, this.#expr(dtype, all, 2, results), name);
    });
    for (const { result, fn } of terms) {
      // Sums and products of floats grow, and the interpreter has another idea of an infinity as an integer.
      if (result.dtype !== 'f32' || (!empty && (fn === 'max' || fn === 'min'))) results.push(resultOf(result));
      else this.#only.push(resultOf(result));
    }
    return reduce(inner, ...terms);
  }

  /** Results that are stored but not computed with. */
  readonly #only: Expr[] = [];

  #store(vars: readonly IndexVar[], outer: readonly IndexVar[], results: readonly Expr[]) {
    const only =
      this.#only.length > 0 && this.#chance(0.7) ? this.#only.splice(this.#below(this.#only.length), 1)[0] : null;
    const dtype: WordDType = only?.dtype ?? this.#pick([...NUMBERS, 'bool']);
    const order = [...vars].sort(() => this.#next() - 0.5);
    const index = this.#chance(0.75) ? rowMajor(vars) : rowMajor(order);
    const spread = this.#chance(0.1) ? 3 : 1;
    const at = iadd(imul(index, spread), this.#chance(0.2) ? this.#below(4) : 0);
    const length = vars.reduce((n, { extent }) => n * extent, 1) * spread + 4;
    const inPlace = !only && this.#chance(0.3);
    const buffer = this.#buffer(dtype, length, inPlace ? 'readwrite' : 'write');
    const value = only ?? this.#expr(dtype, vars, 3, results);
    void outer;
    if (!inPlace) return store(buffer, at, value);
    const old = load(buffer, at, dtype);
    return store(buffer, at, dtype === 'bool' ? bin('max', old, value) : bin('add', old, value));
  }

  #expr(dtype: WordDType, vars: readonly IndexVar[], depth: number, results: readonly Expr[]): Expr {
    if (depth === 0) return this.#leaf(dtype, vars, results);
    const sub = (of: WordDType = dtype) => this.#expr(of, vars, depth - 1, results);
    if (this.#chance(0.2)) {
      const shared = sub();
      return dtype === 'bool'
        ? bin('eq', shared, un('logicalNot', shared))
        : bin('add', shared, bin('max', shared, sub()));
    }
    if (dtype === 'bool') {
      const of = this.#pick(NUMBERS);
      return this.#pick([
        () => bin(this.#pick(['lt', 'le', 'eq'] as const), sub(of), sub(of)),
        () => un('logicalNot', sub()),
        () => bin(this.#pick(['and', 'max', 'min', 'lt'] as const), sub(), sub()),
        () => this.#leaf(dtype, vars, results),
      ])();
    }
    return this.#pick([
      () => bin(this.#pick(['add', 'sub', 'max', 'min'] as const), sub(), sub()),
      () => bin('mul', this.#leaf(dtype, vars, results), num(this.#below(3), dtype)),
      () => where(sub('bool'), sub(), sub()),
      // The interpreter knows an integer -0.
      () => (dtype === 'f32' ? un('neg', sub()) : bin('sub', num(3, dtype), sub())),
      () => (dtype === 'f32' ? un('abs', sub()) : bin('and', sub(), sub())),
      () => this.#cast(dtype, sub),
      () => this.#leaf(dtype, vars, results),
    ])();
  }

  #cast(dtype: WordDType, sub: (of: WordDType) => Expr): Expr {
    const from = this.#pick((['f32', 'i32', 'bool'] as const).filter((one) => one !== dtype));
    // A negative float as u32 saturates; the interpreter wraps.
    const value = dtype === 'u32' && from === 'f32' ? un('abs', sub(from)) : sub(from);
    return from === 'i32' && dtype === 'f32' ? castTo(bin('and', value, num(15, 'i32')), dtype) : castTo(value, dtype);
  }

  #leaf(dtype: WordDType, vars: readonly IndexVar[], results: readonly Expr[]): Expr {
    const fitting = results.filter((result) => result.dtype === dtype);
    if (fitting.length > 0 && this.#chance(0.4)) return this.#pick(fitting);
    const kind = this.#next();
    if (kind < 0.1) return num(dtype === 'bool' ? this.#below(2) : this.#below(4), dtype);
    if (kind < 0.15 && dtype !== 'bool') return param(this.#params.push(dtype) - 1, dtype);
    if (kind < 0.25 && (dtype === 'i32' || dtype === 'u32')) return indexAs(this.#view(vars).index, dtype);
    if (kind < 0.4) return this.#guarded(dtype, vars);
    if (kind < 0.5) return this.#gather(dtype, vars);
    if (kind < 0.58 && vars.length > 0) {
      const v = this.#pick(vars);
      return choose([lt(iv(v), this.#below(v.extent + 1))], this.#plainLoad(dtype, vars), this.#guarded(dtype, vars));
    }
    return this.#plainLoad(dtype, vars);
  }

  #plainLoad(dtype: WordDType, vars: readonly IndexVar[], values?: () => number): Expr {
    const { index, length } = this.#view(vars);
    return load(this.#buffer(dtype, length, 'read', values), index, dtype);
  }

  /** An index in range of some length: permuted, broadcast, strided, flipped, divided. */
  #view(vars: readonly IndexVar[]): { index: Index; length: number } {
    const parts: { index: Index; extent: number }[] = [];
    for (const v of vars) {
      if (this.#chance(0.12)) continue;
      const divisors = [2, 3, 4, 5, 8].filter((d) => v.extent % d === 0 && v.extent > d);
      if (divisors.length > 0 && this.#chance(0.2)) {
        const d = this.#pick(divisors);
        const [high, low] = [
          { index: idiv(iv(v), d), extent: v.extent / d },
          { index: imod(iv(v), d), extent: d },
        ];
        parts.push(...(this.#chance(0.5) ? [high, low] : [low, high]));
      } else if (this.#chance(0.08)) {
        const shift = this.#below(v.extent);
        parts.push({ index: idiv(iadd(iv(v), shift), 3), extent: Math.floor((v.extent + shift) / 3) + 1 });
      } else if (this.#below(10) === 0) {
        parts.push({ index: imod(iadd(iv(v), 1), 7), extent: 7 });
      } else {
        parts.push({ index: this.#chance(0.12) ? isub(ic(v.extent - 1), iv(v)) : iv(v), extent: v.extent });
      }
    }
    if (this.#chance(0.25)) parts.sort(() => this.#next() - 0.5);
    let index: Index = ic(0);
    let length = 1;
    for (const part of parts.reverse()) {
      const stretch = this.#chance(0.08) ? 2 : 1;
      index = iadd(index, imul(part.index, length * stretch));
      length *= Math.max(part.extent, 1) * stretch;
    }
    const offset = this.#chance(0.2) ? this.#below(5) : 0;
    return { index: offset > 0 ? iadd(index, offset) : index, length: length + offset };
  }

  /** A load that is only valid in a part of the range of a variable: a pad. */
  #guarded(dtype: WordDType, vars: readonly IndexVar[]): Expr {
    if (vars.length === 0) return this.#plainLoad(dtype, vars);
    const conds: Cond[] = [];
    let index: Index = ic(0);
    let length = 1;
    for (const v of [...vars].reverse()) {
      const padded = this.#chance(0.5);
      const size = padded ? this.#below(v.extent) : v.extent;
      const low = padded ? this.#below(v.extent - size + 1) : 0;
      const inner = low > 0 ? isub(iv(v), low) : iv(v);
      if (padded) conds.push(lt(inner, size));
      index = iadd(index, imul(inner, length));
      length *= size;
    }
    const otherwise = dtype === 'bool' ? this.#below(2) : this.#below(3);
    return guard(conds, load(this.#buffer(dtype, length), index, dtype, true), otherwise);
  }

  #gather(dtype: WordDType, vars: readonly IndexVar[]): Expr {
    const rows = 1 + this.#below(6);
    const indexType = this.#pick(['i32', 'u32'] as const);
    const chosen = this.#plainLoad(indexType, vars, () => this.#below(rows + 3) - 1);
    const at = ivalue(chosen);
    const { index, length } = this.#view(this.#chance(0.5) ? vars.slice(-1) : []);
    const place = iadd(imul(at, length), index);
    return guard(
      [lt(at, rows)],
      load(this.#buffer(dtype, rows * length), place, dtype, true),
      2 - (dtype === 'bool' ? 1 : 0),
    );
  }
}

function rowMajor(vars: readonly IndexVar[]): Index {
  let index: Index = ic(0);
  for (const v of vars) index = iadd(imul(index, v.extent), iv(v));
  return index;
}

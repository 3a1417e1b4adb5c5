/** Numeric functions on vectors of four lanes. A bool is a mask: all ones or all zeros. */
import { InternalError } from '../../../src/graph/index.js';
import type { BasicOp, Loop, Num, NumericFn } from '../../numerics/index.js';
import { type Block, bitsOf, i32, Local, lane, type Operation, op, type Value } from './encoder.js';
import { exp, expWithin } from './exponential.js';
import type { KernelFunction } from './kernel-module.js';

/** Functions that an instruction computes exactly as they are defined, specials included. */
const NATIVE: Readonly<Record<string, Operation>> = {
  max_f32: 'f32x4.max',
  min_f32: 'f32x4.min',
  sqrt: 'f32x4.sqrt',
  f32_to_i32: 'i32x4.trunc_sat_f32x4_s',
  f32_to_u32: 'i32x4.trunc_sat_f32x4_u',
  u32_to_f32: 'f32x4.convert_i32x4_u',
};

/** Functions with a definition for this machine. */
const OWN: Readonly<Record<string, NumericFn>> = { exp };

/** Functions to which an exponential above 2^127 is as good as an infinite one. */
const BOUNDED = new Set(['sigmoid', 'tanh', 'erf']);

const usesOf = new WeakMap<NumericFn, Map<Num, number>>();

/** How often each part of a body is used. */
function countUses(fn: NumericFn): Map<Num, number> {
  let uses = usesOf.get(fn);
  if (uses) return uses;
  uses = new Map();
  const loops = new Set<Loop>();
  const stack: Num[] = [fn.body];
  while (stack.length > 0) {
    const num = stack.pop()!;
    const before = uses.get(num) ?? 0;
    uses.set(num, before + 1);
    if (before > 0) continue;
    if (num.kind === 'op' || num.kind === 'call') stack.push(...num.args);
    if (num.kind !== 'after' || loops.has(num.loop)) continue;
    loops.add(num.loop);
    const { init, condition, next } = num.loop;
    // Twice: what a loop uses is computed under a name.
    for (const part of [...init, condition, ...next]) stack.push(part, part);
  }
  usesOf.set(fn, uses);
  return uses;
}

const isConst = (num: Num, value: number): boolean => num.kind === 'const' && num.value === value;
const isZeroBits = (num: Num): boolean => num.kind === 'const' && bitsOf(num.value, num.type) === 0;
const isOp = (num: Num, name: BasicOp): num is Num & { kind: 'op' } => num.kind === 'op' && num.op === name;

/** The x of a test of its bits for NaN. */
function testedForNaN(num: Num): Num | null {
  if (!isOp(num, 'lt') || !isConst(num.args[0]!, 0x7f800000)) return null;
  const bits = num.args[1]!;
  if (!isOp(bits, 'and') || !isConst(bits.args[1]!, 0x7fffffff)) return null;
  const of = bits.args[0]!;
  return isOp(of, 'bitsToU32') && of.args[0]!.type === 'f32' ? of.args[0]! : null;
}

/** True if the number is below 2^31: a signed comparison, which machines have, then does. */
function isSmall(num: Num): boolean {
  if (num.kind === 'const') return num.value < 2 ** 31;
  if (isOp(num, 'and')) return num.args.some(isSmall);
  return isOp(num, 'shr') && num.type === 'u32' && num.args[1]!.kind === 'const' && num.args[1]!.value > 0;
}

/** A function's value at `args` (locals or constants); named parts are appended to the block. */
export function emitFunction(f: KernelFunction, block: Block, fn: NumericFn, args: readonly Value[]): Value {
  const native = NATIVE[fn.name];
  if (native) return op(native, ...args);
  const own = OWN[fn.name] ?? fn;
  return new BodyWriter(f, own, args, block, new Map()).value(own.body);
}

class BodyWriter {
  readonly #uses: Map<Num, number>;
  readonly #relaxed: boolean;

  constructor(
    private readonly f: KernelFunction,
    private readonly fn: NumericFn,
    private readonly args: readonly Value[],
    private readonly block: Block,
    private readonly known: Map<Num, Value>,
    private readonly loops: Map<Loop, Local[]> = new Map(),
  ) {
    this.#uses = countUses(fn);
    this.#relaxed = f.module.features.relaxedSimd;
  }

  /** A value, to be used once unless it is named. */
  value(num: Num): Value {
    if (num.kind === 'arg') return this.args[num.index]!;
    if (num.kind === 'const') return this.f.constant(num.value, num.type);
    const known = this.known.get(num);
    if (known) return known;
    let value = this.#compute(num);
    if (this.#uses.get(num)! > 1) {
      value = this.#named(value);
      this.known.set(num, value);
    }
    return value;
  }

  /** A value that may be used more than once. */
  #atom(num: Num): Value {
    const value = this.value(num);
    if (num.kind === 'arg' || num.kind === 'const') return value;
    const atom = this.#named(value);
    this.known.set(num, atom);
    return atom;
  }

  #named(value: Value): Value {
    return value instanceof Local ? value : this.block.let(value);
  }

  #compute(num: Num): Value {
    switch (num.kind) {
      case 'op':
        return this.#operation(num);
      case 'call':
        return emitFunction(
          this.f,
          this.block,
          num.fn.name === 'exp' && BOUNDED.has(this.fn.name) ? expWithin : num.fn,
          num.args.map((arg) => this.#atom(arg)),
        );
      case 'after':
        return this.#loop(num.loop)[num.index]!;
      default:
        throw new InternalError(`[wasm] ${this.fn.name}: a ${num.kind} outside of its loop`);
    }
  }

  #loop(loop: Loop): Local[] {
    const done = this.loops.get(loop);
    if (done) return done;
    const states = loop.init.map((init) => this.block.let(this.value(init)));
    this.loops.set(loop, states);
    const around = this.block.inner();
    const outer = this.#inside(around, loop, states);
    // Copies: the states change one after another.
    const condition = around.let(outer.value(loop.condition));
    const body = around.inner();
    const inner = outer.#inside(body, loop, states);
    const next = loop.next.map((value) => body.let(inner.value(value)));
    states.forEach((state, i) => void body.set(state, this.select(condition, next[i]!, state)));
    around.placeIf(op('v128.any_true', condition), body);
    this.block.placeLoop(around, op('v128.any_true', condition));
    return states;
  }

  #inside(block: Block, loop: Loop, states: readonly Local[]): BodyWriter {
    const known = new Map(this.known);
    loop.states.forEach((state, i) => void known.set(state, states[i]!));
    return new BodyWriter(this.f, this.fn, this.args, block, known, new Map(this.loops));
  }

  select(condition: Value, a: Value, b: Value): Value {
    return op(this.#relaxed ? 'i32x4.relaxed_laneselect' : 'v128.bitselect', a, b, condition);
  }

  #operation({ op: name, type, args }: Num & { kind: 'op' }): Value {
    const [a, b] = args as [Num, Num];
    const from = a.type;
    const whole = { op: name, type, args, kind: 'op' } as const;
    const nan = testedForNaN(whole);
    if (nan) {
      const x = this.#atom(nan);
      return op('f32x4.ne', x, x);
    }
    const all = (operation: Operation) => op(operation, ...args.map((arg) => this.value(arg)));
    const float = (operation: string, integer = operation) =>
      all((from === 'f32' ? `f32x4.${operation}` : `i32x4.${integer}`) as Operation);
    const sign = from === 'u32' && !(isSmall(a) && b && isSmall(b)) ? 'u' : 's';
    switch (name) {
      case 'add':
        return this.#fused('f32x4.relaxed_madd', a, b) ?? this.#fused('f32x4.relaxed_madd', b, a) ?? float('add');
      case 'sub':
        return this.#fused('f32x4.relaxed_nmadd', b, a) ?? float('sub');
      case 'mul':
        return this.#shifted(a, b) ?? this.#shifted(b, a) ?? float('mul');
      case 'div':
        return from === 'f32' ? all('f32x4.div') : this.#lanewise(from === 'i32' ? 'i32.div_s' : 'i32.div_u', a, b);
      case 'rem':
        return this.#lanewise(from === 'i32' ? 'i32.rem_s' : 'i32.rem_u', a, b);
      case 'neg':
        return float('neg');
      case 'lt':
        return float('lt', `lt_${sign}`);
      case 'le':
        return float('le', `le_${sign}`);
      case 'eq':
        return float('eq');
      case 'select':
        return this.#select(args as [Num, Num, Num]);
      case 'abs':
      case 'sqrt':
      case 'floor':
      case 'ceil':
      case 'trunc':
        return all(`f32x4.${name}`);
      case 'roundEven':
        return all('f32x4.nearest');
      case 'barrier':
      case 'bitsToF32':
      case 'bitsToI32':
      case 'bitsToU32':
        return this.value(a);
      case 'and':
      case 'or':
      case 'xor':
        return all(`v128.${name}`);
      case 'not': {
        // The test for NaN is no comparison for equality: it has its own instruction.
        if (isOp(a, 'eq') && this.#uses.get(a) === 1) {
          const [x, y] = a.args.map((arg) => this.value(arg)) as [Value, Value];
          return op(a.args[0]!.type === 'f32' ? 'f32x4.ne' : 'i32x4.ne', x, y);
        }
        return all('v128.not');
      }
      case 'shl':
      case 'shr': {
        const operation = name === 'shl' ? 'shl' : from === 'i32' ? 'shr_s' : 'shr_u';
        if (b.kind === 'const') return op(`i32x4.${operation}`, this.value(a), i32(b.value));
        return this.#lanewise(`i32.${operation}`, a, b);
      }
      case 'min':
      case 'max':
        return all(`i32x4.${name}_${sign}`);
      case 'toF32':
        return all(from === 'u32' && !isSmall(a) ? 'f32x4.convert_i32x4_u' : 'f32x4.convert_i32x4_s');
      case 'toI32':
        return all(this.#relaxed ? 'i32x4.relaxed_trunc_f32x4_s' : 'i32x4.trunc_sat_f32x4_s');
      case 'toU32':
        return all(this.#relaxed ? 'i32x4.relaxed_trunc_f32x4_u' : 'i32x4.trunc_sat_f32x4_u');
    }
  }

  /** An integer times a power of two: a shift is many times as fast. */
  #shifted(x: Num, factor: Num): Value | null {
    if (x.type === 'f32' || factor.kind !== 'const') return null;
    const by = Math.log2(factor.value >>> 0);
    return Number.isInteger(by) ? op('i32x4.shl', this.value(x), i32(by)) : null;
  }

  /** product + addend or addend - product in one operation, where the product is used for nothing else. */
  #fused(operation: 'f32x4.relaxed_madd' | 'f32x4.relaxed_nmadd', product: Num, addend: Num): Value | null {
    if (!this.#relaxed || product.type !== 'f32' || !isOp(product, 'mul') || this.#uses.get(product) !== 1) return null;
    return op(operation, this.value(product.args[0]!), this.value(product.args[1]!), this.value(addend));
  }

  #select([condition, a, b]: [Num, Num, Num]): Value {
    // x < bound ? bound : x, and bound < x ? bound : x
    if (isOp(condition, 'lt') && condition.args[0] === b && b.type === 'f32' && a.kind === 'const') {
      if (isConst(condition.args[1]!, a.value)) return op('f32x4.pmax', this.value(b), this.value(a));
    }
    if (isOp(condition, 'lt') && condition.args[1] === b && b.type === 'f32' && a.kind === 'const') {
      if (isConst(condition.args[0]!, a.value)) return op('f32x4.pmin', this.value(b), this.value(a));
    }
    if (isZeroBits(a)) return op('v128.andnot', this.value(b), this.value(condition));
    if (isZeroBits(b)) return op('v128.and', this.value(a), this.value(condition));
    return this.select(this.value(condition), this.value(a), this.value(b));
  }

  /** What machines have no vector instruction for. */
  #lanewise(operation: Operation, a: Num, b: Num): Value {
    const [x, y] = [this.#atom(a), this.#atom(b)];
    const at = (n: number) => op(operation, lane('i32x4.extract_lane', n, x), lane('i32x4.extract_lane', n, y));
    return [1, 2, 3].reduce((vector, n) => lane('i32x4.replace_lane', n, vector, at(n)), op('i32x4.splat', at(0)));
  }
}

import { reduceIdentity, type WordDType } from '../../../src/graph/index.js';
import type { Index, ReduceTerm } from '../../ir.js';
import { better, binaryFns, type NumericFn } from '../../numerics/index.js';
import { emitFunction } from './bodies.js';
import { type Block, Local, op, shuffle, splatI32, type Value, v128 } from './encoder.js';
import type { KernelFunction } from './kernel-module.js';
import type { WasmScope } from './scope.js';

const JOINS = { sum: 'add', prod: 'mul', max: 'max', min: 'min', argmax: 'max', argmin: 'min' } as const;

/** True for terms whose rounding errors grow with the length of the chain of operations. */
export const isRounded = ({ fn, value }: ReduceTerm): boolean =>
  (fn === 'sum' || fn === 'prod') && value.dtype === 'f32';

/** The running value of a reduction's term in four lanes; for argmax and argmin the index of that value too. */
export class Accumulator {
  readonly value: Local;
  readonly at: Local | null;
  /** Where a maximum or minimum is taken the fast way: a mask of lanes that met NaN, and bits that tell the sign of a zero. */
  readonly #met: { readonly nan: Local; readonly signs: Local } | null;

  constructor(
    private readonly f: KernelFunction,
    readonly term: ReduceTerm,
  ) {
    this.value = f.fn.local('v128');
    this.at = isArg(term) ? f.fn.local('v128') : null;
    this.#met = isTracked(term) ? { nan: f.fn.local('v128'), signs: f.fn.local('v128') } : null;
  }

  /** Starts anew: at lane `first` of the reduced variable where the lanes run over it, else at 0. */
  start(block: Block, first: number | null): void {
    block.set(this.value, identityOf(this.f, this.term));
    if (this.#met) {
      block.set(this.#met.nan, splatI32(0));
      block.set(this.#met.signs, splatI32(this.term.fn === 'max' ? -1 : 0));
    }
    if (this.at) block.set(this.at, first === null ? splatI32(0) : v128(first, first + 1, first + 2, first + 3));
  }

  /** Takes in the term's value in a scope. Lanes that stand for no point are left out if the lanes run over the reduced variable. */
  take(scope: WasmScope, variable: Index, reducesLanes: boolean): void {
    const { block } = scope;
    const lanes = reducesLanes ? scope.lanes : 4;
    if (!this.at) {
      let { value } = scope.value(this.term.value);
      if (lanes < 4)
        value = scope.choose(
          this.f.once(`lanes ${lanes}`, () => maskOf(lanes)),
          value,
          identityOf(this.f, this.term),
        );
      if (this.#met) this.#track(block, value instanceof Local ? value : block.let(value));
      else block.set(this.value, this.#join(block, this.value, value));
      return;
    }
    const { value } = scope.named(this.term.value);
    const index = scope.indexVector(variable);
    let takes = emitFunction(this.f, block, this.#better(), [value, this.value]);
    if (lanes < 4)
      takes = op(
        'v128.and',
        takes,
        this.f.once(`lanes ${lanes}`, () => maskOf(lanes)),
      );
    this.#replace(scope, takes, value, index);
  }

  /**
   * The instruction for a maximum with NaN and signed zeros as they should be is eight of the machine's. Here one takes the larger
   * value or keeps the old one; if a maximum is a zero, all values have their sign bit set unless one was +0; likewise a minimum.
   */
  #track(block: Block, x: Local): void {
    const { nan, signs } = this.#met!;
    const max = this.term.fn === 'max';
    block.set(this.value, op(max ? 'f32x4.pmax' : 'f32x4.pmin', this.value, x));
    block.set(nan, op('v128.or', nan, op('f32x4.ne', x, x)));
    block.set(signs, op(max ? 'v128.and' : 'v128.or', signs, x));
  }

  /** Ends the taking of values; then accumulators may be merged. */
  finish(scope: WasmScope): void {
    if (!this.#met) return;
    const { nan, signs } = this.#met;
    const zero = op('v128.and', signs, this.f.word(0x80000000));
    const isZero = scope.block.let(op('f32x4.eq', this.value, splatI32(0)));
    scope.block.set(this.value, op('v128.or', scope.choose(isZero, zero, this.value), nan));
  }

  /** Joins what another accumulator of the term has. */
  merge(scope: WasmScope, other: { value: Value; at: Value | null }): void {
    const { block } = scope;
    if (!this.at) {
      block.set(this.value, this.#join(block, this.value, other.value));
      return;
    }
    const takes = (a: Value, b: Value) => block.let(emitFunction(this.f, block, this.#better(), [a, b]));
    const greater = takes(other.value, this.value);
    const less = takes(this.value, other.value);
    const earlier = op('v128.andnot', op('i32x4.lt_s', other.at!, this.at), less);
    this.#replace(scope, op('v128.or', greater, earlier), other.value, other.at!);
  }

  /** Joins the four lanes: all then hold the result. */
  mergeLanes(scope: WasmScope): void {
    for (const lanes of [
      [2, 3, 0, 1],
      [1, 0, 3, 2],
    ] as const) {
      const turned = (local: Local) => scope.block.let(shuffle(local, local, lanes));
      this.merge(scope, { value: turned(this.value), at: this.at && turned(this.at) });
    }
  }

  get result(): Local {
    return this.at ?? this.value;
  }

  #replace(scope: WasmScope, takes: Value, value: Value, at: Value): void {
    const mask = scope.block.let(takes);
    scope.block.set(this.value, scope.choose(mask, value, this.value));
    scope.block.set(this.at!, scope.choose(mask, at, this.at!));
  }

  #join(block: Block, a: Value, b: Value): Value {
    return emitFunction(this.f, block, joinOf(this.term.fn, this.term.value.dtype), [a, b]);
  }

  #better(): NumericFn {
    return better(this.term.fn as 'argmax' | 'argmin', this.term.value.dtype);
  }
}

/** True for terms that have three running values rather than one. */
export const isTracked = ({ fn, value }: ReduceTerm): boolean =>
  (fn === 'max' || fn === 'min') && value.dtype === 'f32';

export const isArg = ({ fn }: ReduceTerm): boolean => fn === 'argmax' || fn === 'argmin';

/** The function that joins two values of a reduction. */
const joinOf = (fn: ReduceTerm['fn'], dtype: WordDType): NumericFn => binaryFns[JOINS[fn]][dtype]!;

export const identityOf = (f: KernelFunction, { fn, value: { dtype } }: ReduceTerm): Value =>
  f.constant(reduceIdentity(fn, dtype), dtype);

const maskOf = (lanes: number): Value => {
  const [a, b, c, d] = [0, 1, 2, 3].map((lane) => (lane < lanes ? -1 : 0)) as [number, number, number, number];
  return v128(a, b, c, d);
};

import type { BinaryFn } from '../../../graph/index.js';
import type { Emit } from '../emit.js';
import type { Ref } from '../tape.js';

type Pair = (e: Emit, a: Ref, b: Ref) => Ref;

/** The larger or smaller of two. NaN wins; of two zeros the larger is +0. */
const extreme =
  (name: 'Maximum' | 'Minimum'): Pair =>
  (e, a, b) => {
    const plain = e.binary(name, a, b);
    // The cpu backend's are Math.max and Math.min.
    if (e.backend === 'cpu') return plain;
    // Elsewhere one operand comes out where the other is NaN, and either zero. -0 is what two of them add up to.
    const zeros = e.and(e.equal(a, e.float(0)), e.equal(b, e.float(0)));
    const sum = e.add(a, b);
    const ofZeros = name === 'Maximum' ? sum : e.unary('Neg', e.add(e.unary('Neg', a), e.unary('Neg', b)));
    return e.select(e.isNaN(sum), nanUnlessInfinite(e, a, b, plain), e.select(zeros, ofZeros, plain));
  };

/** Where a sum is NaN: opposite infinities still have a larger one. */
const nanUnlessInfinite = (e: Emit, a: Ref, b: Ref, plain: Ref): Ref =>
  e.select(e.or(e.isNaN(a), e.isNaN(b)), e.float(Number.NaN), plain);

/** 1 to anything is 1, and anything to the 0; -1 to an infinity is 1. */
const power: Pair = (e, a, b) => {
  const one = e.float(1);
  const plain = e.binary('Pow', a, b);
  const infinite = e.equal(e.unary('Abs', b), e.float(Infinity));
  const unit = e.or(e.equal(a, one), e.and(e.equal(a, e.float(-1)), infinite));
  return e.select(e.or(unit, e.equal(b, e.float(0))), one, plain);
};

/** Functions of f32 by kernels; what is not here is read back. */
export const FLOAT_BINARY: Partial<Record<BinaryFn, Pair>> = {
  add: (e, a, b) => e.add(a, b),
  sub: (e, a, b) => e.sub(a, b),
  mul: (e, a, b) => e.mul(a, b),
  div: (e, a, b) => e.div(a, b),
  pow: power,
  max: extreme('Maximum'),
  min: extreme('Minimum'),
  atan2: (e, a, b) => e.binary('Atan2', a, b),
  eq: (e, a, b) => e.equal(a, b),
  ne: (e, a, b) => e.notEqual(a, b),
  lt: (e, a, b) => e.less(a, b),
  le: (e, a, b) => e.lessEqual(a, b),
};

/** Words whose signed order is that of the unsigned ones. */
const ordered = (e: Emit, x: Ref, signed: boolean): Ref => (signed ? x : e.add(x, e.int(-(2 ** 31))));

const compare =
  (name: 'Less' | 'LessEqual') =>
  (e: Emit, a: Ref, b: Ref, signed: boolean): Ref =>
    e.compare(name, ordered(e, a, signed), ordered(e, b, signed));

const larger =
  (name: 'Maximum' | 'Minimum') =>
  (e: Emit, a: Ref, b: Ref, signed: boolean): Ref =>
    ordered(e, e.binary(name, ordered(e, a, signed), ordered(e, b, signed)), signed);

const bitwiseAnd = (e: Emit, a: Ref, b: Ref): Ref => e.binary('BitwiseAnd', a, b);

/** Functions of i32 and, as the same words, u32. Bits need BitwiseAnd, which TensorFlow's own backend has not. */
export const INT_BINARY: Partial<Record<BinaryFn, (e: Emit, a: Ref, b: Ref, signed: boolean) => Ref | null>> = {
  add: (e, a, b) => e.add(a, b),
  sub: (e, a, b) => e.sub(a, b),
  mul: (e, a, b) => e.multiplyInts(a, b),
  max: larger('Maximum'),
  min: larger('Minimum'),
  eq: (e, a, b) => e.equal(a, b),
  ne: (e, a, b) => e.notEqual(a, b),
  lt: compare('Less'),
  le: compare('LessEqual'),
  and: (e, a, b) => (e.backend === 'tensorflow' ? null : bitwiseAnd(e, a, b)),
  // a + b counts what both have twice.
  or: (e, a, b) => (e.backend === 'tensorflow' ? null : e.sub(e.add(a, b), bitwiseAnd(e, a, b))),
  xor: (e, a, b) => {
    if (e.backend === 'tensorflow') return null;
    const both = bitwiseAnd(e, a, b);
    return e.sub(e.add(a, b), e.add(both, both));
  },
};

/** Functions of bool. Order is that of 0 and 1. */
export const BOOL_BINARY: Partial<Record<BinaryFn, Pair>> = {
  and: (e, a, b) => e.and(a, b),
  or: (e, a, b) => e.or(a, b),
  max: (e, a, b) => e.or(a, b),
  min: (e, a, b) => e.and(a, b),
  xor: (e, a, b) => e.notEqual(a, b),
  ne: (e, a, b) => e.notEqual(a, b),
  eq: (e, a, b) => e.not(e.notEqual(a, b)),
  lt: (e, a, b) => e.and(e.not(a), b),
  le: (e, a, b) => e.or(e.not(a), b),
};

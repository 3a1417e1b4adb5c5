import {
  ArgumentError,
  BINARY_RULES,
  type BinaryFn,
  binary,
  cast as castNode,
  checkDType,
  type DType,
  full,
  isFloat,
  type Node,
  type UnaryFn,
  unary,
} from '../graph/index.js';
import {
  asFloat,
  commonDType,
  commonShape,
  firstTensor,
  floatDType,
  nodeOf,
  operandNode,
  requireDType,
  type TensorLike,
} from './operands.js';
import type { Tensor } from './tensor.js';

/** An elementwise function of one tensor. */
export type UnaryOp = (x: Tensor) => Tensor;
/** An elementwise function of two operands, which broadcast; at least one is a Tensor. */
export type BinaryOp = (a: TensorLike, b: TensorLike) => Tensor;

const NUMERIC: readonly DType[] = ['f32', 'i32', 'u32'];
const BITS: readonly DType[] = ['i32', 'u32', 'bool'];
const INTEGER: readonly DType[] = ['i32', 'u32'];

/** Functions of real numbers: other dtypes become f32. */
const real =
  (fn: UnaryFn): UnaryOp =>
  (x) =>
    x.derive(unary(fn, asFloat(fn, x)));

/** Functions that keep a numeric dtype; bool is refused. */
const numeric =
  (fn: UnaryFn): UnaryOp =>
  (x) => {
    const node = nodeOf(fn, x);
    requireDType(fn, node.dtype, NUMERIC);
    return x.derive(unary(fn, node));
  };

/** Rounding: integers are whole already. */
const rounding =
  (fn: UnaryFn): UnaryOp =>
  (x) => {
    const node = nodeOf(fn, x);
    requireDType(fn, node.dtype, NUMERIC);
    return x.derive(isFloat(node.dtype) ? unary(fn, node) : node);
  };

/** Questions that only floating numbers can answer with yes (no). */
const question =
  (fn: UnaryFn, ofIntegers: 0 | 1): UnaryOp =>
  (x) => {
    const node = nodeOf(fn, x);
    return x.derive(isFloat(node.dtype) ? unary(fn, node) : full(node.shape, ofIntegers, 'bool'));
  };

/** Negation. Numeric dtypes. */
export const neg: UnaryOp = numeric('neg');
/** Absolute value. Numeric dtypes. */
export const abs: UnaryOp = numeric('abs');
/** -1, 0 or 1 (NaN stays NaN). Numeric dtypes. */
export const sign: UnaryOp = numeric('sign');
/** Largest whole number that is not above. Integers pass unchanged. */
export const floor: UnaryOp = rounding('floor');
/** Smallest whole number that is not below. Integers pass unchanged. */
export const ceil: UnaryOp = rounding('ceil');
const toWhole = rounding('round');
/** Nearest whole number, halves to even, or nearest multiple of 10^-decimals. Integers pass unchanged. */
export function round(x: Tensor, options?: { decimals?: number }): Tensor {
  const decimals = options?.decimals ?? 0;
  if (!Number.isInteger(decimals)) {
    throw new ArgumentError(`[round] decimals is ${String(decimals)} (expected an integer)`);
  }
  if (decimals === 0 || !isFloat(nodeOf('round', x).dtype)) return toWhole(x);
  const scale = 10 ** Math.abs(decimals);
  return decimals > 0 ? div(toWhole(mul(x, scale)), scale) : mul(toWhole(div(x, scale)), scale);
}
/** Whole part, towards zero. Integers pass unchanged. */
export const trunc: UnaryOp = rounding('trunc');
/** 1 / x, in f32. */
export const reciprocal: UnaryOp = real('reciprocal');
/** Square root, in f32. */
export const sqrt: UnaryOp = real('sqrt');
/** 1 / sqrt(x), in f32. */
export const rsqrt: UnaryOp = real('rsqrt');
/** e^x, in f32. */
export const exp: UnaryOp = real('exp');
/** e^x - 1, exact near 0; in f32. */
export const expm1: UnaryOp = real('expm1');
/** Natural logarithm, in f32. */
export const log: UnaryOp = real('log');
/** log(1 + x), exact near 0; in f32. */
export const log1p: UnaryOp = real('log1p');
/** Logarithm to base 2, in f32. */
export const log2: UnaryOp = real('log2');
/** Logarithm to base 10, in f32. */
export const log10: UnaryOp = real('log10');
/** Sine of radians, in f32. */
export const sin: UnaryOp = real('sin');
/** Cosine of radians, in f32. */
export const cos: UnaryOp = real('cos');
/** Tangent of radians, in f32. */
export const tan: UnaryOp = real('tan');
/** Inverse sine, in f32. */
export const asin: UnaryOp = real('asin');
/** Inverse cosine, in f32. */
export const acos: UnaryOp = real('acos');
/** Inverse tangent, in f32. */
export const atan: UnaryOp = real('atan');
/** Hyperbolic sine, in f32. */
export const sinh: UnaryOp = real('sinh');
/** Hyperbolic cosine, in f32. */
export const cosh: UnaryOp = real('cosh');
/** Hyperbolic tangent, in f32. */
export const tanh: UnaryOp = real('tanh');
/** 1 / (1 + e^-x), in f32. */
export const sigmoid: UnaryOp = real('sigmoid');
/** Error function, in f32. */
export const erf: UnaryOp = real('erf');
/** 1 - erf(x), exact where that is small; in f32. */
export const erfc: UnaryOp = real('erfc');
/** The number whose error function is x: infinite at -1 and 1, NaN beyond; in f32. */
export const erfinv: UnaryOp = real('erfinv');
/** Logarithm of the size of the gamma function, in f32. */
export const lgamma: UnaryOp = real('lgamma');
/** Logarithmic derivative of the gamma function, in f32. NaN at the negative whole numbers. */
export const digamma: UnaryOp = real('digamma');
/** Whether each element is NaN: bool. */
export const isnan: UnaryOp = question('isnan', 0);
/** Whether each element is an infinity: bool. */
export const isinf: UnaryOp = question('isinf', 0);
/** Whether each element is neither NaN nor an infinity: bool. */
export const isfinite: UnaryOp = question('isfinite', 1);
/** Whether each element is zero (false): bool. */
export const logicalNot: UnaryOp = (x) => x.derive(unary('logicalNot', castNode(nodeOf('logicalNot', x), 'bool')));
/** Every bit turned over (for bool: not). Integers and bool. */
export const bitwiseNot: UnaryOp = (x) => {
  const node = nodeOf('bitwiseNot', x);
  requireDType('bitwiseNot', node.dtype, BITS);
  return x.derive(unary(node.dtype === 'bool' ? 'logicalNot' : 'bitwiseNot', node));
};

/** x * x. */
export const square: UnaryOp = (x) => mul(x, x);

/** bool takes part in arithmetic as i32. */
const arithmeticDType = (dtype: DType): DType => (dtype === 'bool' ? 'i32' : dtype);
const sameDType = (dtype: DType): DType => dtype;

/** A two-operand op: `dtypeFor` says in which dtype it computes, given the common one. */
const pairwise =
  (op: string, fn: BinaryFn, dtypeFor: (dtype: DType) => DType, allowed?: readonly DType[]): BinaryOp =>
  (a, b) => {
    const like = firstTensor(op, [a, b]);
    const dtype = dtypeFor(commonDType([a, b]));
    if (allowed) requireDType(op, dtype, allowed);
    const shape = commonShape(op, [a, b]);
    // Numbers are compared as values of the dtype.
    const operand = (value: TensorLike): Node => {
      const node = operandNode(op, value, dtype, shape);
      return BINARY_RULES[fn].gives ? castNode(node, dtype) : node;
    };
    return like.derive(binary(fn, operand(a), operand(b)));
  };

export interface AlphaOptions {
  /** What the second operand is multiplied by (1). */
  alpha?: number;
}

const plus = pairwise('add', 'add', arithmeticDType);
const minus = pairwise('sub', 'sub', arithmeticDType);

const times = (b: TensorLike, options: AlphaOptions | undefined): TensorLike => {
  const alpha = options?.alpha ?? 1;
  return alpha === 1 ? b : typeof b === 'number' ? b * alpha : mul(b, alpha);
};

/** a + alpha b. bool counts as i32. */
export const add = (a: TensorLike, b: TensorLike, options?: AlphaOptions): Tensor => plus(a, times(b, options));
/** a - alpha b. bool counts as i32. */
export const sub = (a: TensorLike, b: TensorLike, options?: AlphaOptions): Tensor => minus(a, times(b, options));
/** a * b, elementwise. bool counts as i32. */
export const mul: BinaryOp = pairwise('mul', 'mul', arithmeticDType);
const quotient = pairwise('div', 'div', floatDType);

export interface DivOptions {
  /** 'floor' or 'trunc' to round the quotient down or towards zero: then integers give integers, 0 for a divisor of zero. */
  roundingMode?: 'floor' | 'trunc' | null;
}

/** a / b in f32, whatever the dtypes, unless rounded. */
export function div(a: TensorLike, b: TensorLike, options?: DivOptions): Tensor {
  const mode = options?.roundingMode ?? null;
  if (mode === null) return quotient(a, b);
  if (mode !== 'floor' && mode !== 'trunc') {
    throw new ArgumentError(`[div] roundingMode is ${String(mode)} (expected 'floor', 'trunc' or null)`);
  }
  firstTensor('div', [a, b]);
  if (mode === 'floor') return floorDivide(a, b);
  return isFloat(commonDType([a, b])) ? trunc(quotient(a, b)) : floorDivide(sub(a, fmod(a, b)), b);
}
/** a / b rounded down, in the common dtype; integer division by zero gives 0. */
export const floorDivide: BinaryOp = pairwise('floorDivide', 'floorDiv', arithmeticDType);
/** Remainder with the sign of the divisor; an integer divisor of zero gives 0. */
export const remainder: BinaryOp = pairwise('remainder', 'remainder', arithmeticDType);
/** Remainder with the sign of the dividend; an integer divisor of zero gives 0. */
export const fmod: BinaryOp = pairwise('fmod', 'fmod', arithmeticDType);
/** The larger of each pair; NaN wins. */
export const maximum: BinaryOp = pairwise('maximum', 'max', sameDType);
/** The smaller of each pair; NaN wins. */
export const minimum: BinaryOp = pairwise('minimum', 'min', sameDType);
/** The f32 beside a in the direction of b. No gradient. */
export const nextafter: BinaryOp = pairwise('nextafter', 'nextafter', floatDType);
/** Angle of the point (b, a), in f32. */
export const atan2: BinaryOp = pairwise('atan2', 'atan2', floatDType);

const power = pairwise('pow', 'pow', arithmeticDType);
/** a to the power of b. Integers give an integer (0 where a negative power has no whole value). */
export const pow: BinaryOp = (a, b) => (b === 2 && typeof a !== 'number' ? mul(a, a) : power(a, b));

/** a == b: bool. NaN equals nothing. */
export const eq: BinaryOp = pairwise('eq', 'eq', sameDType);
/** a != b: bool. */
export const ne: BinaryOp = pairwise('ne', 'ne', sameDType);
/** a < b: bool. */
export const lt: BinaryOp = pairwise('lt', 'lt', sameDType);
/** a <= b: bool. */
export const le: BinaryOp = pairwise('le', 'le', sameDType);
const swappedLt = pairwise('gt', 'lt', sameDType);
const swappedLe = pairwise('ge', 'le', sameDType);
/** a > b: bool. */
export const gt: BinaryOp = (a, b) => swappedLt(b, a);
/** a >= b: bool. */
export const ge: BinaryOp = (a, b) => swappedLe(b, a);

const boolDType = (): DType => 'bool';
/** Both are not zero: bool. */
export const logicalAnd: BinaryOp = pairwise('logicalAnd', 'and', boolDType);
/** Either is not zero: bool. */
export const logicalOr: BinaryOp = pairwise('logicalOr', 'or', boolDType);
/** Exactly one is not zero: bool. */
export const logicalXor: BinaryOp = pairwise('logicalXor', 'xor', boolDType);

/** Bits set in both. Integers and bool. */
export const bitwiseAnd: BinaryOp = pairwise('bitwiseAnd', 'and', sameDType, BITS);
/** Bits set in either. Integers and bool. */
export const bitwiseOr: BinaryOp = pairwise('bitwiseOr', 'or', sameDType, BITS);
/** Bits set in exactly one. Integers and bool. */
export const bitwiseXor: BinaryOp = pairwise('bitwiseXor', 'xor', sameDType, BITS);
/** Greatest common divisor of integers, never negative (but for the lowest i32). */
export const gcd: BinaryOp = pairwise('gcd', 'gcd', sameDType, INTEGER);
/** a shifted left by b bits; 0 past the width. Integers. */
export const bitwiseLeftShift: BinaryOp = pairwise('bitwiseLeftShift', 'shiftLeft', sameDType, INTEGER);
/** a shifted right by b bits: with its sign for i32, with zeros for u32. Integers. */
export const bitwiseRightShift: BinaryOp = pairwise('bitwiseRightShift', 'shiftRight', sameDType, INTEGER);

/**
 * Converts every element. f32 to an integer truncates and saturates (NaN gives 0); to bool asks whether it is not zero.
 * Throws DTypeError for an unknown dtype, UnsupportedError for a planned one.
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.derive(castNode(nodeOf('cast', x), checkDType('cast', dtype)));
}

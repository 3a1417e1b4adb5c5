import { constantValue } from './constants.js';
import { type DType, isPacked, type WordDType, wideDType } from './dtype.js';
import { DTypeError, ShapeError } from './errors.js';
import { type BinaryFn, makeNode, type Node, type UnaryFn } from './node.js';
import { sameShape, showShape } from './shape.js';

type Domain = 'float' | 'signed' | 'numeric' | 'bool' | 'integer' | 'bits' | 'any';

const DOMAINS: Record<Domain, readonly WordDType[]> = {
  float: ['f32'],
  signed: ['f32', 'i32'],
  numeric: ['f32', 'i32', 'u32'],
  bool: ['bool'],
  integer: ['i32', 'u32'],
  bits: ['i32', 'u32', 'bool'],
  any: ['f32', 'i32', 'u32', 'bool'],
};

/** Which dtypes each unary function takes, and whether it gives bool instead of its operand's dtype. */
export const UNARY_RULES: Record<UnaryFn, { domain: Domain; gives?: 'bool' }> = {
  neg: { domain: 'numeric' },
  abs: { domain: 'numeric' },
  sign: { domain: 'numeric' },
  floor: { domain: 'float' },
  ceil: { domain: 'float' },
  round: { domain: 'float' },
  trunc: { domain: 'float' },
  reciprocal: { domain: 'float' },
  sqrt: { domain: 'float' },
  rsqrt: { domain: 'float' },
  exp: { domain: 'float' },
  expm1: { domain: 'float' },
  log: { domain: 'float' },
  log1p: { domain: 'float' },
  log2: { domain: 'float' },
  log10: { domain: 'float' },
  sin: { domain: 'float' },
  cos: { domain: 'float' },
  tan: { domain: 'float' },
  asin: { domain: 'float' },
  acos: { domain: 'float' },
  atan: { domain: 'float' },
  sinh: { domain: 'float' },
  cosh: { domain: 'float' },
  tanh: { domain: 'float' },
  sigmoid: { domain: 'float' },
  erf: { domain: 'float' },
  erfc: { domain: 'float' },
  erfinv: { domain: 'float' },
  lgamma: { domain: 'float' },
  digamma: { domain: 'float' },
  isnan: { domain: 'float', gives: 'bool' },
  isinf: { domain: 'float', gives: 'bool' },
  isfinite: { domain: 'float', gives: 'bool' },
  signbit: { domain: 'float', gives: 'bool' },
  logicalNot: { domain: 'bool' },
  bitwiseNot: { domain: 'integer' },
};

export const BINARY_RULES: Record<BinaryFn, { domain: Domain; gives?: 'bool' }> = {
  add: { domain: 'numeric' },
  sub: { domain: 'numeric' },
  mul: { domain: 'numeric' },
  div: { domain: 'float' },
  floorDiv: { domain: 'numeric' },
  remainder: { domain: 'numeric' },
  fmod: { domain: 'numeric' },
  pow: { domain: 'numeric' },
  max: { domain: 'any' },
  min: { domain: 'any' },
  atan2: { domain: 'float' },
  nextafter: { domain: 'float' },
  eq: { domain: 'any', gives: 'bool' },
  ne: { domain: 'any', gives: 'bool' },
  lt: { domain: 'any', gives: 'bool' },
  le: { domain: 'any', gives: 'bool' },
  and: { domain: 'bits' },
  or: { domain: 'bits' },
  xor: { domain: 'bits' },
  shiftLeft: { domain: 'integer' },
  shiftRight: { domain: 'integer' },
  gcd: { domain: 'integer' },
};

function checkDomain(op: string, domain: Domain, dtype: DType): void {
  if (!DOMAINS[domain].includes(wideDType(dtype))) {
    throw new DTypeError(`[${op}] dtype not allowed: ${dtype} (expected ${DOMAINS[domain].join(', ')})`);
  }
}

function checkSame(op: string, a: Node, b: Node): void {
  if (!sameShape(a.shape, b.shape)) {
    throw new ShapeError(`[${op}] shapes differ: ${showShape(a.shape)} and ${showShape(b.shape)} (broadcast first)`);
  }
}

/** The node in the dtype that it is computed in. */
export const widened = (x: Node): Node => cast(x, wideDType(x.dtype));

/**
 * What was computed in the wide form of a dtype, in that dtype again: integers wrap, floats are rounded, unless what uses them widens
 * them again at once.
 */
export const narrowed = (y: Node, dtype: DType): Node => (y.dtype === wideDType(dtype) ? cast(y, dtype, true) : y);

/** The dtype of two operands of which one is packed: f32 beside f16 wins, unless it is a constant. Null where they do not go together. */
function packedDType(a: Node, b: Node): DType | null {
  if (a.dtype === b.dtype) return a.dtype;
  if (wideDType(a.dtype) !== 'f32' || wideDType(b.dtype) !== 'f32') return null;
  return constantValue(a.dtype === 'f32' ? a : b) === null ? 'f32' : 'f16';
}

/** Applies a one-argument function to every element. */
export function unary(fn: UnaryFn, x: Node): Node {
  const rule = UNARY_RULES[fn];
  checkDomain(fn, rule.domain, x.dtype);
  if (isPacked(x.dtype)) return narrowed(unary(fn, widened(x)), x.dtype);
  return makeNode('unary', [x], { fn }, x.shape, rule.gives ?? x.dtype);
}

/** Applies a two-argument function to every pair of elements; operands have one shape and one dtype (or are f16 and f32). */
export function binary(fn: BinaryFn, a: Node, b: Node): Node {
  const rule = BINARY_RULES[fn];
  if (isPacked(a.dtype) || isPacked(b.dtype)) {
    const dtype = packedDType(a, b);
    if (dtype !== null) return narrowed(binary(fn, widened(a), widened(b)), dtype);
  }
  if (a.dtype !== b.dtype) throw new DTypeError(`[${fn}] dtypes differ: ${a.dtype} and ${b.dtype} (cast first)`);
  checkDomain(fn, rule.domain, a.dtype);
  checkSame(fn, a, b);
  return makeNode('binary', [a, b], { fn }, a.shape, rule.gives ?? a.dtype);
}

/** Elementwise choice; all three operands have one shape. */
export function where(condition: Node, a: Node, b: Node): Node {
  if (condition.dtype !== 'bool') throw new DTypeError(`[where] condition is ${condition.dtype} (expected bool)`);
  if (isPacked(a.dtype) || isPacked(b.dtype)) {
    const dtype = packedDType(a, b);
    if (dtype !== null) return narrowed(where(condition, widened(a), widened(b)), dtype);
  }
  if (a.dtype !== b.dtype) throw new DTypeError(`[where] dtypes differ: ${a.dtype} and ${b.dtype} (cast first)`);
  checkSame('where', condition, a);
  checkSame('where', a, b);
  return makeNode('where', [condition, a, b], {}, a.shape, a.dtype);
}

/**
 * Converts every element to another dtype; the node itself where it has that dtype already. A loose one to f16 came with an operation: it
 * is left out where the next operation takes the value as f32 again.
 */
export function cast(x: Node, dtype: DType, loose = false): Node {
  return x.dtype === dtype ? x : makeNode('cast', [x], { loose: loose && dtype === 'f16' }, x.shape, dtype);
}

import type { DType } from './dtype.js';
import { DTypeError, ShapeError } from './errors.js';
import { type BinaryFn, makeNode, type Node, type UnaryFn } from './node.js';
import { sameShape, showShape } from './shape.js';

type Domain = 'float' | 'signed' | 'numeric' | 'bool' | 'integer' | 'bits' | 'any';

const DOMAINS: Record<Domain, readonly DType[]> = {
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
  if (!DOMAINS[domain].includes(dtype)) {
    throw new DTypeError(`[${op}] dtype not allowed: ${dtype} (expected ${DOMAINS[domain].join(', ')})`);
  }
}

function checkSame(op: string, a: Node, b: Node): void {
  if (!sameShape(a.shape, b.shape)) {
    throw new ShapeError(`[${op}] shapes differ: ${showShape(a.shape)} and ${showShape(b.shape)} (broadcast first)`);
  }
}

/** Applies a one-argument function to every element. */
export function unary(fn: UnaryFn, x: Node): Node<'unary'> {
  const rule = UNARY_RULES[fn];
  checkDomain(fn, rule.domain, x.dtype);
  return makeNode('unary', [x], { fn }, x.shape, rule.gives ?? x.dtype);
}

/** Applies a two-argument function to every pair of elements; operands have one shape and one dtype. */
export function binary(fn: BinaryFn, a: Node, b: Node): Node<'binary'> {
  const rule = BINARY_RULES[fn];
  if (a.dtype !== b.dtype) throw new DTypeError(`[${fn}] dtypes differ: ${a.dtype} and ${b.dtype} (cast first)`);
  checkDomain(fn, rule.domain, a.dtype);
  checkSame(fn, a, b);
  return makeNode('binary', [a, b], { fn }, a.shape, rule.gives ?? a.dtype);
}

/** Elementwise choice; all three operands have one shape. */
export function where(condition: Node, a: Node, b: Node): Node<'where'> {
  if (condition.dtype !== 'bool') throw new DTypeError(`[where] condition is ${condition.dtype} (expected bool)`);
  if (a.dtype !== b.dtype) throw new DTypeError(`[where] dtypes differ: ${a.dtype} and ${b.dtype} (cast first)`);
  checkSame('where', condition, a);
  checkSame('where', a, b);
  return makeNode('where', [condition, a, b], {}, a.shape, a.dtype);
}

/** Converts every element to another dtype; the node itself where it has that dtype already. */
export function cast(x: Node, dtype: DType): Node {
  return x.dtype === dtype ? x : makeNode('cast', [x], {}, x.shape, dtype);
}

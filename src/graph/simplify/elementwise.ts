import { constantValue, sameNumber } from '../constants.js';
import { type DType, isPacked, wideDType } from '../dtype.js';
import { binary, cast, unary, where } from '../elementwise.js';
import { type BinaryFn, isPrim, type Node, type Prim, type UnaryFn } from '../node.js';
import { rebuild } from '../rebuild.js';
import { full } from '../sources.js';
import type { Rewrites } from './rewrite.js';
import { BINARY_VALUES, castValue } from './scalarMath.js';

/** The operand of a node that applies `fn`, null for any other node. */
function operandOf(node: Node, fn: UnaryFn): Node | null {
  return node.realized === null && isPrim(node, 'unary') && node.attrs.fn === fn ? node.inputs[0]! : null;
}

const applied = (node: Node, fns: readonly UnaryFn[]): boolean => fns.some((fn) => operandOf(node, fn) !== null);

const INTEGRAL: readonly UnaryFn[] = ['floor', 'ceil', 'round', 'trunc'];

const unaryRewrites: Partial<Record<UnaryFn, (x: Node, node: Node) => Node | null>> = {
  neg: (x) => operandOf(x, 'neg'),
  bitwiseNot: (x) => operandOf(x, 'bitwiseNot'),
  abs: (x, node) => {
    if (applied(x, ['abs']) || node.dtype === 'u32') return x;
    const negated = operandOf(x, 'neg');
    return negated === null ? null : unary('abs', negated);
  },
  floor: (x) => (applied(x, INTEGRAL) ? x : null),
  ceil: (x) => (applied(x, INTEGRAL) ? x : null),
  round: (x) => (applied(x, INTEGRAL) ? x : null),
  trunc: (x) => (applied(x, INTEGRAL) ? x : null),
  logicalNot: (x) => {
    if (x.realized === null && isPrim(x, 'binary')) {
      // Not lt and le: a comparison with NaN is false both ways.
      if (x.attrs.fn === 'eq') return binary('ne', x.inputs[0]!, x.inputs[1]!);
      if (x.attrs.fn === 'ne') return binary('eq', x.inputs[0]!, x.inputs[1]!);
    }
    return operandOf(x, 'logicalNot');
  },
};

interface Operands {
  readonly a: Node;
  readonly b: Node;
  /** The number of each operand, null where it is not constant. */
  readonly ca: number | null;
  readonly cb: number | null;
  readonly dtype: DType;
}

type BinaryRewrite = (operands: Operands) => Node | null;

const is = (value: number | null, expected: number): boolean => value !== null && sameNumber(value, expected);

/** The number that adding leaves every value as it is: -0 for floats, because 0 + -0 is 0. */
const addIdentity = (dtype: DType): number => (dtype === 'f32' ? -0 : 0);

const fullLike = (x: Node, value: number): Node => full(x.shape, value, x.dtype);

/** 1 / x, where dividing by x and multiplying by 1 / x give the same bits: a power of two with a normal reciprocal. */
function exactReciprocal(x: number): number | null {
  const exponent = Math.log2(Math.abs(x));
  return Number.isInteger(exponent) && Math.abs(exponent) <= 126 && 2 ** exponent === Math.abs(x) ? 1 / x : null;
}

const binaryRewrites: Record<BinaryFn, BinaryRewrite> = {
  add: ({ a, b, ca, cb, dtype }) => {
    if (is(cb, addIdentity(dtype))) return a;
    if (is(ca, addIdentity(dtype))) return b;
    const negatedB = operandOf(b, 'neg');
    if (negatedB !== null) return binary('sub', a, negatedB);
    const negatedA = operandOf(a, 'neg');
    return negatedA === null ? null : binary('sub', b, negatedA);
  },
  sub: ({ a, b, ca, cb, dtype }) => {
    if (is(cb, 0)) return a;
    if (is(ca, addIdentity(dtype))) return unary('neg', b);
    if (dtype !== 'f32' && a === b) return fullLike(a, 0);
    const negated = operandOf(b, 'neg');
    return negated === null ? null : binary('add', a, negated);
  },
  mul: ({ a, b, ca, cb, dtype }) => {
    if (ca !== null && cb === null) return multiplyByConstant(b, ca, dtype);
    if (cb !== null && ca === null) return multiplyByConstant(a, cb, dtype);
    const [x, y] = [operandOf(a, 'neg'), operandOf(b, 'neg')];
    return x === null || y === null ? null : binary('mul', x, y);
  },
  div: ({ a, b, cb }) => {
    if (cb === 1) return a;
    const factor = cb === null ? null : exactReciprocal(cb);
    if (factor !== null) return binary('mul', a, fullLike(a, factor));
    const [x, y] = [operandOf(a, 'neg'), operandOf(b, 'neg')];
    return x === null || y === null ? null : binary('div', x, y);
  },
  floorDiv: ({ a, cb, dtype }) => (dtype !== 'f32' && cb === 1 ? a : null),
  remainder: ({ a, cb, dtype }) => (dtype !== 'f32' && cb === 1 ? fullLike(a, 0) : null),
  fmod: ({ a, cb, dtype }) => (dtype !== 'f32' && cb === 1 ? fullLike(a, 0) : null),
  pow: ({ a, cb }) => {
    if (cb === 0) return fullLike(a, 1);
    if (cb === 1) return a;
    if (cb === 2) return binary('mul', a, a);
    return cb === 3 ? binary('mul', binary('mul', a, a), a) : null;
  },
  max: ({ a, b, ca, cb }) => {
    if (a === b || cb === -Infinity) return a;
    return ca === -Infinity ? b : null;
  },
  min: ({ a, b, ca, cb }) => {
    if (a === b || cb === Infinity) return a;
    return ca === Infinity ? b : null;
  },
  atan2: () => null,
  nextafter: () => null,
  gcd: () => null,
  eq: (o) => foldComparison('eq', o),
  ne: (o) => foldComparison('ne', o),
  lt: (o) => foldComparison('lt', o),
  le: (o) => foldComparison('le', o),
  and: ({ a, b, ca, cb, dtype }) => {
    const ones = dtype === 'bool' ? 1 : dtype === 'i32' ? -1 : 2 ** 32 - 1;
    if (a === b || cb === ones || ca === 0) return a;
    return ca === ones || cb === 0 ? b : null;
  },
  or: ({ a, b, ca, cb, dtype }) => {
    if (a === b || cb === 0 || (dtype === 'bool' && ca === 1)) return a;
    return ca === 0 || (dtype === 'bool' && cb === 1) ? b : null;
  },
  xor: ({ a, b, ca, cb, dtype }) => {
    if (a === b) return fullLike(a, 0);
    if (cb === 0) return a;
    if (ca === 0) return b;
    if (dtype === 'bool' && cb === 1) return unary('logicalNot', a);
    return dtype === 'bool' && ca === 1 ? unary('logicalNot', b) : null;
  },
  shiftLeft: ({ a, cb }) => (cb === 0 ? a : null),
  shiftRight: ({ a, cb }) => (cb === 0 ? a : null),
};

function multiplyByConstant(x: Node, c: number, dtype: DType): Node | null {
  if (c === 1) return x;
  if (c === -1) return unary('neg', x);
  if (dtype !== 'f32') return c === 0 ? fullLike(x, 0) : null;
  const negated = operandOf(x, 'neg');
  return negated === null ? null : binary('mul', negated, fullLike(x, -c));
}

/** Comparisons of equal operands, of bools with constants, and of bools cast to numbers with constants. */
function foldComparison(fn: 'eq' | 'ne' | 'lt' | 'le', { a, b, ca, cb, dtype }: Operands): Node | null {
  if (a === b && fn === 'lt') return full(a.shape, 0, 'bool');
  if (a === b && dtype !== 'f32') return full(a.shape, fn === 'ne' ? 0 : 1, 'bool');
  const [bool, other] = cb === null ? [boolBehind(b), ca] : [boolBehind(a), cb];
  if (bool === null || other === null) return null;
  const value = (of: number): number => {
    const x = castValue(of, 'bool', dtype);
    return cb === null ? BINARY_VALUES[fn]!(other, x, dtype) : BINARY_VALUES[fn]!(x, other, dtype);
  };
  const [whenFalse, whenTrue] = [value(0), value(1)];
  if (whenFalse === whenTrue) return full(a.shape, whenFalse, 'bool');
  return whenTrue === 1 ? bool : unary('logicalNot', bool);
}

/** The bool that a node is, or was before it was cast. */
function boolBehind(node: Node): Node | null {
  if (node.dtype === 'bool') return node;
  return node.realized === null && node.prim === 'cast' && node.inputs[0]!.dtype === 'bool' ? node.inputs[0]! : null;
}

const whereBehind = (node: Node, condition: Node): Node | null =>
  node.realized === null && node.prim === 'where' && node.inputs[0] === condition ? node : null;

function rewriteWhere(condition: Node, a: Node, b: Node): Node | null {
  if (a === b) return a;
  const [fixed, ca, cb] = [constantValue(condition), constantValue(a), constantValue(b)];
  if (fixed !== null) return fixed ? a : b;
  if (cb !== null && is(ca, cb)) return a;
  const negated = operandOf(condition, 'logicalNot');
  if (negated !== null) return where(negated, b, a);
  if (a.dtype === 'bool' && ca === 1 && cb === 0) return condition;
  if (a.dtype === 'bool' && ca === 0 && cb === 1) return unary('logicalNot', condition);
  const [inA, inB] = [whereBehind(a, condition), whereBehind(b, condition)];
  return inA === null && inB === null
    ? null
    : where(condition, inA === null ? a : inA.inputs[1]!, inB === null ? b : inB.inputs[2]!);
}

const VIEWS: ReadonlySet<Prim> = new Set<Prim>([
  'reshape',
  'permute',
  'expand',
  'slice',
  'pad',
  'flip',
  'window',
  'concat',
]);

/** The f32 values behind an f16 node that was only rounded because an operation gives f16; null where the rounding is asked for. */
function unrounded(node: Node): Node | null {
  if (node.realized !== null) return null;
  if (isPrim(node, 'cast')) return node.attrs.loose && node.inputs[0]!.dtype === 'f32' ? node.inputs[0]! : null;
  if (!VIEWS.has(node.prim) && node.prim !== 'gather') return null;
  const inputs = node.inputs.map((x) => (x.dtype === 'f16' ? unrounded(x) : x));
  return inputs.includes(null) ? null : rebuild(node, inputs as Node[]);
}

export const elementwiseRewrites: Pick<Rewrites, 'unary' | 'binary' | 'where' | 'cast'> = {
  unary: (node) => unaryRewrites[node.attrs.fn]?.(node.inputs[0]!, node) ?? null,
  binary: (node) => {
    const [a, b] = node.inputs as [Node, Node];
    return binaryRewrites[node.attrs.fn]({ a, b, ca: constantValue(a), cb: constantValue(b), dtype: a.dtype });
  },
  where: (node) => rewriteWhere(...(node.inputs as [Node, Node, Node])),
  cast: (node) => {
    const x = node.inputs[0]!;
    const bool = boolBehind(x);
    if (bool !== null && bool !== x) return cast(bool, node.dtype, node.attrs.loose);
    if (x.realized === null && x.prim === 'cast' && isPacked(node.dtype)) {
      // Widened and narrowed again.
      if (x.inputs[0]!.dtype === node.dtype && wideDType(node.dtype) === x.dtype) return x.inputs[0]!;
    }
    if (x.dtype !== 'f16' || node.dtype === 'bool') return null;
    const wide = unrounded(x);
    return wide === null ? null : cast(wide, node.dtype, node.attrs.loose);
  },
};

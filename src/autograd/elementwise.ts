import { isReluNode } from '../graph/composed.js';
import { trigammaNode } from '../graph/composedSpecial.js';
import { constantValue } from '../graph/constants.js';
import { isFloat } from '../graph/dtype.js';
import { binary, cast, unary, where } from '../graph/elementwise.js';
import type { BinaryFn, Node, UnaryFn } from '../graph/node.js';
import { add, div, like, mul, neg, scale, sub } from './arithmetic.js';
import type { VjpRules } from './rule.js';

/** Gradient of a unary function at x with the value y: from g, the gradient of y. Written in y where that is cheaper. */
type UnaryGradient = (g: Node, x: Node, y: Node) => Node;

const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);

/** null: piecewise constant, or no floating result. */
export const unaryGradients: Record<UnaryFn, UnaryGradient | null> = {
  neg: (g) => neg(g),
  abs: (g, x) => mul(g, unary('sign', x)),
  sign: null,
  floor: null,
  ceil: null,
  round: null,
  trunc: null,
  reciprocal: (g, _, y) => neg(mul(g, mul(y, y))),
  sqrt: (g, _, y) => div(scale(g, 0.5), y),
  rsqrt: (g, _, y) => mul(scale(g, -0.5), mul(y, mul(y, y))),
  exp: (g, _, y) => mul(g, y),
  expm1: (g, _, y) => mul(g, add(y, like(y, 1))),
  log: (g, x) => div(g, x),
  log1p: (g, x) => div(g, add(x, like(x, 1))),
  log2: (g, x) => div(g, scale(x, Math.LN2)),
  log10: (g, x) => div(g, scale(x, Math.LN10)),
  sin: (g, x) => mul(g, unary('cos', x)),
  cos: (g, x) => neg(mul(g, unary('sin', x))),
  tan: (g, _, y) => mul(g, add(mul(y, y), like(y, 1))),
  asin: (g, x) => mul(g, unary('rsqrt', sub(like(x, 1), mul(x, x)))),
  acos: (g, x) => neg(mul(g, unary('rsqrt', sub(like(x, 1), mul(x, x))))),
  atan: (g, x) => div(g, add(mul(x, x), like(x, 1))),
  sinh: (g, x) => mul(g, unary('cosh', x)),
  cosh: (g, x) => mul(g, unary('sinh', x)),
  tanh: (g, _, y) => mul(g, sub(like(y, 1), mul(y, y))),
  sigmoid: (g, _, y) => mul(g, mul(y, sub(like(y, 1), y))),
  erf: (g, x) => mul(g, scale(unary('exp', neg(mul(x, x))), TWO_OVER_ROOT_PI)),
  erfc: (g, x) => mul(g, scale(unary('exp', neg(mul(x, x))), -TWO_OVER_ROOT_PI)),
  erfinv: (g, _, y) => mul(g, scale(unary('exp', mul(y, y)), 1 / TWO_OVER_ROOT_PI)),
  lgamma: (g, x) => mul(g, unary('digamma', x)),
  digamma: (g, x) => mul(g, trigammaNode(x)),
  isnan: null,
  isinf: null,
  isfinite: null,
  signbit: null,
  logicalNot: null,
  bitwiseNot: null,
};

type BinaryGradient = (g: Node, a: Node, b: Node, y: Node) => Node | null;
/** Gradients with respect to the first and the second operand. */
type BinaryGradients = readonly [BinaryGradient, BinaryGradient];

const none: BinaryGradient = () => null;
const NONE: BinaryGradients = [none, none];

/** Of max and min, PyTorch's: half each where equal; NaN on either side lets the gradient pass on both. */
const unlessBeaten = (g: Node, beaten: Node, a: Node, b: Node): Node =>
  where(beaten, like(g, 0), where(binary('eq', a, b), scale(g, 0.5), g));

/** PyTorch's: 0 where the exponent is 0, whatever the base. The guard inside keeps NaN out of higher derivatives too. */
function powBase(g: Node, a: Node, b: Node): Node | null {
  const exponent = constantValue(b);
  if (exponent === 0) return null;
  if (exponent === 1) return g;
  if (exponent !== null) return mul(g, scale(binary('pow', a, like(a, exponent - 1)), exponent));
  const flat = binary('eq', b, like(b, 0));
  const safe = where(flat, like(b, 1), b);
  return where(flat, like(g, 0), mul(g, mul(safe, binary('pow', a, sub(safe, like(b, 1))))));
}

/** PyTorch's: 0 where the base is 0 and the exponent at least 0 (the limit), else y log(a): NaN for a negative base. */
function powExponent(g: Node, a: Node, b: Node): Node {
  const flat = binary('and', binary('eq', a, like(a, 0)), binary('le', like(b, 0), b));
  const safe = where(flat, like(a, 1), a);
  return where(flat, like(g, 0), mul(g, mul(binary('pow', safe, b), unary('log', safe))));
}

const overSquares = (factor: Node, a: Node, b: Node): Node => div(factor, add(mul(a, a), mul(b, b)));

export const binaryGradients: Record<BinaryFn, BinaryGradients> = {
  add: [(g) => g, (g) => g],
  sub: [(g) => g, (g) => neg(g)],
  mul: [(g, _, b) => mul(g, b), (g, a) => mul(g, a)],
  div: [(g, _, b) => div(g, b), (g, _, b, y) => neg(mul(div(g, b), y))],
  floorDiv: NONE,
  remainder: [(g) => g, (g, a, b) => neg(mul(g, binary('floorDiv', a, b)))],
  fmod: [(g) => g, (g, a, b) => neg(mul(g, unary('trunc', div(a, b))))],
  pow: [powBase, powExponent],
  max: [(g, a, b) => unlessBeaten(g, binary('lt', a, b), a, b), (g, a, b) => unlessBeaten(g, binary('lt', b, a), a, b)],
  min: [(g, a, b) => unlessBeaten(g, binary('lt', b, a), a, b), (g, a, b) => unlessBeaten(g, binary('lt', a, b), a, b)],
  atan2: [(g, a, b) => mul(g, overSquares(b, a, b)), (g, a, b) => neg(mul(g, overSquares(a, a, b)))],
  nextafter: NONE,
  eq: NONE,
  ne: NONE,
  lt: NONE,
  le: NONE,
  and: NONE,
  or: NONE,
  xor: NONE,
  shiftLeft: NONE,
  shiftRight: NONE,
  gcd: NONE,
};

export const elementwiseRules: Pick<VjpRules, 'unary' | 'binary' | 'where' | 'cast'> = {
  unary: (node, g) => {
    const gradient = unaryGradients[node.attrs.fn];
    return [gradient === null ? null : gradient(g, node.inputs[0]!, node)];
  },
  binary: (node, g, needs) => {
    const [a, b] = node.inputs as [Node, Node];
    return binaryGradients[node.attrs.fn].map((gradient, i) => (needs[i] ? gradient(g, a, b, node) : null));
  },
  where: (node, g, needs) => {
    const zero = like(g, 0);
    // Told from the output: then the input of a relu need not be kept for the backward.
    if (isReluNode(node)) return [null, null, where(binary('le', node, like(node, 0)), zero, g)];
    const condition = node.inputs[0]!;
    return [null, needs[1] ? where(condition, g, zero) : null, needs[2] ? where(condition, zero, g) : null];
  },
  cast: (node, g) => {
    const x = node.inputs[0]!;
    return [isFloat(x.dtype) && isFloat(node.dtype) ? cast(g, x.dtype, true) : null];
  },
};

import { isFloat, isReluNode, type Node, rangeOf, wideDType } from '../../../graph/index.js';
import type { Emit } from '../emit.js';
import type { Ref } from '../tape.js';
import { BOOL_BINARY, FLOAT_BINARY, INT_BINARY } from './binary.js';
import type { Lower } from './lower.js';
import type { Lowering, Value } from './lowering.js';
import { FLOAT_UNARY, INT_UNARY } from './unary.js';

/** Applies kernels to the smallest tensors that the operands are repeats of. */
function apply(l: Lowering, node: Node, fn: (...operands: Ref[]) => Ref | null): Value | null {
  const result = fn(...node.inputs.map((input) => l.operand(l.valueOf(input))));
  return result === null ? null : l.spread(node, result);
}

function lowerUnary(l: Lowering, node: Node<'unary'>): Value {
  const { fn } = node.attrs;
  const { dtype } = node.inputs[0]!;
  const { emit } = l;
  const made = apply(l, node, (x) => {
    if (dtype === 'bool') return emit.not(x);
    if (isFloat(dtype)) return FLOAT_UNARY[fn]?.(emit, x) ?? null;
    return INT_UNARY[fn]?.(emit, x, dtype === 'i32') ?? null;
  });
  return made ?? l.readingBack(node, `${fn} ${dtype}`);
}

function lowerBinary(l: Lowering, node: Node<'binary'>): Value {
  const { fn } = node.attrs;
  const { dtype } = node.inputs[0]!;
  const { emit } = l;
  const divisor = l.valueOf(node.inputs[1]!).uniform;
  if (divisor !== undefined && dtype === 'i32' && (fn === 'floorDiv' || fn === 'remainder')) {
    const divided = apply(l, node, (a) => dividedBy(emit, a, divisor, fn));
    if (divided !== null) return divided;
  }
  const made = apply(l, node, (a, b) => {
    if (dtype === 'bool') return BOOL_BINARY[fn]?.(emit, a, b) ?? null;
    if (isFloat(dtype)) return FLOAT_BINARY[fn]?.(emit, a, b) ?? null;
    return INT_BINARY[fn]?.(emit, a, b, dtype === 'i32') ?? null;
  });
  return made ?? l.readingBack(node, `${fn} ${dtype}`);
}

/** floor(x / c) for whole floats below 2^24: a quotient that was rounded up to the next whole number is put right. */
function floorOfRatio(e: Emit, x: Ref, c: Ref): Ref {
  const q = e.unary('Floor', e.div(x, c));
  const rest = e.sub(x, e.mul(q, c));
  return e.sub(e.add(q, e.boolToFloat(e.lessEqual(c, rest))), e.boolToFloat(e.less(rest, e.float(0))));
}

/** Long division of an i32 by a small positive constant, in digits of 16, 8 and 8 bits, of which floats hold each step. */
function dividedBy(e: Emit, x: Ref, divisor: number, fn: 'floorDiv' | 'remainder'): Ref | null {
  if (e.backend === 'tensorflow' || divisor < 1 || divisor > 2 ** 14) return null;
  const c = e.float(divisor);
  const low = e.binary('BitwiseAnd', x, e.int(0xffff));
  const lowest = e.binary('BitwiseAnd', x, e.int(0xff));
  const upper = e.mul(e.intToFloat(e.sub(x, low)), e.float(2 ** -16));
  const middle = e.mul(e.intToFloat(e.sub(low, lowest)), e.float(2 ** -8));
  let quotient: Ref | null = null;
  let rest = upper;
  for (const digit of [null, middle, e.intToFloat(lowest)]) {
    if (digit !== null) rest = e.add(e.mul(rest, e.float(2 ** 8)), digit);
    const q = floorOfRatio(e, rest, c);
    rest = e.sub(rest, e.mul(q, c));
    const whole = e.floatToInt(q);
    quotient = quotient === null ? whole : e.add(e.mul(quotient, e.int(2 ** 8)), whole);
  }
  return fn === 'floorDiv' ? quotient : e.floatToInt(rest);
}

function lowerWhere(l: Lowering, node: Node<'where'>): Value {
  const { emit } = l;
  const [condition, a, b] = node.inputs.map((input) => l.valueOf(input)) as [Value, Value, Value];
  if (node.dtype === 'f32' && isReluNode(node)) return l.spread(node, emit.unary('Relu', l.operand(b)));
  return l.spread(node, emit.select(l.operand(condition), l.operand(a), l.operand(b)));
}

/** To i32 and u32: truncates and saturates, NaN gives 0. */
function truncated(e: Emit, x: Ref, low: number, high: number): Ref {
  const number = e.select(e.isNaN(x), e.float(0), x);
  // The largest float below 2^31 and 2^32.
  const most = high === 2 ** 31 - 1 ? 2 ** 31 - 128 : 2 ** 32 - 256;
  const above = e.less(e.float(most), number);
  const bounded = e.binary('Maximum', e.binary('Minimum', number, e.float(most)), e.float(low));
  // Words of u32 from 2^31 on are negative as i32.
  const signed =
    low < 0 ? bounded : e.select(e.less(bounded, e.float(2 ** 31)), bounded, e.sub(bounded, e.float(2 ** 32)));
  return e.select(above, e.int(high | 0), e.floatToInt(signed));
}

/** Exact halves of a word of u32: its upper and its lower 16 bits, as f32. */
function halves(e: Emit, x: Ref): [upper: Ref, lower: Ref] {
  const lower = e.binary('BitwiseAnd', x, e.int(0xffff));
  const upper = e.mul(e.intToFloat(e.sub(x, lower)), e.float(2 ** -16));
  return [e.select(e.less(upper, e.float(0)), e.add(upper, e.float(2 ** 16)), upper), e.intToFloat(lower)];
}

/** The low bits of words, as i8 or u8 has them. */
function wrapped(e: Emit, x: Ref, bits: 'i8' | 'u8'): Ref {
  const low = e.binary('BitwiseAnd', x, e.int(255));
  return bits === 'u8' ? low : e.select(e.less(low, e.int(128)), low, e.sub(low, e.int(256)));
}

/** To the nearest f16 by adding and taking away a number whose last place is that of f16: to even, as f32 sums are rounded. */
function halfRounded(e: Emit, x: Ref): Ref {
  const a = e.unary('Abs', x);
  // The spacing of f16 at a is 2^-10 of the power of two below it: Veltkamp's splitting with 2^13 + 1 leaves 11 bits.
  const scaled = e.mul(a, e.float(2 ** 13 + 1));
  const normal = e.sub(scaled, e.sub(scaled, a));
  const subnormal = e.sub(e.add(a, e.float(0.5)), e.float(0.5));
  const rounded = e.select(e.less(a, e.float(2 ** -14)), subnormal, normal);
  // From 65520 on f16 has infinity; scaled would overflow.
  const bounded = e.select(e.less(a, e.float(65520)), rounded, e.float(Infinity));
  const zero = e.float(0);
  const negative = e.or(e.less(x, zero), e.and(e.equal(x, zero), e.less(e.unary('Reciprocal', x), zero)));
  return e.select(e.isNaN(x), x, e.select(negative, e.unary('Neg', bounded), bounded));
}

function lowerCast(l: Lowering, node: Node<'cast'>): Value {
  const { emit } = l;
  const from = node.inputs[0]!.dtype;
  const to = node.dtype;
  const made = apply(l, node, (x): Ref | null => {
    if (to === 'bool') return isFloat(from) ? emit.notEqual(x, emit.float(0)) : emit.fromInt(x);
    if (isFloat(to)) {
      const bits = emit.backend !== 'tensorflow';
      if (from === 'u32' && !bits) return null;
      const [upper, lower] = from === 'u32' ? halves(emit, x) : [x, x];
      const float = isFloat(from)
        ? x
        : from === 'bool'
          ? emit.boolToFloat(x)
          : from === 'u32'
            ? emit.add(emit.mul(upper, emit.float(2 ** 16)), lower)
            : emit.intToFloat(x);
      return to === 'f16' && from !== 'bool' && from !== 'i8' && from !== 'u8' ? halfRounded(emit, float) : float;
    }
    const [low, high] = rangeOf(wideDType(to));
    const word = isFloat(from) ? truncated(emit, x, low, high) : from === 'bool' ? emit.toInt(x) : x;
    if ((to !== 'i8' && to !== 'u8') || from === 'bool') return word;
    return emit.backend === 'tensorflow' ? null : wrapped(emit, word, to);
  });
  return made ?? l.readingBack(node, `cast ${from} to ${to}`);
}

export const elementwise: Pick<Lower, 'unary' | 'binary' | 'where' | 'cast'> = {
  unary: lowerUnary,
  binary: lowerBinary,
  where: lowerWhere,
  cast: lowerCast,
};

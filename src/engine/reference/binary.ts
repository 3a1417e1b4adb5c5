import type { BinaryFn, DType, TypedArray } from '../../graph/index.js';

/** Fills `out`, whose dtype rounds or wraps. */
type BinaryLoop = (a: TypedArray, b: TypedArray, out: TypedArray) => void;
type BinaryLoops = Partial<Record<DType, BinaryLoop>>;
type Pair = (a: number, b: number) => number;

const each =
  (fn: Pair): BinaryLoop =>
  (a, b, out) => {
    for (let i = 0; i < out.length; i++) out[i] = fn(a[i]!, b[i]!);
  };

const float = (fn: Pair): BinaryLoops => ({ f32: each(fn) });
const integers = (fn: Pair): BinaryLoops => ({ i32: each(fn), u32: each(fn) });
const bits = (fn: Pair): BinaryLoops => ({ ...integers(fn), bool: each(fn) });
const every = (fn: Pair): BinaryLoops => ({ ...float(fn), ...bits(fn) });

/** fmod, moved to the sign of the divisor. */
function remainder(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** As PyTorch's floor_divide: x / 0 as in a division, NaN from an infinite dividend, -1 for -1 by infinity. */
function floorDivide(a: number, b: number): number {
  if (b === 0) return a / b;
  const rest = a % b;
  let quotient = (a - rest) / b;
  if (rest !== 0 && rest < 0 !== b < 0) quotient -= 1;
  if (quotient === 0) return (a / b) * 0;
  const below = Math.floor(quotient);
  return quotient - below > 0.5 ? below + 1 : below;
}

/** As C's pow: 1 to anything is 1, and so is -1 to an infinity. */
const power: Pair = (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);

/** By repeated squaring, wrapping; a negative exponent gives 1 for 1, ±1 for -1, else 0 (as PyTorch, for 0 too). */
function integerPower(a: number, b: number): number {
  if (b < 0) {
    if (a === 1) return 1;
    if (a === -1) return b % 2 === 0 ? 1 : -1;
    return 0;
  }
  let result = 1;
  for (let square = a, rest = b; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = Math.imul(result, square);
    square = Math.imul(square, square);
  }
  return result;
}

/** Integer division by zero gives 0. The quotient of two words is never so near a whole number that float64 rounds it there. */
const unlessZero =
  (fn: Pair): Pair =>
  (a, b) =>
    b === 0 ? 0 : fn(a, b);

const [step, stepped] = [new Float32Array(1), new Int32Array(1)] as const;

/** The f32 beside a on the way to b. */
function nextafter(a: number, b: number): number {
  if (a === b || Number.isNaN(a) || Number.isNaN(b)) return a === b ? b : Number.NaN;
  if (a === 0) return Math.sign(b) * 2 ** -149;
  step[0] = a;
  stepped.set(new Int32Array(step.buffer));
  stepped[0]! += a < b === a > 0 ? 1 : -1;
  return new Float32Array(stepped.buffer)[0]!;
}

/** By Euclid, of the magnitudes. */
function gcd(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

/** Amounts below 0 are past the width too. */
const pastWidth = (amount: number): boolean => amount < 0 || amount > 31;

/**
 * Every binary function: one loop for each dtype that it takes. Computed in float64 (32-bit integers wrap).
 * Math.max and Math.min are what is wanted: NaN wins, the maximum of the two zeros is +0 and the minimum -0.
 * The loops that training spends its time in are written out: a call in a shared loop is not inlined.
 */
export const BINARY: Record<BinaryFn, BinaryLoops> = {
  add: {
    ...integers((a, b) => a + b),
    f32: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i]! + b[i]!;
    },
  },
  sub: {
    ...integers((a, b) => a - b),
    f32: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i]! - b[i]!;
    },
  },
  mul: {
    ...integers(Math.imul),
    f32: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i]! * b[i]!;
    },
  },
  div: {
    f32: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = a[i]! / b[i]!;
    },
  },
  floorDiv: { ...float(floorDivide), ...integers(unlessZero((a, b) => Math.floor(a / b))) },
  remainder: { ...float(remainder), ...integers(unlessZero(remainder)) },
  fmod: { ...float((a, b) => a % b), ...integers(unlessZero((a, b) => a % b)) },
  pow: { ...float(power), ...integers(integerPower) },
  max: every(Math.max),
  min: every(Math.min),
  atan2: float(Math.atan2),
  nextafter: float(nextafter),
  eq: every((a, b) => Number(a === b)),
  ne: every((a, b) => Number(a !== b)),
  lt: every((a, b) => Number(a < b)),
  le: {
    ...bits((a, b) => Number(a <= b)),
    f32: (a, b, out) => {
      for (let i = 0; i < out.length; i++) out[i] = Number(a[i]! <= b[i]!);
    },
  },
  and: bits((a, b) => a & b),
  or: bits((a, b) => a | b),
  xor: bits((a, b) => a ^ b),
  shiftLeft: integers((a, b) => (pastWidth(b) ? 0 : a << b)),
  shiftRight: {
    i32: each((a, b) => a >> (pastWidth(b) ? 31 : b)),
    u32: each((a, b) => (pastWidth(b) ? 0 : a >>> b)),
  },
  gcd: integers(gcd),
};

/**
 * The bodies of numeric functions: expressions over a small set of basic operations that every engine can be trusted with. A
 * renderer (WGSL now, WebAssembly SIMD later) emits them for one value or for a vector of values.
 *
 * Promises to renderers: integer `div` and `rem` never see a zero divisor or INT_MIN / -1; shift amounts are below 32; `toI32` and
 * `toU32` of a float in range truncate, out of range they may give anything (the value is then not selected).
 * Promises of renderers: f32 operations round to nearest (subnormals may flush; fused multiply-add is allowed) and are not
 * reassociated across a `barrier`; comparisons with NaN are false; integers wrap; nothing is assumed about NaN or infinity.
 */

export type NumType = 'f32' | 'i32' | 'u32' | 'bool';

export type BasicOp =
  // f32, i32, u32
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'neg'
  | 'lt'
  | 'le'
  // all types
  | 'eq'
  | 'select'
  // f32
  | 'abs'
  | 'sqrt'
  | 'floor'
  | 'ceil'
  | 'trunc'
  | 'roundEven'
  | 'barrier'
  // i32, u32 (and, or, xor, not: bool too)
  | 'rem'
  | 'and'
  | 'or'
  | 'xor'
  | 'not'
  | 'shl'
  | 'shr'
  | 'min'
  | 'max'
  // conversions of value
  | 'toF32'
  | 'toI32'
  | 'toU32'
  // reinterpretations of bits
  | 'bitsToF32'
  | 'bitsToI32'
  | 'bitsToU32';

/** A value in a function body; a DAG shared by object identity. */
export type Num =
  | { readonly kind: 'arg'; readonly type: NumType; readonly index: number }
  /** f32 constants may be NaN, infinite or -0. */
  | { readonly kind: 'const'; readonly type: NumType; readonly value: number }
  | { readonly kind: 'op'; readonly type: NumType; readonly op: BasicOp; readonly args: readonly Num[] }
  | { readonly kind: 'call'; readonly type: NumType; readonly fn: NumericFn; readonly args: readonly Num[] }
  /** State number `index` inside the body of its loop. */
  | { readonly kind: 'state'; readonly type: NumType; readonly index: number }
  /** State number `index` after the loop. */
  | { readonly kind: 'after'; readonly type: NumType; readonly loop: Loop; readonly index: number };

/** `while (condition) state = next`. In a vector the values whose condition is false stay. Loops do not nest. */
export interface Loop {
  readonly init: readonly Num[];
  readonly states: readonly Num[];
  readonly condition: Num;
  readonly next: readonly Num[];
}

/** A function of one definition for all engines. */
export interface NumericFn {
  /** Unique among all numeric functions, an identifier. */
  readonly name: string;
  readonly params: readonly NumType[];
  readonly type: NumType;
  readonly body: Num;
}

/** A `Num`, or a plain number, which takes the type of the operand beside it. */
export type NumLike = Num | number | boolean;

/** Defines a function from its name, its parameter types and a builder of its body. */
export function define(name: string, params: readonly NumType[], build: (...args: Num[]) => Num): NumericFn {
  const body = build(...params.map((type, index): Num => ({ kind: 'arg', type, index })));
  return { name, params, type: body.type, body };
}

/** Calls another function. */
export function call(fn: NumericFn, ...args: Num[]): Num {
  return { kind: 'call', type: fn.type, fn, args };
}

/** A constant; f32 by default. */
export function constant(value: number | boolean, type: NumType = 'f32'): Num {
  return { kind: 'const', type, value: type === 'f32' ? Math.fround(Number(value)) : Number(value) };
}

export const u32 = (value: number): Num => constant(value >>> 0, 'u32');
export const i32 = (value: number): Num => constant(value | 0, 'i32');
export const NAN: Num = constant(Number.NaN);
export const INF: Num = constant(Number.POSITIVE_INFINITY);
export const FALSE: Num = constant(false, 'bool');

const op = (name: BasicOp, type: NumType, ...args: Num[]): Num => ({ kind: 'op', type, op: name, args });

/** Gives plain numbers the type of the operand that has one. */
function typed(a: NumLike, b: NumLike): [Num, Num] {
  if (typeof a === 'object') return [a, typeof b === 'object' ? b : constant(b, a.type)];
  if (typeof b === 'object') return [constant(a, b.type), b];
  return [constant(a), constant(b)];
}

type Binary = (a: NumLike, b: NumLike) => Num;
const same =
  (name: BasicOp): Binary =>
  (a, b) => {
    const [x, y] = typed(a, b);
    return op(name, x.type, x, y);
  };
const compare =
  (name: BasicOp): Binary =>
  (a, b) => {
    const [x, y] = typed(a, b);
    return op(name, 'bool', x, y);
  };

export const add = same('add');
export const sub = same('sub');
export const mul = same('mul');
export const div = same('div');
export const rem = same('rem');
export const and = same('and');
export const or = same('or');
export const xor = same('xor');
export const min = same('min');
export const max = same('max');
export const lt = compare('lt');
export const le = compare('le');
export const eq = compare('eq');
export const gt: Binary = (a, b) => lt(b, a);
export const ge: Binary = (a, b) => le(b, a);
export const not = (x: Num): Num => op('not', x.type, x);
export const ne: Binary = (a, b) => not(eq(a, b));
export const neg = (x: Num): Num => op('neg', x.type, x);
export const abs = (x: Num): Num => op('abs', x.type, x);
export const sqrt = (x: Num): Num => op('sqrt', 'f32', x);
export const floor = (x: Num): Num => op('floor', 'f32', x);
export const ceil = (x: Num): Num => op('ceil', 'f32', x);
export const trunc = (x: Num): Num => op('trunc', 'f32', x);
export const roundEven = (x: Num): Num => op('roundEven', 'f32', x);
/** The same value, which no compiler may fold with what is around it: (1 + x) - 1 is not x. */
export const barrier = (x: Num): Num => op('barrier', 'f32', x);
export const toF32 = (x: Num): Num => op('toF32', 'f32', x);
export const toI32 = (x: Num): Num => op('toI32', 'i32', x);
export const toU32 = (x: Num): Num => op('toU32', 'u32', x);
export const bitsToF32 = (x: Num): Num => op('bitsToF32', 'f32', x);
export const bitsToI32 = (x: Num): Num => op('bitsToI32', 'i32', x);
export const bitsToU32 = (x: Num): Num => op('bitsToU32', 'u32', x);

/** Shifts left by a u32 amount below 32. By a constant it multiplies: SwiftShader shifts each lane of a vector on its own. */
export const shl = (x: Num, amount: Num | number): Num =>
  typeof amount === 'number' ? mul(x, constant(2 ** amount, x.type)) : op('shl', x.type, x, amount);
/** Shifts right by a u32 amount below 32; arithmetically for i32. */
export const shr = (x: Num, amount: Num | number): Num =>
  op('shr', x.type, x, typeof amount === 'number' ? u32(amount) : amount);

/** `a` where the condition holds, else `b`. Both are computed. */
export function select(condition: Num, a: NumLike, b: NumLike): Num {
  const [x, y] = typed(a, b);
  return op('select', x.type, condition, x, y);
}

/** c[0] + x * (c[1] + x * (…)). */
export function polynomial(x: Num, ...coefficients: number[]): Num {
  let sum = constant(coefficients[coefficients.length - 1]!);
  for (let i = coefficients.length - 2; i >= 0; i--) sum = add(mul(sum, x), coefficients[i]!);
  return sum;
}

/** Repeats `next` while `condition` holds; gives the states after it. */
export function loop(
  init: readonly Num[],
  condition: (...states: Num[]) => Num,
  next: (...states: Num[]) => readonly Num[],
): Num[] {
  const states = init.map(({ type }, index): Num => ({ kind: 'state', type, index }));
  const made: Loop = { init, states, condition: condition(...states), next: next(...states) };
  return init.map(({ type }, index): Num => ({ kind: 'after', type, loop: made, index }));
}

/** `slow` where the condition holds, else `fast`; `slow` is only computed if some value needs it. */
export function rarely(condition: Num, slow: Num, fast: Num): Num {
  return loop(
    [fast, condition],
    (_, once) => once!,
    () => [slow, FALSE],
  )[0]!;
}

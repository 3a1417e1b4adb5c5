import { realize } from '../compile/index.js';
import { ArgumentError, DTypeError, ShapeError, sameShape, showShape, UnsupportedError } from '../graph/index.js';
import { where } from './choosing.js';
import { zeros, zerosLike } from './creation.js';
import { stack } from './joining.js';
import { checkInteger, isTensor } from './operands.js';
import { mapTensors, type TensorStructure, tensorPaths, tensorsOf } from './structure.js';
import type { Tensor } from './tensor.js';
import { activeTrace } from './trace.js';
import { insideTransform } from './tracing.js';

/** Throws unless two structures have the same fields, shapes and dtypes. */
function checkAlike(op: string, what: string, given: TensorStructure, wanted: TensorStructure): void {
  const found = tensorPaths(op, given);
  const expected = tensorPaths(op, wanted);
  const odd = [...found.keys(), ...expected.keys()].find((path) => !found.has(path) || !expected.has(path));
  if (odd !== undefined)
    throw new ArgumentError(`[${op}] ${what} have different structures: only one has the tensor '${odd}'`);
  for (const [path, x] of found) {
    const y = expected.get(path)!;
    if (!sameShape(x.shape, y.shape)) {
      throw new ShapeError(
        `[${op}] ${what}${path} differ in shape: ${showShape(x.shape)} and ${showShape(y.shape)} (expected one shape)`,
      );
    }
    if (x.dtype !== y.dtype) {
      throw new DTypeError(`[${op}] ${what}${path} differ in dtype: ${x.dtype} and ${y.dtype} (expected one dtype)`);
    }
  }
}

/** A condition: a boolean, or a bool tensor of one element. */
function checkCondition(op: string, condition: Tensor | boolean): Tensor | boolean {
  if (typeof condition === 'boolean') return condition;
  if (!isTensor(condition))
    throw new ArgumentError(`[${op}] condition is ${typeof condition} (expected a boolean or a bool tensor)`);
  if (condition.dtype !== 'bool') throw new DTypeError(`[${op}] condition is ${condition.dtype} (expected bool)`);
  if (condition.ndim !== 0)
    throw new ShapeError(`[${op}] condition is ${showShape(condition.shape)} (expected shape [])`);
  return condition;
}

/** Each tensor of one structure where the condition holds, of the other elsewhere. */
function select<S extends TensorStructure>(condition: Tensor, then: S, otherwise: S): S {
  const others = tensorsOf('cond', otherwise);
  let next = 0;
  return mapTensors('cond', then, (x) => where(condition, x, others[next++]!));
}

/**
 * `ifTrue(...operands)` or `ifFalse(...operands)`. A boolean picks one, and only that is computed. For a bool tensor of shape [] both are
 * computed, and `where` picks: no value has to come back from the engine, and it goes under vmap and compile. Both branches
 * return tensors, or structures of them, of equal shapes and dtypes. As with `where`, a NaN or infinity in the gradient of the branch that
 * is not taken becomes NaN in the gradient: keep both branches finite.
 */
export function cond<A extends unknown[], R extends TensorStructure>(
  condition: Tensor | boolean,
  ifTrue: (...operands: A) => R,
  ifFalse: (...operands: A) => R,
  ...operands: A
): R {
  const picks = checkCondition('cond', condition);
  if (typeof picks === 'boolean') return picks ? ifTrue(...operands) : ifFalse(...operands);
  const [then, otherwise] = [ifTrue(...operands), ifFalse(...operands)];
  checkAlike('cond', 'results', then, otherwise);
  return select(picks, then, otherwise);
}

/**
 * Calls `f(i, carry)` for i = 0 … n - 1, each on what the one before returned. Unrolled: the graph has the body n times; differentiates, and
 * goes under every transform.
 */
export function foriLoop<C extends TensorStructure>(n: number, f: (i: number, carry: C) => C, init: C): C {
  checkInteger('foriLoop', 'n', n, 0);
  let carry = init;
  for (let i = 0; i < n; i++) {
    const next = f(i, carry);
    checkAlike('foriLoop', 'carries', next, carry);
    carry = next;
  }
  return carry;
}

export interface ScanOptions {
  /** Steps, where `xs` is null. */
  length?: number;
  /** From the last element to the first; `ys` keep the order of `xs`. */
  reverse?: boolean;
}

/**
 * Goes along axis 0 of `xs` (a tensor or a structure of them; null with `length` for none): `f(carry, x)` returns the next carry and an output,
 * or null for none. Returns the last carry and the outputs, stacked along axis 0. Unrolled, as `foriLoop`. Of nothing, the outputs
 * have the shapes that `f` gives for zeros.
 *
 *     const [total, sums] = tl.scan((sum: tl.Tensor, x: tl.Tensor) => [sum.add(x), sum.add(x)], tl.zeros([]), tl.arange(4));
 */
export function scan<C extends TensorStructure, X extends TensorStructure | null, Y extends TensorStructure | null>(
  f: (carry: C, x: X) => readonly [carry: C, y: Y],
  init: C,
  xs: X,
  options: ScanOptions = {},
): [carry: C, ys: Y] {
  const length = stepsOf(xs, options);
  const at = (i: number): X => (xs === null ? xs : mapTensors('scan', xs, (x) => x.select(0, i)));
  const outputs = new Array<Y>(length);
  let carry = init;
  for (let step = 0; step < length; step++) {
    const i = options.reverse ? length - 1 - step : step;
    const [next, y] = f(carry, at(i));
    checkAlike('scan', 'carries', next, carry);
    [carry, outputs[i]] = [next, y];
  }
  if (length > 0) return [carry, stacked(outputs)];
  const none = (x: Tensor) => zeros(x.shape.slice(1), { dtype: x.dtype });
  const [, y] = f(
    mapTensors('scan', init, (x) => zerosLike(x)),
    xs === null ? xs : mapTensors('scan', xs, none),
  );
  const empty = (x: Tensor) => zeros([0, ...x.shape], { dtype: x.dtype });
  return [init, y === null ? y : mapTensors('scan', y, empty)];
}

function stepsOf(xs: TensorStructure | null, { length }: ScanOptions): number {
  let found = length === undefined ? null : checkInteger('scan', 'length', length, 0);
  for (const [path, x] of xs === null ? [] : tensorPaths('scan', xs)) {
    if (x.ndim === 0) throw new ShapeError(`[scan] xs${path} is one number (expected an axis to go along)`);
    found ??= x.shape[0]!;
    if (x.shape[0] !== found) {
      throw new ShapeError(
        `[scan] lengths differ: xs${path} is ${showShape(x.shape)} (expected ${found} along axis 0)`,
      );
    }
  }
  if (found === null) throw new ArgumentError('[scan] no xs and no length (expected one of them)');
  return found;
}

function stacked<Y extends TensorStructure | null>(outputs: readonly Y[]): Y {
  const first = outputs[0]!;
  if (first === null) return first;
  const parts = outputs.map((y) => {
    if (y !== null) checkAlike('scan', 'outputs', y, first);
    return tensorsOf('scan', y);
  });
  let next = 0;
  return mapTensors('scan', first, () => {
    const column = next++;
    return stack(parts.map((p) => p[column]!));
  });
}

export interface WhileOptions {
  /** Makes the loop static: the body this many times, each where the condition still holds. */
  maxIterations: number;
}

/**
 * Calls `f` on what it returned before, as long as `condition` holds for it. The condition gives a bool tensor of shape [] or a boolean.
 *
 * Without options the number of steps depends on data, so the condition is read back from the engine before every step, together with
 * computing the state in one run: a promise. Differentiates through the steps that were made; throws UnsupportedError inside
 * compile, grad, vmap and other transforms. With `maxIterations` the loop is unrolled and masked: nothing is read back, it returns
 * at once and goes under every transform, and stops after that many steps if the condition still holds.
 */
export function whileLoop<C extends TensorStructure>(
  condition: (carry: C) => Tensor | boolean,
  f: (carry: C) => C,
  init: C,
  options: WhileOptions,
): C;
export function whileLoop<C extends TensorStructure>(
  condition: (carry: C) => Tensor | boolean,
  f: (carry: C) => C,
  init: C,
): Promise<C>;
export function whileLoop<C extends TensorStructure>(
  condition: (carry: C) => Tensor | boolean,
  f: (carry: C) => C,
  init: C,
  options?: WhileOptions,
): C | Promise<C> {
  if (options !== undefined) return maskedLoop(condition, f, init, options.maxIterations);
  if (activeTrace() !== null || insideTransform()) {
    throw new UnsupportedError(
      '[whileLoop] how often it runs depends on data, which has no value inside compile, grad, vmap and other transforms (give maxIterations)',
    );
  }
  return hostLoop(condition, f, init);
}

function maskedLoop<C extends TensorStructure>(
  condition: (carry: C) => Tensor | boolean,
  f: (carry: C) => C,
  init: C,
  maxIterations: number,
): C {
  checkInteger('whileLoop', 'maxIterations', maxIterations, 0);
  let carry = init;
  let going: Tensor | true = true;
  for (let i = 0; i < maxIterations; i++) {
    const holds = checkCondition('whileLoop', condition(carry));
    if (holds === false) return carry;
    if (holds !== true) going = going === true ? holds : going.logicalAnd(holds);
    const next = f(carry);
    checkAlike('whileLoop', 'carries', next, carry);
    carry = going === true ? next : select(going, next, carry);
  }
  return carry;
}

async function hostLoop<C extends TensorStructure>(
  condition: (carry: C) => Tensor | boolean,
  f: (carry: C) => C,
  init: C,
): Promise<C> {
  for (let carry = init; ; ) {
    const holds = checkCondition('whileLoop', condition(carry));
    if (holds === false) return carry;
    if (holds !== true) {
      const nodes = [...tensorsOf('whileLoop', carry), holds].map((x) => x.node);
      realize(nodes, { fetch: [holds.node] });
      if (!(await holds.item<boolean>())) return carry;
    }
    const next = f(carry);
    checkAlike('whileLoop', 'carries', next, carry);
    carry = next;
  }
}

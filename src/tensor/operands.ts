import {
  ArgumentError,
  broadcastScalar,
  broadcastShapes,
  broadcastTo,
  cast,
  checkedNumber,
  checkShape,
  constant,
  type DType,
  DTypeError,
  isFloat,
  isInteger,
  type Node,
  narrowed,
  promote,
  promoteWithNumber,
  type Shape,
  ShapeError,
  showShape,
  wideDType,
} from '../graph/index.js';
import { Handle } from './handle.js';
import type { Tensor } from './tensor.js';

/** An operand: a plain number beside a tensor is weak, that is, an integer keeps an integer tensor's dtype and otherwise f32 wins. */
export type TensorLike = Tensor | number;

/** Whether a value is a tensor. */
export const isTensor = (value: unknown): value is Tensor => value instanceof Handle;

const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : typeof value;

/** The node of an argument that must be a tensor. */
export function nodeOf(op: string, value: Tensor): Node {
  if (!isTensor(value)) throw new ArgumentError(`[${op}] not a tensor: ${kindOf(value)} (expected a Tensor)`);
  return value.node;
}

function checkOperand(op: string, value: TensorLike): void {
  if (!isTensor(value) && typeof value !== 'number') {
    throw new ArgumentError(`[${op}] not an operand: ${kindOf(value)} (expected a Tensor or a number)`);
  }
}

/** The first tensor among operands, which makes the result. */
export function firstTensor(op: string, operands: readonly TensorLike[]): Tensor {
  for (const value of operands) checkOperand(op, value);
  const found = operands.find(isTensor);
  if (found === undefined) throw new ArgumentError(`[${op}] only numbers given (expected at least one Tensor)`);
  return found;
}

/** The dtype of an operation between operands: tensors promote among themselves, then numbers join weakly. */
export function commonDType(operands: readonly TensorLike[]): DType {
  const dtypes = operands.filter(isTensor).map((t) => t.dtype);
  return operands.reduce<DType>(
    (dtype, value) => (typeof value === 'number' ? promoteWithNumber(dtype, value) : dtype),
    dtypes.reduce(promote),
  );
}

/** The shape that operands broadcast to; numbers fit any. */
export function commonShape(op: string, operands: readonly TensorLike[]): Shape {
  let shape: Shape = [];
  for (const value of operands) if (isTensor(value)) shape = broadcastShapes(op, shape, value.shape);
  return shape;
}

/** An operand as a node of a dtype, broadcast to a shape. A number beside f16 stays an f32 constant, as it is computed with (1e-12 is none of f16). */
export function operandNode(op: string, value: TensorLike, dtype: DType, shape: Shape): Node {
  return typeof value === 'number'
    ? broadcastScalar(constant(checkedNumber(op, value, dtype), dtype === 'f16' ? 'f32' : dtype), shape)
    : broadcastTo(cast(value.node, dtype), shape);
}

/** A value that is put into a tensor, as a node of its dtype and of a shape. Throws where it fits neither. */
export function valueNode(op: string, value: TensorLike, dtype: DType, shape: Shape): Node {
  checkOperand(op, value);
  const own =
    typeof value !== 'number'
      ? promote(dtype, value.dtype)
      : dtype === 'bool' && (value === 0 || value === 1)
        ? dtype
        : promoteWithNumber(dtype, value);
  if (own !== dtype) {
    throw new DTypeError(`[${op}] value is ${typeof value === 'number' ? value : value.dtype} (expected ${dtype})`);
  }
  if (typeof value !== 'number') {
    const missing = shape.length - value.shape.length;
    if (missing < 0 || value.shape.some((d, i) => d !== 1 && d !== shape[i + missing])) {
      throw new ShapeError(`[${op}] value is ${showShape(value.shape)} (expected to broadcast to ${showShape(shape)})`);
    }
  }
  return cast(operandNode(op, value, dtype, shape), dtype);
}

/** Throws unless a dtype is among those that an operation takes; f16 goes with f32, i8 and u8 with i32. */
export function requireDType(op: string, dtype: DType, allowed: readonly DType[]): void {
  if (!allowed.includes(dtype) && !allowed.includes(wideDType(dtype))) {
    throw new DTypeError(`[${op}] dtype not allowed: ${dtype} (expected ${allowed.join(', ')})`);
  }
}

/** The dtype of functions on real numbers: floats stay, f32 for integers and bools. */
export const floatDType = (dtype: DType): DType => (isFloat(dtype) ? dtype : 'f32');

/** Integers and bools as f32, which functions on real numbers compute in; f16 stays. */
export const asFloat = (op: string, x: Tensor): Node => cast(nodeOf(op, x), floatDType(x.dtype));

/** Indices as i32. Throws DTypeError for floats and bool. */
export function asIndex(op: string, x: Tensor): Node {
  const node = nodeOf(op, x);
  if (!isInteger(node.dtype)) {
    throw new DTypeError(`[${op}] index is ${node.dtype} (expected an integer dtype)`);
  }
  return cast(node, 'i32');
}

/** Lengths given as `f(2, 3)` or as `f([2, 3])`. */
export type Lengths = number[] | [readonly number[]];

/** The list of numbers in rest arguments that may hold one array. */
export function numberList(op: string, values: Lengths): readonly number[] {
  const first = values[0];
  const list = Array.isArray(first) ? (first as readonly number[]) : (values as readonly number[]);
  for (const v of list) {
    if (!Number.isInteger(v)) throw new ArgumentError(`[${op}] not an integer: ${String(v)} (expected integers)`);
  }
  return list;
}

/** A shape from a user: a list, or one number for a vector. */
export function shapeOf(op: string, shape: number | Shape): number[] {
  if (typeof shape !== 'number' && !Array.isArray(shape)) {
    throw new ArgumentError(`[${op}] not a shape: ${kindOf(shape)} (expected a list of numbers)`);
  }
  return [...checkShape(op, typeof shape === 'number' ? [shape] : (shape as Shape))];
}

/** An integer argument within bounds. */
export function checkInteger(op: string, name: string, value: number, least = Number.NEGATIVE_INFINITY): number {
  if (!Number.isInteger(value) || value < least) {
    const bound = least === Number.NEGATIVE_INFINITY ? '' : ` of at least ${least}`;
    throw new ArgumentError(`[${op}] ${name} is ${String(value)} (expected an integer${bound})`);
  }
  return value;
}

/** Operands as tensors of one dtype and of the shape that they broadcast to: what composed operations start from. */
export function alike(op: string, values: readonly TensorLike[], kind?: 'float'): Tensor[] {
  const like = firstTensor(op, values);
  const shape = commonShape(op, values);
  const common = kind === undefined ? commonDType(values) : floatDType(commonDType(values));
  return values.map((value) => like.derive(cast(operandNode(op, value, common, shape), common)));
}

/** bool, i8 and u8 as i32: what sums and products of many count in, as PyTorch's do in i64. */
export const asSummable = (x: Node): Node => (isFloat(x.dtype) || x.dtype === 'u32' ? x : cast(x, 'i32'));

/** What was computed by way of f32, in the float dtype of the tensor that it comes from. */
export const floatLike = (x: Tensor, y: Node): Tensor => x.derive(narrowed(y, floatDType(x.dtype)));

/** A tensor as a float. */
export const floatOf = (op: string, x: Tensor): Tensor => x.derive(asFloat(op, x));

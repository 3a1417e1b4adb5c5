import { hostStorage } from '../compile/index.js';
import {
  ARRAYS,
  ArgumentError,
  binary,
  cast,
  checkDType,
  checkedNumber,
  type DType,
  full as fullNode,
  iota,
  isInteger,
  leaf,
  type Node,
  roundToDType,
  type Shape,
  ShapeError,
  scalarNode,
  showShape,
  sizeOf,
  type TypedArray,
  where,
} from '../graph/index.js';
import { checkInteger, isTensor, nodeOf, shapeOf } from './operands.js';
import { Tensor } from './tensor.js';
import { noteScalar } from './trace.js';

export interface CreateOptions {
  /** Element type; f32 where the function does not say otherwise. */
  dtype?: DType;
  /** Whether `backward()` collects a gradient for this tensor; floats only. */
  requiresGrad?: boolean;
}

export interface TensorOptions extends CreateOptions {
  /** Shape of the data, which is then read in row-major order. */
  shape?: Shape;
}

/** Any of JavaScript's arrays of numbers. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray;

/** Numbers or booleans, nested arrays of them, or a typed array. */
export type TensorData = number | boolean | NumericArray | readonly TensorData[];

/** A new tensor of a node, with what the options ask for. */
export function created(node: Node, options: CreateOptions | undefined): Tensor {
  const x = new Tensor(node);
  if (options?.requiresGrad) x.requiresGrad = true;
  return x;
}

const isNumericArray = (data: unknown): data is NumericArray =>
  ArrayBuffer.isView(data) && !(data instanceof DataView) && typeof (data as Float32Array)[0] !== 'bigint';

function shapeOfData(data: TensorData): number[] {
  const shape: number[] = [];
  let at: TensorData | undefined = data;
  while (typeof at === 'object' && at !== null) {
    shape.push(at.length);
    at = isNumericArray(at) ? 0 : at[0];
  }
  return shape;
}

const isFloating = (data: NumericArray): boolean => data instanceof Float32Array || data instanceof Float64Array;
const isSigned = (data: NumericArray): boolean => data instanceof Int32Array || data instanceof Int16Array;

function inferDType(data: TensorData): DType {
  let first: TensorData | undefined = data;
  while (Array.isArray(first)) first = first[0] as TensorData | undefined;
  if (typeof first === 'boolean') return 'bool';
  if (typeof first !== 'object' || !isNumericArray(first)) return 'f32';
  if (first instanceof Int8Array) return 'i8';
  if (first instanceof Uint8Array || first instanceof Uint8ClampedArray) return 'u8';
  return isFloating(first) ? 'f32' : isSigned(first) ? 'i32' : 'u32';
}

/** Copies data into words of the dtype, checking that nested arrays are even and hold numbers. */
function flatten(data: TensorData, shape: Shape, dtype: DType): TypedArray {
  const words: TypedArray = new ARRAYS[dtype](sizeOf(shape));
  // What an array of the dtype would not do when it stores.
  const rounds = dtype === 'bool' || dtype === 'f16';
  let next = 0;
  const put = (value: unknown) => {
    if (typeof value !== 'number' && typeof value !== 'boolean') {
      throw new ArgumentError(`[tensor] not a number: ${value === null ? 'null' : typeof value} at element ${next}`);
    }
    words[next++] = rounds ? roundToDType(Number(value), dtype) : Number(value);
  };
  const walk = (part: TensorData, axis: number) => {
    if (axis === shape.length) {
      if (typeof part === 'object' && part !== null) throw raggedError(axis, 'an array', 'a number');
      put(part);
      return;
    }
    if (typeof part !== 'object' || part === null || isTensor(part)) throw raggedError(axis, 'a number', 'an array');
    if (part.length !== shape[axis]) throw raggedError(axis, `${part.length} elements`, `${shape[axis]}`);
    if (isNumericArray(part) && axis === shape.length - 1 && !rounds) {
      words.set(part, next);
      next += part.length;
    } else {
      for (let i = 0; i < part.length; i++) walk(part[i] as TensorData, axis + 1);
    }
  };
  walk(data, 0);
  return words;
}

const raggedError = (axis: number, found: string, expected: string): ShapeError =>
  new ShapeError(`[tensor] ragged array: ${found} at depth ${axis} (expected ${expected})`);

/**
 * A tensor of given values, which are copied: a number, nested arrays (f32; booleans make bool), or a typed array (its kind decides:
 * Float32Array and Float64Array f32, Int8Array i8, Uint8Array and Uint8ClampedArray u8, other signed ones i32, unsigned ones u32; the `data()` of a
 * bool tensor is a Uint8Array too, and comes back as bool with `{ dtype: 'bool' }`). `shape` rearranges, `dtype` converts as storing would.
 * Throws ShapeError for ragged arrays and a shape of another size, ArgumentError for what is no number.
 */
export function tensor(data: TensorData, options?: TensorOptions): Tensor {
  if (isTensor(data))
    throw new ArgumentError('[tensor] already a Tensor (expected numbers; see cast, detach and concat)');
  const isArray = Array.isArray(data) || isNumericArray(data);
  if (!isArray && typeof data !== 'number' && typeof data !== 'boolean') {
    throw new ArgumentError(
      `[tensor] not numbers: ${data === null ? 'null' : typeof data} (expected arrays or a number)`,
    );
  }
  const dtype = checkDType('tensor', options?.dtype ?? inferDType(data));
  const own = shapeOfData(data);
  const shape = options?.shape === undefined ? own : shapeOf('tensor', options.shape);
  if (sizeOf(shape) !== sizeOf(own)) {
    throw new ShapeError(
      `[tensor] data does not fit the shape: ${sizeOf(own)} elements for ${showShape(shape)} (${sizeOf(shape)} expected)`,
    );
  }
  return created(leaf(hostStorage(flatten(data, own, dtype), shape, dtype)), options);
}

/**
 * A number that may change from run to run without a new plan (a tensor of shape [], f32 unless told otherwise): `tl.scalar(0.1)`. Plain
 * numbers are baked into the plan instead.
 */
export function scalar(value: number, options?: { dtype?: DType }): Tensor {
  if (typeof value !== 'number') throw new ArgumentError(`[scalar] not a number: ${typeof value}`);
  const dtype = checkDType('scalar', options?.dtype ?? 'f32');
  const source = { dtype, value: roundToDType(value, dtype) };
  noteScalar(source);
  return new Tensor(scalarNode(source));
}

/** One value everywhere. `tl.full([2, 3], 7)`. */
export function full(shape: number | Shape, value: number, options?: CreateOptions): Tensor {
  const dtype = checkDType('full', options?.dtype ?? 'f32');
  if (typeof value !== 'number') throw new ArgumentError(`[full] value is not a number: ${typeof value}`);
  return created(fullNode(shapeOf('full', shape), checkedNumber('full', value, dtype), dtype), options);
}

/** Zeros: `tl.zeros([2, 3], { dtype: 'i32' })`. */
export function zeros(shape: number | Shape, options?: CreateOptions): Tensor {
  return created(fullNode(shapeOf('zeros', shape), 0, checkDType('zeros', options?.dtype ?? 'f32')), options);
}

/** Ones. */
export function ones(shape: number | Shape, options?: CreateOptions): Tensor {
  return created(fullNode(shapeOf('ones', shape), 1, checkDType('ones', options?.dtype ?? 'f32')), options);
}

/** One value everywhere, in the shape and dtype of another tensor. */
export function fullLike(x: Tensor, value: number, options?: CreateOptions): Tensor {
  const { shape, dtype } = nodeOf('fullLike', x);
  return full(shape, value, { ...options, dtype: options?.dtype ?? dtype });
}

/** Zeros in the shape and dtype of another tensor. */
export function zerosLike(x: Tensor, options?: CreateOptions): Tensor {
  return fullLike(x, 0, options);
}

/** Ones in the shape and dtype of another tensor. */
export function onesLike(x: Tensor, options?: CreateOptions): Tensor {
  return fullLike(x, 1, options);
}

/**
 * start, start + step, ... up to but without end: `arange(5)`, `arange(2, 5)`, `arange(0, 1, 0.1)`. Whole numbers make i32, others f32.
 * Throws ArgumentError for a step of 0.
 */
export function arange(start: number, end?: number, step = 1, options?: CreateOptions): Tensor {
  const [from, to] = end === undefined ? [0, start] : [start, end];
  if (![from, to, step].every(Number.isFinite) || step === 0) {
    throw new ArgumentError(`[arange] ${from} to ${to} by ${step} (expected finite numbers, and a step that is not 0)`);
  }
  const length = Math.max(0, Math.ceil((to - from) / step));
  const whole = Number.isInteger(from) && Number.isInteger(step) && Number.isInteger(to);
  const dtype = checkDType('arange', options?.dtype ?? (whole ? 'i32' : 'f32'));
  // Computed in whole numbers where they are whole: f32 would lose them beyond 2^24.
  const node = progression(length, from, step, whole && isInteger(dtype) ? 'i32' : 'f32');
  return created(cast(node, dtype), options);
}

function progression(length: number, start: number, step: number, dtype: 'i32' | 'f32'): Node {
  const index = cast(iota([length], 0), dtype);
  const at = (value: number) => fullNode([length], value, dtype);
  return binary('add', binary('mul', index, at(step)), at(start));
}

/** `steps` numbers from start to end, both included and evenly spaced; f32. */
export function linspace(start: number, end: number, steps: number, options?: CreateOptions): Tensor {
  checkInteger('linspace', 'steps', steps, 0);
  const step = steps > 1 ? (end - start) / (steps - 1) : 0;
  // The second half counts down from the end, so that both ends are exact.
  const index = iota([steps], 0);
  const rising = progression(steps, start, step, 'f32');
  const left = binary('sub', fullNode([steps], steps - 1, 'i32'), index);
  const falling = binary(
    'sub',
    fullNode([steps], end, 'f32'),
    binary('mul', cast(left, 'f32'), fullNode([steps], step, 'f32')),
  );
  const half = binary('lt', index, fullNode([steps], Math.ceil(steps / 2), 'i32'));
  return created(cast(where(half, rising, falling), checkDType('linspace', options?.dtype ?? 'f32')), options);
}

/** Ones on the diagonal of an n x m matrix (m is n unless given), zeros elsewhere. */
export function eye(n: number, m: number = n, options?: CreateOptions): Tensor {
  const shape = shapeOf('eye', [n, m]);
  const dtype = checkDType('eye', options?.dtype ?? 'f32');
  return created(cast(binary('eq', iota(shape, 0), iota(shape, 1)), dtype), options);
}

/** The places of the lower triangle of a rows x columns matrix, up to the diagonal `offset`: i32 [2, count], in row-major order. */
export function trilIndices(rows: number, columns: number = rows, offset = 0): Tensor {
  return triangleIndices('trilIndices', rows, columns, (row, column) => column <= row + offset);
}

/** The places of the upper triangle of a rows x columns matrix, from the diagonal `offset` on: i32 [2, count], in row-major order. */
export function triuIndices(rows: number, columns: number = rows, offset = 0): Tensor {
  return triangleIndices('triuIndices', rows, columns, (row, column) => column >= row + offset);
}

function triangleIndices(op: string, n: number, m: number, inside: (row: number, column: number) => boolean): Tensor {
  const [height, width] = shapeOf(op, [n, m]) as [number, number];
  const rows: number[] = [];
  const columns: number[] = [];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (!inside(row, column)) continue;
      rows.push(row);
      columns.push(column);
    }
  }
  return tensor(Int32Array.from([...rows, ...columns]), { shape: [2, rows.length] });
}

import { type DType, type Shape, sameShape, sizeOf, type TypedArray } from '../../graph/index.js';
import type { Ref, Tape } from './tape.js';
import type { TfBackendName, TfType } from './tf.js';
import { tfTypeOf } from './values.js';

/** Axes that every kernel of every backend takes; beyond it axes are merged first. */
export const MAX_RANK = 4;
/** Constant tensors up to this size are kept by a program; larger ones are filled in every run. */
const MAX_KEPT = 2 ** 16;

type FloatFn =
  | 'Abs'
  | 'Sign'
  | 'Floor'
  | 'Ceil'
  | 'Round'
  | 'Neg'
  | 'Reciprocal'
  | 'Sqrt'
  | 'Rsqrt'
  | 'Exp'
  | 'Expm1'
  | 'Log'
  | 'Log1p'
  | 'Sin'
  | 'Cos'
  | 'Tan'
  | 'Asin'
  | 'Acos'
  | 'Atan'
  | 'Sinh'
  | 'Cosh'
  | 'Tanh'
  | 'Sigmoid'
  | 'Relu';
type PairFn = 'Add' | 'Sub' | 'Multiply' | 'RealDiv' | 'Maximum' | 'Minimum' | 'Pow' | 'Atan2' | 'BitwiseAnd';
type CompareFn = 'Equal' | 'NotEqual' | 'Less' | 'LessEqual' | 'LogicalAnd' | 'LogicalOr';

/** The shape that broadcasting gives; both have one rank, or one of them has none. */
function joint(a: Shape, b: Shape): Shape {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  return a.map((d, i) => (d === 1 ? b[i]! : d));
}

/** Shapes of one rank that broadcast, with neighbouring axes merged where they behave alike. */
function mergeBroadcast(shapes: readonly Shape[]): number[][] {
  const merged: number[][] = shapes.map(() => []);
  let previous = '';
  for (let axis = 0; axis < shapes[0]!.length; axis++) {
    const sizes = shapes.map((shape) => shape[axis]!);
    const full = Math.max(...sizes);
    if (full === 1) continue;
    const pattern = sizes.map((d) => (d === 1 ? '1' : 'n')).join('');
    merged.forEach((shape, i) => {
      if (pattern === previous) shape[shape.length - 1]! *= sizes[i]!;
      else shape.push(sizes[i]!);
    });
    previous = pattern;
  }
  return merged;
}

const flatShape = (shape: Shape): Shape => (shape.length === 0 ? shape : [sizeOf(shape)]);

/** Writes kernel calls to a tape, each in the form that all backends compute alike. Nothing here has size 0. */
export class Emit {
  /** For a tensor that shares the data of another one: that one. */
  private readonly origins = new Map<number, Ref>();

  constructor(
    readonly tape: Tape,
    readonly backend: TfBackendName,
  ) {}

  scalar(value: number, dtype: DType): Ref {
    return this.tape.keep(ofOne(value, dtype), dtype, [], tfTypeOf(dtype));
  }

  full(shape: Shape, value: number, dtype: DType): Ref {
    const type = tfTypeOf(dtype);
    if (sizeOf(shape) > MAX_KEPT) {
      // Fill takes numbers as a tensor of the type has them.
      return this.tape.kernel(
        'Fill',
        {},
        { shape: [...shape], value: type === 'int32' ? value | 0 : value, dtype: type },
        shape,
        type,
      );
    }
    const one = ofOne(value, dtype);
    const values = new (one.constructor as new (size: number) => TypedArray)(sizeOf(shape)).fill(value);
    return this.tape.keep(values, dtype, shape, type);
  }

  unary(name: FloatFn, x: Ref): Ref {
    return this.tape.kernel(name, { x }, {}, x.shape, x.type);
  }

  /** Operands of one rank, or without axes; the result has the shape they broadcast to. */
  binary(name: PairFn, a: Ref, b: Ref): Ref {
    return this.pair(name, a, b, a.type);
  }

  compare(name: CompareFn, a: Ref, b: Ref): Ref {
    return this.pair(name, a, b, 'bool');
  }

  add = (a: Ref, b: Ref): Ref => this.binary('Add', a, b);
  sub = (a: Ref, b: Ref): Ref => this.binary('Sub', a, b);
  mul = (a: Ref, b: Ref): Ref => this.binary('Multiply', a, b);
  div = (a: Ref, b: Ref): Ref => this.binary('RealDiv', a, b);
  equal = (a: Ref, b: Ref): Ref => this.compare('Equal', a, b);
  notEqual = (a: Ref, b: Ref): Ref => this.compare('NotEqual', a, b);
  less = (a: Ref, b: Ref): Ref => this.compare('Less', a, b);
  lessEqual = (a: Ref, b: Ref): Ref => this.compare('LessEqual', a, b);
  and = (a: Ref, b: Ref): Ref => this.compare('LogicalAnd', a, b);
  or = (a: Ref, b: Ref): Ref => this.compare('LogicalOr', a, b);
  not = (x: Ref): Ref => this.tape.kernel('LogicalNot', { x }, {}, x.shape, 'bool');
  isNaN = (x: Ref): Ref => this.tape.kernel('IsNan', { x }, {}, x.shape, 'bool');
  float = (value: number): Ref => this.scalar(value, 'f32');
  int = (value: number): Ref => this.scalar(value, 'i32');

  private pair(name: PairFn | CompareFn, a: Ref, b: Ref, type: TfType): Ref {
    const shape = joint(a.shape, b.shape);
    if (shape.length <= MAX_RANK) return this.tape.kernel(name, { a, b }, {}, shape, type);
    const alone = a.shape.length === 0 || b.shape.length === 0;
    const [shapeA, shapeB] = alone ? [a.shape, b.shape].map(flatShape) : mergeBroadcast([a.shape, b.shape]);
    if (Math.max(shapeA!.length, shapeB!.length) > MAX_RANK) {
      return this.reshape(
        this.pair(name, this.flat(this.expand(a, shape)), this.flat(this.expand(b, shape)), type),
        shape,
      );
    }
    return this.reshape(this.pair(name, this.reshape(a, shapeA!), this.reshape(b, shapeB!), type), shape);
  }

  flat(x: Ref): Ref {
    return this.reshape(x, [sizeOf(x.shape)]);
  }

  /** `a` where the condition holds, else `b`; operands as of `binary`. Both are computed. */
  select(condition: Ref, a: Ref, b: Ref): Ref {
    if (a.type === 'bool') return this.or(this.and(condition, a), this.and(this.not(condition), b));
    const shape = joint(joint(condition.shape, a.shape), b.shape);
    const [c, t, e] = [condition, a, b].map((x) => this.flat(this.expand(x, shape))) as [Ref, Ref, Ref];
    const out = this.tape.kernel('Select', { condition: c, t, e }, {}, t.shape, a.type);
    return this.reshape(out, shape);
  }

  reshape(x: Ref, shape: Shape): Ref {
    if (sameShape(x.shape, shape)) return x;
    const origin = this.originOf(x);
    if (sameShape(origin.shape, shape)) return origin;
    const view = this.tape.kernel('Reshape', { x: origin }, { shape: [...shape] }, shape, x.type);
    this.origins.set(view.slot, origin);
    return view;
  }

  /** What holds the data of a tensor: itself, unless it is a view. */
  originOf(x: Ref): Ref {
    return this.origins.get(x.slot) ?? x;
  }

  /** The same floats in data of their own. */
  copy(x: Ref): Ref {
    return this.mul(x, this.float(1));
  }

  /** Repeats axes of size 1, or a tensor without axes. */
  expand(x: Ref, shape: Shape): Ref {
    if (sameShape(x.shape, shape)) return x;
    if (sizeOf(x.shape) === sizeOf(shape)) return this.reshape(x, shape);
    const from = x.shape.length === 0 ? shape.map(() => 1) : x.shape;
    if (x.type === 'bool') return this.fromInt(this.expand(this.toInt(x), shape));
    const [small, large] = mergeBroadcast([from, shape]) as [number[], number[]];
    if (small.length > MAX_RANK) {
      // One axis at a time, in three.
      let at = this.reshape(x, from);
      shape.forEach((d, axis) => {
        if (at.shape[axis] === d) return;
        const [outer, inner] = [sizeOf(at.shape.slice(0, axis)), sizeOf(at.shape.slice(axis + 1))];
        const next = at.shape.map((size, i) => (i === axis ? d : size));
        at = this.reshape(this.tile(this.reshape(at, [outer, 1, inner]), [1, d, 1]), next);
      });
      return at;
    }
    return this.reshape(
      this.tile(
        this.reshape(x, small),
        large.map((d, i) => d / small[i]!),
      ),
      shape,
    );
  }

  private tile(x: Ref, reps: readonly number[]): Ref {
    return this.tape.kernel(
      'Tile',
      { x },
      { reps },
      x.shape.map((d, i) => d * reps[i]!),
      x.type,
    );
  }

  /** A bool as 0 and 1 of int32, which kernels that only move need. */
  toInt(x: Ref): Ref {
    return this.tape.kernel('Cast', { x }, { dtype: 'int32' }, x.shape, 'int32');
  }

  fromInt(x: Ref): Ref {
    return this.notEqual(x, this.int(0));
  }

  /** Numbers of int32 rounded to float32. */
  intToFloat(x: Ref): Ref {
    const cast = this.tape.kernel('Cast', { x }, { dtype: 'float32' }, x.shape, 'float32');
    // The cpu backend only relabels: a product has a new array.
    return this.backend === 'cpu' ? this.mul(cast, this.float(1)) : cast;
  }

  boolToFloat(x: Ref): Ref {
    return this.intToFloat(this.toInt(x));
  }

  /** Floats whose integral part is an int32. */
  floatToInt(x: Ref): Ref {
    return this.tape.kernel('Cast', { x }, { dtype: 'int32' }, x.shape, 'int32');
  }

  /** Exact, and wraps. */
  multiplyInts(a: Ref, b: Ref): Ref {
    if (this.backend !== 'cpu') return this.mul(a, b);
    // Products of float64 lose low bits beyond 2^53: those of halves are exact.
    const low = (x: Ref): Ref => this.binary('BitwiseAnd', x, this.int(0xffff));
    const [a0, b0] = [low(a), low(b)];
    const [a1, b1] = [this.sub(a, a0), this.sub(b, b0)];
    // a1 and b1 are multiples of 2^16, and their product is one of 2^32.
    return this.add(this.mul(a0, b0), this.add(this.mul(a1, b0), this.mul(a0, b1)));
  }

  gather(x: Ref, indices: Ref, axis: number): Ref {
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return this.tape.kernel('GatherV2', { x, indices }, { axis, batchDims: 0 }, shape, x.type);
  }

  slice(x: Ref, begin: readonly number[], size: readonly number[]): Ref {
    if (sameShape(x.shape, size)) return x;
    return this.tape.kernel('Slice', { x }, { begin, size }, size, x.type);
  }

  concat(parts: readonly Ref[], axis: number): Ref {
    if (parts.length === 1) return parts[0]!;
    const total = parts.reduce((n, { shape }) => n + shape[axis]!, 0);
    const shape = parts[0]!.shape.map((d, i) => (i === axis ? total : d));
    return this.tape.kernel('Concat', parts, { axis }, shape, parts[0]!.type);
  }

  transpose(x: Ref, perm: readonly number[]): Ref {
    return this.tape.kernel(
      'Transpose',
      { x },
      { perm },
      perm.map((axis) => x.shape[axis]!),
      x.type,
    );
  }

  /** Reduces the axes, which stay with size 1. */
  reduce(name: 'Sum' | 'Prod' | 'Max' | 'Min' | 'Any', x: Ref, axes: readonly number[]): Ref {
    const shape = x.shape.map((d, i) => (axes.includes(i) ? 1 : d));
    const attrs = name === 'Max' ? { reductionIndices: axes, keepDims: true } : { axis: axes, keepDims: true };
    return this.tape.kernel(name, { x }, attrs, shape, x.type);
  }
}

function ofOne(value: number, dtype: DType): TypedArray {
  switch (dtype) {
    case 'bool':
      return Uint8Array.of(value);
    case 'f32':
    case 'f16':
      return Float32Array.of(value);
    case 'u32':
      return Uint32Array.of(value);
    case 'i8':
      return Int8Array.of(value);
    case 'u8':
      return Uint8Array.of(value);
    default:
      return Int32Array.of(value);
  }
}

import { disposeNode, moveNode, peekNode, quiet, readNode } from '../compile/index.js';
import type { EngineName } from '../engine/engine.js';
import {
  ArgumentError,
  type DType,
  gradEnabled,
  type Node,
  type Shape,
  ShapeError,
  showShape,
  sizeOf,
  type TypedArray,
  UnsupportedError,
} from '../graph/index.js';
import * as activations from './activations.js';
import * as adaptivePooling from './adaptivePooling.js';
import * as aliases from './aliases.js';
import * as arithmetic from './arithmetic.js';
import * as positions from './at.js';
import * as attention from './attention.js';
import * as bessel from './bessel.js';
import * as choosing from './choosing.js';
import * as contractions from './contractions.js';
import * as conversions from './conversions.js';
import * as convolution from './convolution.js';
import * as ctc from './ctcLoss.js';
import * as cumulative from './cumulative.js';
import * as dataDependent from './dataDependent.js';
import * as diagonals from './diagonals.js';
import * as differentiation from './differentiation.js';
import * as distances from './distances.js';
import * as elementLosses from './elementLosses.js';
import * as elementwise from './elementwise.js';
import { Handle } from './handle.js';
import * as histograms from './histograms.js';
import * as imageLayout from './imageLayout.js';
import * as indexing from './indexing.js';
import * as linalg from './linalg.js';
import * as losses from './losses.js';
import * as marginLosses from './marginLosses.js';
import * as movement from './movement.js';
import * as normalization from './normalization.js';
import type { TensorLike } from './operands.js';
import * as padding from './padding.js';
import * as pooling from './pooling.js';
import { formatTensor, formatUnread } from './print.js';
import * as reductions from './reductions.js';
import * as repeating from './repeating.js';
import * as resizing from './resizing.js';
import * as sampling from './sampling.js';
import * as scattering from './scattering.js';
import * as sorting from './sorting.js';
import * as special from './special.js';
import * as statistics from './statistics.js';
import { activeTrace } from './trace.js';
import { insideTransform } from './tracing.js';
import * as turning from './turning.js';

// Every function of these files is a method too; its first argument is then the tensor itself.
const FAMILIES = [
  elementwise,
  arithmetic,
  special,
  bessel,
  aliases,
  conversions,
  choosing,
  reductions,
  statistics,
  cumulative,
  movement,
  indexing,
  linalg,
  activations,
  convolution,
  losses,
  elementLosses,
  marginLosses,
  ctc,
  normalization,
  distances,
  attention,
  differentiation,
  positions,
  dataDependent,
  diagonals,
  histograms,
  padding,
  repeating,
  scattering,
  sorting,
  turning,
  contractions,
  adaptivePooling,
  pooling,
  imageLayout,
  resizing,
  sampling,
];

// A type can look at overloads only a fixed number of them at a time; fewer leave `unknown` in the places that they do not fill.
type MethodOf<F> = F extends {
  (self: never, ...rest: infer A): infer ResultA;
  (self: never, ...rest: infer B): infer ResultB;
  (self: never, ...rest: infer C): infer ResultC;
  (self: never, ...rest: infer D): infer ResultD;
}
  ? Overload<A, ResultA> & Overload<B, ResultB> & Overload<C, ResultC> & ((...rest: D) => ResultD)
  : F extends { (self: never, ...rest: infer A): infer ResultA; (self: never, ...rest: infer B): infer ResultB }
    ? Overload<A, ResultA> & ((...rest: B) => ResultB)
    : F extends (self: never, ...rest: infer Rest) => infer Result
      ? (...rest: Rest) => Result
      : never;
type Overload<Rest extends unknown[], Result> = unknown[] extends Rest ? unknown : (...rest: Rest) => Result;
/** `where` has another order of arguments as a method: the tensor is then what is chosen, not the condition. */
type MethodsOf<Family> = {
  readonly [Name in keyof Family as Exclude<Name, 'where' | 'polygamma'>]: MethodOf<Family[Name]>;
};

type ElementwiseMethods = MethodsOf<typeof elementwise>;
type ArithmeticMethods = MethodsOf<typeof arithmetic>;
type SpecialMethods = MethodsOf<typeof special>;
type BesselMethods = MethodsOf<typeof bessel>;
type AliasMethods = MethodsOf<typeof aliases>;
type ConversionMethods = MethodsOf<typeof conversions>;
type ChoosingMethods = MethodsOf<typeof choosing>;
type ReductionMethods = MethodsOf<typeof reductions>;
type StatisticsMethods = MethodsOf<typeof statistics>;
type CumulativeMethods = MethodsOf<typeof cumulative>;
type MovementMethods = MethodsOf<typeof movement>;
type IndexingMethods = MethodsOf<typeof indexing>;
type LinearAlgebraMethods = MethodsOf<typeof linalg>;
type ActivationMethods = MethodsOf<typeof activations>;
type ConvolutionMethods = MethodsOf<typeof convolution>;
type LossMethods = MethodsOf<typeof losses>;
type ElementLossMethods = MethodsOf<typeof elementLosses>;
type MarginLossMethods = MethodsOf<typeof marginLosses>;
type CtcMethods = MethodsOf<typeof ctc>;
type NormalizationMethods = MethodsOf<typeof normalization>;
type DistanceMethods = MethodsOf<typeof distances>;
type AttentionMethods = MethodsOf<typeof attention>;
type DifferentiationMethods = MethodsOf<typeof differentiation>;
type PositionMethods = MethodsOf<typeof positions>;
type DataDependentMethods = MethodsOf<typeof dataDependent>;
type DiagonalMethods = MethodsOf<typeof diagonals>;
type HistogramMethods = MethodsOf<typeof histograms>;
type PaddingMethods = MethodsOf<typeof padding>;
type RepeatingMethods = MethodsOf<typeof repeating>;
type ScatteringMethods = MethodsOf<typeof scattering>;
type SortingMethods = MethodsOf<typeof sorting>;
type TurningMethods = MethodsOf<typeof turning>;
type ContractionMethods = MethodsOf<typeof contractions>;
type AdaptivePoolingMethods = MethodsOf<typeof adaptivePooling>;
type PoolingMethods = MethodsOf<typeof pooling>;
type ImageLayoutMethods = MethodsOf<typeof imageLayout>;
type ResizingMethods = MethodsOf<typeof resizing>;
type SamplingMethods = MethodsOf<typeof sampling>;

export interface Tensor
  extends ElementwiseMethods,
    ArithmeticMethods,
    SpecialMethods,
    BesselMethods,
    AliasMethods,
    ConversionMethods,
    ChoosingMethods,
    ReductionMethods,
    StatisticsMethods,
    CumulativeMethods,
    MovementMethods,
    IndexingMethods,
    LinearAlgebraMethods,
    ActivationMethods,
    ConvolutionMethods,
    LossMethods,
    ElementLossMethods,
    MarginLossMethods,
    CtcMethods,
    NormalizationMethods,
    DistanceMethods,
    AttentionMethods,
    DifferentiationMethods,
    PositionMethods,
    DataDependentMethods,
    DiagonalMethods,
    HistogramMethods,
    PaddingMethods,
    RepeatingMethods,
    ScatteringMethods,
    SortingMethods,
    TurningMethods,
    ContractionMethods,
    AdaptivePoolingMethods,
    PoolingMethods,
    ImageLayoutMethods,
    ResizingMethods,
    SamplingMethods {}

const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** Numbers (booleans for bool) nested as deep as a tensor has axes. */
export type NestedNumbers = number | boolean | NestedNumbers[];

/**
 * An n-dimensional array whose value is computed when it is read. Made by `tensor`, `zeros`, `randn` and so on; every operation is a
 * method and a function of the same name.
 */
export class Tensor extends Handle {
  static {
    for (const [name, op] of FAMILIES.flatMap((family) => Object.entries(family))) {
      if (Object.hasOwn(Tensor.prototype, name)) continue;
      const value = function (this: Tensor, ...rest: unknown[]): unknown {
        return (op as (...all: unknown[]) => unknown)(this, ...rest);
      };
      Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
    }
  }

  /** Whether this is another tensor's value as it is (`x.reshape(x.shape)`): then it is not this one's to free. */
  #borrows = false;

  /** @internal */
  derive(node: Node): Tensor {
    const derived = new Tensor(node);
    derived.#borrows = node === this.node;
    return derived;
  }

  /** Number of elements. */
  numel(): number {
    return sizeOf(this.shape);
  }

  /** This tensor where the condition holds and `other` elsewhere; all three broadcast. See the function `where`. */
  where(condition: Tensor, other: TensorLike): Tensor {
    return choosing.where(condition, this, other);
  }

  /** Derivative number n of digamma. See the function `polygamma`. */
  polygamma(n: number): Tensor {
    return special.polygamma(n, this);
  }

  /**
   * Casts to a dtype, or moves the values to an engine, starting it where it has not been; work on the moved tensor runs there, and mixing
   * tensors of two engines throws. The tensor itself where there is nothing to do. Throws UnsupportedError for a tensor with a gradient to
   * track (gradients do not flow between engines) and inside compiled or transformed functions; what goes wrong in moving is thrown where the
   * result is read.
   */
  to(target: DType | EngineName): Tensor {
    if (!isEngineName(target)) return elementwise.cast(this, target);
    if (activeTrace() !== null || insideTransform()) {
      throw new UnsupportedError(
        `[to] a compiled or transformed function runs on one engine (move to ${target} outside)`,
      );
    }
    const moved = moveNode(this.node, target);
    if (moved === this.node) return this;
    if (this.requiresGrad && gradEnabled()) {
      throw new UnsupportedError(`[to] gradients do not flow between engines (detach() before moving to ${target})`);
    }
    return new Tensor(moved);
  }

  /**
   * The elements in row-major order, in an array of your own: Float32Array, Int32Array, Uint32Array, and for bool a Uint8Array of 0 and
   * 1. Computes them first where that has not happened yet. Rejects with what went wrong on the engine.
   */
  data(): Promise<TypedArray> {
    return quiet(dataOf(this));
  }

  /** The value of a tensor with one element: a boolean for bool, else a number. Rejects with ShapeError for other sizes. */
  item<T extends number | boolean = number>(): Promise<T> {
    return quiet(itemOf(this)) as Promise<T>;
  }

  /** The elements as nested arrays (a single number for shape []); booleans for bool. */
  tolist<T = NestedNumbers>(): Promise<T> {
    return quiet(listOf(this)) as Promise<T>;
  }

  /** The values as PyTorch prints them once they have been read; before that shape and dtype. */
  override toString(): string {
    if (this.disposed) return 'tensor(disposed)';
    const { node } = this;
    const values = peekNode(node);
    return values === null
      ? formatUnread(node.shape, node.dtype, node.requiresGrad)
      : formatTensor(values, node.shape, node.dtype, node.requiresGrad);
  }

  /** Prints in templates and String(); refuses arithmetic, which JavaScript would do on that text. */
  [Symbol.toPrimitive](hint: 'string' | 'number' | 'default'): string {
    if (hint === 'string') return this.toString();
    throw new ArgumentError(
      '[Tensor] JavaScript operators do not work on tensors (use methods: a.add(b), a.mul(2), a.lt(b); String(a) to print)',
    );
  }

  /** @internal What console.log shows in Node. */
  [INSPECT](): string {
    return this.toString();
  }

  /** What JSON.stringify writes: the text of `toString()`. For the numbers, write what `tolist()` gives. */
  toJSON(): string {
    return this.toString();
  }

  /** Frees the storage of the value; the tensor, and others that share the value, cannot be read afterwards. Twice is fine. */
  dispose(): void {
    if (this.disposed) return;
    if (!this.#borrows) disposeNode(this.node);
    this.release();
  }

  /** For `using x = …`: the same as dispose(). */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

const dataOf = async (x: Tensor): Promise<TypedArray> => readNode(x.node);

async function itemOf(x: Tensor): Promise<number | boolean> {
  if (x.numel() !== 1) {
    throw new ShapeError(`[item] more or less than one element: ${showShape(x.shape)} (use data() or tolist())`);
  }
  const { dtype } = x;
  const [value] = await readNode(x.node);
  return dtype === 'bool' ? value !== 0 : value!;
}

async function listOf(x: Tensor): Promise<NestedNumbers> {
  const { shape, dtype } = x;
  return nested(await readNode(x.node), shape, dtype, 0);
}

const ENGINES: Record<EngineName, true> = { webgpu: true, wasm: true, tfjs: true, reference: true, 'plan-only': true };
const isEngineName = (value: string): value is EngineName => Object.hasOwn(ENGINES, value);

function nested(values: TypedArray, shape: Shape, dtype: DType, offset: number): NestedNumbers {
  const [length, ...inner] = shape;
  if (length === undefined) return dtype === 'bool' ? values[offset] !== 0 : values[offset]!;
  const stride = sizeOf(inner);
  return Array.from({ length }, (_, i) => nested(values, inner, dtype, offset + i * stride));
}

import { type DType, isFloat } from './dtype.js';
import type { Shape } from './shape.js';

/** One-argument elementwise functions. isnan, isinf, isfinite, signbit give bool; logicalNot takes bool; bitwiseNot integers. */
export const UNARY_FNS = [
  'neg',
  'abs',
  'sign',
  'floor',
  'ceil',
  'round',
  'trunc',
  'reciprocal',
  'sqrt',
  'rsqrt',
  'exp',
  'expm1',
  'log',
  'log1p',
  'log2',
  'log10',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'sigmoid',
  'erf',
  'erfc',
  'erfinv',
  'lgamma',
  'digamma',
  'isnan',
  'isinf',
  'isfinite',
  'signbit',
  'logicalNot',
  'bitwiseNot',
] as const;
export type UnaryFn = (typeof UNARY_FNS)[number];

/**
 * Two-argument elementwise functions on operands of one dtype. eq, ne, lt, le give bool; and, or, xor take bool or integers.
 * max and min propagate NaN; remainder has the sign of the divisor and fmod that of the dividend (as PyTorch's);
 * integer division by zero gives 0, floorDiv rounds down, gcd is never negative (but for the smallest i32), div of integers is not allowed (cast first).
 */
export const BINARY_FNS = [
  'add',
  'sub',
  'mul',
  'div',
  'floorDiv',
  'remainder',
  'fmod',
  'pow',
  'max',
  'min',
  'atan2',
  'nextafter',
  'eq',
  'ne',
  'lt',
  'le',
  'and',
  'or',
  'xor',
  'shiftLeft',
  'shiftRight',
  'gcd',
] as const;
export type BinaryFn = (typeof BINARY_FNS)[number];

/** Reductions. argmax and argmin take one axis and give the i32 index of the first extreme (NaN counts as the extreme). */
export const REDUCE_FNS = ['sum', 'prod', 'max', 'min', 'argmax', 'argmin'] as const;
export type ReduceFn = (typeof REDUCE_FNS)[number];

/** Running reductions along an axis; max and min propagate NaN. */
export const CUMULATIVE_FNS = ['sum', 'prod', 'max', 'min'] as const;
export type CumulativeFn = (typeof CUMULATIVE_FNS)[number];

/** How scattered values meet what is there. `set`: of several values for one place, the last in row-major order stays. */
export const SCATTER_FNS = ['set', 'add', 'max', 'min'] as const;
export type ScatterFn = (typeof SCATTER_FNS)[number];

/** Factorisations and solvers of linear algebra, each with one packed f32 result: see `routine`. */
export const ROUTINE_FNS = ['cholesky', 'lu', 'triangularSolve', 'qr', 'eigh', 'svd'] as const;
export type RoutineFn = (typeof ROUTINE_FNS)[number];

export interface RoutineAttrs {
  readonly fn: RoutineFn;
  /** The three of triangularSolve: which triangle is read, whether its diagonal counts as ones, whether the matrix is transposed. */
  readonly lower?: boolean;
  readonly unitDiagonal?: boolean;
  readonly transpose?: boolean;
}

/** What a leaf reads; made by the tensor layer, compared by identity. */
export interface LeafSource {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A number that may change between runs of one plan: a uniform outside the structural key. */
export interface ScalarSource {
  readonly dtype: DType;
  value: number;
}

export interface ConvAttrs {
  readonly stride: readonly number[];
  /** May be negative: then it crops. */
  readonly padLow: readonly number[];
  readonly padHigh: readonly number[];
  /** Zeros between input elements: 1 is none (transposed convolution). */
  readonly inputDilation: readonly number[];
  readonly kernelDilation: readonly number[];
  readonly groups: number;
}

/** The gradient of a `custom` node, in place of that of what it was computed by. */
export interface CustomRule {
  readonly name: string;
  /** Whether forward mode goes through the value as it was computed: then only the way back is custom. */
  readonly transparent: boolean;
  /** As a rule of reverse mode: gradients of the node's inputs, null for the first. */
  backward(node: Node<'custom'>, g: Node, needs: readonly boolean[]): (Node | null)[];
}

/** The primitives and their attributes. Rules and lowerings are exhaustive tables over these keys. */
export interface PrimAttrs {
  // sources
  leaf: { readonly source: LeafSource };
  /** Shape [] always; `full` expands it. */
  const: { readonly value: number };
  /** Shape [] always. */
  scalar: { readonly source: ScalarSource };
  /** i32 index along `axis`. */
  iota: { readonly axis: number };
  /** u32 bits: word i is threefry2x32 of (key0, key1) at counter i (row-major). Inputs: two u32 nodes of shape []. */
  randomBits: Record<never, never>;
  // elementwise (operands of equal shape)
  unary: { readonly fn: UnaryFn };
  binary: { readonly fn: BinaryFn };
  /** Inputs: bool condition, then, else. */
  where: Record<never, never>;
  /**
   * Numeric conversion: floats to 32-bit integers truncate and saturate, NaN gives 0; between integers, and from there on to i8 and u8, the low
   * bits stay; to bool is != 0 (NaN true). A `loose` one to f16 may be left out before another cast.
   */
  cast: { readonly loose: boolean };
  // movement
  reshape: Record<never, never>;
  /** Output axis i is input axis order[i]. */
  permute: { readonly order: readonly number[] };
  /** Axes of size 1 repeated to the output shape; equal rank. */
  expand: Record<never, never>;
  /** Output index i reads start + i * step, step >= 1. */
  slice: { readonly start: readonly number[]; readonly step: readonly number[] };
  /** low/high >= 0 elements of `value` around, `interior` >= 0 between elements of each axis. */
  pad: {
    readonly low: readonly number[];
    readonly high: readonly number[];
    readonly interior: readonly number[];
    readonly value: number;
  };
  flip: { readonly axes: readonly number[] };
  concat: { readonly axis: number };
  /** Sliding windows over `axes`: each becomes the number of windows, and one trailing axis of `size` is appended per axis, in order. */
  window: {
    readonly axes: readonly number[];
    readonly size: readonly number[];
    readonly stride: readonly number[];
    readonly dilation: readonly number[];
  };
  // reductions (reduced axes stay, of size 1)
  reduce: { readonly fn: ReduceFn; readonly axes: readonly number[] };
  /** [...batch, M, K] x [...batch, K, N] -> [...batch, M, N]; batch dimensions equal. */
  dot: Record<never, never>;
  /** [N, C, ...spatial] x [O, C / groups, ...kernel] -> [N, O, ...out] (cross-correlation). */
  conv: ConvAttrs;
  /** out[..., i, ...] = x[..., index[..., i, ...], ...] along `axis`; out.shape = index.shape; other axes of index <= x's. Out of range: NaN for f32, 0 else. */
  gather: { readonly axis: number };
  /** Inputs x, index, updates (of index's shape): x with updates[..., i, ...] at x[..., index[..., i, ...], ...] along `axis`. Out of range is dropped. */
  scatter: { readonly fn: ScatterFn; readonly axis: number };
  // scan and sort
  /** Element i is the reduction of elements 0..i along `axis`. */
  cumulative: { readonly fn: CumulativeFn; readonly axis: number };
  /** i32 positions along `axis` that put it in order; stable; NaN is the largest. */
  argsort: { readonly axis: number; readonly descending: boolean };
  /** What no sum of products gives in one step; never requires grad itself: a `custom` around it has the rule. */
  routine: RoutineAttrs;
  // gradient markers (identity in value)
  alias: Record<never, never>;
  stopGradient: Record<never, never>;
  /** Inputs: the value (the result), and what gradients go to, by the rule. */
  custom: { readonly rule: CustomRule };
  /** Inputs: the value (the result), and what has to be computed before it is used. Equal values on two sides of it are not merged. */
  barrier: Record<never, never>;
}

export type Prim = keyof PrimAttrs;

/** One immutable operation of the lazy graph. */
export interface Node<P extends Prim = Prim> {
  readonly id: number;
  readonly prim: P;
  /** Emptied when a realised node drops its parents. */
  readonly inputs: readonly Node[];
  readonly attrs: PrimAttrs[P];
  readonly shape: Shape;
  readonly dtype: DType;
  /** True when a leaf that requires grad is reachable without crossing stopGradient. */
  readonly requiresGrad: boolean;
  /** Set once the value is stored: from then on plans read this leaf instead of computing the node. */
  realized: LeafSource | null;
}

/** Narrows a node to one primitive. */
export const isPrim = <P extends Prim>(node: Node, prim: P): node is Node<P> => node.prim === prim;

let nextId = 1;
let gradDepth = 0;

/** The id that the next node gets: nodes made from now on have this one or a larger one. */
export const nextNodeId = (): number => nextId;

/** Runs `fn` with gradient tracking off: nodes built inside do not require grad. */
export function withoutGrad<T>(fn: () => T): T {
  gradDepth++;
  try {
    return fn();
  } finally {
    gradDepth--;
  }
}

/** Runs `fn` with gradient tracking on, inside `withoutGrad` too: for what is built only to be differentiated. */
export function withGrad<T>(fn: () => T): T {
  const outer = gradDepth;
  gradDepth = 0;
  try {
    return fn();
  } finally {
    gradDepth = outer;
  }
}

/** Runs `fn`, which rebuilds `node`, so that the copy tracks gradients where the node does. */
export const asTracked = <T>(node: Node, fn: () => T): T => (node.requiresGrad ? fn() : withoutGrad(fn));

export const gradEnabled = (): boolean => gradDepth === 0;

const NEVER_GRAD: ReadonlySet<Prim> = new Set<Prim>([
  'stopGradient',
  'const',
  'scalar',
  'iota',
  'randomBits',
  'routine',
]);

class GraphNode implements Node {
  readonly id = nextId++;
  realized: LeafSource | null = null;
  constructor(
    readonly prim: Prim,
    readonly inputs: readonly Node[],
    readonly attrs: PrimAttrs[Prim],
    readonly shape: Shape,
    readonly dtype: DType,
    readonly requiresGrad: boolean,
  ) {}
}

/** Makes a node; the builders of each class of primitive check its arguments first. `requiresGrad` matters for leaves only. */
export function makeNode<P extends Prim>(
  prim: P,
  inputs: readonly Node[],
  attrs: PrimAttrs[P],
  shape: Shape,
  dtype: DType,
  requiresGrad?: boolean,
): Node<P> {
  let grad = requiresGrad ?? false;
  if (!grad && isFloat(dtype) && gradDepth === 0 && !NEVER_GRAD.has(prim)) {
    for (const input of inputs) if (input.requiresGrad) grad = true;
  }
  return new GraphNode(prim, inputs, attrs, shape, dtype, grad) as Node as Node<P>;
}

/** Lets a realised node forget how it was made, so that its ancestors can be collected. */
export function dropParents(node: Node): void {
  (node as { inputs: readonly Node[] }).inputs = [];
}

/**
 * Nodes reachable from `roots`, inputs before users; `stop` nodes are included but not entered. Iterative: graphs may be deep.
 * `inputsOf` says which inputs lead on.
 */
export function topologicalOrder(
  roots: readonly Node[],
  stop: (node: Node) => boolean = () => false,
  inputsOf: (node: Node) => readonly Node[] = (node) => node.inputs,
): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { node: Node; inputs: readonly Node[]; next: number }[] = [];
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    stack.push({ node: root, inputs: inputsOf(root), next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      if (top.next < top.inputs.length && !stop(top.node)) {
        const input = top.inputs[top.next++]!;
        if (!seen.has(input)) {
          seen.add(input);
          stack.push({ node: input, inputs: inputsOf(input), next: 0 });
        }
      } else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}

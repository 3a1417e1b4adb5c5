import {
  ARRAYS,
  type DType,
  expand,
  InternalError,
  leaf,
  type Node,
  type Prim,
  type Shape,
  sameShape,
  sizeOf,
  type TypedArray,
  topologicalOrder,
} from '../../../graph/index.js';
import { evaluateNode } from '../../reference/index.js';
import { Emit } from '../emit.js';
import { type HostRef, isEmpty, type Ref, Tape } from '../tape.js';
import type { TfBackendName } from '../tf.js';
import { tfTypeOf } from '../values.js';

/**
 * What a node has become: one or more of an array that is known when the program is made, an array on the host in each run, a tensor, a
 * number that all elements are, and a smaller value that is repeated along axes of size 1. Other forms are made when they are asked for.
 */
export interface Value {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly uniform?: number;
  readonly array?: TypedArray;
  readonly base?: Value;
  host?: HostRef;
  /** Whether `host` was read back, or made from what was: what follows is work for kernels again. */
  readBack?: boolean;
  ref?: Ref;
}

/** Most elements of a space in which everything is compared or multiplied with everything; beyond it the host has better ways. */
export const MAX_PAIRS = 2 ** 22;
/** Larger arrays are made in every run instead of being kept. */
const MAX_KEPT_ARRAY = 2 ** 20;
/** Functions of what is on the host stay there up to this size, where they are cheap: the rest is done by kernels. */
const CHEAP: ReadonlySet<Prim> = new Set<Prim>([
  'const',
  'scalar',
  'iota',
  'randomBits',
  'unary',
  'binary',
  'where',
  'cast',
  'reshape',
  'permute',
  'expand',
  'slice',
  'pad',
  'flip',
  'concat',
  'window',
  'reduce',
  'gather',
]);
const MAX_COSTLY = 2 ** 12;

/** What is known while a graph becomes a tape. */
export class Lowering {
  readonly tape = new Tape();
  readonly emit: Emit;
  readonly readBack = new Map<string, number>();
  fused = 0;
  /** Slots of what kernels took as the right factor of a product. */
  readonly rightFactors = new Set<number>();
  private readonly values = new Map<Node, Value>();

  constructor(
    readonly backend: TfBackendName,
    /** The nodes that read each one. */
    readonly readers: ReadonlyMap<Node, readonly Node[]>,
    readonly outputs: ReadonlySet<Node>,
    private readonly lowerNode: (l: Lowering, node: Node) => Value,
  ) {
    this.emit = new Emit(this.tape, backend);
  }

  valueOf(node: Node): Value {
    const value = this.values.get(node);
    if (value === undefined) throw new InternalError(`[tfjs] node ${node.id} is not listed before it is used`);
    return value;
  }

  set(node: Node, value: Value): void {
    this.values.set(node, value);
  }

  /** The value as a tensor of its shape. */
  tensor(value: Value): Ref {
    if (value.ref !== undefined) return value.ref;
    value.ref = this.makeTensor(value);
    return value.ref;
  }

  private makeTensor({ shape, dtype, uniform, array, base, host }: Value): Ref {
    const type = tfTypeOf(dtype);
    if (isEmpty(shape)) return this.tape.keep(this.arrayOf({ shape, dtype, uniform: 0 }), dtype, shape, type);
    if (uniform !== undefined) return this.emit.full(shape, uniform, dtype);
    if (base !== undefined) return this.emit.expand(this.tensor(base), shape);
    if (array !== undefined) return this.tape.keep(array, dtype, shape, type);
    if (host !== undefined) return this.tape.upload(host, shape, type);
    throw new InternalError('[tfjs] a value without a form');
  }

  /** The smallest tensor that broadcasts to the value: of its rank, or without axes. */
  operand(value: Value): Ref {
    if (value.uniform !== undefined) return this.emit.scalar(value.uniform, value.dtype);
    if (value.base === undefined) return this.tensor(value);
    const repeated = this.operand(value.base);
    // One element may have been kept under a shape of another rank.
    return repeated.shape.length === value.shape.length ? repeated : this.emit.reshape(repeated, []);
  }

  /** The value as an array of the host, in each run. */
  onHost(value: Value): HostRef {
    if (value.host !== undefined) return value.host;
    value.host = this.makeArray(value);
    return value.host;
  }

  private makeArray(value: Value): HostRef {
    const { shape, dtype, base } = value;
    if (this.isKnown(value)) return this.tape.keepArray(this.arrayOf(value), dtype);
    if (base === undefined) {
      value.readBack = true;
      return this.tape.download(this.tensor(value), dtype);
    }
    if (sizeOf(base.shape) === sizeOf(shape)) return this.onHost(base);
    const repeat = expand(leaf({ shape: base.shape, dtype }), shape);
    return this.tape.host((arrays) => evaluateNode(repeat, arrays), [this.onHost(base)], dtype);
  }

  /** The elements of a value that is known now. */
  arrayOf({ shape, dtype, uniform, array }: Value): TypedArray {
    if (array !== undefined) return array;
    return new ARRAYS[dtype](sizeOf(shape)).fill(uniform ?? 0);
  }

  /** Whether a value is known when the program is made. */
  isKnown(value: Value): boolean {
    return value.array !== undefined || value.uniform !== undefined || isEmpty(value.shape);
  }

  private isHostOnly(value: Value): boolean {
    return (
      this.isKnown(value) ||
      (value.host !== undefined && value.readBack !== true) ||
      (value.base !== undefined && this.isHostOnly(value.base))
    );
  }

  /** A node whose inputs are all on the host, computed there; null where it is work for a kernel. */
  hostValue(node: Node): Value | null {
    const inputs = node.inputs.map((input) => this.valueOf(input));
    if (!inputs.every((input) => this.isHostOnly(input))) return null;
    const size = Math.max(sizeOf(node.shape), ...inputs.map(({ shape }) => sizeOf(shape)));
    if (!CHEAP.has(node.prim) && size > MAX_COSTLY) return null;
    if (inputs.every((input) => this.isKnown(input)) && size <= MAX_KEPT_ARRAY && node.prim !== 'scalar') {
      return {
        shape: node.shape,
        dtype: node.dtype,
        array: evaluateNode(
          node,
          inputs.map((input) => this.arrayOf(input)),
        ),
      };
    }
    return this.computedOnHost(node);
  }

  private computedOnHost(node: Node): Value {
    const inputs = node.inputs.map((input) => this.onHost(this.valueOf(input)));
    const host = this.tape.host((arrays) => evaluateNode(node, arrays), inputs, node.dtype);
    return { shape: node.shape, dtype: node.dtype, host };
  }

  /** What no kernels of the backend give: read back and computed by the interpreter. Counted under `name`. */
  readingBack(node: Node, name: string): Value {
    const reads = node.inputs.some((input) => !this.isHostOnly(this.valueOf(input)));
    if (reads) this.readBack.set(name, (this.readBack.get(name) ?? 0) + 1);
    return { ...this.computedOnHost(node), readBack: reads };
  }

  /** What a graph of other primitives gives, which stands on nodes that are lowered. */
  composed(root: Node): Value {
    for (const node of topologicalOrder([root], (n) => this.values.has(n))) {
      if (!this.values.has(node)) this.set(node, this.lowerNode(this, node));
    }
    return this.valueOf(root);
  }

  /** A node as kernels gave it. */
  made(node: Node, ref: Ref): Value {
    if (!sameShape(ref.shape, node.shape)) {
      throw new InternalError(
        `[tfjs] ${node.prim} became [${ref.shape.join(', ')}] (expected [${node.shape.join(', ')}])`,
      );
    }
    return { shape: node.shape, dtype: node.dtype, ref };
  }

  /** A node whose elements are those of a smaller tensor, repeated: as kernels give it for operands that broadcast. */
  spread(node: Node, ref: Ref): Value {
    if (sameShape(ref.shape, node.shape)) return this.made(node, ref);
    const { shape, dtype } = node;
    const ones = ref.shape.length === 0 ? shape.map(() => 1) : ref.shape;
    return { shape, dtype, base: { shape: ones, dtype, ref: this.emit.reshape(ref, ones) } };
  }
}

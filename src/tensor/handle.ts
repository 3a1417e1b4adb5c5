import { noteMade, Storage } from '../compile/index.js';
import {
  ArgumentError,
  alias,
  type DType,
  isFloat,
  isPrim,
  type LeafSource,
  leaf,
  type Node,
  type Shape,
  ShapeError,
  StaleTensorError,
  sameShape,
  showShape,
  UnsupportedError,
} from '../graph/index.js';
import type { Tensor } from './tensor.js';
import { activeTrace } from './trace.js';
import { insideVmap } from './tracing.js';

// Engines without explicit resource management get the symbol that `using` looks for when it is compiled down.
if (Symbol.dispose === undefined) {
  Object.defineProperty(Symbol, 'dispose', { value: Symbol.for('Symbol.dispose') });
}

/** Which tensor a leaf's gradient belongs to. */
const ownerOfLeaf = new WeakMap<Node, Tensor>();

/** Stored values that a tensor was pointed at: they outlive the tensors in which they were computed. */
const adopted = new WeakSet<LeafSource>();

/** Whether a stored value became that of another tensor. */
export const isAdopted = (source: LeafSource): boolean => adopted.has(source);

let watcher: ((tensor: Tensor) => void) | null = null;

/** Calls `onCreate` for every tensor made while `fn` runs. */
export function watchingTensors<T>(onCreate: (tensor: Tensor) => void, fn: () => T): T {
  const outer = watcher;
  watcher = onCreate;
  try {
    return fn();
  } finally {
    watcher = outer;
  }
}

/**
 * A mutable handle on a node of the lazy graph: what operations need of a tensor. The operations import only this; `Tensor`
 * stands above them and has them as methods.
 */
export abstract class Handle {
  private current: Node | null;
  private gradient: Tensor | null = null;

  /** @internal */
  constructor(node: Node) {
    this.current = node;
    noteMade(node);
    watcher?.(this as unknown as Tensor);
  }

  /** @internal A tensor of another node. */
  abstract derive(node: Node): Tensor;

  /** @internal The node that this tensor stands for. Throws StaleTensorError after dispose(). */
  get node(): Node {
    if (this.current === null) throw new StaleTensorError('[Tensor] used after dispose()');
    return this.current;
  }

  /** @internal Whether dispose() was called. */
  get disposed(): boolean {
    return this.current === null;
  }

  /** @internal Makes the handle unusable. */
  release(): void {
    this.current = null;
    this.gradient = null;
  }

  /** Lengths of the axes; `[]` for a single number. */
  get shape(): Shape {
    return this.node.shape;
  }

  get dtype(): DType {
    return this.node.dtype;
  }

  /** Number of axes. */
  get ndim(): number {
    return this.node.shape.length;
  }

  /** What `backward()` accumulated: a tensor of this one's shape, or null where no gradient has arrived. */
  get grad(): Tensor | null {
    return this.gradient;
  }

  set grad(value: Tensor | null) {
    if (value !== null) {
      if (!(value instanceof Handle))
        throw new ArgumentError(`[grad] not a tensor: ${typeof value} (expected a tensor or null)`);
      if (!sameShape(value.shape, this.shape) || value.dtype !== this.dtype) {
        throw new ShapeError(
          `[grad] gradient is ${value.dtype}${showShape(value.shape)} (expected ${this.dtype}${showShape(this.shape)})`,
        );
      }
    }
    activeTrace()?.noteGradient(this as unknown as Tensor, this.gradient);
    this.gradient = value;
  }

  /**
   * True for a leaf whose gradient is wanted, and for everything computed from one. Setting it makes a floating tensor with no history
   * such a leaf (or an ordinary tensor again). Throws DTypeError for other dtypes, ArgumentError for turning off a computed tensor.
   */
  get requiresGrad(): boolean {
    return this.node.requiresGrad;
  }

  set requiresGrad(wanted: boolean) {
    const node = this.node;
    if (wanted === node.requiresGrad) return;
    if (wanted) this.rebind(node, true);
    else if (isPrim(node, 'leaf')) this.rebind(leaf(node.attrs.source), false);
    else if (isPrim(node, 'alias') && ownerOfLeaf.has(node)) this.rebind(node.inputs[0] ?? leaf(node.realized!), false);
    else throw new ArgumentError('[requiresGrad] cannot be turned off on a computed tensor (use detach())');
  }

  /** @internal Points the handle at another node; see `rebind`. */
  rebind(node: Node, requiresGrad: boolean): void {
    let next = node;
    if (requiresGrad && !(node.requiresGrad && ownerOfLeaf.get(node) === (this as unknown))) {
      const source = isPrim(node, 'leaf') ? node.attrs.source : node.realized;
      // A value that is still to be computed becomes a leaf by a marker in front of it.
      next = source === null ? markedLeaf(node) : leaf(source, true);
      ownerOfLeaf.set(next, this as unknown as Tensor);
    }
    this.current = next;
  }
}

function markedLeaf(node: Node): Node {
  // `leaf` has the check and its message.
  if (!isFloat(node.dtype)) leaf({ shape: node.shape, dtype: node.dtype }, true);
  return alias(node);
}

/** The tensor whose `.grad` belongs to this node, if it is a leaf that requires grad. */
export const ownerOf = (node: Node): Tensor | undefined => ownerOfLeaf.get(node);

/** Tells those that captured a tensor's stored value that the tensor has another one now. */
function supersede(node: Node): void {
  const source = node.realized ?? (isPrim(node, 'leaf') ? node.attrs.source : null);
  if (source instanceof Storage) source.superseded = true;
}

/**
 * Points a tensor at another value: what an optimizer does to a parameter. The tensor keeps whether it is a leaf that requires grad,
 * and its `.grad`. A realised node is read as a leaf, so that its history can be collected.
 */
export function rebind(tensor: Tensor, node: Node): void {
  if (insideVmap()) {
    throw new UnsupportedError(
      `[vmap] a tensor from outside is changed inside: ${tensor.dtype}[${tensor.shape.join(', ')}] (one example has no new value for all; use eval mode, or return the value)`,
    );
  }
  activeTrace()?.noteRebind(tensor, tensor.node);
  supersede(tensor.node);
  const source = isPrim(node, 'leaf') ? null : node.realized;
  if (source !== null) adopted.add(source);
  tensor.rebind(source === null ? node : leaf(source), tensor.requiresGrad);
}

import { isPrim, isReluNode, type Node } from '../../../graph/index.js';
import type { TfBackendName } from '../tf.js';
import { takesBias } from './contraction.js';

/** A product or convolution whose kernel adds a bias, and perhaps applies an activation. */
export interface Fused {
  readonly product: Node<'dot'> | Node<'conv'>;
  readonly bias: Node;
  /** The product under another shape, where that is what the bias is added to. */
  readonly seen: Node | null;
  readonly activation: 'linear' | 'relu' | 'sigmoid';
}

export interface Fusions {
  /** By the node that a kernel gives. */
  readonly at: ReadonlyMap<Node, Fused>;
  /** Nodes that are inside a kernel, and have no value of their own. */
  readonly inside: ReadonlySet<Node>;
}

/** A vector repeated along all axes but one, or null. */
function vectorAlong(node: Node, axis: number): Node | null {
  if (!isPrim(node, 'expand')) return null;
  const [base] = node.inputs as [Node];
  return base.shape.every((d, i) => (i === axis ? d === node.shape[i] : d === 1)) ? base : null;
}

/** A product that nothing else reads, perhaps through a reshape of its rows that nothing else reads. */
function productIn(node: Node, users: ReadonlyMap<Node, number>): Pick<Fused, 'product' | 'seen'> | null {
  if (users.get(node) !== 1) return null;
  if (isPrim(node, 'conv')) return takesBias(node) ? { product: node, seen: null } : null;
  const product = isPrim(node, 'reshape') ? node.inputs[0]! : node;
  // One bias for all of a batch of products is not what kernels add.
  if (!isPrim(product, 'dot') || product.shape.slice(0, -2).some((d) => d !== 1)) return null;
  if (product === node) return { product, seen: null };
  return users.get(product) === 1 && product.shape.at(-1) === node.shape.at(-1) ? { product, seen: node } : null;
}

/** product + bias, where nothing else reads the product. */
function biased(node: Node, users: ReadonlyMap<Node, number>): Omit<Fused, 'activation'> | null {
  if (!isPrim(node, 'binary') || node.attrs.fn !== 'add' || node.dtype !== 'f32') return null;
  for (const [a, b] of [node.inputs, [...node.inputs].reverse()] as [Node, Node][]) {
    const found = productIn(a, users);
    if (found === null) continue;
    const bias = vectorAlong(b, isPrim(found.product, 'dot') ? b.shape.length - 1 : 1);
    if (bias !== null) return { ...found, bias };
  }
  return null;
}

/**
 * Finds the products and convolutions that take their bias and activation into one kernel. The relu inside the kernels of wasm makes 0
 * of NaN, so there it stays outside.
 */
export function fusions(nodes: readonly Node[], users: ReadonlyMap<Node, number>, backend: TfBackendName): Fusions {
  const at = new Map<Node, Fused>();
  const inside = new Set<Node>();
  for (const node of nodes) {
    const found = biased(node, users);
    if (found === null) continue;
    at.set(node, { ...found, activation: 'linear' });
    inside.add(found.product);
    if (found.seen !== null) inside.add(found.seen);
  }
  const activate = (node: Node, from: Node, activation: Fused['activation'], between: readonly Node[]): void => {
    const fused = at.get(from)!;
    at.delete(from);
    at.set(node, { ...fused, activation });
    for (const each of [from, ...between]) inside.add(each);
  };
  for (const node of nodes) {
    if (isPrim(node, 'unary') && node.attrs.fn === 'sigmoid') {
      const [from] = node.inputs as [Node];
      if (at.get(from)?.activation === 'linear' && users.get(from) === 1) activate(node, from, 'sigmoid', []);
    } else if (backend !== 'wasm' && isPrim(node, 'where') && isReluNode(node)) {
      const [condition, , from] = node.inputs as [Node, Node, Node];
      const alone = users.get(from) === 2 && users.get(condition) === 1;
      if (alone && at.get(from)?.activation === 'linear') activate(node, from, 'relu', [condition]);
    }
  }
  return { at, inside };
}

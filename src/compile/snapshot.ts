import {
  isPrim,
  type LeafSource,
  leaf,
  makeNode,
  type Node,
  type PrimAttrs,
  type ScalarSource,
  scalarNode,
  topologicalOrder,
} from '../graph/index.js';

/** What a realization captures of the graph at the call: its structure as a key, and the sources that the key leaves out. */
export interface Snapshot {
  /** Equal exactly for graphs of one structure: primitives, attributes, shapes, dtypes, wiring, roots. */
  readonly key: string;
  readonly inputs: readonly LeafSource[];
  readonly scalars: readonly ScalarSource[];
  readonly order: readonly Node[];
  readonly roots: readonly Node[];
}

const sourceOf = (node: Node): LeafSource | null => node.realized ?? (isPrim(node, 'leaf') ? node.attrs.source : null);

const number = (x: number): string => (Object.is(x, -0) ? '-0' : String(x));

function attrsKey(attrs: PrimAttrs[keyof PrimAttrs]): string {
  let key = '';
  for (const value of Object.values(attrs)) {
    key += typeof value === 'number' ? number(value) : Array.isArray(value) ? `[${value.join(',')}]` : String(value);
    key += ',';
  }
  return key;
}

/** Reads the graph under `roots`, up to what is stored. */
export function snapshot(roots: readonly Node[]): Snapshot {
  const order = topologicalOrder(roots, (n) => n.realized !== null);
  const numbers = new Map<Node, number>();
  const inputs = new Map<LeafSource, number>();
  const scalars = new Map<ScalarSource, number>();
  let key = '';
  for (const node of order) {
    numbers.set(node, numbers.size);
    const source = sourceOf(node);
    if (source !== null) {
      let at = inputs.get(source);
      if (at === undefined) inputs.set(source, (at = inputs.size));
      key += `L${at}:${node.dtype}[${node.shape.join(',')}];`;
    } else if (isPrim(node, 'scalar')) {
      let at = scalars.get(node.attrs.source);
      if (at === undefined) scalars.set(node.attrs.source, (at = scalars.size));
      key += `S${at}:${node.dtype};`;
    } else {
      key += `${node.prim}(${attrsKey(node.attrs)}`;
      for (const i of node.inputs) key += ` ${numbers.get(i)}`;
      key += `)${node.dtype}[${node.shape.join(',')}];`;
    }
  }
  key += `>${roots.map((r) => numbers.get(r)).join(',')}`;
  return { key, inputs: [...inputs.keys()], scalars: [...scalars.keys()], order, roots };
}

/** The same graph on sources without data, so that a cached plan keeps nothing of the user's alive. */
export function withoutData(snap: Snapshot): { roots: Node[]; inputs: LeafSource[]; scalars: ScalarSource[] } {
  const inputs = snap.inputs.map((s): LeafSource => ({ shape: s.shape, dtype: s.dtype }));
  const scalars = snap.scalars.map((s): ScalarSource => ({ dtype: s.dtype, value: 0 }));
  const inputOf = new Map(snap.inputs.map((s, i) => [s, leaf(inputs[i]!)]));
  const scalarOf = new Map(snap.scalars.map((s, i) => [s, scalarNode(scalars[i]!)]));
  const copies = new Map<Node, Node>();
  for (const node of snap.order) {
    const source = sourceOf(node);
    if (source !== null) copies.set(node, inputOf.get(source)!);
    else if (isPrim(node, 'scalar')) copies.set(node, scalarOf.get(node.attrs.source)!);
    else {
      const parents = node.inputs.map((i) => copies.get(i)!);
      copies.set(node, makeNode(node.prim, parents, node.attrs, node.shape, node.dtype, false));
    }
  }
  return { roots: snap.roots.map((r) => copies.get(r)!), inputs, scalars };
}

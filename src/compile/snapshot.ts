import type { TuneRequest } from '../engine/tuning.js';
import {
  constant,
  type DType,
  isPrim,
  type LeafSource,
  leaf,
  makeNode,
  type Node,
  type Prim,
  type PrimAttrs,
  type ScalarSource,
  type Shape,
  scalarNode,
  topologicalOrder,
} from '../graph/index.js';

/** What a realization captures of the graph at the call: its structure as a key, and the sources that the key leaves out. */
export interface Snapshot {
  /** Equal exactly for graphs of one structure: primitives, attributes, shapes, dtypes, wiring, roots; all but the values of constants. */
  readonly skeleton: string;
  /** The values of the constants, in order. */
  readonly constants: readonly number[];
  readonly inputs: readonly LeafSource[];
  readonly scalars: readonly ScalarSource[];
  /** The nodes, inputs before users; apart from the graph, whose nodes forget their parents once they are stored. */
  readonly entries: readonly Entry[];
  /** Positions of the roots among the entries. */
  readonly roots: readonly number[];
  /** Whether its kernels are tuned. */
  readonly tune?: TuneRequest | undefined;
}

/** A node by position: a leaf or scalar by the number of its source, or an operation on earlier entries. */
type Entry =
  | { readonly kind: 'leaf'; readonly source: number }
  | { readonly kind: 'constant'; readonly at: number; readonly dtype: DType }
  | { readonly kind: 'scalar'; readonly source: number }
  | {
      readonly kind: 'operation';
      readonly prim: Prim;
      readonly attrs: PrimAttrs[Prim];
      readonly inputs: readonly number[];
      readonly shape: Shape;
      readonly dtype: DType;
    };

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

/** Of a custom node its value alone is computed; what only its gradient needs may not be there at all. */
const leadOn = (node: Node): readonly Node[] => (isPrim(node, 'custom') ? node.inputs.slice(0, 1) : node.inputs);

/** Reads the graph under `roots`, up to what is stored. */
export function snapshot(roots: readonly Node[]): Snapshot {
  const numbers = new Map<Node, number>();
  const inputs = new Map<LeafSource, number>();
  const scalars = new Map<ScalarSource, number>();
  const constants: number[] = [];
  const entries: Entry[] = [];
  let key = '';
  for (const node of topologicalOrder(roots, (n) => n.realized !== null, leadOn)) {
    const { prim, attrs, shape, dtype } = node;
    if (isPrim(node, 'custom') && node.realized === null) {
      // Only its value is left to compute; its rule would keep what belongs to the user alive.
      numbers.set(node, numbers.get(node.inputs[0]!)!);
      continue;
    }
    numbers.set(node, entries.length);
    const source = sourceOf(node);
    if (source !== null) {
      let at = inputs.get(source);
      if (at === undefined) inputs.set(source, (at = inputs.size));
      entries.push({ kind: 'leaf', source: at });
      key += `L${at}:${dtype}[${shape.join(',')}];`;
    } else if (isPrim(node, 'scalar')) {
      let at = scalars.get(node.attrs.source);
      if (at === undefined) scalars.set(node.attrs.source, (at = scalars.size));
      entries.push({ kind: 'scalar', source: at });
      key += `S${at}:${dtype};`;
    } else if (isPrim(node, 'const')) {
      entries.push({ kind: 'constant', at: constants.push(node.attrs.value) - 1, dtype });
      key += `C:${dtype};`;
    } else {
      const parents = node.inputs.map((i) => numbers.get(i)!);
      entries.push({ kind: 'operation', prim, attrs, inputs: parents, shape, dtype });
      key += `${prim}(${attrsKey(attrs)} ${parents.join(' ')})${dtype}[${shape.join(',')}];`;
    }
  }
  const at = roots.map((r) => numbers.get(r)!);
  return {
    skeleton: `${key}>${at.join(',')}`,
    constants,
    inputs: [...inputs.keys()],
    scalars: [...scalars.keys()],
    entries,
    roots: at,
  };
}

/** The values of constants as part of a key; -0 and NaN are values of their own. */
export const constantsKey = (constants: readonly (number | null)[]): string =>
  constants.map((c) => (c === null ? '?' : number(c))).join(',');

/**
 * The same graph on sources without data, so that a cached plan keeps nothing of the user's alive. Constants listed in `promoted`
 * become runtime scalars, which follow those of the graph in the order of the list.
 */
export function withoutData(
  snap: Snapshot,
  promoted: readonly number[],
): { roots: Node[]; inputs: LeafSource[]; scalars: ScalarSource[] } {
  const inputs = snap.inputs.map((s): LeafSource => ({ shape: s.shape, dtype: s.dtype }));
  const scalars = snap.scalars.map((s): ScalarSource => ({ dtype: s.dtype, value: 0 }));
  const leaves = inputs.map((s) => leaf(s));
  const scalarNodes = scalars.map(scalarNode);
  const promotedNodes = new Map<number, Node>();
  const dtypes = snap.entries.flatMap((e) => (e.kind === 'constant' ? [e.dtype] : []));
  for (const at of promoted) {
    const source: ScalarSource = { dtype: dtypes[at]!, value: 0 };
    scalars.push(source);
    promotedNodes.set(at, scalarNode(source));
  }
  const copies: Node[] = [];
  for (const e of snap.entries) {
    if (e.kind === 'leaf') copies.push(leaves[e.source]!);
    else if (e.kind === 'scalar') copies.push(scalarNodes[e.source]!);
    else if (e.kind === 'constant') copies.push(promotedNodes.get(e.at) ?? constant(snap.constants[e.at]!, e.dtype));
    else {
      const parents = e.inputs.map((i) => copies[i]!);
      copies.push(makeNode(e.prim, parents, e.attrs, e.shape, e.dtype, false));
    }
  }
  return { roots: snap.roots.map((r) => copies[r]!), inputs, scalars };
}

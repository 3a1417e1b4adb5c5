import { InternalError, isPrim, type Node, type Prim, sizeOf } from '../../../graph/index.js';
import type { ProgramGraph } from '../../plan.js';
import { evaluateNode } from '../../reference/index.js';
import type { Lowered, Places } from '../program.js';
import { isEmpty, type Tape } from '../tape.js';
import type { TfBackendName } from '../tf.js';
import { tfTypeOf } from '../values.js';
import { contracted, contraction, isSameMatrix } from './contraction.js';
import { elementwise } from './elementwise.js';
import { type Fused, fusions } from './fuse.js';
import { indexing } from './indexing.js';
import type { Lower } from './lower.js';
import { Lowering, type Value } from './lowering.js';
import { movement } from './movement.js';
import { reductions } from './reduce.js';
import { scans } from './scan.js';

const sameValue = (l: Lowering, node: Node): Value => l.valueOf(node.inputs[0]!);

const onHost = (_: Lowering, node: Node): never => {
  throw new InternalError(`[tfjs] ${node.prim} node ${node.id} is not on the host`);
};

const LOWER: Lower = {
  leaf: onHost,
  scalar: onHost,
  const: onHost,
  // Made on the host, whatever the keys come from: counting is no work for a product of floats.
  iota: (l, node) => l.readingBack(node, 'iota'),
  randomBits: (l, node) => l.readingBack(node, 'randomBits'),
  ...elementwise,
  ...movement,
  ...reductions,
  ...contraction,
  ...indexing,
  ...scans,
  routine: (l, node) => l.readingBack(node, node.attrs.fn),
  alias: sameValue,
  stopGradient: sameValue,
  custom: sameValue,
  barrier: sameValue,
};

/** Where an input is empty and the result is not, no element of the inputs reaches it, but for these. */
function fromEmpty(l: Lowering, node: Node): Value | null {
  if (isPrim(node, 'concat')) return null;
  if (isPrim(node, 'scatter')) return sameValue(l, node);
  if (!node.inputs.some(({ shape }) => isEmpty(shape))) return null;
  const arrays = node.inputs.map((input) => l.arrayOf({ shape: input.shape, dtype: input.dtype, uniform: 0 }));
  return { shape: node.shape, dtype: node.dtype, array: evaluateNode(node, arrays) };
}

function lowerNode(l: Lowering, node: Node): Value {
  const { shape, dtype } = node;
  if (isEmpty(shape)) return { shape, dtype, uniform: 0 };
  if (isPrim(node, 'const')) return { shape, dtype, uniform: node.attrs.value };
  const empty = node.inputs.some((input) => isEmpty(input.shape)) ? fromEmpty(l, node) : null;
  if (empty !== null) return empty;
  if (isPrim(node, 'expand') || (isPrim(node, 'reshape') && sizeOf(shape) === 1)) return repeated(l, node);
  return l.hostValue(node) ?? (LOWER[node.prim] as (l: Lowering, node: Node<Prim>) => Value)(l, node);
}

/** An expansion, or one element under another shape, is kept as what it repeats. */
function repeated(l: Lowering, node: Node): Value {
  const value = sameValue(l, node);
  const { shape, dtype } = node;
  return value.uniform === undefined ? { shape, dtype, base: value } : { shape, dtype, uniform: value.uniform };
}

/** A graph as kernel calls. */
export function lowerGraph(
  graph: ProgramGraph,
  backend: TfBackendName,
): { tape: Tape; places: Places; lowered: Lowered } {
  const users = new Map<Node, number>();
  for (const node of [...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs]) {
    users.set(node, (users.get(node) ?? 0) + 1);
  }
  const readers = new Map<Node, Node[]>();
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      const known = readers.get(input);
      if (known === undefined) readers.set(input, [node]);
      else known.push(node);
    }
  }
  const outputNodes = new Set(graph.outputs);
  const l = new Lowering(backend, readers, outputNodes, lowerNode);
  const inputs = graph.inputs.map((node) => {
    const ref = { slot: l.tape.newSlot(), shape: node.shape, type: tfTypeOf(node.dtype) };
    l.set(node, { shape: node.shape, dtype: node.dtype, ref });
    return ref.slot;
  });
  const scalars = graph.scalars.map((node) => {
    const host = { slot: l.tape.newSlot(), dtype: node.dtype };
    l.set(node, { shape: node.shape, dtype: node.dtype, host });
    return host.slot;
  });
  const given = new Set<Node>([...graph.inputs, ...graph.scalars]);
  const computed = graph.nodes.filter((node) => !given.has(node));
  const fusible = computed.filter((node) => !isEmpty(node.shape) && node.inputs.every(({ shape }) => !isEmpty(shape)));
  const { at, inside } = fusions(fusible, users, backend);
  for (const node of computed) {
    if (inside.has(node)) continue;
    const fused = at.get(node);
    l.set(node, fused === undefined ? lowerNode(l, node) : fusedValue(l, node, fused));
  }
  const known = new Set([...inputs, ...l.tape.kept.map(({ slot }) => slot)]);
  const outputs = graph.outputs.map((node) => {
    const ref = l.tensor(l.valueOf(node));
    const origin = l.emit.originOf(ref);
    // Data that another program may take for a matrix of another shape (see asRightFactor).
    const shared = backend === 'wasm' && (known.has(origin.slot) || l.rightFactors.has(origin.slot));
    const mixed = shared && node.dtype === 'f32' && origin.slot !== ref.slot && !isSameMatrix(origin.shape, ref.shape);
    return (mixed ? l.emit.copy(ref) : ref).slot;
  });
  l.tape.prune(outputs);
  return { tape: l.tape, places: { inputs, scalars, outputs }, lowered: { fused: l.fused, readBack: l.readBack } };
}

const fusedValue = (l: Lowering, node: Node, fused: Fused): Value =>
  l.made(node, l.emit.reshape(contracted(l, fused.product, fused), node.shape));

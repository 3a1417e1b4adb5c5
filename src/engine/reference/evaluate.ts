import { isPrim, type Node, roundToDType, type TypedArray, topologicalOrder } from '../../graph/index.js';
import type { ProgramGraph } from '../plan.js';
import { zeros } from './arrays.js';
import { Interpreter } from './interpreter.js';

/** A number as the value of a node of shape []. */
export const scalarArray = ({ dtype }: Node, value: number): TypedArray =>
  zeros([], dtype).fill(roundToDType(value, dtype));

/** The outputs of a graph for the values of its inputs and scalars, by position. bool is a Uint8Array. */
export function evaluate(
  graph: ProgramGraph,
  inputs: readonly TypedArray[],
  scalars: readonly number[] = [],
): TypedArray[] {
  const numbers = graph.scalars.map((node, i) => scalarArray(node, scalars[i]!));
  return new Interpreter(graph.nodes, [...graph.inputs, ...graph.scalars], graph.outputs).run([...inputs, ...numbers]);
}

/**
 * The values of nodes, given those of the nodes they stand on (leaves, or any others: what is behind those is not looked at).
 * Runtime scalars have the value that their source has now.
 */
export function evaluateNodes(
  outputs: readonly Node[],
  given: ReadonlyMap<Node, TypedArray> = new Map(),
): TypedArray[] {
  const values = new Map(given);
  const nodes = topologicalOrder(outputs, (node) => given.has(node));
  for (const node of nodes) {
    if (isPrim(node, 'scalar') && !values.has(node)) values.set(node, scalarArray(node, node.attrs.source.value));
  }
  return new Interpreter(nodes, [...values.keys()], outputs).run([...values.values()]);
}

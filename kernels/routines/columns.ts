import { InternalError, isPrim, type Node, sizeOf, type WordDType } from '../../src/graph/index.js';
import type { BufferSpec, Index, IndexVar, RoutineKernel } from '../ir.js';
import { argsort } from './argsort.js';
import { cumulative } from './cumulative.js';
import type { OperandSource } from './operands.js';
import { Column, type Elements, type IndexLike, modulo, number, Program, plus, quotient, times } from './program.js';
import { scatter } from './scatter.js';
import { digitsOf, sortScratch } from './sizes.js';

/** Programs that scatter at the same time, where there are so many places: a CPU needs some, a GPU thousands. */
const SCATTERING = { cpu: 8, gpu: 4096 };

/** An operand, and the number of the buffer that it is in. */
export type Operand = OperandSource & { readonly buffer: number };

/** A shape as what is before an axis, the axis, and what is after it. */
function around(shape: readonly number[], axis: number): [heads: number, n: number, columns: number] {
  return [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))];
}

/**
 * A program for each line along the axis of a primitive, as columns of matrices [axis, what comes after it].
 *
 * @param written numbers of the buffers of the result and, where it needs any, the scratch
 */
export function columnKernel(
  node: Node<'scatter' | 'cumulative' | 'argsort'>,
  operands: readonly Operand[],
  written: readonly number[],
  software: boolean,
): RoutineKernel {
  const [heads, n, columns] = around(node.shape, node.attrs.axis);
  const buffers: BufferSpec[] = [];
  // Lines side by side run at the same time, also those that lie behind each other.
  const behind = columns === 1 && isPrim(node, 'cumulative');
  const column: IndexVar = { name: 'column', extent: behind ? heads : columns };
  const across: IndexLike = behind ? 0 : column;
  const operand = (at: number, head: Index): Elements => {
    const { base, constant, buffer, sharedHeads, sharedColumns } = operands[at]!;
    const dtype = node.inputs[at]!.dtype as WordDType;
    if (base === null) return new Constant(constant, dtype);
    const length = node.inputs[at]!.shape[node.attrs.axis]!;
    const step = sharedColumns ? 1 : columns;
    buffers[buffer] = { dtype, length: sizeOf(base.shape), access: 'read' };
    const start = plus(sharedHeads ? 0 : times(head, length * step), sharedColumns ? 0 : across);
    return new Column(p, buffer, dtype, start, step);
  };
  const result = (head: Index): Elements => {
    const dtype = node.dtype as WordDType;
    buffers[written[0]!] = { dtype, length: sizeOf(node.shape), access: 'write' };
    return new Column(p, written[0]!, dtype, plus(times(head, n * columns), across), columns);
  };
  const p = new Program(2 * Math.max(512, n, ...node.inputs.map(({ shape }) => shape[node.attrs.axis]!)));
  const kernel = (batch: IndexVar, name: string, steps: number): RoutineKernel => {
    return { kind: 'routine', name, buffers, params: [], flops: heads * columns * steps, batch, column, body: p.body };
  };
  if (isPrim(node, 'scatter')) {
    const updates = node.inputs[1]!.shape[node.attrs.axis]!;
    const wanted = software ? SCATTERING.cpu : SCATTERING.gpu;
    const ofRange = Math.ceil(n / Math.max(1, Math.floor(wanted / (heads * columns))));
    const ranges = Math.ceil(n / ofRange);
    const batch: IndexVar = { name: 'range', extent: heads * ranges };
    const head = quotient(batch, ranges);
    const first = ranges === 1 ? 0 : times(modulo(batch, ranges), ofRange);
    const of = { x: operand(0, head), index: operand(1, head), updates: operand(2, head), out: result(head) };
    scatter(p, node.attrs.fn, { places: n, updates, first, ofRange }, of);
    return kernel(batch, `scatter_${node.attrs.fn}`, n + updates);
  }
  const batch: IndexVar = { name: 'head', extent: behind ? 1 : heads };
  const head = plus(behind ? column : batch, 0);
  if (isPrim(node, 'cumulative')) {
    const { fn } = node.attrs;
    cumulative(p, fn, node.dtype as WordDType, n, { x: operand(0, head), out: result(head) });
    return kernel(batch, `cumulative_${fn}`, n);
  }
  const { descending } = (node as Node<'argsort'>).attrs;
  const dtype = node.inputs[0]!.dtype as WordDType;
  const length = sortScratch(n, dtype);
  buffers[written[1]!] = { dtype: 'u32', length: heads * columns * length, access: 'write' };
  const scratch = (from: number): Elements =>
    new Column(p, written[1]!, 'u32', plus(times(plus(times(head, columns), column), length), from), 1);
  const lines = { keys: scratch(0), order: scratch(n), counts: scratch(2 * n) };
  argsort(p, dtype, descending, n, { x: operand(0, head), out: result(head), ...lines });
  return kernel(batch, 'argsort', n * (1 + 2 * digitsOf(dtype)));
}

/** The same number everywhere. */
class Constant implements Elements {
  constructor(
    private readonly value: number,
    private readonly dtype: WordDType,
  ) {}

  at = () => number(this.value, this.dtype);
  set = () => {
    throw new InternalError('[lower] a constant is not written');
  };
}

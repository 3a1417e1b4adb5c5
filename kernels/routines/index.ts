import { isPrim, type Node, type RoutineAttrs, type RoutineFn } from '../../src/graph/index.js';
import type { BufferSpec, IndexVar, RoutineKernel } from '../ir.js';
import { cholesky } from './cholesky.js';
import { columnKernel, type Operand } from './columns.js';
import { eigh } from './eigh.js';
import { jacobiFlops } from './jacobi.js';
import { lu } from './lu.js';
import type { RoutinePrim } from './operands.js';
import { Matrix, Program, plus, times } from './program.js';
import { qr } from './qr.js';
import { type RoutineSizes, sizesOf } from './sizes.js';
import { svd } from './svd.js';
import { triangularSolve } from './triangularSolve.js';

/** Makes the matrices of the next buffer, which lie behind each other for each matrix of the batch. */
type Buffer = (...shapes: (readonly [rows: number, columns: number])[]) => Matrix[];

/** Each writes its program, and gives its floating-point operations for one matrix. */
const ROUTINES: Readonly<
  Record<RoutineFn, (p: Program, sizes: RoutineSizes, attrs: RoutineAttrs, b: Buffer) => number>
> = {
  cholesky(p, { n }, _, buffer) {
    const [a, l] = [...buffer([n, n]), ...buffer([n, n])] as [Matrix, Matrix];
    cholesky(p, n, a, l);
    return n ** 3 / 3;
  },
  lu(p, { m, n }, _, buffer) {
    const [a, out] = [...buffer([m, n]), ...buffer([m, n + 1])] as [Matrix, Matrix];
    lu(p, m, n, a, out);
    return 2 * Math.min(m, n) * m * n - Math.min(m, n) ** 3;
  },
  triangularSolve(p, { n, k }, attrs, buffer) {
    const matrices = [...buffer([n, n]), ...buffer([n, k]), ...buffer([n, k])] as [Matrix, Matrix, Matrix];
    triangularSolve(p, n, k, attrs, matrices);
    return n * n * k;
  },
  qr(p, { m, n }, _, buffer) {
    const k = Math.min(m, n);
    const [a, out] = [...buffer([m, n]), ...buffer([m, k + n])] as [Matrix, Matrix];
    const [q, r] = buffer([k, m], [n, m]) as [Matrix, Matrix];
    qr(p, m, n, a, q.transposed, r.transposed, out);
    return 4 * m * n * k;
  },
  eigh(p, { n }, _, buffer) {
    const [a, out] = [...buffer([n, n]), ...buffer([n + 1, n])] as [Matrix, Matrix];
    const [w, v] = buffer([n, n], [n, n]) as [Matrix, Matrix];
    eigh(p, n, a, w, v, out);
    return jacobiFlops(n, n);
  },
  svd(p, { m, n }, _, buffer) {
    const [a] = buffer([m, n]) as [Matrix];
    const [u, values, vh] = buffer([m, n], [1, n], [n, n]) as [Matrix, Matrix, Matrix];
    const [w, lengths, products] = buffer([n, m], [1, m], [1, n]) as [Matrix, Matrix, Matrix];
    svd(p, m, n, { a, u, values, vh, w, lengths, products });
    return jacobiFlops(n, m);
  },
};

/** The program of a routine on buffers of these numbers: its operands, the result and, where it needs any, the scratch. */
export function routineKernel(
  attrs: RoutineAttrs,
  sizes: RoutineSizes,
  numbers: readonly number[] = [0, 1, 2, 3],
): RoutineKernel {
  const { fn } = attrs;
  const { batch: count, m, n, k } = sizes;
  const batch: IndexVar = { name: 'matrix', extent: count };
  const p = new Program(Math.max(2 * m, 2 * n, k, 32));
  const operands = fn === 'triangularSolve' ? 2 : 1;
  const buffers: BufferSpec[] = [];
  let next = 0;
  const flops = ROUTINES[fn](p, sizes, attrs, (...shapes) => {
    const size = shapes.reduce((sum, [rows, columns]) => sum + rows * columns, 0);
    const access = next < operands ? 'read' : 'write';
    const number = numbers[next++]!;
    buffers[number] = { dtype: 'f32', length: size * count, access };
    let start = 0;
    return shapes.map(([rows, columns]) => {
      const made = new Matrix(p, number, plus(times(batch, size), start), columns);
      start += rows * columns;
      return made;
    });
  });
  return { kind: 'routine', name: fn, buffers, params: [], flops: Math.round(flops * count), batch, body: p.body };
}

export type MakeRoutine = typeof makeRoutine;

/**
 * The kernel of a node that is one of its own.
 *
 * @param written numbers of the buffers of the result and, where it needs any, the scratch
 * @param software whether it runs on a CPU
 */
export function makeRoutine(
  node: Node<RoutinePrim>,
  operands: readonly Operand[],
  written: readonly number[],
  software: boolean,
): RoutineKernel {
  if (isPrim(node, 'routine'))
    return routineKernel(node.attrs, sizesOf(node), [...operands.map(({ buffer }) => buffer), ...written]);
  return columnKernel(node as Node<Exclude<RoutinePrim, 'routine'>>, operands, written, software);
}

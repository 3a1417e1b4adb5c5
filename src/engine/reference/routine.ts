import { type Node, type RoutineAttrs, type RoutineFn, sizeOf, type TypedArray } from '../../graph/index.js';
import { zeros } from './arrays.js';
import { type Dense, denseOf } from './dense.js';
import type { Evaluators } from './evaluator.js';
import { cholesky, lu, qr, triangularSolve } from './factorization.js';
import { eigh, svd } from './jacobi.js';

/** The packed result of one matrix (and right-hand side), in float64. */
const ROUTINES: Readonly<Record<RoutineFn, (a: Dense, b: Dense, attrs: RoutineAttrs) => Dense>> = {
  cholesky,
  lu,
  triangularSolve,
  qr,
  eigh,
  svd,
};

function evaluate(node: Node<'routine'>, inputs: readonly TypedArray[]): TypedArray {
  const out = zeros(node.shape, 'f32');
  const size = sizeOf(node.shape.slice(-2));
  const batch = sizeOf(node.shape.slice(0, -2));
  for (let i = 0; i < batch; i++) {
    const [a, b] = node.inputs.map((x, j) => denseOf(inputs[j]!, x.shape, i)) as [Dense, Dense];
    out.set(ROUTINES[node.attrs.fn](a, b, node.attrs).data, i * size);
  }
  return out;
}

export const routines: Pick<Evaluators, 'routine'> = {
  routine: evaluate,
};

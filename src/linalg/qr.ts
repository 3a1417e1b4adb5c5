import { ArgumentError } from '../graph/index.js';
import { add, concat, diagEmbed, diagonal, eye, matmul, sub, type Tensor, triu, zeros } from '../tensor/index.js';
import { checkMatrix, columnsOf, mT, overBatch, routineOf, rowsOf, sizesOf } from './matrices.js';
import { withRule } from './rule.js';
import { triangular } from './triangular.js';

export type QrMode = 'reduced' | 'complete' | 'r';

/** Q and R of a packed result. */
function parts(packed: Tensor): [q: Tensor, r: Tensor] {
  const [m, columns] = sizesOf(packed);
  // k + n columns: as many as 2 n where m >= n, which is where half of them are at most m.
  const n = columns <= 2 * m ? columns / 2 : columns - m;
  const k = Math.min(m, n);
  return [columnsOf(packed, 0, k), rowsOf(columnsOf(packed, k, n), 0, k)];
}

function factored(a: Tensor): Tensor {
  const [m, n] = sizesOf(a);
  const k = Math.min(m, n);
  const rest = n - k;
  return withRule(
    'qr',
    [a],
    () => routineOf({ fn: 'qr' }, a),
    (packed, g) => {
      const [q, r] = parts(packed);
      const [gq, gr] = parts(g);
      const square = columnsOf(r, 0, k);
      // What is right of a square R is Q^T times the rest of A.
      const right = rest > 0 ? columnsOf(gr, k, rest) : null;
      const total = right === null ? gq : add(gq, matmul(matmul(q, columnsOf(r, k, rest)), mT(right)));
      const inner = triu(sub(matmul(columnsOf(gr, 0, k), mT(square)), matmul(mT(q), total)));
      const symmetric = sub(add(inner, mT(inner)), diagEmbed(diagonal(inner, 0, -2, -1)));
      const left = mT(triangular(square, mT(add(total, matmul(q, symmetric))), { lower: false }));
      return [right === null ? left : concat([left, matmul(q, right)], -1)];
    },
  );
}

/** Columns [..., m, m - k] that complete k orthonormal ones to a basis. */
export function completion(q: Tensor): Tensor {
  const [m, k] = sizesOf(q);
  const wide = concat([q.detach(), overBatch(eye(m), q.shape.slice(0, -2))], -1);
  return columnsOf(routineOf({ fn: 'qr' }, wide), k, m - k);
}

/**
 * A = Q R of matrices [..., m, n], with k = min(m, n): by default ('reduced') orthonormal columns Q [..., m, k] and an upper triangular R
 * [..., k, n]; 'complete' makes that Q [..., m, m] and R [..., m, n]; 'r' gives an empty Q. Signs are LAPACK's, so that R may have negative
 * numbers on its diagonal. The columns that 'complete' adds have no gradient (they are any that complete the basis).
 */
export function qr(a: Tensor, mode: QrMode = 'reduced'): [q: Tensor, r: Tensor] {
  checkMatrix('qr', a);
  if (!['reduced', 'complete', 'r'].includes(mode)) {
    throw new ArgumentError(`[qr] mode is ${String(mode)} (expected reduced, complete or r)`);
  }
  const [q, r] = parts(factored(a));
  if (mode === 'r') return [zeros([0]), r];
  const [m, n] = sizesOf(a);
  if (mode === 'reduced' || m <= n) return [q, r];
  return [concat([q, completion(q)], -1), concat([r, zeros([...a.shape.slice(0, -2), m - n, n])], -2)];
}

import {
  add,
  concat,
  diagEmbed,
  div,
  eq,
  eye,
  matmul,
  mul,
  select,
  sub,
  type Tensor,
  unsqueeze,
  where,
} from '../tensor/index.js';
import { checkMatrix, mT, routineOf, rowsOf, sizesOf } from './matrices.js';
import { completion } from './qr.js';
import { withRule } from './rule.js';

/** U [m, n], singular values [n] and Vh [n, n] of a packed result. */
export function partsOf(packed: Tensor): [u: Tensor, s: Tensor, vh: Tensor] {
  const [rows, n] = sizesOf(packed);
  const m = rows - 1 - n;
  return [rowsOf(packed, 0, m), select(packed, -2, m), rowsOf(packed, m + 1, n)];
}

/** The routine's result for matrices that are at least as high as wide. */
export const factored = (a: Tensor): Tensor =>
  withRule(
    'svd',
    [a],
    () => routineOf({ fn: 'svd' }, a),
    (packed, g) => {
      const [u, s, vh] = partsOf(packed);
      const [gu, gs, gvh] = partsOf(g);
      const [m, n] = sizesOf(u);
      const [row, column] = [unsqueeze(s, -2), unsqueeze(s, -1)];
      const apart = eq(eye(n), 0);
      // sigma_j^2 - sigma_i^2, in factors, so that close ones keep their digits.
      const gaps = where(apart, mul(sub(row, column), add(row, column)), 1);
      const skew = (x: Tensor): Tensor => div(sub(x, mT(x)), gaps);
      const turnedU = mul(skew(matmul(mT(u), gu)), row);
      const turnedV = mul(column, skew(matmul(vh, mT(gvh))));
      const inner = add(add(turnedU, turnedV), diagEmbed(gs));
      let left = matmul(u, inner);
      if (m > n) {
        const outside = sub(gu, matmul(u, matmul(mT(u), gu)));
        left = add(left, div(outside, row));
      }
      return [matmul(left, vh)];
    },
  );

/** U, S and Vh of matrices of any proportions, reduced. */
function reduced(a: Tensor): [u: Tensor, s: Tensor, vh: Tensor] {
  const [m, n] = sizesOf(a);
  if (m >= n) return partsOf(factored(a));
  const [v, s, uh] = partsOf(factored(mT(a)));
  return [mT(uh), s, mT(v)];
}

/**
 * A = U diag(S) Vh of matrices [..., m, n], with k = min(m, n) singular values S [..., k], descending. By default (PyTorch's) U is
 * [..., m, m] and Vh [..., n, n]; with `fullMatrices` false they are [..., m, k] and [..., k, n], which is less work. Signs of
 * pairs of singular vectors may differ between engines; so what is computed from them should not depend on signs. The gradient through vectors
 * needs singular values that differ (and are not 0 where A is not square); that of `svdvals` does not. The vectors that full
 * matrices add have no gradient.
 */
export function svd(a: Tensor, fullMatrices = true): [u: Tensor, s: Tensor, vh: Tensor] {
  checkMatrix('svd', a);
  const [u, s, vh] = reduced(a);
  const [m, n] = sizesOf(a);
  if (!fullMatrices || m === n) return [u, s, vh];
  if (m > n) return [concat([u, completion(u)], -1), s, vh];
  return [u, s, concat([vh, mT(completion(mT(vh)))], -2)];
}

/** Singular values of matrices [..., m, n], descending: [..., min(m, n)]. */
export function svdvals(a: Tensor): Tensor {
  checkMatrix('svdvals', a);
  const [m, n] = sizesOf(a);
  const high = m >= n ? a : mT(a);
  const packed = factored(high);
  return withRule(
    'svdvals',
    [high, packed],
    () => partsOf(packed)[1],
    (_, g, [, whole]) => {
      const [u, , vh] = partsOf(whole!);
      return [matmul(mul(u, unsqueeze(g, -2)), vh), null];
    },
  );
}

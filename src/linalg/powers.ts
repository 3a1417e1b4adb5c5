import { ArgumentError } from '../graph/index.js';
import {
  abs,
  add,
  amax,
  ceil,
  clamp,
  concat,
  div,
  eye,
  gt,
  isfinite,
  log2,
  logicalAnd,
  matmul,
  maximum,
  mul,
  neg,
  pow,
  matrixPower as power,
  sum,
  type Tensor,
  unsqueeze,
  where,
  zerosLike,
} from '../tensor/index.js';
import { checkSquare, columnsOf, mT, rowsOf, sizesOf } from './matrices.js';
import { withRule } from './rule.js';
import { inv } from './solving.js';

/** Square matrices [..., n, n] multiplied by themselves n times; the identity for 0, their inverse's power for negative n. */
export function matrixPower(a: Tensor, n: number): Tensor {
  checkSquare('matrixPower', a);
  if (!Number.isInteger(n)) throw new ArgumentError(`[matrixPower] n is ${String(n)} (expected an integer)`);
  return n < 0 ? power(inv(a), -n) : power(a, n);
}

/** Beyond a norm of 2^10, squaring has lost what f32 holds. */
const SQUARINGS = 10;

const inverseFactorial = (n: number): number => (n < 2 ? 1 : inverseFactorial(n - 1) / n);

const each = (x: Tensor): Tensor => unsqueeze(unsqueeze(x, -1), -1);

/** The largest sum of magnitudes of a column: [...]. */
const sizeOf = (a: Tensor): Tensor => amax(sum(abs(a.detach()), -2), -1);

/**
 * The matrix exponential of square matrices [..., n, n], by scaling and squaring: their Taylor series to the 11th power at a 1-norm of at
 * most 1, squared up to 10 times. NaN for matrices of a 1-norm above 1024.
 */
export function matrixExp(a: Tensor): Tensor {
  checkSquare('matrixExp', a);
  const [n] = sizesOf(a);
  return n === 0 ? a : exponential(a);
}

/** The derivative along G is the upper right part of the exponential of [[A, G], [0, A]] (Al-Mohy and Higham, 2009), and linear in G. */
const exponential = (a: Tensor): Tensor =>
  withRule(
    'matrixExp',
    [a],
    () => bySquaring(a),
    (_, g, [x]) => {
      const [n] = sizesOf(g);
      // No larger than A, or 1, so that G does not make for more squarings.
      const ratio = div(maximum(sizeOf(x!), 1), sizeOf(g));
      const scale = each(where(logicalAnd(isfinite(ratio), gt(ratio, 0)), ratio, 1));
      const block = (left: Tensor, right: Tensor): Tensor => concat([left, right], -1);
      const whole = concat([block(mT(x!), mul(g, scale)), block(zerosLike(g), mT(x!))], -2);
      return [div(rowsOf(columnsOf(exponential(whole), n, n), 0, n), scale)];
    },
  );

function bySquaring(a: Tensor): Tensor {
  const [n] = sizesOf(a);
  const wanted = ceil(log2(sizeOf(a)));
  const steps = clamp(wanted, 0, SQUARINGS);
  const x = mul(a, each(pow(2, neg(steps))));
  const x2 = matmul(x, x);
  const x3 = matmul(x2, x);
  const x4 = matmul(x2, x2);
  const terms = [eye(n), x, x2, x3];
  const series = (from: number): Tensor =>
    terms.map((t, i) => mul(t, inverseFactorial(from + i))).reduce((s, t) => add(s, t));
  let result = add(series(0), matmul(x4, add(series(4), matmul(x4, series(8)))));
  for (let i = 0; i < SQUARINGS; i++) result = where(each(gt(steps, i)), matmul(result, result), result);
  return where(each(gt(wanted, SQUARINGS)), Number.NaN, result);
}

import { ArgumentError } from '../graph/index.js';
import {
  abs,
  add,
  amax,
  ceil,
  clamp,
  eye,
  gt,
  log2,
  matmul,
  mul,
  neg,
  pow,
  matrixPower as power,
  sum,
  type Tensor,
  unsqueeze,
  where,
} from '../tensor/index.js';
import { checkSquare, sizesOf } from './matrices.js';
import { inv } from './solving.js';

/** Square matrices [..., n, n] multiplied by themselves n times; the identity for 0, their inverse's power for negative n. */
export function matrixPower(a: Tensor, n: number): Tensor {
  checkSquare('matrixPower', a);
  if (!Number.isInteger(n)) throw new ArgumentError(`[matrixPower] n is ${String(n)} (expected an integer)`);
  return n < 0 ? power(inv(a), -n) : power(a, n);
}

const SQUARINGS = 14;

const inverseFactorial = (n: number): number => (n < 2 ? 1 : inverseFactorial(n - 1) / n);

/**
 * The matrix exponential of square matrices [..., n, n], by scaling and squaring: their Taylor series to the 8th power at a 1-norm of at most
 * 1/2, squared up to 14 times. NaN for matrices of a 1-norm above 8192.
 */
export function matrixExp(a: Tensor): Tensor {
  checkSquare('matrixExp', a);
  const [n] = sizesOf(a);
  if (n === 0) return a;
  const size = amax(sum(abs(a.detach()), -2), -1);
  // At least 0, also for zeros; whole.
  const wanted = ceil(log2(mul(size, 2)));
  const steps = clamp(wanted, 0, SQUARINGS);
  const each = (x: Tensor): Tensor => unsqueeze(unsqueeze(x, -1), -1);
  const x = mul(a, each(pow(2, neg(steps))));
  const x2 = matmul(x, x);
  const x3 = matmul(x2, x);
  const x4 = matmul(x2, x2);
  const terms = [eye(n), x, x2, x3];
  const series = (from: number): Tensor =>
    terms.map((t, i) => mul(t, inverseFactorial(from + i))).reduce((s, t) => add(s, t));
  let result = add(series(0), matmul(x4, add(series(4), mul(x4, inverseFactorial(8)))));
  for (let i = 0; i < SQUARINGS; i++) result = where(each(gt(steps, i)), matmul(result, result), result);
  return where(each(gt(wanted, SQUARINGS)), Number.NaN, result);
}

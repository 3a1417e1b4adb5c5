import * as tl from '../../src/index.js';
import * as linalg from '../../src/linalg/index.js';
import { functionNamed } from './entryPoints.js';

const weighed = (left: tl.Tensor, right: tl.Tensor): tl.Tensor => {
  const k = left.shape.at(-1)!;
  return tl.matmul(tl.mul(left, tl.arange(1, k + 1)), right);
};

const mT = (x: tl.Tensor): tl.Tensor => tl.transpose(x, -1, -2);

/** A projector on the axes that complete those of a factor's first columns, which alone say nothing. */
const completed = (factor: tl.Tensor, k: number): tl.Tensor => {
  const rest = tl.narrow(factor.detach(), -1, k, factor.shape.at(-1)! - k);
  return tl.matmul(rest, mT(rest));
};

/** Factorisations, with results that do not depend on the signs of vectors: sums of products of pairs, each pair with a weight. */
export const WITHOUT_SIGNS = {
  'linalg.eigh': (x: tl.Tensor, uplo?: 'L' | 'U') => {
    const [values, v] = linalg.eigh(x, uplo);
    return [values, weighed(v, mT(v))];
  },
  'linalg.svd': (x: tl.Tensor, fullMatrices?: boolean) => {
    const [u, s, vh] = linalg.svd(x, fullMatrices);
    const k = s.shape.at(-1)!;
    const [first, last] = [tl.narrow(u, -1, 0, k), tl.narrow(vh, -2, 0, k)];
    const pairs = [s, weighed(first, last), weighed(first, mT(first)), weighed(mT(last), last)];
    return fullMatrices === false ? pairs : [...pairs, completed(u, k), completed(mT(vh), k)];
  },
  /** Orthonormal columns of which the first k are known. */
  'linalg.qr': (x: tl.Tensor, mode?: linalg.QrMode) => {
    const [q, r] = linalg.qr(x, mode);
    if (mode !== 'complete') return [q, r];
    const k = Math.min(...x.shape.slice(-2));
    return [tl.narrow(q, -1, 0, k), completed(q, k), r];
  },
};

/** A gradient, whose own gradient the oracle then takes: of the sum of the sines of all that a function gives. */
export const SECOND_DERIVATIVES = {
  gradientOf: (name: string, x: tl.Tensor, ...rest: unknown[]) => {
    const own = (WITHOUT_SIGNS as Record<string, unknown>)[name] ?? functionNamed(name);
    const f = own as (...args: unknown[]) => tl.Tensor | readonly tl.Tensor[];
    return tl.grad((y: tl.Tensor) => {
      const found = f(y, ...rest);
      const results = tl.isTensor(found) ? [found] : found;
      return results.map((r) => tl.sum(tl.sin(r))).reduce((a, b) => tl.add(a, b));
    })(x);
  },
};

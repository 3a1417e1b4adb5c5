/** Complex numbers as pairs: the last axis holds the real and the imaginary part. */
import { cast, concat, type Node, reshape, ShapeError, showShape, slice } from '../graph/index.js';
import {
  add,
  broadcastTensors,
  eq,
  logicalAnd,
  mul,
  neg,
  sqrt,
  sub,
  type Tensor,
  where,
  zerosLike,
} from '../tensor/index.js';
import { nodeOf } from '../tensor/internal.js';

/** One part of complex numbers: [..., 2] to [...]. */
function part(op: string, x: Tensor, which: 0 | 1): Tensor {
  const node = nodeOf(op, x);
  const { shape } = node;
  const last = shape.length - 1;
  if (shape[last] !== 2) {
    throw new ShapeError(`[${op}] input is ${showShape(shape)} (expected complex numbers as pairs: [..., 2])`);
  }
  const around = shape.slice(0, last);
  return x.derive(reshape(slice(node, [...around.map(() => 0), which], [...around, 1]), around));
}

/** Complex numbers of real and imaginary parts (zeros unless given), which broadcast: [...] to [..., 2], in f32. */
export function complex(re: Tensor, im?: Tensor | null): Tensor {
  nodeOf('complex', re);
  const [x, y] = broadcastTensors(re, im ?? zerosLike(re)) as [Tensor, Tensor];
  const column = (t: Tensor): Node => reshape(cast(t.node, 'f32'), [...t.shape, 1]);
  return re.derive(concat([column(x), column(y)], x.ndim));
}

/** The real parts: [..., 2] to [...]. Throws ShapeError where the last axis is not 2. */
export const real = (x: Tensor): Tensor => part('real', x, 0);

/** The imaginary parts: [..., 2] to [...]. Throws ShapeError where the last axis is not 2. */
export const imag = (x: Tensor): Tensor => part('imag', x, 1);

/** The conjugate: imaginary parts negated. */
export const conj = (x: Tensor): Tensor => complex(part('conj', x, 0), neg(part('conj', x, 1)));

/** Products of complex numbers, which broadcast: [..., 2] each. */
export function complexMul(a: Tensor, b: Tensor): Tensor {
  const [ar, ai, br, bi] = [0, 1, 2, 3].map((i) => part('complexMul', i < 2 ? a : b, (i % 2) as 0 | 1));
  return complex(sub(mul(ar!, br!), mul(ai!, bi!)), add(mul(ar!, bi!), mul(ai!, br!)));
}

/** Magnitudes: [..., 2] to [...]; the gradient at 0 is 0. Squares larger than f32 holds overflow. */
export function complexAbs(x: Tensor): Tensor {
  const [re, im] = [part('complexAbs', x, 0), part('complexAbs', x, 1)];
  const none = logicalAnd(eq(re, 0), eq(im, 0));
  const square = add(mul(re, re), mul(im, im));
  return where(none, 0, sqrt(where(none, 1, square)));
}

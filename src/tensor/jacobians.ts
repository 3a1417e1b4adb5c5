import { sizeOf } from '../graph/index.js';
import { eye, zerosLike } from './creation.js';
import { mapTensors, type TensorStructure, tensorsOf } from './structure.js';
import type { Tensor } from './tensor.js';
import { grad, jvp, linearize, vjp } from './transforms.js';
import { vmap } from './vmap.js';

/** For each tensor of Y, the structure of X: derivatives of shape [...of y, ...of x]. */
export type Jacobian<Y, X> = Y extends Tensor ? X : { [Field in keyof Y]: Jacobian<Y[Field], X> };

/** All unit vectors of a tensor's shape, along a new axis 0. */
const unitsOf = (x: Tensor): Tensor => eye(x.numel()).reshape([x.numel(), ...x.shape]);

/** A structure of zeros but for the tensor of number `at`. */
function only<S extends TensorStructure>(structure: S, at: number, value: Tensor): S {
  let next = 0;
  return mapTensors('jacobian', structure, (x) => (next++ === at ? value : zerosLike(x)));
}

/** One result for each tensor of a structure, in its place. */
function nested<R>(structure: TensorStructure, results: readonly unknown[]): R {
  let next = 0;
  // mapTensors puts whatever it is given in the places of the tensors.
  return mapTensors('jacobian', structure, () => results[next++] as Tensor) as R;
}

/**
 * All first derivatives of a function by its first argument, by reverse mode: for few outputs. For tensors of shapes `[...in]` and
 * `[...out]` a tensor `[...out, ...in]`; where the argument is a structure, the structure with such tensors; where the result is one, that
 * for each of its tensors. Reverse mode runs once, for all outputs together (`vmap` of `vjp`).
 */
export function jacobian<X extends TensorStructure, Y extends TensorStructure, Rest extends unknown[]>(
  f: (x: X, ...rest: Rest) => Y,
): (x: X, ...rest: Rest) => Jacobian<Y, X> {
  return (x, ...rest) => {
    const [value, pullback] = vjp(f, x, ...rest);
    const rows = tensorsOf('jacobian', value).map((y, i) => {
      const all = vmap((weights: Tensor) => pullback(only(value, i, weights)))(unitsOf(y));
      return mapTensors('jacobian', all, (g) => g.reshape([...y.shape, ...g.shape.slice(1)]));
    });
    return nested(value, rows);
  };
}

/** `jacobian`. */
export const jacrev = jacobian;

/** As `jacobian`, by forward mode: for few inputs, or inside reverse mode. */
export function jacfwd<X extends TensorStructure, Y extends TensorStructure, Rest extends unknown[]>(
  f: (x: X, ...rest: Rest) => Y,
): (x: X, ...rest: Rest) => Jacobian<Y, X> {
  return (x, ...rest) => {
    const [value, push] = linearize(f, x, ...rest);
    const inputs = tensorsOf('jacfwd', x);
    // For each input, its columns of every output: [size of the input, ...out].
    const columns = inputs.map((input, i) =>
      tensorsOf('jacfwd', vmap((tangent: Tensor) => push(only(x, i, tangent)))(unitsOf(input))),
    );
    const rows = tensorsOf('jacfwd', value).map((y, j) =>
      nested(
        x,
        inputs.map((input, i) => {
          const columnsOfY = columns[i]![j]!.reshape([sizeOf(input.shape), y.numel()]);
          return columnsOfY.t().reshape([...y.shape, ...input.shape]);
        }),
      ),
    );
    return nested(value, rows);
  };
}

/**
 * All second derivatives of a function that returns one number: for an argument of shape `[...in]` a tensor `[...in, ...in]`, for a structure
 * the structure of structures. Forward mode over reverse mode.
 */
export function hessian<X extends TensorStructure, Rest extends unknown[]>(
  f: (x: X, ...rest: Rest) => Tensor,
): (x: X, ...rest: Rest) => Jacobian<X, X> {
  return jacfwd(grad(f));
}

/** The Hessian of a function that returns one number, times a vector (in the structure of the first argument), without forming the Hessian. */
export function hvp<X extends TensorStructure, Rest extends unknown[]>(
  f: (x: X, ...rest: Rest) => Tensor,
  x: X,
  vector: X,
  ...rest: Rest
): X {
  return jvp(grad(f), x, vector, ...rest)[1];
}

import {
  ArgumentError,
  broadcastShapes,
  cast,
  DTypeError,
  type Shape,
  ShapeError,
  sameShape,
  showShape,
} from '../graph/index.js';
import {
  broadcastTo,
  full,
  ge,
  gt,
  isTensor,
  le,
  logicalAnd,
  type Tensor,
  type TensorLike,
  where,
} from '../tensor/index.js';
import { fromNode, nodeOf } from '../tensor/internal.js';
import type { DrawOptions } from './draws.js';

/** Where a parameter has to be. */
export type Domain = 'real' | 'positive' | 'nonNegative' | 'probability' | 'positiveProbability';

const DOMAINS: Readonly<
  Record<Domain, { holds: (x: number) => boolean; test: ((x: Tensor) => Tensor) | null; words: string }>
> = {
  real: { holds: (x) => !Number.isNaN(x), test: null, words: 'a number' },
  positive: { holds: (x) => x > 0, test: (x) => gt(x, 0), words: 'a number above 0' },
  nonNegative: { holds: (x) => x >= 0, test: (x) => ge(x, 0), words: 'a number of at least 0' },
  probability: {
    holds: (x) => x >= 0 && x <= 1,
    test: (x) => logicalAnd(ge(x, 0), le(x, 1)),
    words: 'a number of 0 to 1',
  },
  positiveProbability: {
    holds: (x) => x > 0 && x <= 1,
    test: (x) => logicalAnd(gt(x, 0), le(x, 1)),
    words: 'a number above 0, up to 1',
  },
};

export interface Parameters {
  /** f32, of the shape of the result. */
  readonly values: readonly Tensor[];
  readonly shape: Shape;
  /** The sample, NaN where a tensor holds a parameter outside of its domain. */
  checked(sample: Tensor): Tensor;
}

/** The shape of a result to which a shape broadcasts. */
export function resultShape(op: string, own: Shape, given: DrawOptions['shape']): Shape {
  if (given === undefined) return own;
  const shape = typeof given === 'number' ? [given] : given;
  if (!Array.isArray(shape)) throw new ArgumentError(`[${op}] shape is ${typeof given} (expected a list of numbers)`);
  if (!sameShape(broadcastShapes(op, own, shape), shape)) {
    throw new ShapeError(`[${op}] parameters are ${showShape(own)} (expected to broadcast to ${showShape(shape)})`);
  }
  return shape;
}

/** The parameters of a distribution by name, as f32 tensors of one shape. Numbers are checked here, tensors where they are computed. */
export function parameters(
  op: string,
  given: Readonly<Record<string, readonly [value: TensorLike, domain: Domain]>>,
  options: DrawOptions | undefined,
): Parameters {
  let own: Shape = [];
  for (const [name, [value, domain]] of Object.entries(given)) {
    if (typeof value === 'number') {
      const { holds, words } = DOMAINS[domain];
      if (!holds(value)) throw new ArgumentError(`[${op}] ${name} is ${value} (expected ${words})`);
    } else {
      const { dtype, shape } = nodeOf(op, value);
      if (dtype === 'bool') throw new DTypeError(`[${op}] ${name} is bool (expected numbers)`);
      own = broadcastShapes(op, own, shape);
    }
  }
  const shape = resultShape(op, own, options?.shape);
  let valid: Tensor | null = null;
  const values = Object.values(given).map(([value, domain]) => {
    if (!isTensor(value)) return full(shape, value);
    const x = broadcastTo(fromNode(cast(value.node, 'f32')), shape);
    const inside = DOMAINS[domain].test?.(x) ?? null;
    if (inside !== null) valid = valid === null ? inside : logicalAnd(valid, inside);
    return x;
  });
  return { values, shape, checked: (sample) => (valid === null ? sample : where(valid, sample, Number.NaN)) };
}

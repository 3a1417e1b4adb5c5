import {
  ArgumentError,
  binary,
  broadcastShapes,
  broadcastTo,
  cast,
  concat,
  cumulative,
  full,
  iota,
  isFloat,
  type Node,
  normalizeAxis,
  permute,
  reshape,
  type Shape,
  ShapeError,
  showShape,
  sizeOf,
  UnsupportedError,
} from '../graph/index.js';
import { checkProduct } from './checkProduct.js';
import { einsum } from './einsum.js';
import { add, mul, sub } from './elementwise.js';
import { matmul, outer } from './linalg.js';
import { asSummable, checkInteger, commonShape, nodeOf } from './operands.js';
import { norm } from './reductions.js';
import type { Tensor } from './tensor.js';
import { flip, roll } from './turning.js';

const shaped = (x: Tensor, shape: Shape): Tensor => x.derive(reshape(x.node, shape));

/** Product of two matrices: no more, and nothing broadcasts. */
export function mm(a: Tensor, b: Tensor): Tensor {
  checkProduct('mm', a, b, [2, 2]);
  return matmul(a, b);
}

/** Products of two batches of matrices: [n, i, k] and [n, k, j] to [n, i, j]; nothing broadcasts. */
export function bmm(a: Tensor, b: Tensor): Tensor {
  checkProduct('bmm', a, b, [3, 3]);
  return matmul(a, b);
}

/** Product of a matrix and a vector. */
export function mv(a: Tensor, b: Tensor): Tensor {
  checkProduct('mv', a, b, [2, 1]);
  return matmul(a, b);
}

/** The same as `dot`: tensors are real. */
export function vdot(a: Tensor, b: Tensor): Tensor {
  checkProduct('vdot', a, b, [1, 1]);
  return matmul(a, b);
}

export interface AddProductOptions {
  /** What the first operand is multiplied by (1); where 0, its NaN and infinities do not count. */
  beta?: number;
  /** What the product is multiplied by (1). */
  alpha?: number;
}

function addProduct(
  op: string,
  input: Tensor,
  product: Tensor,
  { beta = 1, alpha = 1 }: AddProductOptions = {},
): Tensor {
  const { shape } = nodeOf(op, input);
  const missing = product.ndim - shape.length;
  if (missing < 0 || shape.some((d, i) => d !== 1 && d !== product.shape[i + missing])) {
    throw new ShapeError(`[${op}] input is ${showShape(shape)} (expected to broadcast to ${showShape(product.shape)})`);
  }
  const fits = isFloat(product.dtype) ? Number.isFinite : Number.isInteger;
  if (!fits(beta) || !fits(alpha)) {
    throw new ArgumentError(`[${op}] beta ${beta}, alpha ${alpha} (expected finite; integers for ${product.dtype})`);
  }
  const scaled = alpha === 1 ? product : mul(product, alpha);
  if (beta === 0) return scaled;
  return add(beta === 1 ? input : mul(input, beta), scaled);
}

/** beta * input + alpha * (a @ b) for matrices; the input broadcasts. */
export function addmm(input: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
  checkProduct('addmm', a, b, [2, 2]);
  return addProduct('addmm', input, matmul(a, b), options);
}

/** beta * input + alpha * (matrix @ vector); the input broadcasts. */
export function addmv(input: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
  checkProduct('addmv', a, b, [2, 1]);
  return addProduct('addmv', input, matmul(a, b), options);
}

/** beta * input + alpha * outer(a, b); the input broadcasts. */
export function addr(input: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
  return addProduct('addr', input, outer(a, b), options);
}

/** beta * input + alpha * the products of two batches of matrices; the input broadcasts. */
export function baddbmm(input: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
  checkProduct('baddbmm', a, b, [3, 3]);
  return addProduct('baddbmm', input, matmul(a, b), options);
}

/** beta * input + alpha * the sum of the products of two batches of matrices; the input broadcasts. */
export function addbmm(input: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions): Tensor {
  checkProduct('addbmm', a, b, [3, 3]);
  return addProduct('addbmm', input, einsum('bij,bjk->ik', a, b), options);
}

/**
 * Sums of products over axes of a and b: over so many last axes of a and first ones of b (2), or over the pairs listed: [of a, of b].
 * The other axes of a come first.
 */
export function tensordot(
  a: Tensor,
  b: Tensor,
  dims: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor {
  const op = 'tensordot';
  const [p, q] = [nodeOf(op, a).shape, nodeOf(op, b).shape];
  let axes: readonly [readonly number[], readonly number[]];
  if (typeof dims === 'number') {
    const count = checkInteger(op, 'dims', dims, 0);
    if (count > Math.min(p.length, q.length)) {
      throw new ShapeError(`[${op}] ${count} axes of ${showShape(p)} and ${showShape(q)}`);
    }
    axes = [0, 1].map((side) =>
      Array.from({ length: count }, (_, i) => (side === 0 ? p.length - count + i : i)),
    ) as never;
  } else {
    axes = dims;
  }
  const [left, right] = [
    axes[0].map((d) => normalizeAxis(op, d, p.length)),
    axes[1].map((d) => normalizeAxis(op, d, q.length)),
  ];
  if (left.length !== right.length || [left, right].some((list) => new Set(list).size !== list.length)) {
    throw new ShapeError(
      `[${op}] axes do not pair: ${showShape(axes[0])} and ${showShape(axes[1])} (each once, as many)`,
    );
  }
  const unequal = left.findIndex((axis, i) => p[axis] !== q[right[i]!]);
  if (unequal >= 0) {
    throw new ShapeError(
      `[${op}] axes ${left[unequal]} and ${right[unequal]} differ: ${showShape(p)} and ${showShape(q)}`,
    );
  }
  const rest = (shape: Shape, used: readonly number[]): number[] =>
    shape.map((_, i) => i).filter((i) => !used.includes(i));
  const [restLeft, restRight] = [rest(p, left), rest(q, right)];
  const lengths = (shape: Shape, list: readonly number[]): number[] => list.map((i) => shape[i]!);
  const inner = sizeOf(lengths(p, left));
  const rows = a.derive(reshape(permute(a.node, [...restLeft, ...left]), [sizeOf(lengths(p, restLeft)), inner]));
  const columns = b.derive(reshape(permute(b.node, [...right, ...restRight]), [inner, sizeOf(lengths(q, restRight))]));
  return shaped(mm(rows, columns), [...lengths(p, restLeft), ...lengths(q, restRight)]);
}

/** Sums of products over the last axes, which are equal: [..., n] and [---, n] to [..., ---]; a single number multiplies. */
export function inner(a: Tensor, b: Tensor): Tensor {
  const [p, q] = [nodeOf('inner', a).shape, nodeOf('inner', b).shape];
  if (p.length === 0 || q.length === 0) return mul(a, b);
  if (p[p.length - 1] !== q[q.length - 1]) {
    throw new ShapeError(`[inner] last dimensions differ: ${showShape(p)} and ${showShape(q)}`);
  }
  return tensordot(a, b, [[-1], [-1]]);
}

/** out[..., o] = sum of x1[..., i] * weight[o, i, j] * x2[..., j], plus bias[o]. */
export function bilinear(x1: Tensor, x2: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const op = 'bilinear';
  const shapes = [x1, x2, weight].map((x) => nodeOf(op, x).shape) as [Shape, Shape, Shape];
  const [p, q, w] = shapes;
  if (
    w.length !== 3 ||
    p[p.length - 1] !== w[1] ||
    q[q.length - 1] !== w[2] ||
    showShape(p.slice(0, -1)) !== showShape(q.slice(0, -1))
  ) {
    throw new ShapeError(
      `[${op}] shapes do not fit: ${shapes.map(showShape).join(', ')} (expected [..., i], [..., j] and [o, i, j])`,
    );
  }
  if (bias && showShape(nodeOf(op, bias).shape) !== `[${w[0]}]`) {
    throw new ShapeError(`[${op}] bias is ${showShape(bias.shape)} (expected [${w[0]}])`);
  }
  const out = einsum('...i,oij,...j->...o', x1, weight, x2);
  return bias ? add(out, bias) : out;
}

/** The Kronecker product: each element of a times all of b; the shorter shape gets axes of length 1 in front. */
export function kron(a: Tensor, b: Tensor): Tensor {
  const [p, q] = [nodeOf('kron', a).shape, nodeOf('kron', b).shape];
  const rank = Math.max(p.length, q.length);
  const long = (shape: Shape): number[] => [...new Array<number>(rank - shape.length).fill(1), ...shape];
  const [rows, columns] = [long(p), long(q)];
  const product = mul(
    shaped(
      a,
      rows.flatMap((d) => [d, 1]),
    ),
    shaped(
      b,
      columns.flatMap((d) => [1, d]),
    ),
  );
  return shaped(
    product,
    rows.map((d, i) => d * columns[i]!),
  );
}

/** The cross product of vectors of 3 along an axis (the first of length 3 unless given); the operands broadcast. */
export function cross(a: Tensor, b: Tensor, dim?: number | null): Tensor {
  nodeOf('cross', a);
  nodeOf('cross', b);
  const shape = commonShape('cross', [a, b]);
  const axis = dim === undefined || dim === null ? shape.indexOf(3) : normalizeAxis('cross', dim, shape.length);
  if (shape[axis] !== 3) throw new ShapeError(`[cross] no axis of 3: ${showShape(shape)}, dim ${String(dim)}`);
  const [x, y] = [a, b].map((v) => v.derive(broadcastTo(v.node, shape))) as [Tensor, Tensor];
  const turned = (v: Tensor, by: number): Tensor => roll(v, -by, axis);
  return sub(mul(turned(x, 1), turned(y, 2)), mul(turned(x, 2), turned(y, 1)));
}

/** The p-norm distances between all rows of x1 [..., n, d] and of x2 [..., m, d]: [..., n, m]; what comes before broadcasts. */
export function cdist(x1: Tensor, x2: Tensor, p = 2): Tensor {
  const [a, b] = [nodeOf('cdist', x1).shape, nodeOf('cdist', x2).shape];
  if (a.length < 2 || b.length < 2 || a[a.length - 1] !== b[b.length - 1]) {
    throw new ShapeError(
      `[cdist] shapes do not fit: ${showShape(a)} and ${showShape(b)} (expected [..., n, d], [..., m, d])`,
    );
  }
  if (!(p >= 0)) throw new ArgumentError(`[cdist] p is ${p} (expected 0 or more)`);
  broadcastShapes('cdist', a.slice(0, -2), b.slice(0, -2));
  const rows = shaped(x1, [...a.slice(0, -1), 1, a[a.length - 1]!]);
  const columns = shaped(x2, [...b.slice(0, -2), 1, ...b.slice(-2)]);
  return norm(sub(rows, columns), p, -1);
}

/** A square matrix (or a batch of them) multiplied by itself n times; the identity for 0. Throws UnsupportedError for negative n. */
export function matrixPower(x: Tensor, n: number): Tensor {
  const op = 'matrixPower';
  const { shape } = nodeOf(op, x);
  const size = shape[shape.length - 1];
  if (shape.length < 2 || size !== shape[shape.length - 2]) {
    throw new ShapeError(`[${op}] not square: ${showShape(shape)} (expected [..., n, n])`);
  }
  if (checkInteger(op, 'n', n) < 0) throw new UnsupportedError(`[${op}] negative power: ${n} (invert first)`);
  let result: Tensor | null = null;
  let square = x;
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = result === null ? square : matmul(result, square);
    if (left > 1) square = matmul(square, square);
  }
  return result ?? x.derive(cast(binary('eq', iota(shape, shape.length - 2), iota(shape, shape.length - 1)), x.dtype));
}

/** The powers of a vector's elements: [n, columns], from the highest to 1, or with `{ increasing: true }` the other way. As many as elements. */
export function vander(x: Tensor, columns?: number | null, options?: { increasing?: boolean }): Tensor {
  const node: Node = nodeOf('vander', x);
  if (node.shape.length !== 1) throw new ShapeError(`[vander] not a vector: ${showShape(node.shape)}`);
  const [n] = node.shape as [number];
  const count = checkInteger('vander', 'columns', columns ?? n, 0);
  if (count === 0) return x.derive(full([n, 0], 0, node.dtype));
  const numbers = asSummable(node);
  // Running products, not powers: exact for integers, and differentiable at 0.
  const factors = broadcastTo(reshape(numbers, [n, 1]), [n, count - 1]);
  const powers = x.derive(cumulative('prod', concat([full([n, 1], 1, numbers.dtype), factors], 1), 1));
  return options?.increasing ? powers : flip(powers, 1);
}

import {
  broadcastShapes,
  broadcastTo,
  cast,
  type DType,
  dot as dotNode,
  type Node,
  promote,
  reshape,
  ShapeError,
  showShape,
  sizeOf,
} from '../graph/index.js';
import { add, mul } from './elementwise.js';
import { transpose } from './movement.js';
import { nodeOf, requireDType } from './operands.js';
import type { Tensor } from './tensor.js';

const NUMERIC: readonly DType[] = ['f32', 'i32', 'u32'];

/**
 * Matrix product of any ranks of 1 or more: vectors are a row on the left and a column on the right (and that axis goes away again),
 * the axes before the last two broadcast. Dtypes promote; bool is refused.
 * Throws ShapeError when the inner dimensions differ or a single number is given.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  return a.derive(product('matmul', nodeOf('matmul', a), nodeOf('matmul', b)));
}

function product(op: string, a: Node, b: Node): Node {
  const dtype = promote(a.dtype, b.dtype);
  requireDType(op, dtype, NUMERIC);
  const both = `${showShape(a.shape)} x ${showShape(b.shape)}`;
  if (a.shape.length === 0 || b.shape.length === 0) {
    throw new ShapeError(`[${op}] a single number is no matrix: ${both} (expected rank 1 or more)`);
  }
  const inner = a.shape[a.shape.length - 1]!;
  const other = b.shape[Math.max(0, b.shape.length - 2)]!;
  if (inner !== other) throw new ShapeError(`[${op}] inner dimensions differ: ${both} (${inner} against ${other})`);

  const left = cast(a.shape.length === 1 ? reshape(a, [1, inner]) : a, dtype);
  const right = cast(b.shape.length === 1 ? reshape(b, [inner, 1]) : b, dtype);
  const rows = left.shape[left.shape.length - 2]!;
  const columns = right.shape[right.shape.length - 1]!;
  const batch = broadcastShapes(op, left.shape.slice(0, -2), right.shape.slice(0, -2));
  const shape = [...batch, ...(a.shape.length === 1 ? [] : [rows]), ...(b.shape.length === 1 ? [] : [columns])];
  if (right.shape.length === 2) {
    // One matrix on the right serves every batch: all rows form one tall matrix.
    return reshape(dotNode(reshape(left, [sizeOf(batch) * rows, inner]), right), shape);
  }
  const fullLeft = broadcastTo(left, [...batch, rows, inner]);
  const fullRight = broadcastTo(right, [...batch, inner, columns]);
  return reshape(dotNode(fullLeft, fullRight), shape);
}

/** Inner product of two vectors of one length. Throws ShapeError for other ranks. */
export function dot(a: Tensor, b: Tensor): Tensor {
  const shapes = [nodeOf('dot', a).shape, nodeOf('dot', b).shape] as const;
  if (shapes.some((shape) => shape.length !== 1)) {
    throw new ShapeError(`[dot] not two vectors: ${showShape(shapes[0])} and ${showShape(shapes[1])} (see matmul)`);
  }
  return a.derive(product('dot', a.node, b.node));
}

/** Outer product of two vectors: [n] and [m] to [n, m]. Throws ShapeError for other ranks. */
export function outer(a: Tensor, b: Tensor): Tensor {
  const left = nodeOf('outer', a);
  const right = nodeOf('outer', b);
  if (left.shape.length !== 1 || right.shape.length !== 1) {
    throw new ShapeError(`[outer] not two vectors: ${showShape(left.shape)} and ${showShape(right.shape)}`);
  }
  requireDType('outer', promote(left.dtype, right.dtype), NUMERIC);
  return mul(a.derive(reshape(left, [left.shape[0]!, 1])), b.derive(reshape(right, [1, right.shape[0]!])));
}

/** x @ weight^T + bias: [..., in], [out, in] and [out] to [..., out]. Throws ShapeError where they do not fit. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  const shape = nodeOf('linear', weight).shape;
  if (shape.length !== 2) throw new ShapeError(`[linear] weight is not a matrix: ${showShape(shape)} ([out, in])`);
  if (nodeOf('linear', x).shape.at(-1) !== shape[1]) {
    throw new ShapeError(
      `[linear] features do not fit: input ${showShape(x.shape)}, weight ${showShape(shape)} (last dimension ${shape[1]})`,
    );
  }
  if (bias && (nodeOf('linear', bias).shape.length !== 1 || bias.shape[0] !== shape[0])) {
    throw new ShapeError(`[linear] bias is ${showShape(bias.shape)} (expected [${shape[0]}])`);
  }
  const out = matmul(x, transpose(weight, 0, 1));
  return bias ? add(out, bias) : out;
}

import { DTypeError, ShapeError, showShape } from '../graph/index.js';
import { nodeOf } from './operands.js';
import type { Tensor } from './tensor.js';

/** Throws unless the operands have the ranks given and fit each other as a product. */
export function checkProduct(op: string, a: Tensor, b: Tensor, ranks: readonly [number, number]): void {
  const [p, q] = [nodeOf(op, a).shape, nodeOf(op, b).shape];
  const both = `${showShape(p)} x ${showShape(q)}`;
  if (p.length !== ranks[0] || q.length !== ranks[1]) {
    throw new ShapeError(`[${op}] ranks do not fit: ${both} (expected ${ranks.join(' and ')}; see matmul)`);
  }
  const [inner, other] = [p[p.length - 1], q[Math.max(0, q.length - 2)]];
  if (inner !== other) throw new ShapeError(`[${op}] inner dimensions differ: ${both} (${inner} against ${other})`);
  if (ranks[0] === 3 && p[0] !== q[0]) throw new ShapeError(`[${op}] batches differ: ${both}`);
  if (a.dtype === 'bool' || b.dtype === 'bool') throw new DTypeError(`[${op}] dtype not allowed: bool (cast first)`);
}

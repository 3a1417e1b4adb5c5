import { ArgumentError, DTypeError, isFloat, type Node, ShapeError, showShape } from '../graph/index.js';
import { checkInteger, nodeOf } from './operands.js';
import type { Tensor } from './tensor.js';

/** One value for every spatial axis, or one each. */
export type PerAxis = number | readonly number[];

/** The values of an option, one for each spatial axis. */
export function perAxis(op: string, name: string, value: PerAxis, axes: number, least: number): number[] {
  if (typeof value !== 'number' && !Array.isArray(value)) {
    throw new ArgumentError(`[${op}] ${name} is ${String(value)} (expected a number or ${axes} of them)`);
  }
  const list = typeof value === 'number' ? new Array<number>(axes).fill(value) : [...value];
  if (list.length !== axes) {
    throw new ArgumentError(`[${op}] ${name} has ${list.length} values: ${showShape(list)} (expected 1 or ${axes})`);
  }
  for (const v of list) checkInteger(op, name, v, least);
  return list;
}

const SPATIAL = ['L', 'H, W', 'D, H, W'];

/** The node of a floating input with `spatial` axes after channels and maybe a batch. */
export function spatialInput(op: string, spatial: number, x: Tensor): Node {
  const node = nodeOf(op, x);
  if (!isFloat(node.dtype)) throw new DTypeError(`[${op}] input is ${node.dtype} (expected f32)`);
  const rank = node.shape.length;
  if (rank !== spatial + 1 && rank !== spatial + 2) {
    const axes = SPATIAL[spatial - 1];
    throw new ShapeError(
      `[${op}] rank is ${rank}: ${showShape(node.shape)} (expected [N, C, ${axes}] or [C, ${axes}])`,
    );
  }
  return node;
}

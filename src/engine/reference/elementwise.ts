import {
  InternalError,
  isFloat,
  type Node,
  rangeOf,
  roundToDType,
  type TypedArray,
  wideDType,
} from '../../graph/index.js';
import { zeros } from './arrays.js';
import { BINARY } from './binary.js';
import type { Evaluators } from './evaluator.js';
import { UNARY } from './unary.js';

const noLoop = (node: Node<'unary'> | Node<'binary'>): InternalError =>
  new InternalError(`[reference] ${node.attrs.fn} of ${node.inputs[0]!.dtype} (its builder refuses that)`);

function select(condition: TypedArray, a: TypedArray, b: TypedArray, out: TypedArray): void {
  for (let i = 0; i < out.length; i++) out[i] = condition[i] ? a[i]! : b[i]!;
}

/** To integers: truncates and saturates, NaN gives 0. */
function truncate(x: TypedArray, out: TypedArray, low: number, high: number): void {
  for (let i = 0; i < out.length; i++) {
    const value = x[i]!;
    out[i] = value <= low ? low : value >= high ? high : Number.isNaN(value) ? 0 : Math.trunc(value);
  }
}

function truth(x: TypedArray, out: TypedArray): void {
  for (let i = 0; i < out.length; i++) out[i] = x[i] === 0 ? 0 : 1;
}

export const elementwise: Pick<Evaluators, 'unary' | 'binary' | 'where' | 'cast'> = {
  unary: (node, [x]) => {
    const loop = UNARY[node.attrs.fn][node.inputs[0]!.dtype];
    if (!loop) throw noLoop(node);
    const out = zeros(node.shape, node.dtype);
    loop(x!, out);
    return out;
  },
  binary: (node, [a, b]) => {
    const loop = BINARY[node.attrs.fn][node.inputs[0]!.dtype];
    if (!loop) throw noLoop(node);
    const out = zeros(node.shape, node.dtype);
    loop(a!, b!, out);
    return out;
  },
  where: (node, [condition, a, b]) => {
    const out = zeros(node.shape, node.dtype);
    select(condition!, a!, b!, out);
    return out;
  },
  cast: (node, [x]) => {
    const out = zeros(node.shape, node.dtype);
    const { dtype } = node;
    if (dtype === 'bool') truth(x!, out);
    else if (dtype === 'f16') for (let i = 0; i < out.length; i++) out[i] = roundToDType(x![i]!, dtype);
    else if (dtype === 'f32' || !isFloat(node.inputs[0]!.dtype)) out.set(x!);
    else truncate(x!, out, ...rangeOf(wideDType(dtype)));
    return out;
  },
};

import { isFloat, isPacked } from './dtype.js';
import { narrowed, widened } from './elementwise.js';
import { ArgumentError, DTypeError, ShapeError } from './errors.js';
import { type ConvAttrs, makeNode, type Node } from './node.js';
import { showShape } from './shape.js';

/** Batched matrix product [...batch, M, K] x [...batch, K, N]; equal batch dimensions, f32 or integers. */
export function dot(a: Node, b: Node): Node {
  if (isPacked(a.dtype) || isPacked(b.dtype)) {
    if (a.dtype === b.dtype) return narrowed(dot(widened(a), widened(b)), a.dtype);
    if (isFloat(a.dtype) && isFloat(b.dtype)) return dot(widened(a), widened(b));
  }
  const r = a.shape.length;
  if (a.dtype !== b.dtype || a.dtype === 'bool') {
    throw new DTypeError(`[dot] dtypes ${a.dtype} and ${b.dtype} (expected one numeric dtype)`);
  }
  if (r < 2 || b.shape.length !== r || a.shape.slice(0, -2).some((d, i) => d !== b.shape[i])) {
    throw new ShapeError(`[dot] batch dimensions differ: ${showShape(a.shape)} x ${showShape(b.shape)}`);
  }
  const k = a.shape[r - 1]!;
  if (k !== b.shape[r - 2]) {
    throw new ShapeError(
      `[dot] inner dimensions differ: ${showShape(a.shape)} x ${showShape(b.shape)} (${k} against ${b.shape[r - 2]})`,
    );
  }
  return makeNode('dot', [a, b], {}, [...a.shape.slice(0, -1), b.shape[r - 1]!], a.dtype);
}

/** Output size of one spatial axis of a convolution. */
export function convOutputSize(input: number, kernel: number, attrs: ConvAttrs, axis: number): number {
  const dilated = input === 0 ? 0 : (input - 1) * attrs.inputDilation[axis]! + 1;
  const span = kernel === 0 ? 0 : (kernel - 1) * attrs.kernelDilation[axis]! + 1;
  const room = dilated + attrs.padLow[axis]! + attrs.padHigh[axis]! - span;
  return room < 0 ? 0 : Math.floor(room / attrs.stride[axis]!) + 1;
}

/** Cross-correlation [N, C, ...spatial] x [O, C / groups, ...kernel] -> [N, O, ...out], f32. */
export function conv(x: Node, w: Node, attrs: ConvAttrs): Node {
  const spatial = x.shape.length - 2;
  if (isFloat(x.dtype) && isFloat(w.dtype) && (isPacked(x.dtype) || isPacked(w.dtype))) {
    const wide = conv(widened(x), widened(w), attrs);
    return x.dtype === w.dtype ? narrowed(wide, x.dtype) : wide;
  }
  if (x.dtype !== 'f32' || w.dtype !== 'f32')
    throw new DTypeError(`[conv] dtypes ${x.dtype} and ${w.dtype} (expected f32)`);
  if (spatial < 1 || w.shape.length !== x.shape.length) {
    throw new ShapeError(
      `[conv] ranks do not fit: ${showShape(x.shape)} and ${showShape(w.shape)} (expected equal ranks of 3 or more)`,
    );
  }
  for (const list of [attrs.stride, attrs.padLow, attrs.padHigh, attrs.inputDilation, attrs.kernelDilation]) {
    if (list.length !== spatial)
      throw new ArgumentError(`[conv] needs ${spatial} values an option: [${list.join(', ')}]`);
  }
  if ([...attrs.stride, ...attrs.inputDilation, ...attrs.kernelDilation].some((v) => !Number.isInteger(v) || v < 1)) {
    throw new ArgumentError('[conv] stride and dilation are integers of at least 1');
  }
  const { groups } = attrs;
  if (!Number.isInteger(groups) || groups < 1 || x.shape[1] !== w.shape[1]! * groups || w.shape[0]! % groups !== 0) {
    throw new ShapeError(
      `[conv] channels do not fit: input ${showShape(x.shape)}, weight ${showShape(w.shape)}, groups ${groups} (input channels = weight[1] * groups, weight[0] divisible by groups)`,
    );
  }
  const out = x.shape.slice(2).map((d, i) => convOutputSize(d, w.shape[i + 2]!, attrs, i));
  return makeNode('conv', [x, w], attrs, [x.shape[0]!, w.shape[0]!, ...out], 'f32');
}

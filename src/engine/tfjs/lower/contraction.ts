import {
  type ConvAttrs,
  isFloat,
  isPrim,
  type Node,
  rowMajorStrides,
  type Shape,
  sameShape,
  sizeOf,
} from '../../../graph/index.js';
import { MAX_RANK } from '../emit.js';
import type { Ref } from '../tape.js';
import type { Fused } from './fuse.js';
import type { Lower } from './lower.js';
import { type Lowering, MAX_PAIRS, type Value } from './lowering.js';
import { byPlaces, padded, permuted, sliced, spaced } from './movement.js';

/** A matrix, or a batch of them in three axes; `transposed` where it is kept the other way round. */
interface Operand {
  readonly ref: Ref;
  readonly transposed: boolean;
}

const swapsLast = (order: readonly number[]): boolean =>
  order.every((axis, i) => axis === (i < order.length - 2 ? i : 2 * order.length - 3 - i));

/**
 * A factor of a product. Kernels take a transposed one as it lies, except that those of wasm are ten times slower then than transposing
 * takes.
 */
function operandOf(l: Lowering, node: Node, batch: number): Operand {
  const turned = l.backend !== 'wasm' && isPrim(node, 'permute') && swapsLast(node.attrs.order);
  const source = turned ? node.inputs[0]! : node;
  return { ref: inThree(l, l.tensor(l.valueOf(source)), batch), transposed: turned };
}

/**
 * The kernels of wasm remember what they made of a right factor by its data, whatever its shape: data that is a matrix of another shape
 * elsewhere is copied.
 */
export function asRightFactor(l: Lowering, x: Ref): Ref {
  if (l.backend !== 'wasm') return x;
  const origin = l.emit.originOf(x);
  if (isSameMatrix(origin.shape, x.shape)) {
    l.rightFactors.add(origin.slot);
    return x;
  }
  return l.emit.copy(x);
}

/** A bias as kernels take it. Those of wasm ask how its data was made, not what it is seen as. */
function asBias(l: Lowering, node: Node, size: number): Ref {
  const bias = l.emit.reshape(l.tensor(l.valueOf(node)), [size]);
  return l.backend === 'wasm' && l.emit.originOf(bias).shape.length !== 1 ? l.emit.copy(bias) : bias;
}

/** Whether the last two axes agree. */
export const isSameMatrix = (a: Shape, b: Shape): boolean =>
  a.length >= 2 && b.length >= 2 && sameShape(a.slice(-2), b.slice(-2));

const inThree = (l: Lowering, x: Ref, batch: number): Ref =>
  l.emit.reshape(x, [batch, x.shape[x.shape.length - 2]!, x.shape[x.shape.length - 1]!]);

function product(l: Lowering, node: Node<'dot'>, fused: Fused | null): Ref {
  const batch = sizeOf(node.shape.slice(0, -2));
  const [M, N] = node.shape.slice(-2) as [number, number];
  const [a, b] = node.inputs.map((input) => operandOf(l, input, batch)) as [Operand, Operand];
  const attrs = { transposeA: a.transposed, transposeB: b.transposed };
  const factors = { a: a.ref, b: asRightFactor(l, b.ref) };
  if (fused === null) return l.tape.kernel('BatchMatMul', factors, attrs, [batch, M, N], 'float32');
  const bias = asBias(l, fused.bias, N);
  l.fused++;
  return l.tape.kernel(
    '_FusedMatMul',
    { ...factors, bias },
    { ...attrs, activation: fused.activation },
    [batch, M, N],
    'float32',
  );
}

/** Kernels multiply floats: integers are multiplied in pairs, which wrap as the sums of them do. */
function integerProduct(l: Lowering, node: Node<'dot'>): Value {
  const { emit } = l;
  const batch = sizeOf(node.shape.slice(0, -2));
  const [M, K] = node.inputs[0]!.shape.slice(-2) as [number, number];
  const N = node.shape[node.shape.length - 1]!;
  if (batch * M * K * N > MAX_PAIRS) return l.readingBack(node, `large dot ${node.dtype}`);
  const [a, b] = node.inputs.map((input) => l.tensor(l.valueOf(input))) as [Ref, Ref];
  const pairs = emit.multiplyInts(emit.reshape(a, [batch, M, K, 1]), emit.reshape(b, [batch, 1, K, N]));
  return l.made(node, emit.reshape(emit.reduce('Sum', pairs, [2]), node.shape));
}

const NHWC = { dataFormat: 'NHWC', dimRoundingMode: undefined } as const;

/** The input as a valid convolution takes it: dilated, and cropped where padding is negative; what is left to pad. */
function prepared(l: Lowering, x: Ref, attrs: ConvAttrs): { x: Ref; low: number[]; high: number[] } {
  const wide = spaced(l, x, [0, 0, ...attrs.inputDilation.map((d) => d - 1)], 0);
  const crop = (pads: readonly number[]): number[] => [0, 0, ...pads.map((p) => Math.max(0, -p))];
  const [before, after] = [crop(attrs.padLow), crop(attrs.padHigh)];
  const inside = sliced(
    l,
    wide,
    before,
    wide.shape.map((d, i) => d - before[i]! - after[i]!),
  );
  const outside = (pads: readonly number[]): number[] => pads.map((p) => Math.max(0, p));
  return { x: inside, low: outside(attrs.padLow), high: outside(attrs.padHigh) };
}

const toLast = (rank: number): number[] => [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];
const fromLast = (rank: number): number[] => [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)];

/** Whether each group is one channel, in a form that all backends have a kernel for. */
function isDepthwise({ attrs, inputs }: Node<'conv'>): boolean {
  const { stride, kernelDilation, groups } = attrs;
  const even = stride.every((s) => s === stride[0]);
  const plain = stride.every((s) => s === 1) || kernelDilation.every((d) => d === 1);
  return groups > 1 && inputs[1]!.shape[1] === 1 && even && plain;
}

/** Whether a convolution is one kernel, which takes a bias. */
export const takesBias = (node: Node<'conv'>): boolean =>
  node.shape.length <= MAX_RANK && (node.attrs.groups === 1 || isDepthwise(node));

/** [N, C, H, W] by [O, C, h, w] in kernels that want channels last. */
function conv2d(
  l: Lowering,
  x: Ref,
  w: Ref,
  low: readonly number[],
  high: readonly number[],
  attrs: ConvAttrs,
  fused: Fused | null,
  out: Shape,
): Ref {
  const { emit } = l;
  const depthwise = attrs.groups > 1;
  const explicit = l.backend !== 'tensorflow';
  const around = explicit ? x : padded(l, x, [0, 0, ...low], [0, 0, ...high], 0);
  const image = permuted(l, around, [0, 2, 3, 1]);
  // Of a depthwise filter the channels come first: [h, w, channels, outputs of each].
  const [h, ww] = w.shape.slice(2) as [number, number];
  const channels = attrs.groups;
  const filter = depthwise
    ? permuted(l, emit.reshape(w, [channels, w.shape[0]! / channels, h, ww]), [2, 3, 0, 1])
    : permuted(l, w, [2, 3, 1, 0]);
  const own = asRightFactor(l, filter);
  const sides = [
    [0, 0],
    [low[0]!, high[0]!],
    [low[1]!, high[1]!],
    [0, 0],
  ];
  const none = [...low, ...high].every((p) => p === 0);
  const options = {
    ...NHWC,
    strides: attrs.stride,
    dilations: attrs.kernelDilation,
    pad: explicit && !none ? sides : 'valid',
  };
  const shape = [out[0]!, out[2]!, out[3]!, out[1]!];
  if (fused === null) {
    return permuted(
      l,
      l.tape.kernel(
        depthwise ? 'DepthwiseConv2dNative' : 'Conv2D',
        { x: image, filter: own },
        options,
        shape,
        'float32',
      ),
      [0, 3, 1, 2],
    );
  }
  const bias = asBias(l, fused.bias, out[1]!);
  l.fused++;
  const name = depthwise ? 'FusedDepthwiseConv2D' : 'FusedConv2D';
  const made = l.tape.kernel(
    name,
    { x: image, filter: own, bias },
    { ...options, activation: fused.activation },
    shape,
    'float32',
  );
  return permuted(l, made, [0, 3, 1, 2]);
}

/** A product of the kernel with all windows that it sees, for what has no kernel of its own. */
function byWindows(l: Lowering, x: Ref, w: Ref, attrs: ConvAttrs, out: Shape): Ref {
  const { emit } = l;
  const { groups, stride, kernelDilation } = attrs;
  const kernel = w.shape.slice(2);
  const positions = out.slice(2);
  const strides = rowMajorStrides(x.shape);
  const [channelsIn, channelsOut] = [x.shape[1]! / groups, out[1]! / groups];
  const shape = [x.shape[0]!, groups, channelsIn, ...kernel, ...positions];
  const windows = byPlaces(l, x, shape, 0, [
    strides[0]!,
    channelsIn * strides[1]!,
    strides[1]!,
    ...kernel.map((_, i) => strides[i + 2]! * kernelDilation[i]!),
    ...positions.map((_, i) => strides[i + 2]! * stride[i]!),
  ]);
  const [K, P] = [channelsIn * sizeOf(kernel), sizeOf(positions)];
  const columns = emit.reshape(windows, [x.shape[0]! * groups, K, P]);
  const rows = emit.reshape(w, [1, groups * channelsOut, K]);
  const all = emit.reshape(emit.expand(rows, [x.shape[0]!, groups * channelsOut, K]), [
    x.shape[0]! * groups,
    channelsOut,
    K,
  ]);
  const made = l.tape.kernel(
    'BatchMatMul',
    { a: all, b: asRightFactor(l, columns) },
    { transposeA: false, transposeB: false },
    [x.shape[0]! * groups, channelsOut, P],
    'float32',
  );
  return emit.reshape(made, out);
}

function convolution(l: Lowering, node: Node<'conv'>, fused: Fused | null): Ref {
  const { emit } = l;
  const { attrs } = node;
  const [given, weight] = node.inputs.map((input) => l.tensor(l.valueOf(input))) as [Ref, Ref];
  const { x, low, high } = prepared(l, given, attrs);
  const spatial = x.shape.length - 2;
  const { groups } = attrs;
  if (spatial <= 2) {
    // One axis is two, of which one is 1.
    const flat = spatial === 1;
    const four = (y: Ref): Ref => (flat ? emit.reshape(y, [y.shape[0]!, y.shape[1]!, 1, y.shape[2]!]) : y);
    const two = (list: readonly number[], filler: number): readonly number[] => (flat ? [filler, ...list] : list);
    const wide: ConvAttrs = { ...attrs, stride: two(attrs.stride, 1), kernelDilation: two(attrs.kernelDilation, 1) };
    const out = flat ? [node.shape[0]!, node.shape[1]!, 1, node.shape[2]!] : node.shape;
    const [image, w] = [four(x), four(weight)];
    const [before, after] = [two(low, 0), two(high, 0)];
    if (groups === 1 || isDepthwise(node)) {
      return emit.reshape(conv2d(l, image, w, before, after, wide, fused, out), node.shape);
    }
    const parts = Array.from({ length: groups }, (_, g) => {
      const take = (y: Ref, axis: number): Ref => {
        const size = y.shape.map((d, i) => (i === axis ? d / groups : d));
        return emit.slice(
          y,
          size.map((d, i) => (i === axis ? g * d : 0)),
          size,
        );
      };
      const each = [out[0]!, out[1]! / groups, out[2]!, out[3]!];
      return conv2d(l, take(image, 1), take(w, 0), before, after, { ...wide, groups: 1 }, null, each);
    });
    return emit.reshape(emit.concat(parts, 1), node.shape);
  }
  const around = padded(l, x, [0, 0, ...low], [0, 0, ...high], 0);
  const plain = spatial === 3 && groups === 1 && attrs.kernelDilation.every((d) => d === 1);
  if (!plain) return byWindows(l, around, weight, attrs, node.shape);
  const rank = spatial + 2;
  const image = permuted(l, around, toLast(rank));
  const filter = permuted(l, weight, [2, 3, 4, 1, 0]);
  const shape = toLast(rank).map((axis) => node.shape[axis]!);
  const options = { strides: attrs.stride, pad: 'valid', dataFormat: 'NDHWC', dilations: attrs.kernelDilation };
  return permuted(l, l.tape.kernel('Conv3D', { x: image, filter }, options, shape, 'float32'), fromLast(rank));
}

/** A product or convolution, with what is fused into it. */
export function contracted(l: Lowering, node: Node<'dot'> | Node<'conv'>, fused: Fused | null): Ref {
  const ref = isPrim(node, 'dot') ? product(l, node, fused) : convolution(l, node as Node<'conv'>, fused);
  return l.emit.reshape(ref, node.shape);
}

export const contraction: Pick<Lower, 'dot' | 'conv'> = {
  dot: (l, node) => (isFloat(node.dtype) ? l.made(node, contracted(l, node, null)) : integerProduct(l, node)),
  conv: (l, node) => l.made(node, contracted(l, node, null)),
};

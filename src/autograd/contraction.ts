import { conv, dot } from '../graph/contraction.js';
import { flip, permute, reshape, transposeLast } from '../graph/movement.js';
import type { ConvAttrs, Node } from '../graph/node.js';
import { sizeOf } from '../graph/shape.js';
import { full } from '../graph/sources.js';
import type { VjpRules } from './rule.js';

/** Elements from the first to the last of `n`, `step` apart. */
const spanOf = (n: number, step: number): number => (n - 1) * step + 1;

/**
 * Gradient of the input: the weights flipped, with input and output channels swapped, over the gradient spread out by the
 * stride. With i an input place, k a place of the kernel and p an output place, i * inputDilation + padLow = p * stride + k *
 * kernelDilation; reading k backwards makes that a convolution that yields i.
 */
function convInputGradient(g: Node, x: Node, w: Node, attrs: ConvAttrs): Node {
  if (sizeOf(g.shape) === 0 || sizeOf(w.shape) === 0 || sizeOf(x.shape) === 0) return full(x.shape, 0, x.dtype);
  const { stride, padLow, inputDilation, kernelDilation, groups } = attrs;
  const [out, inPerGroup, ...kernel] = w.shape as [number, number, ...number[]];
  const outPerGroup = out / groups;
  const spatial = kernel.map((_, i) => i);

  const grouped = reshape(w, [groups, outPerGroup, inPerGroup, ...kernel]);
  const swapped = permute(grouped, [0, 2, 1, ...spatial.map((i) => i + 3)]);
  const weights = flip(
    reshape(swapped, [groups * inPerGroup, outPerGroup, ...kernel]),
    spatial.map((i) => i + 2),
  );

  const low = spatial.map((i) => (kernel[i]! - 1) * kernelDilation[i]! - padLow[i]!);
  // Whatever gives one place for each element of x: the rows that the stride left over are in it.
  const high = spatial.map((i) => {
    const wanted = spanOf(x.shape[i + 2]!, inputDilation[i]!);
    return wanted - 1 + spanOf(kernel[i]!, kernelDilation[i]!) - spanOf(g.shape[i + 2]!, stride[i]!) - low[i]!;
  });
  return conv(g, weights, {
    stride: inputDilation,
    padLow: low,
    padHigh: high,
    inputDilation: stride,
    kernelDilation,
    groups,
  });
}

/** Gradient of the weights: the gradient slides over the input, with batch and channels swapped and stride and dilation swapped. */
function convWeightGradient(g: Node, x: Node, w: Node, attrs: ConvAttrs): Node {
  if (sizeOf(g.shape) === 0 || sizeOf(w.shape) === 0 || sizeOf(x.shape) === 0) return full(w.shape, 0, w.dtype);
  const { stride, padLow, inputDilation, kernelDilation, groups } = attrs;
  const [out, inPerGroup, ...kernel] = w.shape as [number, number, ...number[]];
  const outPerGroup = out / groups;
  const [batch, , ...size] = x.shape as [number, number, ...number[]];
  const places = g.shape.slice(2);
  const spatial = kernel.map((_, i) => i);
  const after = spatial.map((i) => i + 3);

  const images = reshape(permute(reshape(x, [batch, groups, inPerGroup, ...size]), [2, 1, 0, ...after]), [
    inPerGroup,
    groups * batch,
    ...size,
  ]);
  const kernels = reshape(permute(reshape(g, [batch, groups, outPerGroup, ...places]), [1, 2, 0, ...after]), [
    out,
    batch,
    ...places,
  ]);

  // Crops to the kernel's size where the stride left rows over.
  const high = spatial.map((i) => {
    const wanted = spanOf(kernel[i]!, kernelDilation[i]!);
    return wanted - 1 + spanOf(places[i]!, stride[i]!) - spanOf(size[i]!, inputDilation[i]!) - padLow[i]!;
  });
  const gradient = conv(images, kernels, {
    stride: kernelDilation,
    padLow,
    padHigh: high,
    inputDilation,
    kernelDilation: stride,
    groups,
  });
  return permute(gradient, [1, 0, ...spatial.map((i) => i + 2)]);
}

export const contractionRules: Pick<VjpRules, 'dot' | 'conv'> = {
  dot: (node, g, needs) => {
    const [a, b] = node.inputs as [Node, Node];
    return [needs[0] ? dot(g, transposeLast(b)) : null, needs[1] ? dot(transposeLast(a), g) : null];
  },
  conv: (node, g, needs) => {
    const [x, w] = node.inputs as [Node, Node];
    return [
      needs[0] ? convInputGradient(g, x, w, node.attrs) : null,
      needs[1] ? convWeightGradient(g, x, w, node.attrs) : null,
    ];
  },
};

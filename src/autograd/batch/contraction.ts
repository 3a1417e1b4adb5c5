import { conv, dot } from '../../graph/contraction.js';
import { permute, reshape } from '../../graph/movement.js';
import type { Node } from '../../graph/node.js';
import { full } from '../../graph/sources.js';
import { type BatchRules, type Lifted, spread } from './rule.js';

const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

export const contractionBatch: Pick<BatchRules, 'dot' | 'conv'> = {
  dot: (node, [a, b], { size }) => {
    const [m, n] = node.shape.slice(-2) as [number, number];
    if (node.shape.length === 2 && !b!.batched) {
      // One matrix for all examples: one product with all of their rows.
      const k = b!.node.shape[0]!;
      return reshape(dot(reshape(a!.node, [size * m, k]), b!.node), [size, m, n]);
    }
    if (node.shape.length === 2 && !a!.batched) {
      const k = a!.node.shape[1]!;
      const columns = reshape(permute(b!.node, [1, 0, 2]), [k, size * n]);
      return permute(reshape(dot(a!.node, columns), [m, size, n]), [1, 0, 2]);
    }
    return dot(spread(a!, size), spread(b!, size));
  },
  conv: (node, [x, w], { size }) => {
    if (size === 0) return full([0, ...node.shape], 0, 'f32');
    return !w!.batched
      ? sameKernel(node, x!, w!.node)
      : x!.batched
        ? eachItsOwn(node, x!.node, w!.node)
        : sameImages(node, x!.node, w!.node);
  },
};

/** The examples become more images. */
function sameKernel(node: Node<'conv'>, x: Lifted, w: Node): Node {
  const [size, n, ...image] = x.node.shape as [number, number, ...number[]];
  const out = conv(reshape(x.node, [size * n, ...image]), w, node.attrs);
  return reshape(out, [size, ...node.shape]);
}

/** The examples become more channels of output in each group. */
function sameImages(node: Node<'conv'>, x: Node, w: Node): Node {
  const { groups } = node.attrs;
  const [size, out, ...kernel] = w.shape as [number, number, ...number[]];
  const [n, , ...places] = node.shape as [number, number, ...number[]];
  const perGroup = out / groups;
  const kernels = permute(reshape(w, [size, groups, perGroup, ...kernel]), [1, 0, 2, ...from(3, kernel.length)]);
  const y = conv(x, reshape(kernels, [size * out, ...kernel]), node.attrs);
  const apart = permute(reshape(y, [n, groups, size, perGroup, ...places]), [2, 0, 1, 3, ...from(4, places.length)]);
  return reshape(apart, [size, ...node.shape]);
}

/** The examples become more groups. */
function eachItsOwn(node: Node<'conv'>, x: Node, w: Node): Node {
  const [size, out, ...kernel] = w.shape as [number, number, ...number[]];
  const [, n, channels, ...image] = x.shape as [number, number, number, ...number[]];
  const places = node.shape.slice(2);
  const images = reshape(permute(x, [1, 0, ...from(2, image.length + 1)]), [n, size * channels, ...image]);
  const attrs = { ...node.attrs, groups: node.attrs.groups * size };
  const y = conv(images, reshape(w, [size * out, ...kernel]), attrs);
  return permute(reshape(y, [n, size, out, ...places]), [1, 0, ...from(2, places.length + 1)]);
}

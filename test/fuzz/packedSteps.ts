import { hostStorage } from '../../src/compile/index.js';
import {
  binary,
  cast,
  concat,
  expand,
  flip,
  full,
  gather,
  iota,
  leaf,
  type Node,
  pad,
  permute,
  reshape,
  sameShape,
  sizeOf,
  slice,
  unary,
  where,
} from '../../src/graph/index.js';

/** Sources of the packed dtypes; sizes that do not fill their last word among them. */
export function packedLeaves(): Node[] {
  // Numbers that f16 has, of 0.25 to 0.93, of both signs.
  const halves = (n: number): Float32Array =>
    Float32Array.from({ length: n }, (_, i) => ((i % 3 ? 1 : -1) * (256 + ((i * 37) % 700))) / 1024);
  const bytes = (n: number): number[] => Array.from({ length: n }, (_, i) => (i * 91 + 13) % 256);
  return [
    leaf(hostStorage(halves(15), [3, 5], 'f16'), false),
    leaf(hostStorage(halves(8), [8], 'f16'), false),
    leaf(hostStorage(Int8Array.from(bytes(15)), [3, 5], 'i8'), false),
    leaf(hostStorage(Uint8Array.from(bytes(6)), [6, 1], 'u8'), false),
  ];
}

/** A step on packed values whose result is the same to the bit wherever it is computed: movement, and arithmetic that rounds once. */
export function applyPacked(a: number, b: number, c: number, nodes: readonly Node[]): Node {
  const x = nodes[a % nodes.length]!;
  const rank = x.shape.length;
  const axis = c % rank;
  const alike = nodes.filter((n) => n.dtype === x.dtype && sameShape(n.shape, x.shape));
  const y = alike[c % alike.length]!;
  const at = (value: number): number[] => x.shape.map((_, i) => (i === axis ? value : 0));
  switch (b % 12) {
    case 0:
      return unary(c & 1 ? 'neg' : 'abs', x);
    case 1:
      return binary(c & 1 ? 'max' : 'min', x, y);
    case 2:
      return binary(c & 1 ? 'add' : 'sub', x, y);
    case 3:
      return permute(x, [...x.shape.keys()].reverse());
    case 4:
      return reshape(x, c & 1 ? [sizeOf(x.shape)] : [1, ...x.shape]);
    case 5:
      return expand(
        x,
        x.shape.map((d) => (d === 1 ? 1 + (c % 5) : d)),
      );
    case 6: {
      const from = Math.min(c % 3, x.shape[axis]! - 1);
      const stride = 1 + (c % 2);
      const size = Math.floor((x.shape[axis]! - 1 - from) / stride) + 1;
      return slice(
        x,
        at(from),
        x.shape.map((d, i) => (i === axis ? size : d)),
        x.shape.map((_, i) => (i === axis ? stride : 1)),
      );
    }
    case 7:
      return pad(x, { low: at(c & 1), high: at((c >> 1) & 3), interior: at((c >> 3) & 1), value: c % 5 });
    case 8:
      return flip(x, [axis]);
    case 9:
      return concat([x, y], axis);
    case 10: {
      const shape = x.shape.map((d, i) => (i === axis ? 1 + (c % 5) : d));
      const mixed = binary('mul', iota(shape, axis), full(shape, 3, 'i32'));
      return gather(x, binary('remainder', mixed, full(shape, x.shape[axis]!, 'i32')), axis);
    }
    default:
      return where(binary('lt', iota(x.shape, axis), full(x.shape, c % 4, 'i32')), x, y);
  }
}

/** As f32 numbers of about 1. */
export function unpacked(x: Node): Node {
  const wide = cast(x, 'f32');
  return x.dtype === 'f16' ? wide : binary('mul', wide, full(x.shape, 1 / 128, 'f32'));
}

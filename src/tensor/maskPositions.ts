import {
  argsort,
  binary,
  broadcastScalar,
  cast,
  full,
  iota,
  type Node,
  pad,
  reduce,
  reshape,
  sizeOf,
  where,
} from '../graph/index.js';
import { sliceAxis } from './axis.js';

/**
 * Where a mask holds, in row-major order, as one i32 vector of length `size` for each axis; `fill` where there are fewer places.
 */
export function maskPositions(mask: Node, size: number, fill: number): Node[] {
  const count = sizeOf(mask.shape);
  const flat = cast(reshape(mask, [count]), 'i32');
  // A stable sort takes what holds to the front, in order.
  const kept = Math.min(size, count);
  const order = pad(sliceAxis(argsort(flat, 0, true), 0, 0, kept), { low: [0], high: [size - kept] });
  const found = binary('lt', iota([size], 0), broadcastScalar(reshape(reduce('sum', flat, [0]), []), [size]));
  let stride = count;
  return mask.shape.map((length) => {
    stride = Math.max(1, stride / Math.max(1, length));
    const along = binary('floorDiv', order, full([size], stride, 'i32'));
    return where(
      found,
      binary('remainder', along, full([size], Math.max(1, length), 'i32')),
      full([size], fill, 'i32'),
    );
  });
}

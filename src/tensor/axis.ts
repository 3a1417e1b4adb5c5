// Nodes along one axis: what the operations on indices, order and joining share.
import {
  binary,
  broadcastTo,
  full,
  gather,
  type Node,
  permute,
  reshape,
  type ScatterFn,
  type Shape,
  scatter,
  slice,
  where,
} from '../graph/index.js';

/** A shape with another length (or other lengths) on one axis. */
export const withAxis = (shape: Shape, axis: number, ...lengths: number[]): number[] => [
  ...shape.slice(0, axis),
  ...lengths,
  ...shape.slice(axis + 1),
];

export function sliceAxis(x: Node, axis: number, start: number, length: number): Node {
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    withAxis(x.shape, axis, length),
  );
}

/** Takes axes to the front, in the order given, or with `back` to where they were. */
export function permuteFirst(x: Node, axes: readonly number[], back = false): Node {
  const order = [...axes, ...x.shape.map((_, i) => i).filter((i) => !axes.includes(i))];
  return permute(x, back ? order.map((_, i) => order.indexOf(i)) : order);
}

/** Takes one axis to another place. */
export function moveAxis(x: Node, from: number, to: number): Node {
  const order = x.shape.map((_, i) => i).filter((i) => i !== from);
  order.splice(to, 0, from);
  return permute(x, order);
}

/** A vector repeated to a shape along one axis of it. */
export const alongAxis = (vector: Node, shape: Shape, axis: number): Node =>
  broadcastTo(
    reshape(
      vector,
      shape.map((_, i) => (i === axis ? vector.shape[0]! : 1)),
    ),
    shape,
  );

/** Slices of x along an axis by a vector of positions. */
export const gatherSlices = (x: Node, positions: Node, axis: number): Node =>
  gather(x, alongAxis(positions, withAxis(x.shape, axis, positions.shape[0]!), axis), axis);

/** Puts slices into x along an axis, by a vector of positions. */
export const scatterSlices = (fn: ScatterFn, x: Node, positions: Node, slices: Node, axis: number): Node =>
  scatter(fn, x, alongAxis(positions, slices.shape, axis), slices, axis);

/** Positions that count from the back where they are negative. */
export const wrapped = (index: Node, length: number): Node =>
  where(
    binary('lt', index, full(index.shape, 0, 'i32')),
    binary('add', index, full(index.shape, length, 'i32')),
    index,
  );

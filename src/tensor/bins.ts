import { binary, full, gather, type Node, reshape, scatter, unary, where } from '../graph/index.js';

/** Where values would be inserted along the last axis of ascending lines, by binary search: log2(n) gathers. */
export function placesIn(line: Node, values: Node, right: boolean): Node {
  const axis = line.shape.length - 1;
  const n = line.shape[axis]!;
  const { shape } = values;
  const number = (value: number): Node => full(shape, value, 'i32');
  let place = number(0);
  if (n === 0) return place;
  for (let step = 2 ** Math.floor(Math.log2(n)); step >= 1; step /= 2) {
    const next = binary('add', place, number(step));
    // Out of range only where the choice below drops it.
    const probe = gather(line, binary('min', binary('sub', next, number(1)), number(n - 1)), axis);
    // Written so that a NaN goes behind everything.
    const stops = right ? binary('lt', values, probe) : binary('le', values, probe);
    const goes = binary('and', binary('le', next, number(n)), unary('logicalNot', stops));
    place = where(goes, next, place);
  }
  return place;
}

/** Counts flat elements by bin (i32), or adds up their weights (f32); elements with a bin out of range count nowhere. */
export function addedUp(bin: Node, count: number, weight: Node | null): Node {
  const each = weight === null ? full(bin.shape, 1, 'i32') : reshape(weight, bin.shape);
  return scatter('add', full([count], 0, each.dtype), bin, each, 0);
}

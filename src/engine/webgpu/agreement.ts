import type { TypedArray } from '../../graph/index.js';

/** Rounding of a sum of k terms in another order grows about with the root of k; by this much more, the results are others. */
const SAFETY = 4;
const EPSILON = 2 ** -23;

/**
 * Whether two schedules of a contraction over k computed the same: integers exactly, floats within what another order of summation
 * changes. Not a number is only the same where both have none.
 */
export function agreesOver(k: number): (found: readonly TypedArray[], expected: readonly TypedArray[]) => boolean {
  const tolerance = SAFETY * EPSILON * Math.sqrt(Math.max(k, 1));
  return (found, expected) =>
    found.length === expected.length && found.every((values, i) => isClose(values, expected[i]!, tolerance));
}

function isClose(found: TypedArray, expected: TypedArray, tolerance: number): boolean {
  if (found.length !== expected.length) return false;
  if (!(expected instanceof Float32Array)) {
    for (let i = 0; i < found.length; i++) if (found[i] !== expected[i]) return false;
    return true;
  }
  let largest = 0;
  for (const value of expected) if (Math.abs(value) < Infinity) largest = Math.max(largest, Math.abs(value));
  for (let i = 0; i < found.length; i++) {
    const [x, y] = [found[i]!, expected[i]!];
    if (Object.is(x, y) || x === y) continue;
    // Also false where one of them is not a number, or infinite.
    if (!(Math.abs(x - y) <= tolerance * largest)) return false;
  }
  return true;
}
